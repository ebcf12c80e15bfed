using System.CommandLine;
using Commerce.Cli.Api;
using Commerce.Gateway.V1;

namespace Commerce.Cli.Orders;

/// <summary>`./commerce order end-sessions`: takes back what shoppers see an order with.</summary>
internal static class EndSessionsCommand
{
    public static Command Create()
    {
        var id = new Argument<string>("ID") { Description = "The Order ID." };
        var json = OrderCommands.JsonOption();
        var command = new Command(
            "end-sessions",
            "End all sessions and links with which shoppers see an order, at once: somebody opened it who should not have.\n\n"
            + "Example: ./commerce order end-sessions ORD-7K3M9QX-T2F8CRW")
        {
            id, json,
        };
        command.SetAction((parse, cancellationToken) => ApiCall.Run(
            async api =>
            {
                var ended = await api.Access.EndOrderSessionsAsync(
                    new EndOrderSessionsRequest { Name = "orders/" + parse.GetRequiredValue(id), RequestId = Guid.CreateVersion7().ToString() }, OrderCommands.Options(cancellationToken));
                if (parse.GetValue(json))
                    Print.Json(ended);
                else
                    Console.Out.WriteLine($"Sessions and links of {ended.Name["orders/".Length..]} until {ended.EndTime.ToDateTimeOffset():u} are over.");
                return Exit.Done;
            },
            cancellationToken));
        return command;
    }
}

using System.CommandLine;
using Commerce.Cli.Api;
using Commerce.Orders.V1;

namespace Commerce.Cli.Orders;

/// <summary>`./commerce order export`.</summary>
internal static class ExportCommand
{
    public static Command Create()
    {
        var filters = new OrderFilterOptions();
        var command = new Command(
            "export",
            "Write orders as CSV (RFC 4180, UTF-8) to standard output, oldest first; the filters are those of `order search`.\n\n"
            + "Example: ./commerce order export --from 2026-11-01 --state Completed > november.csv");
        filters.AddTo(command);
        command.SetAction((parse, cancellationToken) => ApiCall.Run(
            async api =>
            {
                // No deadline: it takes as long as there are orders.
                using var call = api.Orders.ExportOrders(new ExportOrdersRequest { Filter = filters.Read(parse) }, cancellationToken: cancellationToken);
                await using var output = Console.OpenStandardOutput();
                while (await call.ResponseStream.MoveNext(cancellationToken))
                    await output.WriteAsync(call.ResponseStream.Current.Data.Memory, cancellationToken);
                await output.FlushAsync(cancellationToken);
                return Exit.Done;
            },
            cancellationToken));
        return command;
    }
}

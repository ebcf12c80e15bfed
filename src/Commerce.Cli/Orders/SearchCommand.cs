using System.CommandLine;
using Commerce.Cli.Api;
using Commerce.Orders.V1;
using Spectre.Console;

namespace Commerce.Cli.Orders;

/// <summary>`./commerce order search`.</summary>
internal static class SearchCommand
{
    public static Command Create()
    {
        var sort = new Option<string>("--sort") { Description = "create_time, update_time or total; with \" desc\" the latest or largest first.", DefaultValueFactory = _ => "create_time desc" };
        var limit = new Option<int>("--limit") { Description = "Most orders shown.", DefaultValueFactory = _ => 20 };
        var json = OrderCommands.JsonOption();
        var filters = new OrderFilterOptions();
        var command = new Command(
            "search",
            "Find orders by anything that is known of them; several filters must all hold.\n\n"
            + "Example: ./commerce order search --name \"ada exa\" --from 2026-11-01 --sort \"total desc\"") { sort, limit, json };
        filters.AddTo(command);
        command.SetAction((parse, cancellationToken) => ApiCall.Run(
            async api =>
            {
                var wanted = parse.GetValue(limit);
                if (wanted < 1)
                    throw new UsageException("--limit must be 1 or more.");
                var request = new SearchOrdersRequest { Filter = filters.Read(parse), OrderBy = parse.GetValue(sort) ?? "" };
                var shown = 0;
                while (true)
                {
                    request.PageSize = Math.Min(wanted - shown, 500);
                    var page = await api.Orders.SearchOrdersAsync(request, OrderCommands.Options(cancellationToken));
                    foreach (var order in page.Orders)
                    {
                        if (parse.GetValue(json))
                            Print.JsonLine(order);
                        else
                            AnsiConsole.MarkupLine($"{order.OrderId}  {order.CreateTime.ToDateTimeOffset():yyyy-MM-dd HH:mm}  {OrderView.Headline(order)}  {Print.Amount(order.Total)}  {Print.Escape(order.Customer.Name)} [dim]{Print.Escape(order.ExternalId)}[/]");
                    }

                    shown += page.Orders.Count;
                    if (page.NextPageToken.Length == 0)
                        break;
                    if (shown >= wanted)
                    {
                        await Console.Error.WriteLineAsync($"There are more; --limit {wanted * 5} shows them.");
                        break;
                    }

                    if (page.Narrow is { } narrow)
                        await Console.Error.WriteLineAsync($"{narrow.Examined:N0} orders examined, {shown} found; going on. Add one of {string.Join(", ", narrow.Add)} to be faster.");
                    request.PageToken = page.NextPageToken;
                }

                return shown > 0 ? Exit.Done : Exit.NotFound;
            },
            cancellationToken));
        return command;
    }
}

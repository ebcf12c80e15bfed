using System.CommandLine;
using Commerce.Cli.Api;
using Commerce.Gateway.V1;
using Google.Protobuf.WellKnownTypes;
using Spectre.Console;

namespace Commerce.Cli.Audit;

/// <summary>`./commerce audit`: who saw and changed what.</summary>
internal static class AuditCommands
{
    public static Command Create() => new("audit", "Who saw or changed what of whom.") { Search() };

    private static Command Search()
    {
        var resource = new Argument<string?>("RESOURCE") { Description = "What it was about, for example orders/ORD-7K3M9QX-T2F8CRW, stores/main or customers/customer-7.", Arity = ArgumentArity.ZeroOrOne };
        var principal = new Option<string?>("--by") { Description = "Who called, for example staff/anna." };
        var person = new Option<string?>("--person") { Description = "Whom it was about, by e-mail address or phone number; of these a hash is kept." };
        var method = new Option<string?>("--method") { Description = "What was called, for example OrderService.GetOrder." };
        var result = new Option<string?>("--result") { Description = "How it ended, for example OK or PERMISSION_DENIED." };
        var from = new Option<DateTimeOffset?>("--from") { Description = "Not before, for example 2026-11-26T08:00Z." };
        var until = new Option<DateTimeOffset?>("--until") { Description = "Before." };
        var limit = new Option<int>("--limit") { Description = "Most entries.", DefaultValueFactory = _ => 50 };
        var json = new Option<bool>("--json") { Description = "Print each commerce.gateway.v1.AuditEvent as protobuf JSON on a line of its own." };
        var command = new Command(
            "search", "Find calls from outside, newest first; what is said must all hold.\n\nExample: ./commerce audit search orders/ORD-7K3M9QX-T2F8CRW --by staff/anna --from 2026-11-01")
        {
            resource, principal, person, method, result, from, until, limit, json,
        };
        command.SetAction((parse, cancellationToken) => ApiCall.Run(
            async api =>
            {
                var left = parse.GetValue(limit);
                if (left < 1)
                    throw new UsageException("--limit must be at least 1.");
                var request = new SearchAuditEventsRequest
                {
                    Resource = parse.GetValue(resource) ?? "",
                    Principal = parse.GetValue(principal) ?? "",
                    Person = parse.GetValue(person) ?? "",
                    Method = parse.GetValue(method) ?? "",
                    Result = parse.GetValue(result) ?? "",
                    TimeFrom = parse.GetValue(from) is { } first ? Timestamp.FromDateTimeOffset(first) : null,
                    TimeUntil = parse.GetValue(until) is { } end ? Timestamp.FromDateTimeOffset(end) : null,
                };
                var table = new Table { Border = TableBorder.None };
                table.AddColumns("time", "who", "method", "about", "result", "from");
                do
                {
                    request.PageSize = Math.Min(left, 500);
                    var page = await api.Audit.SearchAuditEventsAsync(request, cancellationToken: cancellationToken);
                    left -= page.Events.Count;
                    foreach (var one in page.Events)
                    {
                        if (parse.GetValue(json))
                            Print.JsonLine(one);
                        else
                            table.AddRow($"{one.Time.ToDateTimeOffset():u}", Print.Escape(one.Principal), Print.Escape(one.Method), Print.Escape(About(one)), Print.Escape(one.Result), Print.Escape(one.Client));
                    }

                    request.PageToken = page.NextPageToken;
                }
                while (request.PageToken.Length > 0 && left > 0);
                if (!parse.GetValue(json))
                    AnsiConsole.Write(table);
                return Exit.Done;
            },
            cancellationToken));
        return command;
    }

    private static string About(AuditEvent one) => string.Join(", ", one.Resources.Take(3)) + (one.Resources.Count > 3 ? $" and {one.Resources.Count - 3} more" : "");
}

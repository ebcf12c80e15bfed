using System.Globalization;
using Commerce.Cli.Api;
using Commerce.Operations.V1;
using Spectre.Console;

namespace Commerce.Cli.Queues;

/// <summary>Queues as a table.</summary>
internal static class QueueView
{
    public static void Write(IReadOnlyList<QueuesOf> found, DateTimeOffset now)
    {
        var table = new Table().Border(TableBorder.Rounded).AddColumns("Service", "Queue");
        foreach (var number in (string[])["Waiting", "Set aside", "Parked", "In the error queue"])
            table.AddColumn(new TableColumn(number).RightAligned());
        table.AddColumns("Oldest", "Last error");
        foreach (var (service, queue) in found.SelectMany(one => one.Queues, (one, queue) => (one.Service, queue)))
        {
            table.AddRow(
                Print.Escape(service),
                Print.Escape(queue.Name["queues/".Length..]),
                Number(queue.WaitingMessages),
                Number(queue.SetAsideFacts),
                Number(queue.ParkedFacts),
                queue.ErrorMessages == 0 ? "0" : $"[red]{Number(queue.ErrorMessages)}[/]",
                queue.OldestTime is null ? "" : Age(now - queue.OldestTime.ToDateTimeOffset()),
                queue.LastError is null ? "" : Print.Escape(Describe(queue.LastError)));
        }

        AnsiConsole.Write(table);
        if (found.SelectMany(one => one.Queues).Any(queue => queue.ErrorMessages + queue.SetAsideFacts > 0))
            Console.Out.WriteLine("Once the cause is mended: ./commerce redrive QUEUE, or --all");
    }

    /// <summary>For example "gave OrderPlaced up after 11 attempts: PostgresException 23505, trace 4bf92f35…".</summary>
    public static string Describe(QueueError error)
    {
        var fact = error.Fact.Length == 0 ? "a message" : error.Fact;
        var attempts = error.Attempts switch
        {
            0 => "",
            1 => " after 1 attempt",
            var many => $" after {many.ToString(CultureInfo.InvariantCulture)} attempts",
        };
        var what = error.Reason switch
        {
            QueueError.Types.Reason.SetAside => $"set {fact} aside{attempts}",
            QueueError.Types.Reason.GaveUp => $"gave {fact} up{attempts}",
            QueueError.Types.Reason.Undecodable => $"could not read {fact}",
            QueueError.Types.Reason.UnknownFact => "a message that is no fact of this queue",
            QueueError.Types.Reason.DeliveryLimit => $"{fact} was delivered as often as it may be",
            _ => fact,
        };
        return what + (error.Error.Length == 0 ? "" : $": {error.Error}") + (error.TraceId.Length == 0 ? "" : $", trace {error.TraceId}");
    }

    public static string Age(TimeSpan age) => age switch
    {
        { TotalDays: >= 2 } => $"{(int)age.TotalDays} days",
        { TotalHours: >= 2 } => $"{(int)age.TotalHours} h",
        { TotalMinutes: >= 2 } => $"{(int)age.TotalMinutes} min",
        _ => $"{Math.Max(0, (int)age.TotalSeconds)} s",
    };

    private static string Number(long value) => value.ToString("N0", CultureInfo.InvariantCulture);
}

using System.Globalization;
using System.Text.Json;
using Commerce.Cli.Api;
using Commerce.Cli.Replay;
using Spectre.Console;

namespace Commerce.Cli.Bench;

/// <summary>Who used the processors: seconds of one core, and of what an order cost.</summary>
internal sealed record FlowShare(string Name, double Cores, double MillisAnOrder, double OfTheMachine);

/// <summary>
/// Real orders from PlaceOrder to the door, as many a second as the suite carries. The limit of the same run: what the
/// machine's processors would carry if they did nothing else, at what an order cost them (the Sandbox, which plays the world
/// outside, and the driver of the load included, since both share the machine).
/// </summary>
internal sealed record FlowResult(int Orders, double Seconds, int Cores, double PlaceMillisMedian, double PlaceMillisP99, double DoorSecondsMedian, double DoorSecondsP99, IReadOnlyList<FlowShare> Shares)
{
    public double OrdersPerSecond => Orders / Seconds;

    public double CoreMillisAnOrder => Shares.Where(share => share.Name != CpuShares.Others).Sum(share => share.MillisAnOrder);

    public double Limit => Cores * 1000 / CoreMillisAnOrder;

    public static FlowResult Of(ReplayResult result, int cores)
    {
        var seconds = result.Elapsed.TotalSeconds;
        var place = result.Orders.Select(order => order.PlaceLatency.TotalMilliseconds).Order().ToList();
        var door = result.Orders.Select(order => order.Duration.TotalSeconds).Order().ToList();
        return new FlowResult(
            result.Orders.Count, seconds, cores, At(place, 0.5), At(place, 0.99), At(door, 0.5), At(door, 0.99),
            [.. result.Cpu.Select(one => new FlowShare(one.Name, one.Cores, one.Cores * seconds * 1000 / result.Orders.Count, one.Cores / cores))]);
    }

    private static double At(List<double> sorted, double quantile) => sorted[Math.Min(sorted.Count - 1, (int)(sorted.Count * quantile))];
}

/// <summary>`./commerce bench flow`.</summary>
internal static class FlowBench
{
    public static async Task<int> Run(SuiteApi api, string folder, int count, bool json, CancellationToken cancellationToken)
    {
        var sandbox = api.Sandbox ?? throw new UsageException("The flow needs the Sandbox: it plays the provider and the carriers.");
        var data = OlistData.Read(folder);
        var delivered = data.Orders.Where(order => OlistOrders.EndingOf(order) == Ending.Delivered).ToList();
        var orders = ReplayCommand.Spread(delivered, count);
        var knobs = await sandbox.Knobs(cancellationToken);
        await sandbox.SetKnobs(new { DaySeconds = 0.2 }, cancellationToken);
        try
        {
            await Replay(ReplayCommand.Spread(delivered, Math.Max(1, count / 4)), "warm");
            var result = await Replay(orders, "flow");
            var problems = result.Orders.Where(order => order.Problem is not null).Select(order => $"{order.Data.Id}: {order.Problem}").ToList();
            if (problems.Count > 0)
            {
                await Console.Error.WriteLineAsync(string.Join(Environment.NewLine, problems.Take(20)));
                return Exit.Rejected;
            }

            Write(FlowResult.Of(result, Environment.ProcessorCount), json);
            return Exit.Done;
        }
        finally
        {
            await sandbox.SetKnobs(new { DaySeconds = knobs["day_seconds"]!.GetValue<double>() }, CancellationToken.None);
        }

        Task<ReplayResult> Replay(IReadOnlyList<OlistOrder> chosen, string name)
        {
            var run = name + TimeProvider.System.GetUtcNow().ToString("yyMMddHHmmss", CultureInfo.InvariantCulture);
            return new OlistReplay(api, sandbox, data, chosen, run, TimeProvider.System).Run(cancellationToken);
        }
    }

    private static void Write(FlowResult flow, bool json)
    {
        const string LimitIs = "all cores of this machine at what an order cost them in this run, Sandbox and driver included";
        if (json)
        {
            Console.Out.WriteLine(JsonSerializer.Serialize(
                new
                {
                    name = "flow",
                    unit = "orders/s",
                    ratio = flow.OrdersPerSecond / flow.Limit,
                    ours = flow.OrdersPerSecond,
                    limit = flow.Limit,
                    limitIs = LimitIs,
                    flow.Orders,
                    flow.Seconds,
                    flow.Cores,
                    flow.CoreMillisAnOrder,
                    placeMillis = new { median = flow.PlaceMillisMedian, p99 = flow.PlaceMillisP99 },
                    doorSeconds = new { median = flow.DoorSecondsMedian, p99 = flow.DoorSecondsP99 },
                    processes = flow.Shares,
                },
                JsonSerializerOptions.Web));
            return;
        }

        var table = new Table().Border(TableBorder.Rounded).AddColumn("Process");
        foreach (var column in (string[])["Cores", "ms of a core an order", "Of the machine"])
            table.AddColumn(new TableColumn(column).RightAligned());
        foreach (var share in flow.Shares)
            Row(Print.Escape(share.Name), share.Cores, share.MillisAnOrder, share.OfTheMachine);
        Row("together", flow.Shares.Sum(share => share.Cores), flow.Shares.Sum(share => share.MillisAnOrder), flow.Shares.Sum(share => share.OfTheMachine));
        AnsiConsole.Write(table);
        Console.Out.WriteLine(string.Create(CultureInfo.InvariantCulture, $"flow: {flow.OrdersPerSecond:F1} orders/s from PlaceOrder to delivered ({flow.Orders} in {flow.Seconds:F0} s); limit: {flow.Limit:F1} orders/s ({LimitIs})"));
        Console.Out.WriteLine(string.Create(CultureInfo.InvariantCulture, $"ratio {flow.OrdersPerSecond / flow.Limit:F2}; PlaceOrder: median {flow.PlaceMillisMedian:F0} ms, p99 {flow.PlaceMillisP99:F0} ms; to the door: median {flow.DoorSecondsMedian:F1} s, p99 {flow.DoorSecondsP99:F1} s"));

        void Row(string name, double cores, double millis, double machine) => table.AddRow(
            name, cores.ToString("F2", CultureInfo.InvariantCulture), millis.ToString("F1", CultureInfo.InvariantCulture), machine.ToString("P0", CultureInfo.InvariantCulture));
    }
}

using System.Globalization;

namespace Commerce.Bench.Orders;

/// <summary>
/// PlaceOrder over gRPC, acknowledged after the commit, with all checks and the relay at work; against pgbench writing the
/// same rows into tables of the same kind, with as many at a time, in one round trip, at the same durability.
/// </summary>
internal static class PlaceBench
{
    private const int Concurrency = 32;
    private const int Rounds = 5;
    private static readonly TimeSpan Round = TimeSpan.FromSeconds(6);
    private static int _transactions;

    public static async Task<Comparison> Run()
    {
        await using var servers = await BenchServers.Start();
        await using var orders = await OrdersProcess.Start(servers);
        await using var peer = await OrdersProcess.Start(servers);
        await BenchOrders.Stock(orders);
        await BenchOrders.Stock(peer);
        var script = await Script(peer);

        var latencies = new List<double>();
        await Ours(orders, []);
        await Pgbench(peer, script.Path);
        List<double> ours = [];
        List<double> limit = [];
        for (var round = 0; round < Rounds; round++)
        {
            // Who goes first changes, so that neither has always the fuller tables or the warmer caches.
            if (round % 2 == 1)
                limit.Add(await Pgbench(peer, script.Path));
            ours.Add(await Ours(orders, latencies));
            if (round % 2 == 0)
                limit.Add(await Pgbench(peer, script.Path));
        }

        File.Delete(script.Path);
        latencies.Sort();
        return new Comparison(
            "place", "orders/s", ours, limit, $"pgbench writing the same {script.Rows} rows, {Concurrency} at a time, a round trip each", 0.5)
        {
            Beside = string.Create(
                CultureInfo.InvariantCulture,
                $"PlaceOrder under this load: median {latencies[latencies.Count / 2]:F1} ms, p99 {latencies[latencies.Count * 99 / 100]:F1} ms, p99.9 {latencies[latencies.Count * 999 / 1000]:F1} ms"),
        };
    }

    private static async Task<double> Ours(OrdersProcess orders, List<double> latencies)
    {
        var start = TimeProvider.System.GetTimestamp();
        var placed = await Task.WhenAll(Enumerable.Range(0, Concurrency).Select(_ => Task.Run(async () =>
        {
            var mine = new List<double>();
            while (TimeProvider.System.GetElapsedTime(start) < Round)
            {
                var request = BenchOrders.Request(Random.Shared.Next(BenchOrders.Articles / 2), BenchOrders.Articles / 2 + Random.Shared.Next(BenchOrders.Articles / 2));
                var began = TimeProvider.System.GetTimestamp();
                await orders.Orders.PlaceOrderAsync(request);
                mine.Add(TimeProvider.System.GetElapsedTime(began).TotalMilliseconds);
            }

            return mine;
        })));
        var rate = placed.Sum(mine => mine.Count) / TimeProvider.System.GetElapsedTime(start).TotalSeconds;
        latencies.AddRange(placed.SelectMany(mine => mine));

        // What is told is part of an order's price, and must not be paid in the other's round.
        await using var outbox = orders.Database.CreateCommand("SELECT NOT EXISTS (SELECT FROM messaging.outbox)");
        while (!(bool)(await outbox.ExecuteScalarAsync())!)
            await Task.Delay(TimeSpan.FromMilliseconds(20), TimeProvider.System);
        return rate;
    }

    /// <summary>One order placed, and its rows put as a transaction of pgbench. Its service is stopped then.</summary>
    private static async Task<(string Path, int Rows)> Script(OrdersProcess peer)
    {
        var caught = await BenchOrders.Catch(peer);
        var rows = caught.Rows;
        await peer.Stop();
        // What triggers wrote was caught, too, and is not to be written twice.
        foreach (var table in rows.Tables)
            await peer.Execute($"ALTER TABLE {table} DISABLE TRIGGER USER");

        var id = caught.Id;
        var random = id.Value & ((1L << 34) - 1);
        List<string> lines =
        [
            // Of the 34 bits that a service draws at random, as many as leave room for what makes two of them never the same.
            "\\set n :n + 1",
            string.Create(CultureInfo.InvariantCulture, $"\\set id {id.Value - random} + random(0, 1023) * {1L << 24} + :n * {Concurrency} + :client_id"),
            $"\\set a random(0, {(BenchOrders.Articles / 2) - 1})",
            $"\\set b random({BenchOrders.Articles / 2}, {BenchOrders.Articles - 1})",
            "\\startpipeline",
            "BEGIN;",
            .. rows.Statements(
                [
                    (caught.Id.ToString(), "'ORD-' || :id"),
                    (caught.RequestId, "'request-' || :id"),
                    .. caught.Instead(":id", (prefix, sku) => $"'{prefix}' || lpad(:{(sku == caught.FirstSku ? "a" : "b")}::text, 4, '0')"),
                ])
                .Select(statement => statement + ";"),
            "COMMIT;",
            "\\endpipeline",
        ];
        var path = Path.GetTempFileName();
        await File.WriteAllLinesAsync(path, lines);
        return (path, rows.Count);
    }

    private static async Task<double> Pgbench(OrdersProcess peer, string script)
    {
        var rate = await Commerce.Bench.Pgbench.Run(peer.ConnectionString, script, Concurrency, Round, [$"n={_transactions += 10_000}"]);
        // pgbench deletes nothing; what it left would grow without end where the relay empties ours.
        await peer.Execute("TRUNCATE messaging.outbox");
        return rate;
    }
}

using System.Globalization;
using Commerce.Orders.V1;
using Google.Protobuf.WellKnownTypes;

namespace Commerce.Bench.Orders;

/// <summary>
/// How finding an order fares as orders grow in number: GetOrder, and pages of ten by customer, article and date, with few
/// orders and with many, each kind in turns on both. Keys are drawn at random over all orders. Both begin with what they read in
/// memory, as far as it goes; how much the larger reads from disk all the same is told beside.
/// </summary>
internal static class FindBench
{
    private const int Few = 10_000;
    private const int Page = 10;
    private const int Concurrency = 8;
    private const int Rounds = 5;
    private const int OrdersACustomer = 5;
    // 10 million at this pace are two years of orders.
    private const int SecondsBetween = 6;
    private static readonly TimeSpan Round = TimeSpan.FromSeconds(2);
    private static readonly DateTimeOffset First = new(2024, 1, 1, 0, 0, 0, TimeSpan.Zero);

    public static async Task<IReadOnlyList<Comparison>> Run(int many)
    {
        await using var servers = await BenchServers.Start();
        await using var small = await OrdersProcess.Start(servers);
        await using var large = await OrdersProcess.Start(servers);
        string[] tables = ["public.orders", "public.order_lines", "public.order_terms", "public.order_timeline"];
        string Email(int count) => $"'c' || g.n % {count / OrdersACustomer} || '@example.com'";
        var smallIds = await Fill(small, Few, tables, Email(Few));
        var largeIds = await Fill(large, many, tables, Email(many));
        await Warm(large);
        await Warm(small);
        (string Name, Func<OrdersProcess, OrderId, int, int, Task<int>> Find)[] finds =
        [
            ("get", async (orders, first, _, n) => (await orders.Orders.GetOrderAsync(new GetOrderRequest { Name = $"orders/{Id(first, n)}" })).Lines.Count / 2),
            ("by e-mail", (orders, _, count, n) => Search(orders, new OrderFilter { StoreId = "main", Email = $"c{n % (count / OrdersACustomer)}@example.com" })),
            ("by article", (orders, _, _, n) => Search(orders, new OrderFilter { StoreId = "main", Sku = BenchOrders.Sku(n % BenchOrders.Articles) })),
            ("by date", (orders, _, _, n) => Search(orders, new OrderFilter
            {
                StoreId = "main",
                CreateTimeFrom = (First + TimeSpan.FromSeconds((long)SecondsBetween * n)).ToTimestamp(),
                CreateTimeUntil = (First + TimeSpan.FromSeconds((long)SecondsBetween * (n + Page))).ToTimestamp(),
            })),
        ];
        var comparisons = new List<Comparison>();
        foreach (var (name, find) in finds)
        {
            List<double> ours = [];
            List<double> limit = [];
            var read = 0.0;
            await Rate(small, smallIds, Few, find);
            await Rate(large, largeIds, many, find);
            for (var round = 0; round < Rounds; round++)
            {
                if (round % 2 == 1)
                    limit.Add(await Rate(small, smallIds, Few, find));
                var before = KilobytesRead();
                ours.Add(await Rate(large, largeIds, many, find));
                read += (KilobytesRead() - before) / (ours[^1] * Round.TotalSeconds * Rounds);
                if (round % 2 == 0)
                    limit.Add(await Rate(small, smallIds, Few, find));
            }

            comparisons.Add(new Comparison(
                $"find, {name}", "calls/s", ours, limit, string.Create(CultureInfo.InvariantCulture, $"the same with {Few:N0} orders instead of {many:N0}"), 1 / 1.3)
            {
                Beside = string.Create(CultureInfo.InvariantCulture, $"read from disk with {many:N0} orders: {read:F1} kB a call"),
            });
        }

        return comparisons;
    }

    /// <summary>Reads what is read to find and show an order into memory: what is read last stays, where it is not enough for all.</summary>
    private static async Task Warm(OrdersProcess orders)
    {
        await orders.Execute("CREATE EXTENSION IF NOT EXISTS pg_prewarm");
        foreach (var relation in (string[])["order_terms_pkey", "order_lines", "order_lines_pkey", "orders", "orders_by_time", "orders_by_email", "orders_pkey"])
            await orders.Execute($"SELECT pg_prewarm('{relation}', 'read')");
    }

    /// <summary>By the whole machine, from all disks, since it started.</summary>
    private static long KilobytesRead() =>
        File.ReadLines("/proc/vmstat").Select(line => line.Split(' ')).Where(words => words[0] == "pgpgin").Select(words => long.Parse(words[1], CultureInfo.InvariantCulture)).FirstOrDefault();

    /// <summary>The ID of an order of <see cref="Fill"/>, from 1 on.</summary>
    public static OrderId Id(OrderId first, int n) => new(first.Prefix, first.Value + (997L * n));

    private static async Task<int> Search(OrdersProcess orders, OrderFilter filter) =>
        (await orders.Orders.SearchOrdersAsync(new SearchOrdersRequest { Filter = filter, PageSize = Page })).Orders.Count;

    private static async Task<double> Rate(OrdersProcess orders, OrderId first, int count, Func<OrdersProcess, OrderId, int, int, Task<int>> find)
    {
        var start = TimeProvider.System.GetTimestamp();
        var calls = await Task.WhenAll(Enumerable.Range(0, Concurrency).Select(_ => Task.Run(async () =>
        {
            var mine = 0;
            for (; TimeProvider.System.GetElapsedTime(start) < Round; mine++)
            {
                if (await find(orders, first, count, 1 + Random.Shared.Next(count - Page)) == 0)
                    throw new InvalidOperationException("Nothing was found where something is.");
            }

            return mine;
        })));
        return calls.Sum() / TimeProvider.System.GetElapsedTime(start).TotalSeconds;
    }

    /// <summary>Makes many of one order that was really placed. That one's ID.</summary>
    /// <param name="orders">Where.</param>
    /// <param name="count">How many.</param>
    /// <param name="tables">The tables that are filled.</param>
    /// <param name="email">An SQL expression for the customer's address.</param>
    public static async Task<OrderId> Fill(OrdersProcess orders, int count, IReadOnlyList<string> tables, string email)
    {
        await BenchOrders.Stock(orders);
        var caught = await BenchOrders.Catch(orders);
        var id = caught.Id;
        var time = $"timestamptz '{First:yyyy-MM-dd}' + g.n * interval '{SecondsBetween} seconds'";
        string Article(string prefix, string sku) => $"'{prefix}' || lpad((({sku[2..]} + 7919 * (g.n::bigint % 1000003)) % {BenchOrders.Articles})::text, 4, '0')";
        var statements = caught.Rows.Where(tables.Contains).Statements(
            [
                (BenchOrders.Email, email),
                .. caught.Instead(string.Create(CultureInfo.InvariantCulture, $"{id.Value} + 997 * g.n::bigint"), Article),
            ],
            column => column is "public.orders.create_time" or "public.orders.update_time" or "public.order_terms.create_time" or "public.order_timeline.time" ? time : null,
            $"FROM generate_series(1, {count}) AS g (n)").ToList();

        await Bulk.Insert(orders, count, tables, statements);
        return id;
    }
}

using System.Globalization;
using Commerce.Bench.Orders;
using Commerce.Bench.Shipments;
using Commerce.Gateway.V1;
using Google.Protobuf;

namespace Commerce.Bench.Gateway;

/// <summary>
/// Look-ups as orders grow in number: of a code that was just asked for, of codes that only Redis has, and of codes that only the services have,
/// with few orders and with many, in turns. Behind the Gateway are Orders, Payments, Shipments and Notifications as they are deployed, each on
/// its database, with an order of two lines, a captured payment, an invoice, a parcel with a scan and a message for each.
/// </summary>
internal static class FlatBench
{
    private const int Few = 10_000;
    private const int Rounds = 5;
    private const int WarmUpRounds = 3;
    private const int Warm = 500;
    // Eight services are more than have one Postgres in common elsewhere.
    private const int Connections = 16;
    private const int Cold = 8_000;
    private const string Ours = "/commerce.gateway.v1.LookupService/Lookup";
    private static readonly TimeSpan Round = TimeSpan.FromSeconds(2);

    public static async Task<IReadOnlyList<Comparison>> Run(int many)
    {
        await using var servers = await BenchServers.Start();
        await using var small = await World.Start(servers, Few);
        await using var large = await World.Start(servers, many);
        var comparisons = new List<Comparison>();
        foreach (var (name, hotAnswers, codes, flush) in new[] { ("warm", "10000", Warm, false), ("from Redis", "0", Warm, false), ("cold", "0", Cold, true) })
        {
            await using var ofSmall = await PeerProcess.Gateway(servers, small.Ports, hotAnswers);
            await using var ofLarge = await PeerProcess.Gateway(servers, large.Ports, hotAnswers);
            var oursSide = await Side.Of(ofLarge, large, codes, flush);
            var limitSide = await Side.Of(ofSmall, small, codes, flush);
            List<double> ours = [];
            List<double> limit = [];
            for (var round = -WarmUpRounds; round < Rounds; round++)
            {
                var (first, second) = round % 2 == 0 ? (oursSide, limitSide) : (limitSide, oursSide);
                var (firstRate, secondRate) = (await first.Rate(), await second.Rate());
                if (round < 0)
                    continue;
                ours.Add(first == oursSide ? firstRate : secondRate);
                limit.Add(first == oursSide ? secondRate : firstRate);
            }

            comparisons.Add(new Comparison(
                $"flat, {name}", "look-ups/s", ours, limit, string.Create(CultureInfo.InvariantCulture, $"the same with {Few:N0} orders instead of {many:N0}"), 1 / 1.3)
            {
                Beside = $"{oursSide.Size} bytes an answer; the databases of the larger have {await large.Size()}",
            });
            Console.Error.WriteLine(comparisons[^1].ToText());
        }

        return comparisons;
    }

    /// <summary>A Gateway that is asked for codes of a world.</summary>
    private sealed record Side(PeerProcess Gateway, IReadOnlyList<IMessage> Requests, int Size, bool Flush)
    {
        public static async Task<Side> Of(PeerProcess gateway, World world, int codes, bool flush)
        {
            List<IMessage> requests = [.. Enumerable.Range(0, codes).Select(_ => new LookupRequest { Code = world.Code(1 + Random.Shared.Next(world.Count)) })];
            var lookups = new LookupService.LookupServiceClient(gateway.Channel);
            var size = 0;
            foreach (var request in requests.Take(Warm))
            {
                var view = await lookups.LookupAsync((LookupRequest)request);
                if (view is not { Order.Lines.Count: 2, Payment: not null, Documents.Count: 1, Shipments: [{ Scans.Count: 1 }], Notifications.Count: 1 })
                    throw new InvalidOperationException($"Something is missing: {view}");
                size = view.CalculateSize();
            }

            return new Side(gateway, requests, size, flush);
        }

        public async Task<double> Rate()
        {
            if (Flush)
                await Gateway.Flush();
            return await Task.Run(() => RawLoad.Closed(Gateway, Ours, Requests, Size, Round));
        }
    }

    /// <summary>The services, and what they know.</summary>
    private sealed class World : IAsyncDisposable
    {
        private const string Then = "timestamptz '2026-01-02 03:04:05+00'";

        private readonly IReadOnlyList<ServiceProcess> _services;
        private readonly OrderId _first;

        private World(IReadOnlyList<ServiceProcess> services, OrderId first, int count) => (_services, _first, Count) = (services, first, count);

        public int Count { get; }

        /// <summary>In the order of <see cref="BareFanOut.Services"/>.</summary>
        public string Ports => string.Join(',', _services.Select(one => one.Port));

        public static async Task<World> Start(BenchServers servers, int count)
        {
            var services = new List<ServiceProcess>();
            try
            {
                var orders = await OrdersProcess.Start(servers, Connections);
                services.Add(orders);
                services.Add(await OtherProcess.Start(servers, "Payments", "paymentsdb"));
                services.Add(await ShipmentsProcess.Start(servers, Connections));
                services.Add(await OtherProcess.Start(servers, "Notifications", "notificationsdb"));
                var first = await FindBench.Fill(orders, count, ["public.orders", "public.order_lines"], $"'{BenchOrders.Email}'");
                var world = new World(services, first, count);
                // As many at a time as have a core.
                await Task.WhenAll(world.FillPayments(services[1]), Task.Run(async () =>
                {
                    await world.FillShipments(services[2]);
                    await world.FillNotifications(services[3]);
                }));
                return world;
            }
            catch
            {
                foreach (var service in services)
                    await service.DisposeAsync();
                throw;
            }
        }

        public string Code(int n) => FindBench.Id(_first, n).ToString();

        public async Task<string> Size()
        {
            var bytes = 0L;
            foreach (var service in _services)
            {
                await using var command = service.Database.CreateCommand("SELECT pg_database_size(current_database())");
                bytes += (long)(await command.ExecuteScalarAsync())!;
            }

            return string.Create(CultureInfo.InvariantCulture, $"{bytes / 1e9:F1} GB");
        }

        public async ValueTask DisposeAsync()
        {
            foreach (var service in _services)
                await service.DisposeAsync();
        }

        // Only we can write an Order ID as text.
        private async Task Ids(ServiceProcess service)
        {
            await service.Execute("CREATE UNLOGGED TABLE bench_ids (n integer, id text)");
            await using var connection = await service.Database.OpenConnectionAsync();
            await using var writer = await connection.BeginBinaryImportAsync("COPY bench_ids FROM STDIN (FORMAT binary)");
            for (var n = 1; n <= Count; n++)
            {
                await writer.StartRowAsync();
                await writer.WriteAsync(n);
                await writer.WriteAsync(Code(n));
            }

            await writer.CompleteAsync();
        }

        private async Task FillPayments(ServiceProcess payments)
        {
            await Ids(payments);
            // It asks for each document's number before its own, one by one.
            await payments.Execute("ALTER TABLE documents DISABLE TRIGGER documents_are_gapless");
            await Bulk.Insert(payments, Count, ["public.payments", "public.payment_parts", "public.documents"],
            [
                $"""
                INSERT INTO payments (order_id, store_id, currency, amount_minor, captured_minor, state, told, sold, invoiced, version, created_at, updated_at)
                SELECT id, 'main', 'EUR', 3000, 3000, 3, 3, true, true, 2, {Then}, {Then} FROM bench_ids
                """,
                """
                INSERT INTO payment_parts (order_id, part_number, method, token, amount_minor, instalments, provider, provider_reference, state, captured_minor)
                SELECT id, 1, 'CARD', 'tok_ok', 3000, 1, 'sandbox', 'pay_' || lpad(n::text, 9, '0'), 4, 3000 FROM bench_ids
                """,
                // Numbers of eight digits, all of them.
                $$"""
                INSERT INTO documents (store_id, kind, year, serial, order_id, refund_number, issued_at, content)
                SELECT 'main', 1, 2026, 10000000 + n, id, 0, {{Then}}, jsonb_build_object('order_id', id) ||
                  '{"store_name":"Main","store_address":[],"store_email":"","colour":"","language":"en","time_zone":"UTC","customer_name":"Ada Example","customer_address":[],"ordered_at":"2026-01-02T03:04:05Z",
                    "currency":"EUR","lines":[],"subtotal_minor":3000,"shipping_minor":0,"adjustments":[],"total_minor":3000,"payments":[],"corrects":"","note":""}'
                FROM bench_ids
                """,
            ]);
            await payments.Execute("DROP TABLE bench_ids");
        }

        private async Task FillShipments(ServiceProcess shipments)
        {
            await Ids(shipments);
            await Bulk.Insert(shipments, Count, ["public.shipments", "public.scans"],
            [
                $$"""
                INSERT INTO shipments (id, store_id, order_id, order_reference, location_id, position, ship_from, ship_to, lines, weight_grams, length_mm, width_mm, height_mm, value_minor, currency,
                  carrier, service, label_id, tracking_number, status, status_at, version, created_at, updated_at)
                SELECT ('00000000-0000-0000-0000-' || lpad(to_hex(n), 12, '0'))::uuid, 'main', id, id, '', 0,
                  '{"locationId":"","locality":"Louisville","region":"KY","postalCode":"40213","country":"US"}', '{"name":"A","lines":["1 Main St"],"locality":"Austin","region":"TX","postalCode":"78701","country":"US"}',
                  '[{"lineNumber":1,"sku":"a","title":"A","quantity":1}]', 500, 100, 100, 100, 1000, 'USD', 'ups', 'ground', 'l' || n, 'BENCH' || lpad(n::text, 9, '0'), 3, {{Then}}, 2, {{Then}}, {{Then}}
                FROM bench_ids
                """,
                $$"""
                INSERT INTO scans (shipment_id, scan_id, status, reason_party, reason_code, inferred, carrier_code, description, occurred_at, local_time, place, source, received_at)
                SELECT ('00000000-0000-0000-0000-' || lpad(to_hex(n), 12, '0'))::uuid, gen_random_uuid(), 3, 0, '', false, 'I', 'Departed from Facility', {{Then}}, '2026-01-02T03:04:05Z',
                  '{"locationId":"","locality":"Louisville","region":"KY","postalCode":"40213","country":"US"}', 'webhook', {{Then}}
                FROM bench_ids
                """,
            ]);
            await shipments.Execute("DROP TABLE bench_ids");
        }

        private async Task FillNotifications(ServiceProcess notifications)
        {
            await Ids(notifications);
            await Bulk.Insert(notifications, Count, ["public.notifications"],
            [
                $"""
                INSERT INTO notifications (id, store_id, order_id, shipment_id, kind, channel, carrier, tracking_number, state, attempts, created_at, sent_at)
                SELECT gen_random_uuid(), 'main', id, '', 1, 'email', '', '', 2, 1, {Then}, {Then} FROM bench_ids
                """,
            ]);
            await notifications.Execute("DROP TABLE bench_ids");
        }
    }

    /// <summary>A service of which nothing is asked but by the Gateway.</summary>
    private sealed class OtherProcess : ServiceProcess
    {
        private OtherProcess(Started started)
            : base(started)
        {
        }

        public static async Task<OtherProcess> Start(BenchServers servers, string project, string database) => new(await Start(servers, project, database, connections: Connections));
    }
}

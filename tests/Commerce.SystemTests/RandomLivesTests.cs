using System.Collections.Concurrent;
using System.Globalization;
using Commerce.Orders.V1;
using Commerce.Payments.V1;
using Commerce.Testing;
using Commerce.Types.V1;
using Google.Protobuf.WellKnownTypes;
using Grpc.Core;
using Npgsql;

namespace Commerce.SystemTests;

/// <summary>
/// Many orders at once are placed, changed, cancelled whole and by line, captured by hand, voided, given back, returned in pieces for
/// money, credit or other goods, with a provider that fails, and Orders and Payments killed in between. At rest the provider's book,
/// the payments, the ledger, the documents, the orders and the stock say the same.
/// </summary>
[Collection("One suite, one test at a time")]
public sealed class RandomLivesTests(Suite suite)
{
    private const int Workers = 6;
    private const int OrdersEach = 5;
    private const int Shelf = 500;

    private static readonly string[] Victims = ["payments", "orders", "payments", "orders"];
    private static readonly long[] Prices = [777, 1000, 1999, 5];
    private static readonly TimeSpan Outage = TimeSpan.FromSeconds(60);

    // Another run has other shelves.
    private readonly string[] _skus = [.. "abcd".Select(letter => $"life-{letter}-{Guid.NewGuid().ToString("N")[..8]}")];
    private readonly ConcurrentDictionary<string, bool> _orders = new(StringComparer.Ordinal);
    private readonly ConcurrentDictionary<string, long> _counted = new(StringComparer.Ordinal);
    private int _steps;
    private int _requests;

    [Fact]
    public async Task Whatever_is_done_to_many_orders_with_kills_in_between_stock_provider_payments_ledger_documents_and_orders_agree()
    {
        var seed = int.TryParse(Environment.GetEnvironmentVariable("COMMERCE_LIVES_SEED"), CultureInfo.InvariantCulture, out var given) ? given : Random.Shared.Next(1_000_000);
        TestContext.Current.TestOutputHelper?.WriteLine($"COMMERCE_LIVES_SEED={seed} does the same again.");
        await suite.Knobs(new
        {
            day_seconds = 0.2,
            pending_delay_seconds = 1.0,
            payment_error_rate = 0.05,
            payment_timeout_after_success_rate = 0.02,
            refund_failure_rate = 0.1,
            webhook_duplicate_rate = 0.2,
            webhook_reorder_rate = 0.2,
        });
        var start = TimeProvider.System.GetTimestamp();
        try
        {
            await Shelves();
            var lives = Task.WhenAll(Enumerable.Range(0, Workers).Select(worker => Live(new Random((seed * 100) + worker))));
            for (var i = 0; i < Victims.Length; i++)
            {
                // Spread over the lives: a place, and three steps an order, more or less.
                var due = Workers * OrdersEach * 4 * (i + 1) / (Victims.Length + 2);
                await Eventually.True(() => Volatile.Read(ref _steps) >= due || lives.IsCompleted, TimeSpan.FromMinutes(2));
                await suite.Kill(Victims[i]);
            }

            await lives;
        }
        finally
        {
            // Also for whoever has the suite next.
            await suite.Knobs(new
            {
                payment_error_rate = 0.0,
                payment_timeout_after_success_rate = 0.0,
                refund_failure_rate = 0.0,
                webhook_duplicate_rate = 0.0,
                webhook_reorder_rate = 0.0,
                pending_delay_seconds = 5.0,
            });
        }

        TestContext.Current.TestOutputHelper?.WriteLine($"{_orders.Count} orders lived after {TimeProvider.System.GetElapsedTime(start).TotalSeconds:F0} s");
        var left = "";
        await Eventually.True(async () => (left = string.Join('\n', await Differences())).Length == 0, TimeSpan.FromSeconds(60), () => $"COMMERCE_LIVES_SEED={seed}:\n{left}");
        TestContext.Current.TestOutputHelper?.WriteLine($"All agree after {TimeProvider.System.GetElapsedTime(start).TotalSeconds:F0} s");
    }

    private async Task Shelves()
    {
        await suite.Catalogue.BatchUpdateProductsAsync(new BatchUpdateProductsRequest
        {
            Parent = "stores/main",
            Products = { _skus.Select((sku, i) => new Product { Sku = sku, Title = "Article " + sku, UnitPrice = Euro(Prices[i]), StockTracked = true }) },
        });
        foreach (var sku in _skus)
            await Adjust(sku, Shelf, StockAdjustmentReason.Received);
    }

    private async Task Live(Random random)
    {
        for (var i = 0; i < OrdersEach; i++)
        {
            // Some arrive, and can come back; of the others the carrier never comes for the parcel, and they can be changed.
            var arrives = random.Next(2) == 0;
            var manual = random.Next(4) == 0;
            if (await Place(random, arrives, manual) is not { } order)
                continue;
            _orders[order.OrderId] = true;
            // Most live on once they are paid, or have arrived; some are upset before.
            if (random.Next(4) > 0)
            {
                await Seen(order, o => o.State == OrderState.Cancelled || (arrives
                    ? o.FulfilmentState == FulfilmentState.Delivered
                    : o.PaymentState is not (PaymentState.Pending or PaymentState.Authorised) || (manual && o.PaymentState == PaymentState.Authorised)));
            }

            for (var step = random.Next(2, 6); step > 0; step--)
            {
                var what = random.Next(10);
                Interlocked.Increment(ref _steps);
                await (arrives && what < 5 ? ComeBack(order, random) : Do(order, random, what));
            }

            // Nobody leaves money lying with the provider for ever.
            if (manual)
                await Seen(order, o => o.State == OrderState.Cancelled || o.PaymentState != PaymentState.Pending);
            if (manual && random.Next(2) == 0)
                await Try(new CapturePaymentRequest { Name = "payments/" + order.OrderId, RequestId = Id() }, r => suite.Payments.CapturePaymentAsync(r, Soon));
            if (manual)
                await Try(new VoidPaymentRequest { Name = "payments/" + order.OrderId, RequestId = Id() }, r => suite.Payments.VoidPaymentAsync(r, Soon));
        }
    }

    private Task Do(Order order, Random random, int what)
    {
        switch (what)
        {
            case 0:
                return Try(new CancelOrderRequest { Name = order.Name, RequestId = Id() }, r => suite.Orders.CancelOrderAsync(r, Soon));
            case 1 or 2:
                return TakeOff(order, random);
            case 3 or 4:
                return Change(order, random);
            case 5:
                return GiveBack(order, random);
            case 6:
                return Try(new CapturePaymentRequest { Name = "payments/" + order.OrderId, RequestId = Id(), Amount = Euro(random.Next(1, 3000)) }, r => suite.Payments.CapturePaymentAsync(r, Soon));
            case 7:
                return Adjust(_skus[random.Next(_skus.Length)], random.Next(1, 4), StockAdjustmentReason.Counted);
            case 8:
                return Try(new VoidPaymentRequest { Name = "payments/" + order.OrderId, RequestId = Id() }, r => suite.Payments.VoidPaymentAsync(r, Soon));
            default:
                // What is made cheaper, given back and changed at the same moment.
                return Task.WhenAll(TakeOff(order, new Random(random.Next())), GiveBack(order, new Random(random.Next())), Change(order, new Random(random.Next())));
        }
    }

    private Task<Order?> TakeOff(Order order, Random random) => Try(new CancelOrderRequest
    {
        Name = order.Name,
        RequestId = Id(),
        Lines = { new LinePieces { LineNumber = random.Next(1, order.Lines.Count + 1), Pieces = random.Next(3) } },
    }, r => suite.Orders.CancelOrderAsync(r, Soon));

    private Task<Refund?> GiveBack(Order order, Random random) => Try(new RefundPaymentRequest
    {
        Name = "payments/" + order.OrderId,
        RequestId = Id(),
        Amount = Euro(random.Next(1, 3000)),
        Reason = RefundReason.Goodwill,
        Destination = random.Next(4) == 0 ? RefundDestination.StoreCredit : RefundDestination.OriginalMeans,
    }, r => suite.Payments.RefundPaymentAsync(r, Soon));

    private async Task Change(Order order, Random random)
    {
        if (await Read(order) is not { } now)
            return;
        var wanted = new Order { Name = order.Name, Lines = { now.Lines.Where(line => line.Quantity > 0) } };
        if (wanted.Lines.Count > 0)
        {
            var line = wanted.Lines[random.Next(wanted.Lines.Count)];
            line.Quantity = Math.Max(0, line.Quantity + random.Next(-2, 3));
        }

        if (random.Next(3) == 0)
            wanted.Lines.Add(new OrderLine { Sku = _skus[random.Next(_skus.Length)], Quantity = random.Next(1, 3) });
        var request = new UpdateOrderRequest { Order = wanted, UpdateMask = new FieldMask { Paths = { "lines" } }, RequestId = Id() };
        if (random.Next(2) == 0)
            request.AdditionalPayment = new PaymentPart { Method = PaymentMethod.Card, Token = Token(random) };
        await Try(request, r => suite.Orders.UpdateOrderAsync(r, Soon));
    }

    // Asked for, approved, received in two goes with each piece's condition, and given back as money, credit or other goods.
    private async Task ComeBack(Order order, Random random)
    {
        var line = order.Lines[random.Next(order.Lines.Count)];
        var pieces = random.Next(1, line.Quantity + 1);
        var request = new RequestReturnRequest
        {
            Parent = order.Name,
            RequestId = Id(),
            Lines = { new ReturnLine { LineNumber = line.LineNumber, Quantity = pieces, Reason = random.Next(3) == 0 ? ReturnReason.ArrivedDamaged : ReturnReason.ChangedMind } },
            Outcome = (ReturnOutcome)random.Next(1, 4),
        };
        if (request.Outcome == ReturnOutcome.Exchange)
        {
            request.Replacement = new Replacement
            {
                Lines = { new ReplacementLine { Sku = _skus[random.Next(_skus.Length)], Quantity = random.Next(1, 3) } },
                PaymentPart = new PaymentPart { Method = PaymentMethod.Card, Token = "tok_ok" },
            };
        }

        if (await Try(request, r => suite.Returns.RequestReturnAsync(r, Soon)) is not { } asked
            || await Try(new ApproveReturnRequest { Name = asked.Name, RequestId = Id() }, r => suite.Returns.ApproveReturnAsync(r, Soon)) is null)
            return;
        var first = random.Next(1, pieces + 1);
        await Receive(asked, line.LineNumber, first, random);
        if (pieces > first)
            await Receive(asked, line.LineNumber, pieces - first, random);
        if (random.Next(2) == 0)
            await Try(new RefundReturnRequest { Name = asked.Name, RequestId = Id() }, r => suite.Returns.RefundReturnAsync(r, Soon));
    }

    private Task<Return?> Receive(Return asked, int lineNumber, int pieces, Random random) => Try(new ReceiveReturnRequest
    {
        Name = asked.Name,
        RequestId = Id(),
        Refund = random.Next(3) > 0,
        Items = { new ReceivedItem { LineNumber = lineNumber, Quantity = pieces, Condition = (ReturnCondition)random.Next(1, 4) } },
    }, r => suite.Returns.ReceiveReturnAsync(r, Soon));

    private async Task<Order?> Place(Random random, bool arrives, bool manual)
    {
        var reference = Guid.NewGuid().ToString("N");
        await suite.Scenario(reference, new { ends_at = arrives ? "DELIVERED" : "PRE_TRANSIT" });
        var request = Shop.Order($"{reference}@example.com", externalId: reference);
        request.CustomerId = "life-" + reference[..12];
        request.CaptureMode = manual ? CaptureMode.Manual : CaptureMode.Automatic;
        request.Lines.Clear();
        request.PaymentParts.Clear();
        long total = 0;
        for (var i = random.Next(3); i >= 0; i--)
        {
            var (sku, pieces) = (random.Next(_skus.Length), random.Next(1, 4));
            request.Lines.Add(new OrderLine { Sku = _skus[sku], Quantity = pieces });
            total += Prices[sku] * pieces;
        }

        if (random.Next(2) == 0 && total > 3)
        {
            var discount = random.NextInt64(1, total - 1);
            request.Adjustments.Add(new Adjustment { Label = "voucher", Amount = Euro(-discount) });
            total -= discount;
        }

        request.ShippingCharge = Euro(499);
        total += 499;
        var first = random.Next(3) == 0 ? random.NextInt64(1, total) : total;
        request.PaymentParts.Add(new PaymentPart { Method = PaymentMethod.Card, Token = Token(random), Amount = Euro(first) });
        if (first < total)
            request.PaymentParts.Add(new PaymentPart { Method = PaymentMethod.Card, Token = Token(random), Amount = Euro(total - first) });
        Interlocked.Increment(ref _steps);
        return await Try(request, r => suite.Orders.PlaceOrderAsync(r, Soon));
    }

    private static string Token(Random random) => random.Next(12) switch { 0 => "tok_declined", 1 or 2 => "tok_pending", _ => "tok_ok" };

    private async Task Adjust(string sku, long change, StockAdjustmentReason reason)
    {
        var request = new AdjustStockRequest { Name = $"stores/main/products/{sku}/stock", RequestId = Id(), Change = change, Reason = reason };
        if (await Try(request, r => suite.Stock.AdjustStockAsync(r, Soon)) is not null)
            _counted.AddOrUpdate(sku, change, (_, sum) => sum + change);
    }

    private async Task<Order?> Read(Order order) => await Try(new GetOrderRequest { Name = order.Name }, r => suite.Orders.GetOrderAsync(r, Soon));

    private Task Seen(Order order, Func<Order, bool> accept) =>
        Eventually.True(async () => await Read(order) is { } now && accept(now), TimeSpan.FromSeconds(60), () => Evidence.Of(suite, order.OrderId));

    private string Id() => $"life-{Interlocked.Increment(ref _requests)}-{Guid.NewGuid():N}";

    private static CallOptions Soon => new(deadline: TimeProvider.System.GetUtcNow().UtcDateTime.AddSeconds(15), cancellationToken: TestContext.Current.CancellationToken);

    // A call that got no answer is made again under its request_id. What is refused is refused.
    private static async Task<TResponse?> Try<TRequest, TResponse>(TRequest request, Func<TRequest, AsyncUnaryCall<TResponse>> call)
        where TResponse : class
    {
        var start = TimeProvider.System.GetTimestamp();
        while (true)
        {
            try
            {
                return await call(request);
            }
            catch (RpcException refused) when (refused.StatusCode is StatusCode.FailedPrecondition or StatusCode.NotFound or StatusCode.InvalidArgument or StatusCode.ResourceExhausted)
            {
                return null;
            }
            catch (RpcException away) when (
                away.StatusCode is StatusCode.Unavailable or StatusCode.DeadlineExceeded or StatusCode.Cancelled or StatusCode.Aborted
                && TimeProvider.System.GetElapsedTime(start) < Outage)
            {
                await Task.Delay(TimeSpan.FromMilliseconds(100), TimeProvider.System, TestContext.Current.CancellationToken);
            }
        }
    }

    // Everything that does not agree, or is still to be done; nothing at rest.
    private async Task<List<string>> Differences()
    {
        await using var orders = NpgsqlDataSource.Create(suite.Run.Find("ordersdb")!.ConnectionString!);
        await using var payments = NpgsqlDataSource.Create(suite.Run.Find("paymentsdb")!.ConnectionString!);
        // With what was sent instead of what came back.
        var values = (await Rows(orders, "SELECT content->'replacement'->>'orderId' FROM order_returns WHERE content->'replacement'->>'orderId' <> ''"))
            .Select(row => (string)row[0]).Concat(_orders.Keys).Distinct().ToList();
        var ids = values.ToDictionary(id => OrderId.TryParse(id, out var parsed) ? parsed.Value : throw new InvalidOperationException($"{id} is no Order ID."));
        var differences = new List<string>();

        foreach (var (name, database) in new[] { ("orders", orders), ("payments", payments) })
        {
            foreach (var left in await Rows(database, "SELECT fact || ' of ' || key FROM messaging.outbox UNION ALL SELECT fact || ' of ' || key || ' failed: ' || last_error FROM messaging.failed_facts LIMIT 5"))
                differences.Add($"{name}: {left[0]}");
            foreach (var left in await Rows(database, "SELECT kind || ' of ' || key || ': ' || coalesce(last_error, '') FROM messaging.recovery_points WHERE split_part(key, '/', 1) = ANY ($1) LIMIT 5", values.ToArray()))
                differences.Add($"{name}: {left[0]}");
        }

        var book = await suite.Charges();
        var paid = await Rows(
            payments,
            """
            SELECT h.order_id, h.sold,
              (SELECT coalesce(sum(p.captured_minor), 0)::bigint FROM payment_parts p WHERE p.order_id = h.order_id),
              (SELECT coalesce(sum(p.refunded_minor), 0)::bigint FROM payment_parts p WHERE p.order_id = h.order_id),
              (SELECT coalesce(sum(p.captured_minor), 0)::bigint FROM payment_parts p WHERE p.order_id = h.order_id AND p.provider = 'sandbox'),
              (SELECT coalesce(sum(p.refunded_minor), 0)::bigint FROM payment_parts p WHERE p.order_id = h.order_id AND p.provider = 'sandbox')
                - (SELECT coalesce(sum(x.amount_minor), 0)::bigint FROM refunds r JOIN refund_pieces x USING (order_id, refund_number) JOIN payment_parts p USING (order_id, part_number)
                   WHERE r.order_id = h.order_id AND r.destination = 2 AND x.state = 3 AND p.provider = 'sandbox'),
              (SELECT coalesce(sum(CASE d.kind WHEN 1 THEN 1 ELSE -1 END * (d.content->>'total_minor')::bigint), 0)::bigint FROM documents d WHERE d.order_id = h.order_id AND d.kind <> 2),
              (SELECT coalesce(sum(e.amount_minor), 0)::bigint FROM ledger_entries e JOIN ledger_movements m USING (movement) JOIN ledger_accounts a USING (account) WHERE m.order_id = h.order_id AND a.kind IN (2, 3, 12)),
              (SELECT coalesce(sum(e.amount_minor), 0)::bigint FROM ledger_entries e JOIN ledger_movements m USING (movement) JOIN ledger_accounts a USING (account) WHERE m.order_id = h.order_id AND a.kind = 5),
              (SELECT coalesce(sum(e.amount_minor), 0)::bigint FROM ledger_entries e JOIN ledger_movements m USING (movement) JOIN ledger_accounts a USING (account) WHERE m.order_id = h.order_id AND a.kind = 1 AND a.provider = 'sandbox')
            FROM payments h WHERE h.order_id = ANY ($1)
            """,
            values.ToArray());
        if (paid.Count != values.Count)
            differences.Add($"{values.Count} orders were placed, and {paid.Count} have a payment.");
        var kept = new Dictionary<string, long>(StringComparer.Ordinal);
        foreach (var row in paid)
        {
            var (id, sold, captured, refunded) = ((string)row[0], (bool)row[1], (long)row[2], (long)row[3]);
            var (outsideCaptured, outsideRefunded, invoiced, ledger, held, clearing) = ((long)row[4], (long)row[5], (long)row[6], (long)row[7], (long)row[8], (long)row[9]);
            kept[id] = captured - refunded;
            var charges = book[id].Select(charge => charge["authorization"]!).ToList();
            if (charges.Count != charges.Select(charge => charge["reference"]!.GetValue<string>()).Distinct().Count())
                differences.Add($"{id} was charged twice for one part.");
            var (taken, back) = (charges.Sum(charge => Minor(charge["captured"]!)), charges.Sum(charge => Minor(charge["refunded"]!)));
            if ((taken, back) != (outsideCaptured, outsideRefunded))
                differences.Add($"{id}: by the provider {taken} were taken and {back} given back, by the payment {outsideCaptured} and {outsideRefunded}.");
            if (charges.Any(charge => charge["status"]!.GetValue<string>() != "declined" && Minor(charge["captured"]!) + Minor(charge["voided"]!) < Minor(charge["amount"]!)))
                differences.Add($"{id}: money is still held.");
            if (ledger != refunded - captured || held != 0 || clearing != outsideCaptured - outsideRefunded)
                differences.Add($"{id}: {kept[id]} is kept, and the ledger has {ledger} in sales, refunds and taxes, {held} held, {clearing} with the provider.");
            if (sold && invoiced != kept[id])
                differences.Add($"{id}: invoices less credit notes come to {invoiced}, and {kept[id]} is kept.");
        }

        foreach (var row in await Rows(payments, "SELECT coalesce(sum(amount_minor), 0)::bigint FROM ledger_entries"))
        {
            if ((long)row[0] != 0)
                differences.Add($"The ledger is {row[0]} out of balance.");
        }

        foreach (var row in await Rows(
            orders,
            "SELECT o.order_id, o.state, o.payment_state, o.total_minor, greatest(0, o.total_minor - o.untaken_minor - o.refunded_minor), o.pending_change::text FROM orders o WHERE o.order_id = ANY ($1)",
            ids.Keys.ToArray()))
        {
            var (id, state, payment, total, left) = (ids[(long)row[0]], (OrderState)(short)row[1], (PaymentState)(short)row[2], (long)row[3], (long)row[4]);
            var has = kept.GetValueOrDefault(id);
            if (row[5] is string || payment is PaymentState.Pending or PaymentState.Authorised && state == OrderState.Open)
                differences.Add($"{id} is {state}, {payment} and waits: {row[5]}");
            else if (has != (state == OrderState.Cancelled ? 0 : left))
                differences.Add($"{id} is {state}, {payment}, costs {total}, of which it has {left}, and {has} is kept.");
        }

        differences.AddRange(await StockDifferences(orders));
        return differences;
    }

    // What a carrier has is not on the shelf, whatever became of its order at the same moment.
    private async Task<List<string>> StockDifferences(NpgsqlDataSource orders)
    {
        var differences = new List<string>();
        foreach (var row in await Rows(
            orders,
            """
            SELECT s.sku, s.on_hand, s.reserved,
              (SELECT coalesce(sum(m.on_hand_change), 0)::bigint FROM stock_movements m WHERE m.sku = s.sku),
              (SELECT coalesce(sum(m.reserved_change), 0)::bigint FROM stock_movements m WHERE m.sku = s.sku),
              (SELECT coalesce(sum(l.held), 0)::bigint FROM order_lines l WHERE l.sku = s.sku),
              (SELECT coalesce(sum(c.pieces), 0)::bigint
               FROM order_lines l JOIN order_parcels p USING (order_id), unnest(p.line_numbers, p.quantities) AS c (line_number, pieces)
               WHERE l.sku = s.sku AND c.line_number = l.line_number AND p.state IN (2, 3, 4, 6)),
              (SELECT coalesce(sum(coalesce((x->>'asNew')::bigint, 0)), 0)::bigint FROM order_returns r, jsonb_array_elements(r.content->'lines') AS x WHERE x->>'sku' = s.sku)
            FROM stock s WHERE s.sku = ANY ($1)
            """,
            _skus))
        {
            var (sku, onHand, reserved) = ((string)row[0], (long)row[1], (long)row[2]);
            if ((onHand, reserved) != ((long)row[3], (long)row[4]))
                differences.Add($"{sku}: {onHand} on hand and {reserved} reserved, by its movements {row[3]} and {row[4]}.");
            if (reserved != (long)row[5])
                differences.Add($"{sku}: {reserved} are reserved, and orders hold {row[5]}.");
            if (onHand != _counted[sku] - (long)row[6] + (long)row[7])
                differences.Add($"{sku}: {onHand} are on hand, of {_counted[sku]} received and counted {row[6]} left and {row[7]} came back as new.");
        }

        return differences;
    }

    private static async Task<List<object[]>> Rows(NpgsqlDataSource database, string sql, object? parameter = null)
    {
        await using var command = database.CreateCommand(sql);
        if (parameter is not null)
            command.Parameters.Add(new NpgsqlParameter { Value = parameter });
        await using var reader = await command.ExecuteReaderAsync();
        var rows = new List<object[]>();
        while (await reader.ReadAsync())
        {
            var row = new object[reader.FieldCount];
            reader.GetValues(row);
            rows.Add(row);
        }

        return rows;
    }

    private static long Minor(System.Text.Json.Nodes.JsonNode amount) => amount["minor"]!.GetValue<long>();

    private static Google.Type.Money Euro(long minor) => new Commerce.Money(minor, "EUR").ToProto();
}

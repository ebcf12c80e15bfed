using System.Collections.Concurrent;
using Commerce.Facts;
using Commerce.Orders.V1;
using Commerce.Payments.Providers;
using Commerce.Payments.Tests;
using Commerce.Payments.V1;
using Commerce.Testing;
using Google.Protobuf.WellKnownTypes;
using Grpc.Core;
using Npgsql;

namespace Commerce.Orders.Tests;

/// <summary>
/// Many orders at once are placed, cancelled whole and by line, changed, refunded and shipped, with a provider that loses answers and
/// a Payments that goes away in between: in the end the stock adds up, orders cost what was paid for them, and the ledger balances.
/// </summary>
public class RandomLivesTests(OrdersService service) : OrdersServiceTests(service)
{
    private const int Workers = 8;
    private const int OrdersEach = 8;

    private static readonly string[] Skus = ["life-a", "life-b", "life-c", "life-d"];
    private static readonly long[] Prices = [777, 1000, 1999, 5];

    private readonly ConcurrentBag<string> _placed = [];
    private int _requests;

    [Theory]
    [InlineData(1)]
    [InlineData(2)]
    public Task Whatever_is_done_to_many_orders_at_once_stock_provider_payments_ledger_totals_and_documents_agree(int seed) => Lives(seed);

    private async Task Lives(int seed)
    {
        var chance = new Random(seed);
        var provider = new FakeProvider { Fault = _ => Pick(chance, 12) switch { 0 => ProviderFault.BeforeTheWork, 1 => ProviderFault.AfterTheWork, _ => ProviderFault.None } };
        await using var payments = new PaymentsBeside(Service, provider);
        await payments.Start();
        await using var shipments = await Service.Other("shipments");
        await Shelves();

        var lives = Enumerable.Range(0, Workers).Select(worker => Live(new Random((seed * 100) + worker), payments, shipments, provider)).ToList();
        await Eventually.True(() => _placed.Count > Workers * OrdersEach / 2 || lives.All(life => life.IsCompleted), TimeSpan.FromMinutes(2));
        await payments.Stop();
        await payments.Start();
        await Task.WhenAll(lives);
        provider.Fault = _ => ProviderFault.None;
        var left = "";
        await Eventually.True(async () => (left = await Left(provider, payments, chance)).Length == 0, TimeSpan.FromMinutes(1), () => left);

        await StockAddsUp();
        foreach (var orderId in _placed)
            await Agrees(await Service.OrderWith(orderId), provider, payments);
        await LedgerBalances(provider, payments);
        Assert.Equal(0, await Service.Count("FROM messaging.failed_facts"));
        Assert.Equal(0, await Count(payments.Database, "SELECT count(*) FROM messaging.failed_facts"));
    }

    private static int Pick(Random random, int of)
    {
        lock (random)
            return random.Next(of);
    }

    private async Task Shelves()
    {
        await Service.Catalogue.BatchUpdateProductsAsync(new BatchUpdateProductsRequest
        {
            Parent = "stores/main",
            Products = { Skus.Select((sku, i) => new Product { Sku = sku, Title = "Article " + sku, UnitPrice = Request.Euro(Prices[i]), StockTracked = true }) },
        });
        foreach (var sku in Skus)
            await Service.Stock.AdjustStockAsync(new AdjustStockRequest { Name = $"stores/main/products/{sku}/stock", RequestId = Id(), Change = 120, Reason = StockAdjustmentReason.Received });
    }

    private async Task Live(Random random, PaymentsBeside payments, OtherService shipments, FakeProvider provider)
    {
        for (var i = 0; i < OrdersEach; i++)
        {
            if (await Try(() => Place(random)) is not { } order)
                continue;
            _placed.Add(order.OrderId);
            // Most live on once they are paid, some are upset before.
            if (random.Next(4) > 0)
            {
                await Eventually.True(async () =>
                {
                    provider.Decide(order.OrderId, pays: true);
                    return (await Service.OrderWith(order.OrderId)) is not { State: OrderState.Open, PaymentState: PaymentState.Pending or PaymentState.Authorised };
                }, TimeSpan.FromMinutes(2));
            }

            var shipped = false;
            for (var step = random.Next(7); step >= 0; step--)
            {
                switch (random.Next(10))
                {
                    case 0:
                        await Try(async () => await Service.Orders.CancelOrderAsync(new CancelOrderRequest { Name = order.Name, RequestId = Id() }));
                        break;
                    case 1 or 2:
                        await Try(async () => await Service.Orders.CancelOrderAsync(new CancelOrderRequest
                        {
                            Name = order.Name,
                            RequestId = Id(),
                            Lines = { new LinePieces { LineNumber = random.Next(1, order.Lines.Count + 1), Pieces = random.Next(3) } },
                        }));
                        break;
                    case 3 or 4 or 5:
                        var wanted = Wanted(await Service.OrderWith(order.OrderId), random);
                        // Twice at once: one of them is told, or both say the same.
                        await Task.WhenAll(Try(() => Edit(wanted)), Try(() => Edit(random.Next(2) == 0 ? wanted : Again(wanted))));
                        break;
                    case 6:
                        await Try(async () => await payments.Payments.RefundPaymentAsync(new RefundPaymentRequest
                        {
                            Name = "payments/" + order.OrderId,
                            RequestId = Id(),
                            Amount = Request.Euro(random.Next(1, 3000)),
                            Reason = RefundReason.Goodwill,
                        }));
                        break;
                    case 7:
                        var change = random.Next(-2, 4);
                        await Try(async () => await Service.Stock.AdjustStockAsync(new AdjustStockRequest
                        {
                            Name = $"stores/main/products/{Skus[random.Next(Skus.Length)]}/stock",
                            RequestId = Id(),
                            Change = change == 0 ? 1 : change,
                            Reason = StockAdjustmentReason.Counted,
                        }));
                        break;
                    case 8 when !shipped:
                        shipped = true;
                        await Ship(order.OrderId, shipments);
                        break;
                    default:
                        provider.Decide(order.OrderId, pays: random.Next(3) > 0);
                        break;
                }
            }
        }
    }

    private async Task<V1.Order> Place(Random random)
    {
        var request = new PlaceOrderRequest { RequestId = Id(), StoreId = "main", Customer = Request.Order().Customer, ShippingAddress = Request.Order().ShippingAddress };
        long total = 0;
        for (var i = random.Next(3); i >= 0; i--)
        {
            var (sku, pieces) = (random.Next(Skus.Length), random.Next(1, 4));
            request.Lines.Add(new OrderLine { Sku = Skus[sku], Quantity = pieces });
            total += Prices[sku] * pieces;
        }

        if (random.Next(2) == 0 && total > 3)
        {
            var discount = random.NextInt64(1, total - 1);
            request.Adjustments.Add(new Adjustment { Label = "voucher", Amount = Request.Euro(-discount) });
            total -= discount;
        }

        if (random.Next(2) == 0)
        {
            request.ShippingCharge = Request.Euro(499);
            total += 499;
        }

        var first = random.Next(3) == 0 && total > 1 ? random.NextInt64(1, total) : total;
        request.PaymentParts.Add(Part(first, random));
        if (first < total)
            request.PaymentParts.Add(Part(total - first, random));
        return await Service.Orders.PlaceOrderAsync(request);
    }

    private static PaymentPart Part(long minor, Random random) => new() { Method = PaymentMethod.Card, Token = Token(random), Amount = Request.Euro(minor) };

    private static string Token(Random random) => random.Next(10) switch { 0 => "declined", 1 or 2 => "pending", _ => "ok" };

    private UpdateOrderRequest Wanted(V1.Order order, Random random)
    {
        var wanted = new V1.Order { Name = order.Name, Lines = { order.Lines.Where(line => line.Quantity > 0) } };
        if (wanted.Lines.Count > 0)
        {
            var line = wanted.Lines[random.Next(wanted.Lines.Count)];
            line.Quantity = Math.Max(0, line.Quantity + random.Next(-2, 3));
        }

        if (random.Next(3) == 0)
            wanted.Lines.Add(new OrderLine { Sku = Skus[random.Next(Skus.Length)], Quantity = random.Next(1, 3) });
        var request = new UpdateOrderRequest { Order = wanted, UpdateMask = new FieldMask { Paths = { "lines" } }, RequestId = Id() };
        if (random.Next(2) == 0)
            request.AdditionalPayment = new PaymentPart { Method = PaymentMethod.Card, Token = Token(random) };
        return request;
    }

    private UpdateOrderRequest Again(UpdateOrderRequest request)
    {
        var again = request.Clone();
        again.RequestId = Id();
        return again;
    }

    private async Task<V1.Order> Edit(UpdateOrderRequest request) => await Service.Orders.UpdateOrderAsync(request);

    private async Task Ship(string orderId, OtherService shipments)
    {
        var order = await Service.OrderWith(orderId);
        var content = order.Lines.Where(line => line.Quantity > 0).Select(line => new ShipmentLineFact(line.LineNumber, line.Quantity)).ToList();
        var (shipment, now) = ("rl" + orderId, TimeProvider.System.GetUtcNow());
        // Only a paid order is shipped.
        if (order is { State: OrderState.Open, PaymentState: PaymentState.Paid } && content.Count > 0)
        {
            await shipments.Tell(
                new ShipmentCreated(shipment, orderId, "main", 1, now, content),
                new ParcelTracked(shipment, orderId, "main", 2, now, "ups", "1Z", "IN_TRANSIT", "PRE_TRANSIT", ["IN_TRANSIT"], now, 1));
        }
    }

    private string Id() => $"life-{Interlocked.Increment(ref _requests)}-{Guid.NewGuid():N}";

    // What is refused is refused; what is away is away.
    private static async Task<T?> Try<T>(Func<Task<T>> call)
        where T : class
    {
        try
        {
            return await call();
        }
        catch (RpcException exception) when (exception.StatusCode is StatusCode.FailedPrecondition or StatusCode.Aborted or StatusCode.NotFound or StatusCode.Unavailable or StatusCode.Cancelled
            || exception.Status.Detail.Contains("Nothing would be left", StringComparison.Ordinal)
            || exception.Status.Detail.Contains("Nothing more is to be paid", StringComparison.Ordinal)
            || exception.Status.Detail.Contains("has 1 to 0", StringComparison.Ordinal)
            || exception.Status.Detail.Contains("order.lines: Has 0", StringComparison.Ordinal))
        {
            return null;
        }
        catch (Exception exception) when (exception is ObjectDisposedException or InvalidOperationException or NullReferenceException)
        {
            // Payments is away, and its channel with it.
            return null;
        }
    }

    // What is still to be done; empty at rest.
    private async Task<string> Left(FakeProvider provider, PaymentsBeside payments, Random chance)
    {
        foreach (var orderId in _placed)
            provider.Decide(orderId, pays: Pick(chance, 3) > 0);
        const string Outbox = "SELECT fact || ' of ' || key || ': ' || coalesce(last_error, '') FROM messaging.outbox LIMIT 5";
        return string.Join('\n',
        [
            .. await Texts(Service.Database, Outbox), .. await Texts(payments.Database, Outbox),
            .. await Texts(Service.Database, "SELECT fact || ' failed: ' || last_error FROM messaging.failed_facts LIMIT 5"),
            .. await Texts(payments.Database, "SELECT fact || ' failed: ' || last_error FROM messaging.failed_facts LIMIT 5"),
            .. await Texts(payments.Database, "SELECT kind || ' of ' || key || ': ' || coalesce(last_error, '') FROM messaging.recovery_points LIMIT 5"),
            .. await Texts(Service.Database, "SELECT 'pending ' || order_id || ' ' || state || payment_state || total_minor || coalesce(pending_change::text, '') FROM orders WHERE pending_change IS NOT NULL OR payment_state = 1 AND state = 1 LIMIT 5"),
        ]);
    }

    private async Task StockAddsUp()
    {
        foreach (var sku in Skus)
        {
            var stock = await Service.StockOf(sku);
            Assert.Equal(stock.OnHand, await Count(Service.Database, $"SELECT coalesce(sum(on_hand_change), 0)::bigint FROM stock_movements WHERE sku = '{sku}'"));
            Assert.Equal(stock.Reserved, await Count(Service.Database, $"SELECT coalesce(sum(reserved_change), 0)::bigint FROM stock_movements WHERE sku = '{sku}'"));
            Assert.Equal(stock.Reserved, await Count(Service.Database, $"SELECT coalesce(sum(held), 0)::bigint FROM order_lines WHERE sku = '{sku}'"));
            Assert.Equal(1, await Count(Service.Database, $"SELECT count(*) FROM stock WHERE sku = '{sku}' AND reserved <= on_hand + missing"));
        }
    }

    private async Task Agrees(V1.Order order, FakeProvider provider, PaymentsBeside payments)
    {
        var books = provider.BooksOf(order.OrderId);
        var (kept, total) = (books.Sum(a => a.Captured - a.Refunded), Minor(order.Total));
        Assert.Equal(Minor(order.Subtotal), order.Lines.Sum(line => line.Quantity * Minor(line.UnitPrice)));
        Assert.Equal(total, Minor(order.Subtotal) + Minor(order.ShippingCharge) + order.Adjustments.Sum(a => Minor(a.Amount)));
        Assert.Equal(total, order.PaymentParts.Sum(part => Minor(part.Amount)));
        var (captured, refunded) = (
            await Count(payments.Database, $"SELECT coalesce(sum(captured_minor), 0)::bigint FROM payments WHERE order_id = '{order.OrderId}'"),
            await Count(payments.Database, $"SELECT coalesce(sum(refunded_minor), 0)::bigint FROM payments WHERE order_id = '{order.OrderId}'"));
        Assert.Equal((books.Sum(a => a.Captured), books.Sum(a => a.Refunded)), (captured, refunded));

        // What was invoiced and not credited is what is kept.
        var invoiced = await Count(
            payments.Database,
            $"""
            SELECT coalesce(sum(CASE kind WHEN 1 THEN (content->>'total_minor')::bigint ELSE -(content->>'total_minor')::bigint END), 0)::bigint
            FROM documents WHERE order_id = '{order.OrderId}' AND kind <> 2
            """);
        Assert.True(invoiced == kept, $"Of {order.OrderId} ({order.State}, {order.PaymentState}) {invoiced} are invoiced, and {kept} kept.");
        if (order.State == OrderState.Cancelled)
        {
            Assert.Equal(0, kept);
            Assert.All(books, a => Assert.True(a.Voided || a.Captured > 0 || a.Status == AuthorisationStatus.Declined, $"{a} is still held."));
            return;
        }

        Assert.True(OrderId.TryParse(order.OrderId, out var id));
        var given = await Count(Service.Database, $"SELECT total_minor - {Storage.Sql.KeptMinor} FROM orders o WHERE order_id = {id.Value}");
        Assert.True(kept == total - given, $"{order.OrderId} ({order.State}, {order.PaymentState}) costs {total}, {given} of it were given back, and {kept} are kept.");
    }

    private async Task LedgerBalances(FakeProvider provider, PaymentsBeside payments)
    {
        Assert.Equal(0, await Count(payments.Database, "SELECT coalesce(sum(amount_minor), 0)::bigint FROM ledger_entries"));
        Assert.Equal(
            _placed.Sum(orderId => provider.BooksOf(orderId).Sum(a => a.Captured - a.Refunded)),
            await Count(payments.Database, "SELECT coalesce(sum(amount_minor), 0)::bigint FROM ledger_entries WHERE account LIKE '%/PROVIDER_CLEARING/%'"));
        Assert.Equal(0, await Count(payments.Database, "SELECT coalesce(sum(amount_minor), 0)::bigint FROM ledger_entries WHERE account LIKE '%/HOLDS/%'"));
    }

    private static long Minor(Google.Type.Money? money) => money is null ? 0 : money.TryToMoney(out var amount, out _) ? amount.Minor : throw new InvalidOperationException("No money.");

    private static async Task<List<string>> Texts(NpgsqlDataSource database, string sql)
    {
        await using var command = database.CreateCommand(sql);
        await using var reader = await command.ExecuteReaderAsync();
        var texts = new List<string>();
        while (await reader.ReadAsync())
            texts.Add(reader.GetString(0));
        return texts;
    }

    private static async Task<long> Count(NpgsqlDataSource database, string sql)
    {
        await using var command = database.CreateCommand(sql);
        return (long)(await command.ExecuteScalarAsync())!;
    }
}

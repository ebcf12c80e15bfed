using Commerce.Cli.Replay;
using Commerce.Facts;
using Commerce.Orders.V1;
using Commerce.Testing;
using Commerce.Types.V1;
using Google.Protobuf.WellKnownTypes;
using Google.Rpc;
using Grpc.Core;

namespace Commerce.Orders.Tests;

public class ImportTests(OrdersService service) : OrdersServiceTests(service)
{
    private static readonly Timestamp Long = Timestamp.FromDateTimeOffset(new DateTimeOffset(2017, 5, 4, 3, 2, 1, TimeSpan.Zero));

    [Fact]
    public async Task An_imported_order_keeps_its_date_and_its_end_and_concerns_nobody()
    {
        await Service.Stocked(5, "imp-1");
        var order = Order("i-1", Request.Line("imp-1", 3));
        order.PaymentParts.Add(new PaymentPart { Method = PaymentMethod.Boleto, Amount = Request.Euro(3000) });
        var cancelled = Order("i-2");
        (cancelled.State, cancelled.CancelReason, cancelled.CancelNote, cancelled.CancelTime) = (OrderState.Cancelled, CancelReason.Shop, "Lost in the fire", Long);
        Assert.Equal((2, 0, 0), Counts(await Import(order, cancelled)));

        var imported = await One("i-1");
        Assert.Equal((OrderState.Completed, PaymentState.Paid, FulfilmentState.Delivered, 1L), (imported.State, imported.PaymentState, imported.FulfilmentState, imported.Version));
        Assert.Equal(Long, imported.CreateTime);
        Assert.True(imported.ImportTime > Long);
        Assert.Equal((Request.Euro(3000), PaymentMethod.Boleto), (imported.Total, Assert.Single(imported.PaymentParts).Method));
        Assert.Equal(imported, await Service.OrderWith(imported.OrderId));
        Assert.Equal(("OrderImported", 1L), (Assert.Single(await Service.TimelineOf(imported)) is var entry ? (entry.Event, entry.Version) : default));

        var gone = await One("i-2");
        Assert.Equal((OrderState.Cancelled, PaymentState.Refunded, CancelReason.Shop, Long), (gone.State, gone.PaymentState, gone.Cancellation.Reason, gone.Cancellation.Time));
        Assert.Equal(gone.OrderId, Assert.Single((await Service.Orders.SearchOrdersAsync(new SearchOrdersRequest { Filter = new() { StoreId = "main", Text = "fire" } })).Orders).OrderId);

        Assert.Equal((5L, 0L), ((await Service.StockOf("imp-1")).OnHand, (await Service.StockOf("imp-1")).Reserved));
        Assert.Equal(0, await Service.Count("FROM messaging.recovery_points WHERE key = $1", imported.OrderId));
        Assert.DoesNotContain(Subscriptions.All, subscription => subscription.Subscriber is "payments" or "shipments" && subscription.Facts.Contains(typeof(OrderImported)));
        Assert.Contains(Subscriptions.All, subscription => subscription.Subscriber == "gateway" && subscription.Facts.Contains(typeof(OrderImported)));
        await Eventually.True(async () => await Service.Count("FROM messaging.outbox WHERE key = $1", imported.OrderId) == 0);
    }

    [Fact]
    public async Task The_same_again_changes_nothing_and_another_under_its_number_is_told_with_its_position()
    {
        var first = Order("again-1");
        var placed = await Service.Orders.PlaceOrderAsync(Request.Order().With(r => r.ExternalId = "again-placed"));
        Assert.Equal((1, 0, 0), Counts(await Import(first)));
        var before = await One("again-1");

        var other = first.Clone();
        other.Customer.Name = "Somebody Else";
        var response = await Import(first, first, other, Order("again-2"), Order("again-2"), Order("again-placed"));
        Assert.Equal((1, 3, 2), Counts(response));
        Assert.Equal([(2L, "again-1", ErrorReason.ExternalIdUsed), (5L, "again-placed", ErrorReason.ExternalIdUsed)], response.Errors.Select(error => (error.Position, error.ExternalId, error.Reason)));
        Assert.Equal(before, await One("again-1"));
        Assert.Equal(placed, await One("again-placed"));
    }

    [Fact]
    public async Task Wrong_orders_are_told_one_by_one_and_the_others_count()
    {
        ImportedOrder Wrong(Action<ImportedOrder> spoil)
        {
            var order = Order("wrong-" + Guid.NewGuid().ToString("N")[..8]);
            spoil(order);
            return order;
        }

        (ImportedOrder Order, string Says)[] rows =
        [
            (Wrong(o => o.ExternalId = ""), "external_id"),
            (Wrong(o => o.PlaceTime = null), "place_time"),
            (Wrong(o => o.PlaceTime = new Timestamp { Seconds = 99_999_999_999 }), "future"),
            (Wrong(o => o.State = OrderState.Unspecified), "state"),
            (Wrong(o => o.PaymentState = PaymentState.Failed), "payment_state"),
            (Wrong(o => (o.State, o.PaymentState) = (OrderState.Open, PaymentState.Unspecified)), "payment_state"),
            (Wrong(o => o.CancelNote = "but why"), "cancel_reason"),
            (Wrong(o => o.PaymentState = PaymentState.PartlyRefunded), "refunded_amount"),
            (Wrong(o => (o.PaymentState, o.RefundedAmount) = (PaymentState.PartlyRefunded, Request.Euro(999_999))), "came to"),
            (Wrong(o => o.Lines.Clear()), "lines"),
            (Wrong(o => o.Lines[0].UnitPrice = null), "lines[0].sku"),
            (Wrong(o => o.PaymentParts.Add(new PaymentPart { Amount = Request.Euro(1) })), "payment_parts"),
            (Wrong(o => o.Customer.Email = "x"), "customer.email"),
            (Wrong(o => (o.CurrencyCode, o.RefundedAmount) = ("XXQ", Request.Euro(1))), "currency_code"),
        ];
        var orders = rows.SelectMany((row, i) => new[] { Order($"right-{i}"), row.Order }).ToArray();
        var response = await Import(orders);
        Assert.Equal((rows.Length, 0, rows.Length), Counts(response));
        for (var i = 0; i < rows.Length; i++)
        {
            Assert.Equal((2 * i) + 1, response.Errors[i].Position);
            Assert.Contains(rows[i].Says, response.Errors[i].Message, StringComparison.Ordinal);
        }
    }

    [Fact]
    public async Task An_import_needs_one_store_that_exists()
    {
        await Refused("STORE_NOT_FOUND", new ImportOrdersRequest { StoreId = "nowhere" });
        await Refused("INVALID_FIELD", new ImportOrdersRequest { StoreId = "main" }, new ImportOrdersRequest { StoreId = "other" });
        async Task Refused(string reason, params ImportOrdersRequest[] messages)
        {
            using var call = Service.Orders.ImportOrders();
            foreach (var message in messages)
                await call.RequestStream.WriteAsync(message, TestContext.Current.CancellationToken);
            await call.RequestStream.CompleteAsync();
            var error = await Assert.ThrowsAsync<RpcException>(async () => await call);
            Assert.Equal(reason, error.GetRpcStatus()!.GetDetail<ErrorInfo>()!.Reason);
        }
    }

    [Fact]
    public async Task Imports_of_the_same_orders_at_once_are_one_import()
    {
        var orders = Enumerable.Range(0, 300).Select(i => Order($"race-{i}")).ToArray();
        var responses = await Task.WhenAll(Enumerable.Range(0, 4).Select(_ => Import(orders)));
        Assert.Equal((300, 900, 0), (responses.Sum(r => r.Imported), responses.Sum(r => r.Unchanged), responses.Sum(r => r.Refused)));
        Assert.Equal(300, await Service.Count("FROM orders WHERE external_id LIKE 'race-%'"));
    }

    [Fact]
    public async Task A_real_shops_history_is_imported_to_the_cent_and_only_once()
    {
        var data = OlistData.Read(Folder());
        await Service.Stores.CreateStoreAsync(new CreateStoreRequest { Store = OlistOrders.StoreMessage() });
        var orders = data.Orders.Select(order => OlistOrders.Imported(order, data)).ToArray();
        var start = TimeProvider.System.GetTimestamp();
        Assert.Equal((data.Orders.Count, 0, 0), Counts(await Import(orders)));
        var elapsed = TimeProvider.System.GetElapsedTime(start);
        TestContext.Current.TestOutputHelper!.WriteLine($"{orders.Length} orders in {elapsed.TotalSeconds:F2} s: {orders.Length / elapsed.TotalSeconds:F0} orders/s");
        Assert.Equal((0, data.Orders.Count, 0), Counts(await Import(orders)));

        await using var command = Service.Database.CreateCommand("SELECT count(*), sum(total_minor)::bigint, count(DISTINCT external_id), min(create_time), max(create_time) FROM orders WHERE store_id = 'olist'");
        await using var reader = await command.ExecuteReaderAsync(TestContext.Current.CancellationToken);
        await reader.ReadAsync(TestContext.Current.CancellationToken);
        Assert.Equal((data.Orders.Count, data.Orders.Sum(order => order.Paid), data.Orders.Count), ((int)reader.GetInt64(0), reader.GetInt64(1), (int)reader.GetInt64(2)));
        Assert.Equal(orders.Min(order => order.PlaceTime.ToDateTimeOffset()), reader.GetFieldValue<DateTimeOffset>(3));
        Assert.Equal(orders.Max(order => order.PlaceTime.ToDateTimeOffset()), reader.GetFieldValue<DateTimeOffset>(4));

        foreach (var ending in data.Orders.GroupBy(OlistOrders.EndingOf))
        {
            var (state, payment, fulfilment) = OlistOrders.StatesOf(ending.Key);
            Assert.Equal(ending.Count(), await Service.Count("FROM orders WHERE store_id = 'olist' AND state = $1 AND payment_state = $2 AND fulfilment_state = $3", (short)state, (short)payment, (short)fulfilment));
        }

        var one = data.Orders[4000];
        var customer = data.Orders.Where(order => order.CustomerId == one.CustomerId && OlistOrders.EndingOf(order) is Ending.Delivered or Ending.Shipped or Ending.Paid && order.CustomerId == one.CustomerId).ToList();
        var spend = await Service.Orders.GetSpendSummaryAsync(new GetSpendSummaryRequest { Email = $"{one.CustomerId}@example.com" });
        Assert.Equal((customer.Count, customer.Sum(order => order.Paid)), (spend.OrderCount, spend.Spent.Sum(OlistOrders.Minor)));
    }

    private static (int Imported, int Unchanged, int Refused) Counts(ImportOrdersResponse response) => (response.Imported, response.Unchanged, response.Refused);

    private static ImportedOrder Order(string externalId, params OrderLine[] lines)
    {
        var request = Request.Order(lines);
        return new ImportedOrder
        {
            ExternalId = externalId,
            PlaceTime = Long,
            Customer = request.Customer,
            ShippingAddress = request.ShippingAddress,
            Lines = { request.Lines },
            State = OrderState.Completed,
        };
    }

    private async Task<V1.Order> One(string externalId) =>
        Assert.Single((await Service.Orders.ListOrdersAsync(new ListOrdersRequest { StoreId = "main", ExternalId = externalId })).Orders);

    private async Task<ImportOrdersResponse> Import(params ImportedOrder[] orders)
    {
        using var call = Service.Orders.ImportOrders();
        foreach (var chunk in orders.Chunk(100))
            await call.RequestStream.WriteAsync(new ImportOrdersRequest { StoreId = chunk[0].CurrencyCode == OlistOrders.Currency ? OlistOrders.Store : "main", Orders = { chunk } });
        await call.RequestStream.CompleteAsync();
        return await call;
    }

    private static string Folder()
    {
        for (var folder = new DirectoryInfo(AppContext.BaseDirectory); folder is not null; folder = folder.Parent)
        {
            if (!File.Exists(Path.Combine(folder.FullName, "Commerce.sln")))
                continue;
            var data = Path.Combine(Environment.GetEnvironmentVariable("COMMERCE_DATA") ?? Path.Combine(folder.FullName, "..", "shared", "data"), "olist");
            return Directory.Exists(data) ? data : throw TestServers.Missing($"The real data is not at {data}; set COMMERCE_DATA to its folder.");
        }

        throw new InvalidOperationException("Commerce.sln is not above the tests.");
    }
}

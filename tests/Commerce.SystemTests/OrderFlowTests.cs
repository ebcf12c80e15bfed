using System.Net;
using System.Net.Http.Json;
using System.Text.Json.Nodes;
using Commerce.Gateway.V1;
using Commerce.Orders.V1;
using Commerce.Testing;
using Grpc.Core;

namespace Commerce.SystemTests;

/// <summary>What a shop and its shoppers see, over the public surface.</summary>
[Collection("One suite, one test at a time")]
public sealed class OrderFlowTests(Suite suite)
{
    private static readonly TimeSpan ToTheDoor = TimeSpan.FromSeconds(90);

    [Fact]
    public async Task An_order_comes_to_the_door_and_either_code_finds_it()
    {
        var email = $"{Guid.NewGuid():N}@example.com";
        var reference = await Steered("DELIVERED");
        var placed = await suite.Orders.PlaceOrderAsync(Shop.Order(email, places: 2, externalId: reference));
        Assert.True(OrderId.TryParse(placed.OrderId, out _));

        var view = await Until(placed.OrderId, view => view.Order.State == OrderState.Completed);
        Assert.Equal(PaymentState.Paid, view.Order.PaymentState);
        Assert.Equal(FulfilmentState.Delivered, view.Order.FulfilmentState);
        Assert.Equal(2, view.Shipments.Count);
        Assert.All(view.Shipments, shipment => Assert.NotEmpty(shipment.Scans));

        var parcel = view.Shipments[1];
        var byTracking = await suite.Lookup.LookupAsync(new LookupRequest { Code = parcel.TrackingNumber });
        Assert.Equal(placed.OrderId, byTracking.OrderId);
        Assert.Equal(CodeKind.TrackingId, byTracking.CodeKind);
        Assert.Equal(parcel.ShipmentId, byTracking.Shipments[0].ShipmentId);

        // One confirmation, and for each parcel that it left and that it arrived; on its way to the door it may be skipped.
        var subjects = await Eventually.Value(
            async () => (await suite.Mails(email)).Subjects,
            mails => mails.Count(subject => view.Shipments.Any(shipment => subject.Contains(shipment.TrackingNumber, StringComparison.Ordinal))) >= 4);
        Assert.Single(subjects, subject => subject.Contains(placed.OrderId, StringComparison.Ordinal) && subject.Contains("confirm", StringComparison.OrdinalIgnoreCase));
    }

    [Fact]
    public async Task A_declined_payment_cancels_the_order_and_puts_the_stock_back()
    {
        var sku = $"sku-{Guid.NewGuid():N}";
        await suite.Catalogue.BatchUpdateProductsAsync(new BatchUpdateProductsRequest
        {
            Parent = "stores/main",
            Products = { new Product { Sku = sku, Title = "Vase", UnitPrice = Shop.Euro(10, 0), StockTracked = true } },
        });
        await suite.Stock.BatchSetStockAsync(new BatchSetStockRequest { Parent = "stores/main", Levels = { new StockLevel { Sku = sku, OnHand = 5 } } });
        var email = $"{Guid.NewGuid():N}@example.com";
        var request = Shop.Order(email, token: "tok_declined");
        request.Lines[0].Sku = sku;

        var placed = await suite.Orders.PlaceOrderAsync(request);
        var view = await Until(placed.OrderId, view => view.Order.State == OrderState.Cancelled);

        Assert.Equal(Headline.PaymentDeclined, view.Order.Headline);
        Assert.Equal(CancelReason.PaymentDeclined, view.Order.Cancellation.Reason);
        var stock = await suite.Stock.GetStockAsync(new GetStockRequest { Name = $"stores/main/products/{sku}/stock" });
        Assert.Equal((5, 0, 5), (stock.OnHand, stock.Reserved, stock.Available));
        await Eventually.Value(async () => (await suite.Mails(email)).Subjects, mails => mails.Count > 0);
    }

    [Fact]
    public async Task A_cancelled_order_gets_its_money_back()
    {
        var email = $"{Guid.NewGuid():N}@example.com";
        // The carrier never comes for it, so it can be cancelled for as long as the test takes.
        var reference = await Steered("PRE_TRANSIT");
        var placed = await suite.Orders.PlaceOrderAsync(Shop.Order(email, externalId: reference));
        await Until(placed.OrderId, view => view.Order.PaymentState == PaymentState.Paid);

        var cancelled = await suite.Orders.CancelOrderAsync(new CancelOrderRequest { Name = placed.Name, RequestId = Guid.NewGuid().ToString() });
        Assert.Equal(OrderState.Cancelled, cancelled.State);

        var view = await Until(placed.OrderId, view => view.Order.PaymentState == PaymentState.Refunded);
        Assert.Equal(view.Payment.CapturedAmount, view.Payment.RefundedAmount);
    }

    [Fact]
    public async Task A_shopper_reads_of_each_change_and_of_each_step_of_a_return()
    {
        var email = $"{Guid.NewGuid():N}@example.com";
        var reference = await Steered("DELIVERED");
        // It is paid some seconds later, and cannot leave before.
        var placed = await suite.Orders.PlaceOrderAsync(Shop.Order(email, "tok_pending", externalId: reference));
        await suite.Orders.UpdateOrderAsync(new UpdateOrderRequest
        {
            Order = new Order { Name = placed.Name, Customer = new Commerce.Types.V1.Contact { Phone = "+442079460000" } },
            UpdateMask = new Google.Protobuf.WellKnownTypes.FieldMask { Paths = { "customer.phone" } },
            RequestId = Guid.NewGuid().ToString(),
        });
        var order = (await Until(placed.OrderId, view => view.Order.State == OrderState.Completed)).Order;

        var one = await suite.Approved(order, (1, 1));
        one = await Eventually.Value(async () => await suite.Returns.GetReturnAsync(new GetReturnRequest { Name = one.Name }), r => r.Parcels.Any(parcel => parcel.TrackingNumber.Length > 0));
        await suite.Received(one, refund: true);
        await Until(order.OrderId, view => view.Order.PaymentState == PaymentState.PartlyRefunded);

        var (id, label) = (order.OrderId, one.Parcels[0].TrackingNumber);
        string[] expected =
        [
            $"Order {id} was changed", $"Return {id}-R1 is approved: label {label}", $"Return {id}-R1 has arrived", $"Order {id}: 10.00 EUR given back",
        ];
        var mails = await Eventually.Value(() => suite.Mails(email), mails => expected.All(mails.Subjects.Contains), ToTheDoor);
        Assert.Equal(mails.Subjects.Count, mails.Subjects.Distinct().Count());
        Assert.Equal(0, mails.Duplicates);
    }

    [Fact]
    public async Task The_same_request_gives_the_same_order_and_another_payload_is_refused()
    {
        var request = Shop.Order($"{Guid.NewGuid():N}@example.com");
        var orders = await Task.WhenAll(Enumerable.Range(0, 8).Select(_ => suite.Orders.PlaceOrderAsync(request).ResponseAsync));
        Assert.Single(orders.Select(order => order.OrderId).Distinct());

        request.Lines[0].Quantity++;
        var refused = await Assert.ThrowsAsync<RpcException>(() => suite.Orders.PlaceOrderAsync(request).ResponseAsync);
        Assert.Equal(StatusCode.InvalidArgument, refused.StatusCode);
        Assert.Equal("REQUEST_ID_REUSED", refused.GetRpcStatus()!.GetDetail<Google.Rpc.ErrorInfo>()!.Reason);
    }

    [Fact]
    public async Task A_mistyped_order_id_is_answered_with_the_code_that_was_meant()
    {
        var placed = await suite.Orders.PlaceOrderAsync(Shop.Order($"{Guid.NewGuid():N}@example.com"));
        var typed = placed.OrderId.ToCharArray();
        typed[^1] = typed[^1] == 'A' ? 'B' : 'A';

        var refused = await Assert.ThrowsAsync<RpcException>(() => suite.Lookup.LookupAsync(new LookupRequest { Code = new string(typed) }).ResponseAsync);

        var info = refused.GetRpcStatus()!.GetDetail<Google.Rpc.ErrorInfo>()!;
        Assert.Equal("ORDER_ID_MISTYPED", info.Reason);
        Assert.Equal(placed.OrderId, info.Metadata["meant"]);
    }

    [Fact]
    public async Task A_watcher_sees_versions_grow_to_the_door()
    {
        var reference = await Steered("DELIVERED");
        var placed = await suite.Orders.PlaceOrderAsync(Shop.Order($"{Guid.NewGuid():N}@example.com", externalId: reference));
        using var bound = new CancellationTokenSource(ToTheDoor, TimeProvider.System);
        using var watch = suite.Lookup.WatchLookup(new WatchLookupRequest { Code = placed.OrderId }, cancellationToken: bound.Token);
        long version = 0;
        await foreach (var view in watch.ResponseStream.ReadAllAsync(bound.Token))
        {
            Assert.True(view.Version > version, $"version {view.Version} came after {version}");
            version = view.Version;
            if (view.Order.State == OrderState.Completed)
                return;
        }

        Assert.Fail("The stream ended before the order did.");
    }

    [Fact]
    public async Task Bad_input_over_rest_is_a_problem_that_names_each_field()
    {
        using var response = await suite.Rest.PostAsJsonAsync("/v1/orders", new { storeId = "main", currencyCode = "EUR", lines = new[] { new { sku = "a", title = "", quantity = -1 } } });

        Assert.Equal(HttpStatusCode.BadRequest, response.StatusCode);
        Assert.Equal("application/problem+json", response.Content.Headers.ContentType?.MediaType);
        var problem = await response.Content.ReadFromJsonAsync<JsonObject>();
        Assert.Equal("INVALID_FIELD", problem!["reason"]!.GetValue<string>());
        var text = problem.ToJsonString();
        Assert.Contains("\"customer\"", text, StringComparison.Ordinal);
        Assert.Contains("lines[0].quantity", text, StringComparison.Ordinal);
    }

    [Fact]
    public async Task One_trace_runs_from_the_gateway_through_outbox_and_broker_to_the_last_consumer()
    {
        var reference = await Steered("PRE_TRANSIT");
        var placed = await suite.Orders.PlaceOrderAsync(Shop.Order($"{Guid.NewGuid():N}@example.com", externalId: reference));
        await Until(placed.OrderId, view => view.Order.Parcels.Any(parcel => parcel.TrackingNumber.Length > 0));

        // Whoever heard the last fact of the chain (the label) is in the trace that began at the Gateway's front door.
        await Eventually.True(
            () => suite.Telemetry.Spans.GroupBy(span => span.TraceId).Any(trace =>
            {
                var services = trace.Select(span => span.Service).ToHashSet(StringComparer.OrdinalIgnoreCase);
                return services.IsSupersetOf(["gateway", "orders", "payments", "shipments", "notifications"])
                    && trace.Any(span => span.Name.Contains("PlaceOrder", StringComparison.Ordinal))
                    && Connected([.. trace]);
            }),
            TimeSpan.FromSeconds(60),
            () => string.Join("; ", suite.Telemetry.Spans.GroupBy(span => span.TraceId).Where(trace => trace.Any(span => span.Name.Contains("PlaceOrder", StringComparison.Ordinal)))
                .Select(trace => string.Join(',', trace.Select(span => span.Service).Distinct()))));
    }

    // Every span but the first hangs on another of the same trace.
    private static bool Connected(IReadOnlyList<ReceivedSpan> spans)
    {
        var ids = spans.Select(span => span.SpanId).ToHashSet(StringComparer.Ordinal);
        return spans.Count(span => string.IsNullOrEmpty(span.ParentSpanId) || !ids.Contains(span.ParentSpanId)) == 1;
    }

    private async Task<string> Steered(string endsAt)
    {
        var reference = Guid.NewGuid().ToString("N");
        await suite.Scenario(reference, new { ends_at = endsAt });
        return reference;
    }

    private async Task<LookupView> Until(string code, Func<LookupView, bool> condition) =>
        await Eventually.Value(async () => await suite.Lookup.LookupAsync(new LookupRequest { Code = code }), condition, ToTheDoor);
}

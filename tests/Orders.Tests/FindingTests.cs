using Commerce.Orders.V1;
using Google.Protobuf.WellKnownTypes;
using Google.Rpc;
using Grpc.Core;

namespace Commerce.Orders.Tests;

public class FindingTests(OrdersService service) : OrdersServiceTests(service)
{
    [Fact]
    public async Task An_order_is_found_however_its_code_is_spelt()
    {
        var order = await Service.Orders.PlaceOrderAsync(Request.Order());
        var typed = order.OrderId.ToLowerInvariant().Replace("-", " ", StringComparison.Ordinal);
        Assert.Equal(order, await Service.OrderWith(typed));
    }

    [Fact]
    public async Task A_mistyped_code_is_answered_with_the_order_that_was_meant_only_if_there_is_one()
    {
        var order = await Service.Orders.PlaceOrderAsync(Request.Order());
        var (code, info, _, _) = await Refusal.Of(Service.Orders.GetOrderAsync(new GetOrderRequest { Name = "orders/" + Mistype(order.OrderId) }));
        Assert.Equal((StatusCode.InvalidArgument, "ORDER_ID_MISTYPED"), (code, info.Reason));
        Assert.Equal(order.OrderId, info.Metadata["meant"]);

        var nobodys = new OrderId("ORD", 123_456_789).ToString();
        var (_, other, _, _) = await Refusal.Of(Service.Orders.GetOrderAsync(new GetOrderRequest { Name = "orders/" + Mistype(nobodys) }));
        Assert.Equal("ORDER_ID_MISTYPED", other.Reason);
        Assert.DoesNotContain("meant", other.Metadata.Keys);
    }

    [Fact]
    public async Task A_code_with_the_prefix_of_another_store_is_not_this_orders()
    {
        var order = await Service.Orders.PlaceOrderAsync(Request.Order());
        var other = "orders/ABC" + order.OrderId[3..];
        await Refusal.Is("ORDER_NOT_FOUND", Service.Orders.GetOrderAsync(new GetOrderRequest { Name = other }));
        await Refusal.Is("ORDER_NOT_FOUND", Service.Orders.GetOrderTimelineAsync(new GetOrderTimelineRequest { Name = other }));
        await Refusal.Is("ORDER_NOT_FOUND", Service.Orders.CancelOrderAsync(new CancelOrderRequest { Name = other, RequestId = "r" }));
        var batch = await Service.Orders.BatchGetOrdersAsync(new BatchGetOrdersRequest { Names = { other } });
        Assert.Equal([other], batch.NotFound);
    }

    [Theory]
    [InlineData("")]
    [InlineData("orders/")]
    [InlineData("orders/hello")]
    [InlineData("stores/main")]
    [InlineData("orders/ORD-7K3M")]
    public async Task What_is_no_orders_name_is_said_to_be_none(string name) =>
        await Refusal.Is("INVALID_FIELD", Service.Orders.GetOrderAsync(new GetOrderRequest { Name = name }));

    [Fact]
    public async Task An_order_that_nobody_placed_is_not_found() =>
        await Refusal.Is("ORDER_NOT_FOUND", Service.Orders.GetOrderAsync(new GetOrderRequest { Name = "orders/" + new OrderId("ORD", 7) }));

    [Fact]
    public async Task A_version_that_is_not_there_yet_is_to_be_asked_for_again()
    {
        var order = await Service.Orders.PlaceOrderAsync(Request.Order());
        Assert.Equal(order, await Service.Orders.GetOrderAsync(new GetOrderRequest { Name = order.Name, MinVersion = 1 }));
        var (code, info, _, error) = await Refusal.Of(Service.Orders.GetOrderAsync(new GetOrderRequest { Name = order.Name, MinVersion = 2 }));
        Assert.Equal((StatusCode.Unavailable, "VERSION_NOT_REACHED"), (code, info.Reason));
        Assert.NotNull(error.GetRpcStatus()!.GetDetail<RetryInfo>());
    }

    [Fact]
    public async Task A_batch_answers_in_the_order_asked_and_names_what_is_missing()
    {
        var first = await Service.Orders.PlaceOrderAsync(Request.Order());
        var second = await Service.Orders.PlaceOrderAsync(Request.Order(Request.Line("x", 1), Request.Line("y", 1)));
        var missing = "orders/" + new OrderId("ORD", 8);
        var batch = await Service.Orders.BatchGetOrdersAsync(new BatchGetOrdersRequest { Names = { second.Name, missing, "nonsense", first.Name } });
        Assert.Equal([second, first], batch.Orders);
        Assert.Equal([missing, "nonsense"], batch.NotFound);
        await Refusal.Is("INVALID_FIELD", Service.Orders.BatchGetOrdersAsync(new BatchGetOrdersRequest()));
        await Refusal.Is("INVALID_FIELD", Service.Orders.BatchGetOrdersAsync(new BatchGetOrdersRequest { Names = { Enumerable.Repeat(missing, 501) } }));
    }

    [Fact]
    public async Task Pages_hold_every_order_once_newest_first()
    {
        await Service.Stores.CreateStoreAsync(new CreateStoreRequest { Store = Shop("paged", "PGD") });
        var placed = await Task.WhenAll(Enumerable.Range(0, 23).Select(i =>
            Service.Orders.PlaceOrderAsync(Request.Order().With(r => r.StoreId = "paged")).ResponseAsync));

        var listed = await All(new ListOrdersRequest { StoreId = "paged", PageSize = 5 });
        Assert.Equal(placed.Select(o => o.OrderId).Order(StringComparer.Ordinal), listed.Select(o => o.OrderId).Order(StringComparer.Ordinal));
        Assert.Equal(listed.OrderByDescending(o => o.CreateTime), listed);
        Assert.All(listed, order => Assert.Equal(placed.Single(p => p.OrderId == order.OrderId), order));
    }

    [Fact]
    public async Task Filters_narrow_a_list()
    {
        await Service.Stores.CreateStoreAsync(new CreateStoreRequest { Store = Shop("filtered", "FLT") });
        PlaceOrderRequest In(string email) => Request.Order().With(r => (r.StoreId, r.Customer.Email) = ("filtered", email));
        var ada = await Service.Orders.PlaceOrderAsync(In("Ada@Example.com").With(r => r.ExternalId = "n-1"));
        var bob = await Service.Orders.PlaceOrderAsync(In("bob@example.com"));
        var adas = await Service.Orders.PlaceOrderAsync(In("ada@example.com"));
        var cancelled = await Service.Orders.CancelOrderAsync(new CancelOrderRequest { Name = adas.Name, RequestId = "c-1" });

        Assert.Equal([cancelled, ada], await All(new ListOrdersRequest { StoreId = "filtered", Email = "ADA@example.com", PageSize = 1 }));
        Assert.Equal([cancelled], await All(new ListOrdersRequest { StoreId = "filtered", State = OrderState.Cancelled }));
        Assert.Equal([bob, ada], await All(new ListOrdersRequest { StoreId = "filtered", State = OrderState.Open, PageSize = 1 }));
        Assert.Equal([ada], await All(new ListOrdersRequest { StoreId = "filtered", ExternalId = "n-1" }));
        Assert.Equal([cancelled, bob], await All(new ListOrdersRequest { StoreId = "filtered", CreateTimeFrom = bob.CreateTime }));
        Assert.Equal([ada], await All(new ListOrdersRequest { StoreId = "filtered", CreateTimeUntil = bob.CreateTime }));
        Assert.Empty(await All(new ListOrdersRequest { StoreId = "filtered", Email = "nobody@example.com" }));
    }

    [Fact]
    public async Task A_shops_own_number_leads_to_its_order_in_each_store_that_gave_it_out()
    {
        foreach (var (store, prefix) in new[] { ("own-a", "OWA"), ("own-b", "OWB") })
            await Service.Stores.CreateStoreAsync(new CreateStoreRequest { Store = Shop(store, prefix) });
        async Task<string> Place(string store, string number) => (await Service.Orders.PlaceOrderAsync(Request.Order().With(r => (r.StoreId, r.ExternalId) = (store, number)))).OrderId;
        var (a, b, other) = (await Place("own-a", "web/7"), await Place("own-b", "web/7"), await Place("own-a", "web/8"));

        async Task<IEnumerable<(string, string, string)>> Lookup(string store, params string[] numbers) =>
            (await Service.Orders.LookupOrdersAsync(new LookupOrdersRequest { ExternalIds = { numbers }, StoreId = store })).Matches
                .Select(match => (match.ExternalId, match.StoreId, match.OrderId)).OrderBy(match => match);
        Assert.Equal([("web/7", "own-a", a), ("web/7", "own-b", b)], await Lookup("", "web/7", "WEB/7", "nobody", "web/7"));
        Assert.Equal([("web/7", "own-a", a), ("web/8", "own-a", other)], await Lookup("own-a", "web/8", "web/7"));
        Assert.Empty(await Lookup("own-b", "web/8"));
        Assert.Equal(StatusCode.InvalidArgument, (await Assert.ThrowsAsync<RpcException>(() => Lookup(""))).StatusCode);
    }

    [Fact]
    public async Task A_page_token_is_good_for_its_own_question_only()
    {
        for (var i = 0; i < 3; i++)
            await Service.Orders.PlaceOrderAsync(Request.Order());
        var page = await Service.Orders.ListOrdersAsync(new ListOrdersRequest { StoreId = "main", PageSize = 1 });
        await Service.Orders.ListOrdersAsync(new ListOrdersRequest { StoreId = "main", PageSize = 2, PageToken = page.NextPageToken });
        await Refusal.Is("PAGE_TOKEN_INVALID", Service.Orders.ListOrdersAsync(
            new ListOrdersRequest { StoreId = "main", State = OrderState.Open, PageToken = page.NextPageToken }));
        await Refusal.Is("PAGE_TOKEN_INVALID", Service.Orders.ListOrdersAsync(new ListOrdersRequest { StoreId = "main", PageToken = "guess" }));
    }

    [Fact]
    public async Task A_list_says_what_is_wrong_with_its_filters()
    {
        var (_, _, fields, _) = await Refusal.Of(Service.Orders.ListOrdersAsync(new ListOrdersRequest
        {
            PageSize = 501,
            Email = "x",
            State = (OrderState)99,
            CreateTimeFrom = new Timestamp { Seconds = long.MaxValue },
        }));
        Assert.Equal(["create_time_from", "email", "page_size", "state", "store_id"], fields.Keys.Order());
        await Refusal.Is("STORE_NOT_FOUND", Service.Orders.ListOrdersAsync(new ListOrdersRequest { StoreId = "nowhere" }));
    }

    // Cost must stay flat as data grows: no plan for a page may read the table, or sort.
    [Theory]
    [InlineData("store_id = 'main'", "orders_by_time")]
    [InlineData("store_id = 'main' AND state = 1", "orders_by_state")]
    [InlineData("store_id = 'main' AND email_key = 'a@example.com'", "orders_by_email")]
    [InlineData("store_id = 'main' AND external_id = 'x'", "orders_external_id_key")]
    public async Task Each_list_is_read_from_its_own_index(string where, string index)
    {
        await Fill();
        await using var command = Service.Database.CreateCommand(
            $"EXPLAIN SELECT create_time, order_id FROM orders WHERE {where} ORDER BY create_time DESC, order_id DESC LIMIT 51");
        var plan = new List<string>();
        await using var reader = await command.ExecuteReaderAsync();
        while (await reader.ReadAsync())
            plan.Add(reader.GetString(0));
        var text = string.Join('\n', plan);
        Assert.Contains(index, text, StringComparison.Ordinal);
        Assert.DoesNotContain("Seq Scan", text, StringComparison.Ordinal);
        if (index != "orders_external_id_key")
            Assert.DoesNotContain("Sort", text, StringComparison.Ordinal);
    }

    internal static Store Shop(string id, string prefix) => new()
    {
        StoreId = id,
        DisplayName = "Shop " + id,
        OrderPrefix = prefix,
        CurrencyCode = "EUR",
        LanguageCode = "pt-PT",
        TimeZone = "Europe/Lisbon",
        SenderEmail = "shop@example.com",
        ShipFrom = new() { LocationId = "wh-1", Locality = "Porto", PostalCode = "4000-001", RegionCode = "PT" },
    };

    // Enough orders that the planner has a choice; the values do not matter.
    private async Task Fill()
    {
        await using var command = Service.Database.CreateCommand(
            """
            INSERT INTO orders (order_id, store_id, external_id, state, payment_state, fulfilment_state, version, create_time, update_time, currency,
              subtotal_minor, shipping_minor, total_minor, customer_name, customer_email, customer_phone, customer_language, email_key,
              to_region_code, to_language_code, to_postal_code, to_sorting_code, to_administrative_area, to_locality, to_sublocality,
              to_address_lines, to_recipients, to_organization, adjustments, payment_parts)
            SELECT i, CASE WHEN i % 2 = 0 THEN 'main' ELSE 'big' END, 'x' || i, 1 + i % 3, 1, 1, 1, now() - i * interval '1 minute', now(), 'EUR', 1, 0, 1,
              'n', '', '', '', (i % 1000) || '@example.com', '', '', '', '', '', '', '', '{}', '{}', '', '[]', '[]'
            FROM generate_series(1000, 21000) AS i ON CONFLICT DO NOTHING
            """);
        await command.ExecuteNonQueryAsync();
        await using var analyze = Service.Database.CreateCommand("ANALYZE orders");
        await analyze.ExecuteNonQueryAsync();
    }

    private async Task<List<V1.Order>> All(ListOrdersRequest request)
    {
        var all = new List<V1.Order>();
        do
        {
            var page = await Service.Orders.ListOrdersAsync(request);
            all.AddRange(page.Orders);
            request.PageToken = page.NextPageToken;
        }
        while (request.PageToken.Length > 0);
        return all;
    }

    private static string Mistype(string orderId)
    {
        var at = orderId.Length - 4;
        return orderId[..at] + (orderId[at] == '7' ? '8' : '7') + orderId[(at + 1)..];
    }
}

using System.Text.Json;
using Commerce.Facts;
using Commerce.Orders.Checking;
using Commerce.Orders.FindingOrders;
using Commerce.Orders.V1;
using Commerce.Testing;
using Google.Protobuf.WellKnownTypes;
using Grpc.Core;
using Microsoft.Extensions.DependencyInjection;
using Npgsql;

namespace Commerce.Orders.Tests;

/// <summary>Finding orders by anything that is known of them.</summary>
public class SearchTests(OrdersService service) : OrdersServiceTests(service)
{
    private const int Many = 30_000;

    [Fact]
    public async Task An_order_is_found_by_each_thing_that_is_known_of_it()
    {
        await using var shipments = await Service.Other("shipments");
        await Store("known", "KNW");
        var wanted = await Service.Orders.PlaceOrderAsync(Request.Order(Request.Line("Lamp-7", 2), Request.Line("Vase", 1)).With(r =>
        {
            r.StoreId = "known";
            r.ExternalId = "shop-77";
            r.Customer = new() { Name = "José da Silva", Email = "Jose@Example.com", Phone = "+5511987654321" };
            r.ShippingAddress.PostalCode = "01310-100";
            r.ShippingAddress.RegionCode = "BR";
            r.ShippingAddress.Recipients.Add("Ana Müller");
            r.ShippingAddress.Organization = "Padaria São João";
            r.Lines[0].Title = "Reading lamp, brass";
        }));
        await Service.Orders.PlaceOrderAsync(Request.Order().With(r => r.StoreId = "known"));
        await shipments.Tell(
            new ShipmentCreated("kn" + wanted.OrderId, wanted.OrderId, "known", 1, DateTimeOffset.UnixEpoch, [new ShipmentLineFact(1, 2), new ShipmentLineFact(2, 1)]),
            new LabelBought("kn" + wanted.OrderId, wanted.OrderId, "known", 2, DateTimeOffset.UnixEpoch, "speedy", "express", "SPY99KNOWN", new Commerce.Money(500, "EUR"), null));
        await Eventually.True(async () => (await Service.OrderWith(wanted.OrderId)).Version == 3);
        wanted = await Service.OrderWith(wanted.OrderId);

        await Finds(wanted, new OrderFilter { OrderId = wanted.OrderId.ToLowerInvariant() });
        await Finds(wanted, new OrderFilter { TrackingNumber = "spy-99 known" });
        await Finds(wanted, new OrderFilter { StoreId = "known", ExternalId = "shop-77" });
        await Finds(wanted, new OrderFilter { StoreId = "known", Email = "JOSE@example.com" });
        foreach (var phone in new[] { "+5511987654321", "+55 (11) 98765-4321", "0055 11 98765 4321", "011 98765-4321", "8765-4321" })
            await Finds(wanted, new OrderFilter { StoreId = "known", Phone = phone });
        foreach (var name in new[] { "silva", "SILVA José", "jos sil", "muller", "sao joao padaria" })
            await Finds(wanted, new OrderFilter { StoreId = "known", Name = name });
        await Finds(wanted, new OrderFilter { StoreId = "known", PostalCode = "01310 100" });
        await Finds(wanted, new OrderFilter { StoreId = "known", Sku = "LAMP-7" });
        foreach (var text in new[] { "brass", "read lam", "jose brass" })
            await Finds(wanted, new OrderFilter { StoreId = "known", Text = text });
        await Finds(wanted, new OrderFilter
        {
            OrderId = wanted.OrderId,
            TrackingNumber = "SPY99KNOWN",
            StoreId = "known",
            ExternalId = "shop-77",
            Email = "jose@example.com",
            Phone = "+5511987654321",
            Name = "jose",
            PostalCode = "01310100",
            Sku = "vase",
            Text = "lamp",
            States = { OrderState.Open },
            PaymentStates = { PaymentState.Pending, PaymentState.Paid },
            FulfilmentStates = { FulfilmentState.Unfulfilled },
            CreateTimeFrom = wanted.CreateTime,
            TotalFrom = wanted.Total,
            TotalUntil = wanted.Total,
        });

        foreach (var other in new[]
        {
            new OrderFilter { StoreId = "main", Email = "jose@example.com" },
            new OrderFilter { StoreId = "known", Phone = "+4411987654321" },
            new OrderFilter { StoreId = "known", Name = "silva ada" },
            new OrderFilter { StoreId = "known", Name = "brass" },
            new OrderFilter { StoreId = "known", Text = "brass candle" },
            new OrderFilter { StoreId = "known", Sku = "lamp" },
            new OrderFilter { StoreId = "known", Name = "silva", PaymentStates = { PaymentState.Failed } },
            new OrderFilter { StoreId = "known", ExternalId = "shop-77", Name = "ada" },
            new OrderFilter { StoreId = "known", CreateTimeUntil = wanted.CreateTime, Email = "jose@example.com" },
            new OrderFilter { StoreId = "known", TotalFrom = Request.Amount(1, "USD") },
            new OrderFilter { OrderId = "OTH" + wanted.OrderId[3..] },
            new OrderFilter { OrderId = wanted.OrderId, StoreId = "main" },
        })
            Assert.Empty((await Service.Orders.SearchOrdersAsync(new SearchOrdersRequest { Filter = other })).Orders);
    }

    [Fact]
    public async Task A_mistyped_order_id_is_answered_with_the_one_that_was_meant()
    {
        var order = await Service.Orders.PlaceOrderAsync(Request.Order());
        var typed = order.OrderId[..^1] + (order.OrderId[^1] == '7' ? '8' : '7');
        var (_, info, _, _) = await Refusal.Of(Service.Orders.SearchOrdersAsync(new SearchOrdersRequest { Filter = new() { OrderId = typed } }));
        Assert.Equal(("ORDER_ID_MISTYPED", order.OrderId), (info.Reason, info.Metadata["meant"]));
    }

    [Fact]
    public async Task A_note_is_found_once_it_is_there()
    {
        await Store("noted", "NTD");
        var order = await Service.Orders.PlaceOrderAsync(Request.Order().With(r => r.StoreId = "noted"));
        var cancelled = await Service.Orders.CancelOrderAsync(new CancelOrderRequest { Name = order.Name, RequestId = "note", Note = "Ordered twice by mistake" });
        await Finds(cancelled, new OrderFilter { StoreId = "noted", Text = "mistake twice" });
    }

    [Theory]
    [InlineData("")]
    [InlineData("create_time desc")]
    [InlineData("create_time")]
    [InlineData("update_time")]
    [InlineData("total desc")]
    [InlineData("total")]
    public async Task Pages_are_sorted_and_hold_every_order_once(string orderBy)
    {
        var store = "sorted-" + string.Concat(orderBy.Where(char.IsLetter));
        await Store(store, "S" + string.Concat(orderBy.Where(char.IsLetter).Take(1)).ToUpperInvariant() + (orderBy.Contains("desc", StringComparison.Ordinal) ? "D" : "A") + (orderBy.Contains("date", StringComparison.Ordinal) ? "U" : "X"));
        var placed = await Task.WhenAll(Enumerable.Range(0, 17).Select(i => Service.Orders.PlaceOrderAsync(
            Request.Order(Request.Line("p", 1 + i % 4)).With(r => (r.StoreId, r.Customer.Name) = (store, "Ada " + i))).ResponseAsync));
        foreach (var filter in new[] { new OrderFilter { StoreId = store }, new OrderFilter { StoreId = store, Name = "ada" }, new OrderFilter { StoreId = store, Email = "ada@example.com", Sku = "p" } })
        {
            var found = await All(new SearchOrdersRequest { Filter = filter, OrderBy = orderBy, PageSize = 4 });
            Assert.Equal(placed.Select(o => o.OrderId).Order(StringComparer.Ordinal), found.Select(o => o.OrderId).Order(StringComparer.Ordinal));
            IComparable Key(V1.Order order) => orderBy.StartsWith("total", StringComparison.Ordinal) ? order.Total.Units : order.CreateTime.ToDateTimeOffset();
            Assert.Equal(orderBy is "create_time" or "update_time" or "total" ? found.OrderBy(Key) : found.OrderByDescending(Key), found);
        }
    }

    [Fact]
    public async Task Orders_of_the_version_before_are_made_findable()
    {
        var order = await Service.Orders.PlaceOrderAsync(Request.Order(Request.Line("former", 1)).With(r => (r.Lines[0].Title, r.Customer.Name) = ("Zebra print", "Zoë Former")));
        await using (var undo = Service.Database.CreateCommand(
            "WITH t AS (DELETE FROM order_terms WHERE order_id = $1), w AS (DELETE FROM article_words WHERE sku = 'former') UPDATE orders SET terms_version = NULL WHERE order_id = $1"))
        {
            undo.Parameters.Add(new NpgsqlParameter<long> { TypedValue = OrderId.TryParse(order.OrderId, out var id) ? id.Value : 0 });
            await undo.ExecuteNonQueryAsync();
        }

        Assert.Empty((await Service.Orders.SearchOrdersAsync(new SearchOrdersRequest { Filter = new() { StoreId = "main", Name = "zoe" } })).Orders);
        using var index = ActivatorUtilities.CreateInstance<IndexOrders>(Service.App.Services, new ArticleWords(Microsoft.Extensions.Options.Options.Create(new OrdersOptions())));
        Assert.True(await index.Index(TestContext.Current.CancellationToken) >= 1);
        await Finds(order, new OrderFilter { StoreId = "main", Name = "zoe" });
        await Finds(order, new OrderFilter { StoreId = "main", Text = "zebra" });
    }

    [Fact]
    public async Task What_is_wrong_with_a_search_is_said_field_by_field()
    {
        var (_, _, fields, _) = await Refusal.Of(Service.Orders.SearchOrdersAsync(new SearchOrdersRequest
        {
            OrderBy = "shoe size",
            PageSize = 501,
            Filter = new()
            {
                Email = "x",
                Phone = "123",
                Name = "--",
                Sku = "a b",
                TrackingNumber = "?",
                PostalCode = "-",
                Text = "a b c d e f g h i",
                States = { (OrderState)99 },
                CreateTimeFrom = new Timestamp { Seconds = 10 },
                CreateTimeUntil = new Timestamp { Seconds = 10 },
                TotalFrom = Request.Euro(2),
                TotalUntil = Request.Euro(1),
            },
        }));
        Assert.Equal(
            ["filter.create_time_until", "filter.email", "filter.name", "filter.phone", "filter.postal_code", "filter.sku", "filter.states[0]", "filter.text", "filter.total_until", "filter.tracking_number", "order_by", "page_size"],
            fields.Keys.Order(StringComparer.Ordinal));
        await Refusal.Is("INVALID_FIELD", Service.Orders.SearchOrdersAsync(new SearchOrdersRequest()));
        await Refusal.Is("STORE_NOT_FOUND", Service.Orders.SearchOrdersAsync(new SearchOrdersRequest { Filter = new() { StoreId = "nowhere" } }));
        await Refusal.Is("PAGE_TOKEN_INVALID", Service.Orders.SearchOrdersAsync(new SearchOrdersRequest { Filter = new() { StoreId = "main" }, PageToken = "guess" }));
    }

    [Fact]
    public async Task Rest_finds_by_query_parameters()
    {
        var order = await Service.Orders.PlaceOrderAsync(Request.Order().With(r => r.ExternalId = "rest-search"));
        var body = await Service.Rest.GetStringAsync(new Uri("/v1/orders:search?filter.storeId=main&filter.externalId=rest-search&filter.states=ORDER_STATE_OPEN", UriKind.Relative), TestContext.Current.CancellationToken);
        Assert.Contains(order.OrderId, body, StringComparison.Ordinal);
    }

    // Cost must stay flat as data grows: the plan itself shows which index is read and how many of its rows.
    [Theory]
    [InlineData("email", "orders_by_email")]
    [InlineData("phone", "order_terms_pkey")]
    [InlineData("postal_code", "order_terms_pkey")]
    [InlineData("sku", "order_terms_pkey")]
    [InlineData("name", "order_terms_pkey")]
    [InlineData("text", "order_terms_pkey")]
    [InlineData("external_id", "orders_external_id_key")]
    [InlineData("tracking_number", "order_parcels_by_tracking")]
    [InlineData("order_id", "orders_pkey")]
    [InlineData("states", "orders_by_state")]
    [InlineData("create_time", "orders_by_time")]
    public async Task A_find_by_one_key_reads_few_rows_of_its_own_index(string key, string index)
    {
        await Fill();
        var filter = new OrderFilter { StoreId = "full" };
        switch (key)
        {
            case "email": filter.Email = "common@example.com"; break;
            case "phone": filter.Phone = "+442079460123"; break;
            case "postal_code": filter.PostalCode = "COMMON"; break;
            case "sku": filter.Sku = "common"; break;
            case "name": filter.Name = "rare77x"; break;
            case "text": filter.Text = "unusual"; break;
            case "external_id": filter.ExternalId = "x2500"; break;
            case "tracking_number": filter.TrackingNumber = "TRACK2500"; break;
            case "order_id": filter.OrderId = new OrderId("FUL", 2500).ToString(); break;
            case "states": filter.States.Add(OrderState.Cancelled); break;
            default: break;
        }

        var query = OrderQuery.Check(filter, new FieldErrors());
        var search = Service.App.Services.GetRequiredService<SearchOrders>();
        var prepared = await search.Prepare(query, TestContext.Current.CancellationToken);
        var driver = await search.Choose(prepared, OrderSort.Newest, TestContext.Current.CancellationToken);
        Assert.Equal(key, driver.Filter);
        await using var command = driver.Ordered
            ? SearchSql.Page(driver, query, prepared.OrderId, OrderSort.Newest, null, 51)
            : SearchSql.Sorted(driver, query, prepared.OrderId, OrderSort.Newest, null, 51);
        var plan = await Explain(command);
        Assert.Contains(plan, node => node.Index == index);
        Assert.All(plan, node => Assert.True(node.Type != "Seq Scan", $"{node.Type} of {node.Relation}"));
        Assert.True(plan.Where(node => node.Index is not null).Sum(node => node.Rows) <= 1_000, string.Join('\n', plan));
    }

    [Fact]
    public async Task What_is_too_common_is_read_in_the_order_of_time_and_not_gathered()
    {
        await Fill();
        var query = OrderQuery.Check(new OrderFilter { StoreId = "full", Name = "common" }, new FieldErrors());
        var search = Service.App.Services.GetRequiredService<SearchOrders>();
        var driver = await search.Choose(await search.Prepare(query, TestContext.Current.CancellationToken), OrderSort.Newest, TestContext.Current.CancellationToken);
        Assert.Equal("create_time", driver.Filter);
        var page = await Service.Orders.SearchOrdersAsync(new SearchOrdersRequest { Filter = new() { StoreId = "full", Name = "common" } });
        Assert.Equal(50, page.Orders.Count);
        Assert.Null(page.Narrow);
    }

    [Fact]
    public async Task A_combination_examines_no_more_than_it_may_says_so_and_goes_on()
    {
        await Fill();
        // Only the very oldest order is meant, and no index knows of it.
        var request = new SearchOrdersRequest { Filter = new() { StoreId = "full", TotalFrom = Request.Euro(Many), TotalUntil = Request.Euro(Many) } };
        var page = await Service.Orders.SearchOrdersAsync(request);
        Assert.Empty(page.Orders);
        Assert.Equal(10_000, page.Narrow.Examined);
        Assert.Equal(["email", "phone", "external_id", "postal_code"], page.Narrow.Add);
        Assert.Equal(Many, Assert.Single(await All(request)).Total.Units * 100);

        var query = OrderQuery.Check(request.Filter, new FieldErrors());
        var driver = SearchSql.Drivers(query, null)[^1];
        await using var command = SearchSql.Page(driver, query, null, OrderSort.Newest, null, 51);
        var plan = await Explain(command);
        Assert.All(plan, node => Assert.True(node.Type != "Seq Scan" && node.Rows <= SearchSql.MostExamined, string.Join('\n', plan)));
    }

    [Fact]
    public async Task What_cannot_be_sorted_without_examining_too_much_is_refused_with_what_to_add()
    {
        await Fill();
        var (code, info, _, error) = await Refusal.Of(Service.Orders.SearchOrdersAsync(new SearchOrdersRequest { Filter = new() { StoreId = "full", Sku = "common" }, OrderBy = "total desc" }));
        Assert.Equal((StatusCode.InvalidArgument, "NARROW_SEARCH"), (code, info.Reason));
        Assert.Equal(("email, phone, external_id, postal_code", "10000"), (info.Metadata["add"], info.Metadata["examined"]));
        Assert.Contains("email", error.Status.Detail, StringComparison.Ordinal);

        var narrowed = await Service.Orders.SearchOrdersAsync(new SearchOrdersRequest { Filter = new() { StoreId = "full", Sku = "common", Name = "rare77x" }, OrderBy = "total desc" });
        Assert.Equal(Many / 1000, narrowed.Orders.Count);
        Assert.Equal(narrowed.Orders.OrderByDescending(order => order.Total.Units), narrowed.Orders);
    }

    private async Task Store(string id, string prefix) => await Service.Stores.CreateStoreAsync(new CreateStoreRequest { Store = FindingTests.Shop(id, prefix) });

    private async Task Finds(V1.Order wanted, OrderFilter filter)
    {
        var page = await Service.Orders.SearchOrdersAsync(new SearchOrdersRequest { Filter = filter });
        Assert.True(page.Orders.Count == 1, $"{page.Orders.Count} found by {filter}");
        Assert.Equal(wanted, page.Orders[0]);
        Assert.Equal("", page.NextPageToken);
    }

    private async Task<List<V1.Order>> All(SearchOrdersRequest request)
    {
        var all = new List<V1.Order>();
        request = request.Clone();
        do
        {
            var page = await Service.Orders.SearchOrdersAsync(request);
            all.AddRange(page.Orders);
            request.PageToken = page.NextPageToken;
        }
        while (request.PageToken.Length > 0);
        return all;
    }

    // Enough orders that the planner has a choice: half of everything is common, and there is something rare.
    private async Task Fill()
    {
        if (await Service.Count("FROM stores WHERE store_id = 'full'") > 0)
            return;
        await Store("full", "FUL");
        string[] script =
        [
            $"""
            INSERT INTO orders (order_id, store_id, external_id, state, payment_state, fulfilment_state, version, create_time, update_time, currency,
              subtotal_minor, shipping_minor, total_minor, customer_name, customer_email, customer_phone, customer_language, email_key,
              to_region_code, to_language_code, to_postal_code, to_sorting_code, to_administrative_area, to_locality, to_sublocality,
              to_address_lines, to_recipients, to_organization, adjustments, payment_parts, terms_version)
            SELECT i, 'full', 'x' || i, 1 + i % 3, 1, 1, 1, timestamptz '2026-01-01Z' - i * interval '1 minute', timestamptz '2026-01-01Z' + i * interval '1 second', 'EUR', i, 0, i,
              'Common Rare' || i % 1000 || 'x', '', '+44207946' || lpad((i % 10000)::text, 4, '0'), '', CASE WHEN i % 2 = 0 THEN 'common@example.com' ELSE i || '@example.com' END,
              'GB', '', CASE WHEN i % 2 = 0 THEN 'COMMON' ELSE 'Z' || i END, '', '', '', '', ARRAY['x'], ARRAY[]::text[], '', '[]', '[]', 1
            FROM generate_series(1, {Many}) AS i
            """,
            """
            INSERT INTO order_lines (order_id, store_id, line_number, sku, title, quantity, unit_price_minor, price_agreed, weight_grams, length_mm, width_mm, height_mm,
              from_location_id, from_locality, from_administrative_area, from_postal_code, from_region_code, held)
            SELECT order_id, store_id, 1, CASE WHEN order_id % 1000 = 5 THEN 'odd' ELSE 'common' END, CASE WHEN order_id % 1000 = 5 THEN 'Unusual thing' ELSE 'Thing' END,
              1, total_minor, true, 0, 0, 0, 0, '', '', '', '', 'IE', 0 FROM orders WHERE store_id = 'full'
            """,
            "INSERT INTO article_words VALUES ('full', 'thing', 'common'), ('full', 'thing', 'odd'), ('full', 'unusual', 'odd')",
            "INSERT INTO article_words SELECT 'full', 'word' || i, 'sku' || i FROM generate_series(1, 20000) AS i",
            """
            INSERT INTO order_terms (store_id, term, create_time, order_id)
            SELECT 'full', unnest(ARRAY['ncommon', 'nrare' || order_id % 1000 || 'x', 'p' || right(customer_phone, 7), 'z' || to_postal_code,
              's' || CASE WHEN order_id % 1000 = 5 THEN 'odd' ELSE 'common' END]), create_time, order_id FROM orders WHERE store_id = 'full'
            """,
            """
            INSERT INTO order_parcels (order_id, shipment_id, position, carrier, tracking_number, state, line_numbers, quantities)
            SELECT order_id, 'f' || order_id, 1, 'speedy', 'TRACK' || order_id, 1, ARRAY[1], ARRAY[1] FROM orders WHERE store_id = 'full'
            """,
            "ANALYZE orders", "ANALYZE order_lines", "VACUUM ANALYZE order_terms", "ANALYZE order_parcels", "ANALYZE article_words",
        ];
        foreach (var statement in script)
        {
            await using var command = Service.Database.CreateCommand(statement);
            await command.ExecuteNonQueryAsync();
        }
    }

    private async Task<List<(string Type, string? Relation, string? Index, double Rows)>> Explain(NpgsqlCommand command)
    {
        await using var connection = await Service.Database.OpenConnectionAsync();
        command.Connection = connection;
        command.CommandText = "EXPLAIN (ANALYZE, FORMAT JSON) " + command.CommandText;
        using var document = JsonDocument.Parse((string)(await command.ExecuteScalarAsync())!);
        var nodes = new List<(string, string?, string?, double)>();
        Add(document.RootElement[0].GetProperty("Plan"));
        return nodes;

        void Add(JsonElement node)
        {
            string? Text(string name) => node.TryGetProperty(name, out var value) ? value.GetString() : null;
            nodes.Add((Text("Node Type")!, Text("Relation Name"), Text("Index Name"), node.GetProperty("Actual Rows").GetDouble() * node.GetProperty("Actual Loops").GetDouble()));
            if (node.TryGetProperty("Plans", out var inner))
            {
                foreach (var one in inner.EnumerateArray())
                    Add(one);
            }
        }
    }
}

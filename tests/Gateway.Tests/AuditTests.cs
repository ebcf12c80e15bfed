using System.Net;
using Commerce.Gateway.V1;
using Commerce.Orders.V1;
using Commerce.ServiceDefaults;
using Commerce.Testing;
using Grpc.Core;
using Npgsql;

namespace Commerce.Gateway.Tests;

/// <summary>Who saw or changed what is written down, and stays written down.</summary>
public sealed class AuditTests : IAsyncLifetime
{
    private Suite _suite = null!;

    private AuditService.AuditServiceClient Audit => new(_suite.Node.Channel);

    public async ValueTask InitializeAsync() => _suite = await Suite.Start();

    public async ValueTask DisposeAsync() => await _suite.DisposeAsync();

    [Fact]
    public async Task Whoever_looks_at_an_order_is_found_by_it_whichever_way_they_took()
    {
        var id = _suite.World.Place();
        var (grpc, rest, lookup) = (Named("over-grpc"), Named("over-rest"), Named("looking-up"));
        await new OrderService.OrderServiceClient(_suite.Node.Strange).GetOrderAsync(new GetOrderRequest { Name = $"orders/{id}" }, grpc);
        using (var request = new HttpRequestMessage(HttpMethod.Get, $"/v1/orders/{id}") { Headers = { { "Authorization", rest.GetValue("authorization") } } })
        {
            using var answer = await _suite.Node.Http.SendAsync(request);
            Assert.Equal(HttpStatusCode.OK, answer.StatusCode);
            // What services tell the Gateway is not for whoever calls.
            Assert.False(answer.Headers.Contains(CallTrail.Header));
        }

        var lookups = new LookupService.LookupServiceClient(_suite.Node.Strange);
        var call = lookups.LookupAsync(new LookupRequest { Code = id.ToString().ToLowerInvariant() }, lookup);
        await call;
        Assert.Null((await call.ResponseHeadersAsync).Get(CallTrail.Header));
        await lookups.LookupAsync(new LookupRequest { Code = id.ToString() }, lookup);
        // Again and again: one entry more, with how often.
        for (var i = 0; i < 20; i++)
            await lookups.LookupAsync(new LookupRequest { Code = id.ToString() }, lookup);

        var events = new List<AuditEvent>();
        await Eventually.True(async () => (events = [.. (await Audit.SearchAuditEventsAsync(new SearchAuditEventsRequest { Resource = $"orders/{id}", PageSize = 500 })).Events]).Sum(one => one.CallCount) == 24);
        Assert.InRange(events.Count, 5, 12);
        Assert.Equal(
            [("staff/looking-up", "LookupService.Lookup", "OK"), ("staff/over-grpc", "OrderService.GetOrder", "OK"), ("staff/over-rest", "OrderService.GetOrder", "OK")],
            events.Select(one => (one.Principal, one.Method, one.Result)).Distinct().Order());
        Assert.All(events.Where(one => one.CallCount == 1), one => Assert.Equal((true, true, "127.0.0.0"), (one.Took is not null, one.TraceId.Length > 0, one.Client)));
        var looked = await Audit.SearchAuditEventsAsync(new SearchAuditEventsRequest { Resource = $"orders/{id}", Principal = "staff/looking-up", Method = "LookupService.Lookup" });
        Assert.Equal(22, looked.Events.Sum(one => one.CallCount));

        // A page after the other, each entry once.
        var paged = new List<string>();
        var paging = new SearchAuditEventsRequest { Resource = $"orders/{id}", PageSize = 2 };
        do
        {
            var page = await Audit.SearchAuditEventsAsync(paging);
            paged.AddRange(page.Events.Select(one => one.Id));
            paging.PageToken = page.NextPageToken;
        }
        while (paging.PageToken.Length > 0);
        Assert.Equal(events.Select(one => one.Id), paged);
    }

    [Fact]
    public async Task Whoever_asks_about_a_person_is_found_by_the_person_of_whom_only_a_hash_is_kept()
    {
        var orders = new OrderService.OrderServiceClient(_suite.Node.Strange);
        await Code(orders.ListOrdersAsync(new ListOrdersRequest { StoreId = "main", Email = "Ada.Needle@Example.com" }, Named("nosy")).ResponseAsync);

        var one = Assert.Single(await Found(new SearchAuditEventsRequest { Person = "ada.needle@example.com" }, 1));
        Assert.Equal(("staff/nosy", "OrderService.ListOrders", "UNIMPLEMENTED"), (one.Principal, one.Method, one.Result));
        Assert.Contains("stores/main", one.Resources);
        Assert.Empty((await Audit.SearchAuditEventsAsync(new SearchAuditEventsRequest { Person = "eve@example.com" })).Events);
        Assert.Equal(0, await Count("SELECT count(*) FROM audit_events e WHERE e::text ILIKE '%needle%' OR e::text LIKE '%' || encode(sha256('ada.needle@example.com'), 'hex') || '%'"));
    }

    [Fact]
    public async Task Who_was_refused_is_written_down_too_and_a_flood_of_strangers_is_only_counted()
    {
        var id = _suite.World.Place();
        var orders = new OrderService.OrderServiceClient(_suite.Node.Strange);
        await Code(orders.GetOrderAsync(new GetOrderRequest { Name = $"orders/{id}" }, Bearer("nonsense")).ResponseAsync);
        await Code(orders.CancelOrderAsync(new CancelOrderRequest { Name = $"orders/{id}", RequestId = "x" }, Named("small", "orders.read")).ResponseAsync);
        await Code(orders.CancelOrderAsync(new CancelOrderRequest { Name = $"orders/{id}", RequestId = "x" }, Named("late")).ResponseAsync);

        var stranger = Assert.Single(await Found(new SearchAuditEventsRequest { Result = "UNAUTHENTICATED" }, 1));
        Assert.Equal(("", "OrderService.GetOrder"), (stranger.Principal, stranger.Method));
        var small = Assert.Single(await Found(new SearchAuditEventsRequest { Principal = "staff/small" }, 1));
        Assert.Equal("PERMISSION_DENIED", small.Result);
        var late = Assert.Single(await Found(new SearchAuditEventsRequest { Principal = "staff/late", Resource = $"orders/{id}" }, 1));
        Assert.Equal(("OrderService.CancelOrder", "FAILED_PRECONDITION"), (late.Method, late.Result));

        var node = await _suite.AddNode("Development", ("Audit:StrangersASecond", "1"));
        using var strange = new HttpClient { BaseAddress = node.HttpAddress };
        await Task.WhenAll(Enumerable.Range(0, 200).Select(async i =>
        {
            using var answer = await strange.GetAsync($"/v1/flood/{i}");
            Assert.Equal(HttpStatusCode.Unauthorized, answer.StatusCode);
        }));
        await Eventually.True(async () => await Count("SELECT count(*) FROM audit_events WHERE method LIKE '/v1/flood/%'") > 0);
        Assert.InRange(await Count("SELECT count(*) FROM audit_events WHERE method LIKE '/v1/flood/%'"), 1, 100);
    }

    [Fact]
    public async Task Who_opened_an_order_is_written_down_however_many_strangers_guess_and_what_opens_one_never()
    {
        var id = _suite.World.Place();
        _suite.World.BelongsTo(id, ShopperTests.Ada(), ShopperTests.Address());
        var node = await _suite.AddNode("Development", ("Audit:StrangersASecond", "1"), ("Shoppers:AnswerAfter", "00:00:00"), ("Shoppers:PerAddress:Free", "1000"));
        using var http = new HttpClient { BaseAddress = node.HttpAddress };
        await Task.WhenAll(Enumerable.Range(0, 200).Select(async i => (await http.GetAsync($"/v1/track/NOBODYHAS{i}")).Dispose()));
        await new ShopperService.ShopperServiceClient(node.Strange).OpenOrderAsync(ShopperTests.Ask(id.ToString(), "ada@example.com", null, null));
        using var put = await http.PutAsync("/v1/track/links/ol_secretsecretsecret", null);

        var opened = Assert.Single(await Found(new SearchAuditEventsRequest { Resource = $"orders/{id}", Method = "ShopperService.OpenOrder" }, 1));
        Assert.Equal("OK", opened.Result);
        Assert.InRange(await Count("SELECT count(*) FROM audit_events WHERE principal = 'anybody/stranger'"), 2, 100);
        Assert.Equal(0, await Count("SELECT count(*) FROM audit_events e WHERE e::text LIKE '%secretsecret%'"));
    }

    [Theory]
    [InlineData("UPDATE audit_events SET principal = 'staff/nobody'")]
    [InlineData("DELETE FROM audit_events")]
    [InlineData("TRUNCATE audit_events")]
    [InlineData("UPDATE audit_key SET key = ''")]
    public async Task What_is_written_stays_whoever_wants_otherwise(string statement)
    {
        await Found(new SearchAuditEventsRequest(), 1);
        var month = $"audit_events_{TimeProvider.System.GetUtcNow():yyyyMM}";
        foreach (var sql in new[] { statement, statement.Replace("audit_events", month, StringComparison.Ordinal) })
        {
            var refused = await Assert.ThrowsAsync<PostgresException>(() => Execute(sql));
            Assert.Equal("23001", refused.SqlState);
        }
    }

    [Fact]
    public async Task Old_months_are_dropped_and_nobody_drops_a_young_one()
    {
        await Found(new SearchAuditEventsRequest(), 1);
        await Execute("SELECT audit_month(now() - interval '30 months')");
        Assert.Equal(1, await Count("SELECT audit_drop_before(now() + interval '10 years')::bigint"));
        Assert.True(await Count("SELECT count(*) FROM audit_events") > 0);
    }

    [Fact]
    public async Task While_the_database_is_away_calls_are_kept_beside_it_and_follow_and_none_is_lost()
    {
        var id = _suite.World.Place();
        var to = new NpgsqlConnectionStringBuilder(_suite.Database.ConnectionString);
        await using var gate = new TcpGate(new IPEndPoint((await Dns.GetHostAddressesAsync(to.Host!)).First(), to.Port));
        (to.Host, to.Port) = ("127.0.0.1", gate.Port);
        to.Timeout = 2;
        var node = await _suite.AddNode("Development", ("ConnectionStrings:gatewaydb", to.ConnectionString));
        var orders = new OrderService.OrderServiceClient(node.Strange);
        var get = new GetOrderRequest { Name = $"orders/{id}" };
        await orders.GetOrderAsync(get, Named("before"));

        gate.Cut();
        for (var i = 0; i < 50; i++)
            await orders.GetOrderAsync(get, Named("meanwhile"));
        await Eventually.True(() => Directory.Exists(_suite.AuditFolder) && Directory.EnumerateFiles(_suite.AuditFolder).Any());
        gate.Restore();
        await orders.GetOrderAsync(get, Named("after"));

        await Eventually.True(async () => (await Audit.SearchAuditEventsAsync(new SearchAuditEventsRequest { Principal = "staff/meanwhile", PageSize = 500 })).Events.Sum(one => one.CallCount) == 50);
        Assert.Single(await Found(new SearchAuditEventsRequest { Principal = "staff/after" }, 1));
        await Eventually.True(() => !Directory.EnumerateFiles(_suite.AuditFolder).Any());
    }

    [Fact]
    public async Task What_nothing_takes_is_not_done()
    {
        // Neither the database nor the folder, which is no folder.
        var to = new NpgsqlConnectionStringBuilder(_suite.Database.ConnectionString);
        await using var gate = new TcpGate(new IPEndPoint((await Dns.GetHostAddressesAsync(to.Host!)).First(), to.Port));
        (to.Host, to.Port, to.Timeout) = ("127.0.0.1", gate.Port, 1);
        var node = await _suite.AddNode("Development", ("ConnectionStrings:gatewaydb", to.ConnectionString), ("Audit:Folder", "/dev/null/audit"), ("Audit:MostWaiting", "100"));
        var orders = new OrderService.OrderServiceClient(node.Strange);
        var get = new GetOrderRequest { Name = $"orders/{_suite.World.Place()}" };
        gate.Cut();
        var callers = 0;
        await Eventually.True(async () => await Code(orders.GetOrderAsync(get, Named($"many-{callers++}")).ResponseAsync) == StatusCode.Unavailable);
        var done = _suite.Orders.Calls.Count;
        Assert.Equal(StatusCode.Unavailable, await Code(orders.GetOrderAsync(get, Named("one-more")).ResponseAsync));
        Assert.Equal(done, _suite.Orders.Calls.Count);

        gate.Restore();
        await Eventually.True(async () => await Code(orders.GetOrderAsync(get, Named("again")).ResponseAsync) == StatusCode.OK);
        Assert.Equal(done, (await Found(new SearchAuditEventsRequest { Method = "OrderService.GetOrder", Result = "OK", PageSize = 500 }, done + 1)).Count(one => one.Principal.StartsWith("staff/many", StringComparison.Ordinal)));
    }

    private Metadata Named(string subject, string? scope = null) =>
        Bearer(scope is null ? _suite.Issuer.Token(subject) : _suite.Issuer.Token(subject, role: null, scope: scope));

    private static Metadata Bearer(string token) => new() { { "authorization", "Bearer " + token } };

    private static async Task<StatusCode> Code(Task call)
    {
        try
        {
            await call;
            return StatusCode.OK;
        }
        catch (RpcException exception)
        {
            return exception.StatusCode;
        }
    }

    private Task<IReadOnlyList<AuditEvent>> Found(SearchAuditEventsRequest request, int atLeast) =>
        Eventually.Value<IReadOnlyList<AuditEvent>>(async () => (await Audit.SearchAuditEventsAsync(request)).Events, events => events.Count >= atLeast);

    private async Task<long> Count(string sql)
    {
        await using var source = NpgsqlDataSource.Create(_suite.Database.ConnectionString);
        await using var command = source.CreateCommand(sql);
        return (long)(await command.ExecuteScalarAsync())!;
    }

    private async Task Execute(string sql)
    {
        await using var source = NpgsqlDataSource.Create(_suite.Database.ConnectionString);
        await using var command = source.CreateCommand(sql);
        await command.ExecuteNonQueryAsync();
    }
}

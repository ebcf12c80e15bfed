using Commerce.Facts;
using Commerce.Gateway.Shoppers;
using Commerce.Gateway.V1;
using Commerce.ServiceDefaults;
using Commerce.Testing;
using Grpc.Core;
using Microsoft.Extensions.Time.Testing;

namespace Commerce.Gateway.Tests;

/// <summary>What shoppers see an order with is taken back: by staff, by another contact, by an erasure.</summary>
public sealed class SessionEndTests : IAsyncLifetime
{
    private static readonly string[] Kinds = ["email", "phone", "postal code", "link"];
    private static readonly (string, string)[] Settings = [("Shoppers:AnswerAfter", "00:00:00")];

    private Suite _suite = null!;
    private OrderId _id;

    public async ValueTask InitializeAsync()
    {
        _suite = await Suite.Start(nodes: 2, Settings);
        _id = Place();
    }

    public async ValueTask DisposeAsync() => await _suite.DisposeAsync();

    [Fact]
    public async Task Staff_end_all_sessions_and_links_of_an_order_on_every_Gateway_at_once()
    {
        var other = await Open(Place(), "email");
        var link = LinkOf(_id, TimeProvider.System.GetUtcNow());
        var sessions = new List<OrderSession>();
        foreach (var kind in Kinds)
            sessions.Add(await Open(_id, kind));
        using var watch = new LookupService.LookupServiceClient(_suite.Nodes[1].Strange).WatchLookup(new WatchLookupRequest { Code = _id.ToString() }, Bearer(sessions[0]));
        Assert.True(await watch.ResponseStream.MoveNext(CancellationToken.None));

        var request = new EndOrderSessionsRequest { Name = $"orders/{_id}", RequestId = "end" };
        var ended = await Access.EndOrderSessionsAsync(request);

        var error = await Assert.ThrowsAsync<RpcException>(() => watch.ResponseStream.MoveNext(CancellationToken.None));
        Assert.Equal((StatusCode.Unauthenticated, "CREDENTIAL_REVOKED"), (error.StatusCode, LookupTests.ReasonOf(error)));
        foreach (var session in sessions)
        {
            Assert.Equal("CREDENTIAL_REVOKED", await Answer(session));
            await Eventually.True(async () => await Answer(session, node: 1) == "CREDENTIAL_REVOKED", TimeSpan.FromSeconds(5));
        }

        Assert.Equal("OK", await Answer(other));
        foreach (var node in _suite.Nodes)
            Assert.Equal("LINK_NOT_GOOD", await Refusal(new ShopperService.ShopperServiceClient(node.Strange).OpenLinkAsync(new OpenLinkRequest { Link = link })));

        // Whoever knows the order opens it again; asked for once, it is ended once.
        var again = await Open(_id, "email");
        Assert.Equal(ended, await Access.EndOrderSessionsAsync(request));
        Assert.Equal("OK", await Answer(again));
        Assert.Equal("OK", await Answer(again, node: 1));
        var later = await Open(_id, "link", TimeProvider.System.GetUtcNow().AddMinutes(1));
        Assert.Equal("OK", await Answer(later));

        // Who did it is written down.
        await Eventually.True(async () => (await new AuditService.AuditServiceClient(_suite.Node.Channel).SearchAuditEventsAsync(new SearchAuditEventsRequest { Resource = $"orders/{_id}" }))
            .Events.Any(one => one is { Method: "AccessService.EndOrderSessions", Principal: "staff/developer", Result: "OK" }));
    }

    [Theory]
    [InlineData("customer.email", "email", "link")]
    [InlineData("customer.phone", "phone")]
    [InlineData("shipping_address", "postal code")]
    [InlineData("customer.name")]
    public async Task Another_contact_ends_what_was_opened_with_the_former_one(string field, params string[] ends)
    {
        var sessions = new Dictionary<string, OrderSession>();
        foreach (var kind in Kinds)
            sessions[kind] = await Open(_id, kind);

        var fact = Edited(2, "customer.language_code", field);
        await _suite.Tell(fact, node: 1);

        foreach (var kind in Kinds)
        {
            var expected = ends.Contains(kind) ? "CREDENTIAL_REVOKED" : "OK";
            Assert.Equal(expected, await Answer(sessions[kind], node: 1));
            await Eventually.Value(() => Answer(sessions[kind]), answer => answer == expected);
        }

        // The broker may bring it twice, and what was before it after it.
        var again = await Open(_id, Kinds.First(kind => ends.Length == 0 || ends.Contains(kind)));
        await _suite.Tell(fact, node: 0);
        await _suite.Tell(Edited(1, field), node: 0);
        Assert.Equal("OK", await Answer(again));
        await _suite.Tell(Edited(3, field), node: 0);
        Assert.Equal(ends.Length == 0 ? "OK" : "CREDENTIAL_REVOKED", await Answer(again));
    }

    [Fact]
    public async Task An_erasure_ends_all_of_them()
    {
        var sessions = new List<OrderSession>();
        foreach (var kind in Kinds)
            sessions.Add(await Open(_id, kind));
        var link = LinkOf(_id, TimeProvider.System.GetUtcNow());

        await _suite.Tell(new OrderErased(_id.ToString(), "main", 2, TimeProvider.System.GetUtcNow(), "e"));

        foreach (var session in sessions)
            Assert.Equal("CREDENTIAL_REVOKED", await Answer(session));
        Assert.Equal("LINK_NOT_GOOD", await Refusal(new ShopperService.ShopperServiceClient(_suite.Node.Strange).OpenLinkAsync(new OpenLinkRequest { Link = link })));
    }

    [Fact]
    public async Task Without_Redis_they_end_within_seconds_and_a_Gateway_that_starts_knows_of_all()
    {
        var time = new FakeTimeProvider(TimeProvider.System.GetUtcNow());
        var far = await _suite.AddNode("Development", time, [.. Settings, ("Access:KeyCacheFor", "00:00:10")]);
        var session = await Open(_id, "phone");
        Assert.Equal("OK", await Answer(session, far));
        await _suite.CutRedis();

        await Access.EndOrderSessionsAsync(new EndOrderSessionsRequest { Name = $"orders/{_id}", RequestId = "end" });
        Assert.Equal("CREDENTIAL_REVOKED", await Answer(session));

        time.Advance(TimeSpan.FromSeconds(10));
        await Eventually.True(async () => await Answer(session, far) == "CREDENTIAL_REVOKED", TimeSpan.FromSeconds(5));
        Assert.Equal("CREDENTIAL_REVOKED", await Answer(session, await _suite.AddNode("Development", Settings)));
        _suite.Redis.Restore();
    }

    [Fact]
    public async Task Only_who_may_change_an_order_ends_its_sessions()
    {
        var elsewhere = await Access.CreateApiKeyAsync(new CreateApiKeyRequest { RequestId = "e", DisplayName = "elsewhere", StoreIds = { "outlet" }, Scopes = { "orders.write" } });
        var request = new EndOrderSessionsRequest { Name = $"orders/{_id}", RequestId = "end" };
        var strange = new AccessService.AccessServiceClient(_suite.Node.Strange);
        Assert.Equal("ORDER_NOT_FOUND", await Refusal(strange.EndOrderSessionsAsync(request, Bearer(elsewhere.Key))));
        var session = await Open(_id, "email");
        Assert.Equal("PERMISSION_DENIED", await Refusal(strange.EndOrderSessionsAsync(request, Bearer(session))));
        Assert.Equal("ORDER_NOT_FOUND", await Refusal(Access.EndOrderSessionsAsync(new EndOrderSessionsRequest { Name = $"orders/{OrderId.New("ORD", TimeProvider.System)}", RequestId = "end" })));
        Assert.Equal("INVALID_FIELD", await Refusal(Access.EndOrderSessionsAsync(new EndOrderSessionsRequest { Name = "orders/x" })));
        Assert.Equal("OK", await Answer(session));

        var own = await Access.CreateApiKeyAsync(new CreateApiKeyRequest { RequestId = "o", DisplayName = "own", StoreIds = { "main" }, Scopes = { "orders.write" } });
        await strange.EndOrderSessionsAsync(request, Bearer(own.Key));
        Assert.Equal("CREDENTIAL_REVOKED", await Answer(session));
    }

    [Fact]
    public async Task What_is_learnt_while_an_order_is_being_opened_ends_the_session_that_comes_of_it()
    {
        var ended = _suite.Node.Get<EndedSessions>();
        var learnt = ended.Learnt;
        await _suite.Tell(Edited(2, "customer.email"));
        var before = ended.Of(_id.ToString(), OpenedWith.Email, learnt);
        Assert.True(ended.IsEnded(_id.ToString(), OpenedWith.Email, before));
        Assert.False(ended.IsEnded(_id.ToString(), OpenedWith.Email, ended.Of(_id.ToString(), OpenedWith.Email, ended.Learnt)));
        Assert.False(ended.IsEnded(_id.ToString(), OpenedWith.Phone, ended.Of(_id.ToString(), OpenedWith.Phone, learnt)));
    }

    private AccessService.AccessServiceClient Access => new(_suite.Node.Channel);

    private OrderId Place()
    {
        var id = _suite.World.Place();
        _suite.World.BelongsTo(id, ShopperTests.Ada(), ShopperTests.Address());
        return id;
    }

    private OrderEdited Edited(long version, params string[] fields) => new(_id.ToString(), "main", version, TimeProvider.System.GetUtcNow(), fields);

    private static string LinkOf(OrderId id, DateTimeOffset signed) => new OrderLinks(ShopperKeys.Link).Sign(id.ToString(), "ada@example.com", signed, signed.AddDays(1));

    private async Task<OrderSession> Open(OrderId id, string kind, DateTimeOffset? signed = null)
    {
        var shoppers = new ShopperService.ShopperServiceClient(_suite.Node.Strange);
        return kind switch
        {
            "email" => await shoppers.OpenOrderAsync(ShopperTests.Ask(id.ToString(), "ada@example.com", null, null)),
            "phone" => await shoppers.OpenOrderAsync(ShopperTests.Ask(id.ToString(), null, "+12025550123", null)),
            "postal code" => await shoppers.OpenOrderAsync(ShopperTests.Ask(id.ToString(), null, null, "90210")),
            _ => await shoppers.OpenLinkAsync(new OpenLinkRequest { Link = LinkOf(id, signed ?? TimeProvider.System.GetUtcNow()) }),
        };
    }

    private Task<string> Answer(OrderSession session, int node = 0) => Answer(session, _suite.Nodes[node]);

    private static async Task<string> Answer(OrderSession session, GatewayNode node)
    {
        try
        {
            await new LookupService.LookupServiceClient(node.Strange).LookupAsync(new LookupRequest { Code = session.OrderId }, Bearer(session));
            return "OK";
        }
        catch (RpcException error)
        {
            return LookupTests.ReasonOf(error) ?? error.StatusCode.ToString();
        }
    }

    private static async Task<string?> Refusal<T>(AsyncUnaryCall<T> call) => LookupTests.ReasonOf(await Assert.ThrowsAsync<RpcException>(() => call.ResponseAsync));

    private static Metadata Bearer(OrderSession session) => Bearer(session.Token);

    private static Metadata Bearer(string credential) => new() { { "authorization", "Bearer " + credential } };
}

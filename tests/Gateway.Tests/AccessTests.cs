using System.Net;
using Commerce.Gateway.V1;
using Commerce.Operations.V1;
using Commerce.Orders.V1;
using Commerce.ServiceDefaults;
using Commerce.Testing;
using Commerce.Types.V1;
using Google.Protobuf.WellKnownTypes;
using Grpc.Core;
using Microsoft.Extensions.Options;

namespace Commerce.Gateway.Tests;

/// <summary>Who is let in from outside.</summary>
public sealed class AccessTests : IAsyncLifetime
{
    private Suite _suite = null!;

    private AccessService.AccessServiceClient Access => new(_suite.Node.Channel);

    public async ValueTask InitializeAsync() => _suite = await Suite.Start(nodes: 2);

    public async ValueTask DisposeAsync() => await _suite.DisposeAsync();

    [Fact]
    public async Task Whoever_has_a_token_is_who_its_issuer_says()
    {
        var id = _suite.World.Place();
        await _suite.Node.Http.GetStringAsync($"/v1/orders/{id}");
        Assert.Equal("staff/developer", _suite.Orders.Calls.LastPrincipal);
        await Orders(_suite.Node).GetOrderAsync(new GetOrderRequest { Name = $"orders/{id}" }, Bearer(_suite.Issuer.Token("anna|1", role: "support")));
        Assert.Equal("staff/anna|1", _suite.Orders.Calls.LastPrincipal);

        var support = await Access.WhoAmIAsync(new WhoAmIRequest(), Bearer(_suite.Issuer.Token("anna", role: "support", scope: "openid orders.read ledger.read", stores: ["main"])));
        Assert.Equal(("staff/anna", true, "main"), (support.Principal, support.LimitedToStores, Assert.Single(support.StoreIds)));
        Assert.Equal((Roles.All["support"] | ScopeSet.Of(Scope.LedgerRead)).ToNames(), support.Scopes);
        var none = await Access.WhoAmIAsync(new WhoAmIRequest(), Bearer(_suite.Issuer.Token(role: "unknown", stores: [])));
        Assert.Equal((true, 0, 0), (none.LimitedToStores, none.StoreIds.Count, none.Scopes.Count));
    }

    [Fact]
    public async Task A_key_that_the_issuer_changed_to_is_good_from_its_first_token_and_the_former_is_not()
    {
        var former = _suite.Issuer.Token("first");
        await Access.WhoAmIAsync(new WhoAmIRequest(), Bearer(former));
        var asked = _suite.Issuer.Asked;
        for (var i = 0; i < 20; i++)
            await Access.WhoAmIAsync(new WhoAmIRequest(), Bearer(former));
        Assert.Equal(asked, _suite.Issuer.Asked);

        _suite.Issuer.Rotate();
        // Keys that are not known are asked for every five seconds at most.
        await Eventually.True(async () => await Code(Access.WhoAmIAsync(new WhoAmIRequest(), Bearer(_suite.Issuer.Token("second"))).ResponseAsync) == StatusCode.OK);
        var signedBefore = _suite.Issuer.Token("third", signedWith: _suite.Issuer.SomebodyElse());
        Assert.Equal(StatusCode.Unauthenticated, await Code(Access.WhoAmIAsync(new WhoAmIRequest(), Bearer(signedBefore)).ResponseAsync));
    }

    [Fact]
    public async Task Every_method_refuses_every_credential_that_is_not_good_enough()
    {
        var revoked = await Create("revoked", "orders.read");
        await Access.RevokeApiKeyAsync(new RevokeApiKeyRequest { Name = revoked.Name });
        var key = await Create("small", "orders.read");
        var issuer = _suite.Issuer;
        var unsigned = Unsigned(issuer.Token());
        var outside = new (string What, Metadata Headers, string Reason)[]
        {
            ("no credential", [], "UNAUTHENTICATED"),
            ("who one says one is", new Metadata { { "commerce-principal", "staff/developer" } }, "UNAUTHENTICATED"),
            ("a token between services", TestAccess.As("orders", TestAccess.Admin), "UNAUTHENTICATED"),
            ("a token between services as a token", Bearer(TestAccess.Token("gateway", TestAccess.Admin)), "UNAUTHENTICATED"),
            ("nonsense", Bearer("nonsense"), "UNAUTHENTICATED"),
            ("a password", new Metadata { { "authorization", "Basic YTpi" } }, "UNAUTHENTICATED"),
            ("two credentials", new Metadata { { "authorization", "Bearer " + issuer.Token() }, { "x-api-key", key.Key } }, "UNAUTHENTICATED"),
            ("a token without a signature", Bearer(unsigned), "UNAUTHENTICATED"),
            ("a token of another key", Bearer(issuer.Token(signedWith: issuer.SomebodyElse())), "UNAUTHENTICATED"),
            ("a token signed with what everybody knows", Bearer(issuer.Token(signedWith: issuer.PublicKeyAsSecret())), "UNAUTHENTICATED"),
            ("a token for somebody else", Bearer(issuer.Token(audience: "elsewhere")), "UNAUTHENTICATED"),
            ("a token of a stranger", Bearer(issuer.Token(issuer: "https://stranger.example.org")), "UNAUTHENTICATED"),
            ("a token that is over", Bearer(issuer.Token(life: TimeSpan.FromMinutes(-2))), "CREDENTIAL_EXPIRED"),
            ("a key that never was", Bearer("ck_abcdefghjkmn_" + new string('a', 43)), "UNAUTHENTICATED"),
            ("a key with another secret", Bearer(key.Key[..^5] + "AAAAA"), "UNAUTHENTICATED"),
            ("a key that is revoked", new Metadata { { "x-api-key", revoked.Key } }, "UNAUTHENTICATED"),
        };
        var methods = PublicApi.Services.SelectMany(service => service.Methods).ToList();
        // What is no credential at all, and what is anybody's without one.
        var none = new[] { "no credential", "who one says one is", "a token between services" };
        bool IsForAnybody(Google.Protobuf.Reflection.MethodDescriptor method) => WrongCredentials.AccessOf(method).Callers.Contains(Caller.Anybody);
        var cases = methods.SelectMany(method => outside.Where(one => !IsForAnybody(method) || !none.Contains(one.What)).Select(one => (method, new WrongCredential(one.What, one.Headers, StatusCode.Unauthenticated, one.Reason))))
            .Concat(methods.SelectMany(method => WrongCredentials.Limited(method, AsToken).Where(one => one.Headers.Count > 0), (method, one) => (method, one)))
            .Concat(methods.Where(method => !IsForAnybody(method) && !WrongCredentials.AccessOf(method).Callers.Contains(Caller.Shop)).Select(method => (method, new WrongCredential("a shop's key", Bearer(key.Key), StatusCode.PermissionDenied, "PERMISSION_DENIED"))))
            .ToList();

        var differing = await WrongCredentials.Try(_suite.Node.Strange.CreateCallInvoker(), cases);
        Assert.True(differing.Count == 0, string.Join("\n", differing));
        Assert.True(cases.Count > (methods.Count - methods.Count(IsForAnybody)) * outside.Length);
        Assert.Equal(0, _suite.Orders.Calls.Count);
    }

    [Fact]
    public async Task Every_method_lets_in_who_may_call_it()
    {
        var differing = new System.Collections.Concurrent.ConcurrentQueue<string>();
        var methods = PublicApi.Services.SelectMany(service => service.Methods).Where(method => method is { IsClientStreaming: false, IsServerStreaming: false });
        await Parallel.ForEachAsync(methods, new ParallelOptions { MaxDegreeOfParallelism = 8 }, async (method, _) =>
        {
            var access = WrongCredentials.AccessOf(method);
            var just = _suite.Issuer.Token(role: null, scope: ScopeSet.NameOf(access.Scope));
            var (code, _) = await WrongCredentials.Call(_suite.Node.Strange.CreateCallInvoker(), method, Bearer(just));
            if (code is StatusCode.Unauthenticated or StatusCode.PermissionDenied)
                differing.Enqueue($"{method.FullName}: {code}");
        });

        Assert.Empty(differing);
    }

    [Theory]
    [InlineData("/v1/orders/x")]
    [InlineData("/V1/orders")]
    [InlineData("/v1/lookup/x")]
    [InlineData("/v1/lookup/x:watch")]
    [InlineData("/v1/nothing")]
    public async Task REST_asks_who_calls_too(string path)
    {
        using var strange = new HttpClient { BaseAddress = _suite.Node.HttpAddress };
        using var answer = await strange.GetAsync(path);
        Assert.Equal(HttpStatusCode.Unauthorized, answer.StatusCode);
        Assert.Equal("Bearer", Assert.Single(answer.Headers.WwwAuthenticate).Scheme);
        Assert.Contains("\"reason\":\"UNAUTHENTICATED\"", await answer.Content.ReadAsStringAsync(), StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("/health")]
    [InlineData("/alive")]
    [InlineData("/openapi/v1.json")]
    [InlineData("/docs")]
    [InlineData("/")]
    public async Task Anybody_sees_that_it_is_well_and_how_it_is_called(string path)
    {
        using var strange = new HttpClient { BaseAddress = _suite.Node.HttpAddress };
        using var answer = await strange.GetAsync(path);
        Assert.Equal(HttpStatusCode.OK, answer.StatusCode);
    }

    [Fact]
    public async Task A_shop_calls_with_its_key_until_it_is_revoked_on_every_Gateway_at_once()
    {
        var id = _suite.World.Place();
        var key = await Create("The shop's system", "orders.read");
        Assert.StartsWith("ck_", key.Key, StringComparison.Ordinal);
        var get = new GetOrderRequest { Name = $"orders/{id}" };
        foreach (var node in _suite.Nodes)
        {
            var who = await new AccessService.AccessServiceClient(node.Strange).WhoAmIAsync(new WhoAmIRequest(), Bearer(key.Key));
            Assert.Equal((key.Name.Replace("apiKeys/", "shop/", StringComparison.Ordinal), "main", "orders.read"), (who.Principal, Assert.Single(who.StoreIds), Assert.Single(who.Scopes)));
        }

        using var rest = new HttpClient { BaseAddress = _suite.Node.HttpAddress, DefaultRequestHeaders = { { "x-api-key", key.Key } } };
        using (var answer = await rest.GetAsync("/v1/whoami"))
            Assert.Equal(HttpStatusCode.OK, answer.StatusCode);
        await Eventually.Value(async () => (await Access.ListApiKeysAsync(new ListApiKeysRequest())).ApiKeys.Single(one => one.Name == key.Name), one => one.LastUseTime is not null && one.Key.Length == 0);

        var revoked = await Access.RevokeApiKeyAsync(new RevokeApiKeyRequest { Name = key.Name });
        Assert.NotNull(revoked.RevokeTime);
        Assert.Equal(revoked.RevokeTime, (await Access.RevokeApiKeyAsync(new RevokeApiKeyRequest { Name = key.Name })).RevokeTime);
        Assert.Equal(StatusCode.Unauthenticated, await Code(Orders(_suite.Nodes[0]).GetOrderAsync(get, Bearer(key.Key)).ResponseAsync));
        await Eventually.True(async () => await Code(Orders(_suite.Nodes[1]).GetOrderAsync(get, Bearer(key.Key)).ResponseAsync) == StatusCode.Unauthenticated, TimeSpan.FromSeconds(5));
        Assert.Equal(StatusCode.FailedPrecondition, await Code(Access.RotateApiKeyAsync(new RotateApiKeyRequest { Name = key.Name, RequestId = "r" }).ResponseAsync));
    }

    [Fact]
    public async Task Without_Redis_a_revoked_key_ends_within_seconds()
    {
        var node = await _suite.AddNode("Development", ("Access:KeyCacheFor", "00:00:00.3"));
        var key = await Create("cut off", "orders.read");
        var there = new AccessService.AccessServiceClient(node.Strange);
        await there.WhoAmIAsync(new WhoAmIRequest(), Bearer(key.Key));
        _suite.Redis.Cut();
        await Access.RevokeApiKeyAsync(new RevokeApiKeyRequest { Name = key.Name });
        await Eventually.True(async () => await Code(there.WhoAmIAsync(new WhoAmIRequest(), Bearer(key.Key)).ResponseAsync) == StatusCode.Unauthenticated, TimeSpan.FromSeconds(5));
        _suite.Redis.Restore();
    }

    [Fact]
    public async Task A_key_changes_over_to_another_secret_while_the_one_before_is_good()
    {
        var key = await Create("rotating", "orders.read");
        var request = new RotateApiKeyRequest { Name = key.Name, RequestId = "once", Overlap = Duration.FromTimeSpan(TimeSpan.FromHours(1)) };
        var rotated = await Access.RotateApiKeyAsync(request);
        Assert.NotEqual(key.Key, rotated.Key);
        Assert.NotNull(rotated.FormerSecretExpireTime);
        Assert.Empty((await Access.RotateApiKeyAsync(request)).Key);
        foreach (var one in new[] { key.Key, rotated.Key })
            await Access.WhoAmIAsync(new WhoAmIRequest(), Bearer(one));

        var last = await Access.RotateApiKeyAsync(new RotateApiKeyRequest { Name = key.Name, RequestId = "twice", Overlap = new Duration() });
        await Access.WhoAmIAsync(new WhoAmIRequest(), Bearer(last.Key));
        foreach (var one in new[] { key.Key, rotated.Key })
            Assert.Equal(StatusCode.Unauthenticated, await Code(Access.WhoAmIAsync(new WhoAmIRequest(), Bearer(one)).ResponseAsync));
    }

    [Fact]
    public async Task A_key_is_made_once_for_a_request_and_its_secret_is_told_once_and_kept_nowhere()
    {
        var request = new CreateApiKeyRequest { RequestId = "once", DisplayName = "once", StoreIds = { "main" }, Scopes = { "orders.read" } };
        var key = await Access.CreateApiKeyAsync(request);
        var again = await Access.CreateApiKeyAsync(request);
        Assert.Equal((key.Name, ""), (again.Name, again.Key));
        request.DisplayName = "another";
        Assert.Equal("REQUEST_ID_REUSED", await Reason(Access.CreateApiKeyAsync(request).ResponseAsync));
        await using var database = Npgsql.NpgsqlDataSource.Create(_suite.Database.ConnectionString);
        await using var command = database.CreateCommand("SELECT string_agg(k::text, '') FROM api_keys k");
        Assert.DoesNotContain(key.Key.Split('_', 3)[2], (string)(await command.ExecuteScalarAsync())!, StringComparison.Ordinal);
    }

    [Fact]
    public async Task Nobody_gives_what_it_has_not_got_and_a_key_has_no_staff_scopes()
    {
        var request = new CreateApiKeyRequest { RequestId = "x", DisplayName = "x", StoreIds = { "main" }, Scopes = { "ledger.read" } };
        Assert.Equal("SCOPE_MISSING", await Reason(Access.CreateApiKeyAsync(request, Bearer(_suite.Issuer.Token(role: null, scope: "access.admin orders.read"))).ResponseAsync));
        foreach (var wrong in new Action<CreateApiKeyRequest>[]
        {
            r => r.Scopes.Add("access.admin"), r => r.Scopes.Add("everything"), r => r.Scopes.Clear(), r => r.StoreIds.Clear(), r => r.StoreIds.Add("a b"), r => r.DisplayName = "", r => r.RequestId = "",
            r => r.ExpireTime = Timestamp.FromDateTimeOffset(TimeProvider.System.GetUtcNow().AddMinutes(-1)),
        })
        {
            var one = request.Clone();
            wrong(one);
            Assert.Equal("INVALID_FIELD", await Reason(Access.CreateApiKeyAsync(one).ResponseAsync));
        }

        Assert.Equal("API_KEY_NOT_FOUND", await Reason(Access.RevokeApiKeyAsync(new RevokeApiKeyRequest { Name = "apiKeys/nothing" }).ResponseAsync));
        request.ExpireTime = Timestamp.FromDateTimeOffset(TimeProvider.System.GetUtcNow().AddSeconds(1));
        var brief = await Access.CreateApiKeyAsync(request);
        await Eventually.True(async () => await Reason(Access.WhoAmIAsync(new WhoAmIRequest(), Bearer(brief.Key)).ResponseAsync) == "CREDENTIAL_EXPIRED");
    }

    [Fact]
    public async Task Keys_are_listed_page_by_page_newest_first()
    {
        foreach (var name in new[] { "one", "two", "three" })
            await Create(name, "orders.read");
        var first = await Access.ListApiKeysAsync(new ListApiKeysRequest { PageSize = 2 });
        var second = await Access.ListApiKeysAsync(new ListApiKeysRequest { PageSize = 2, PageToken = first.NextPageToken });
        Assert.Equal(["three", "two", "one"], first.ApiKeys.Concat(second.ApiKeys).Select(key => key.DisplayName));
        Assert.Empty(second.NextPageToken);
    }

    [Fact]
    public async Task Staff_reach_the_queues_of_every_service_through_the_Gateway()
    {
        var calls = _suite.Node.Channel.CreateCallInvoker();
        var list = MessagingService.Descriptor.FindMethodByName("ListQueues");
        // The fake of Orders lets in and does nothing; the Gateway itself answers.
        Assert.Equal(StatusCode.Unimplemented, (await WrongCredentials.Call(calls, list, new Metadata { { "commerce-service", "orders" } })).Code);
        Assert.Equal(StatusCode.OK, (await WrongCredentials.Call(calls, list, [])).Code);
        var support = Bearer(_suite.Issuer.Token(role: "support"));
        Assert.Equal("SCOPE_MISSING", (await WrongCredentials.Call(calls, list, support)).Reason);
        support.Add("commerce-service", "orders");
        Assert.Equal("SCOPE_MISSING", (await WrongCredentials.Call(calls, list, support)).Reason);
    }

    [Fact]
    public async Task Outside_development_an_issuer_without_TLS_is_refused_at_the_start() =>
        await Assert.ThrowsAsync<OptionsValidationException>(() => _suite.AddNode("Production"));

    private Metadata AsToken(Principal principal) => principal.Kind == PrincipalKind.Staff
        ? Bearer(_suite.Issuer.Token(principal.Id, role: null, scope: principal.Scopes.ToString(), stores: principal.Stores))
        : [];

    private async Task<ApiKey> Create(string name, params string[] scopes) => await Access.CreateApiKeyAsync(
        new CreateApiKeyRequest { RequestId = Guid.NewGuid().ToString(), DisplayName = name, StoreIds = { "main" }, Scopes = { scopes } });

    private static OrderService.OrderServiceClient Orders(GatewayNode node) => new(node.Channel);

    private static Metadata Bearer(string credential) => new() { { "authorization", "Bearer " + credential } };

    private static string Unsigned(string token)
    {
        var header = System.Buffers.Text.Base64Url.EncodeToString("""{"alg":"none","typ":"JWT"}"""u8);
        return $"{header}.{token.Split('.')[1]}.";
    }

    private static async Task<StatusCode> Code<T>(Task<T> call)
    {
        try
        {
            await call;
            return StatusCode.OK;
        }
        catch (RpcException error)
        {
            return error.StatusCode;
        }
    }

    private static async Task<string?> Reason<T>(Task<T> call)
    {
        try
        {
            await call;
            return null;
        }
        catch (RpcException error)
        {
            return LookupTests.ReasonOf(error);
        }
    }
}

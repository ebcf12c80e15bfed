using System.Net;
using System.Net.Http.Json;
using System.Text.Json.Nodes;
using Commerce.Gateway.V1;
using Commerce.Orders.V1;
using Commerce.ServiceDefaults;
using Commerce.Testing;
using Commerce.Types.V1;
using Google.Protobuf.WellKnownTypes;
using Google.Type;
using Grpc.Core;

namespace Commerce.Gateway.Tests;

/// <summary>What strangers see, and how who bought opens their order.</summary>
public sealed class ShopperTests : IAsyncLifetime
{
    private const string Number = "1Z12345E0205271688";

    // What is only in orders: found in no answer to a stranger.
    private static readonly string[] Personal = ["Ada", "Lovelace", "ada@", "202555", "Secret Street", "90210", "SHOPS-OWN", "lamp-sku", "Brass lamp", "tok_"];

    private Suite _suite = null!;
    private OrderId _id;

    private ShopperService.ShopperServiceClient Strangers => new(_suite.Node.Strange);

    public async ValueTask InitializeAsync()
    {
        _suite = await Suite.Start(settings: [("Shoppers:AnswerAfter", "00:00:00.02")]);
        _id = Place(Number);
    }

    public async ValueTask DisposeAsync() => await _suite.DisposeAsync();

    [Theory]
    [InlineData("ADA@Example.com ", null, null)]
    [InlineData(null, "+1 (202) 555-0123", null)]
    [InlineData(null, "202 555 0123", null)]
    [InlineData(null, "001 202 555 0123", null)]
    [InlineData(null, null, "90210")]
    [InlineData(null, null, "90210-1234")]
    public async Task Either_code_and_what_the_shopper_knows_open_the_order(string? email, string? phone, string? postalCode)
    {
        foreach (var code in new[] { _id.ToString(), _id.ToString().ToLowerInvariant().Replace("-", " ", StringComparison.Ordinal), Number })
        {
            var session = await Strangers.OpenOrderAsync(Ask(code, email, phone, postalCode));
            Assert.Equal(_id.ToString(), session.OrderId);
            var view = await Lookup(session, _id.ToString());
            Assert.Equal(("Ada Lovelace", "Secret Street 1", "Brass lamp"), (view.Order.Customer.Name, view.Order.ShippingAddress.AddressLines[0], view.Order.Lines[0].Title));
            Assert.Equal("", view.Order.PaymentParts[0].Token);
            Assert.Equal(_id.ToString(), (await Lookup(session, Number)).OrderId);
        }
    }

    [Theory]
    [InlineData("ad@example.com", null, null)]
    [InlineData("ada@example.com.au", null, null)]
    [InlineData(null, "555-0123", null)]
    [InlineData(null, "0123", null)]
    [InlineData(null, "+44 202 555 0123", null)]
    [InlineData(null, null, "9021")]
    [InlineData(null, null, "90211")]
    public async Task Nearly_right_is_wrong(string? email, string? phone, string? postalCode) =>
        Assert.Equal((StatusCode.NotFound, "ORDER_NOT_OPENED"), await Refusal(Strangers.OpenOrderAsync(Ask(_id.ToString(), email, phone, postalCode))));

    [Fact]
    public async Task What_an_order_has_not_got_opens_it_for_nobody()
    {
        var erased = _suite.World.Place();
        _suite.World.BelongsTo(erased, new Contact(), new PostalAddress());
        foreach (var ask in new[] { Ask(erased.ToString(), "@", null, null), Ask(erased.ToString(), null, "0", null), Ask(erased.ToString(), null, null, "0") })
            Assert.Equal((StatusCode.NotFound, "ORDER_NOT_OPENED"), await Refusal(Strangers.OpenOrderAsync(ask)));
        foreach (var nothing in new[] { Ask(erased.ToString(), "", null, null), Ask(erased.ToString(), null, " ", null), Ask(erased.ToString(), null, null, ""), new OpenOrderRequest { Code = erased.ToString() } })
            Assert.Equal((StatusCode.InvalidArgument, "INVALID_FIELD"), await Refusal(Strangers.OpenOrderAsync(nothing)));
    }

    [Fact]
    public async Task Whoever_has_only_a_Tracking_ID_sees_its_journey()
    {
        using var rest = Stranger();
        using var answer = await rest.GetAsync($"/v1/track/{Number}");
        var text = await answer.Content.ReadAsStringAsync();
        Assert.Equal(HttpStatusCode.OK, answer.StatusCode);
        var journey = Assert.Single(JsonNode.Parse(text)!["journeys"]!.AsArray())!;
        Assert.Equal((Number, "Springfield"), (journey["trackingNumber"]!.GetValue<string>(), journey["events"]![0]!["place"]!["locality"]!.GetValue<string>()));
        Assert.DoesNotContain(_id.ToString(), text, StringComparison.Ordinal);
        Assert.All(Personal, one => Assert.DoesNotContain(one, text, StringComparison.OrdinalIgnoreCase));
        Assert.Equal((StatusCode.NotFound, "CODE_NOT_FOUND"), await Refusal(Strangers.GetJourneyAsync(new GetJourneyRequest { Code = "1Z5R89390357567127" })));
    }

    [Fact]
    public async Task An_Order_ID_alone_shows_nothing_not_even_that_there_is_such_an_order()
    {
        using var rest = Stranger();
        string? first = null;
        foreach (var id in new[] { _id, OrderId.New("ORD", TimeProvider.System), OrderId.New("ZZZ", TimeProvider.System) })
        {
            using var answer = await rest.GetAsync($"/v1/track/{id}");
            Assert.Equal(HttpStatusCode.Forbidden, answer.StatusCode);
            var text = WithoutTrace(await answer.Content.ReadAsStringAsync());
            Assert.Contains("SECOND_FACTOR_NEEDED", text, StringComparison.Ordinal);
            Assert.Equal(first ??= text, text);
        }

        Assert.Equal(0, _suite.Orders.Calls.Count);
    }

    [Fact]
    public async Task A_number_that_is_something_else_in_some_shop_tells_strangers_nothing_of_that()
    {
        _suite.World.Place(externalId: Number);
        var answer = await Strangers.GetJourneyAsync(new GetJourneyRequest { Code = Number });
        Assert.Single(answer.Journeys);
        var other = _suite.World.Place(externalId: "A-100", store: "outlet");
        _suite.World.Place(externalId: "A-100");
        var error = await Assert.ThrowsAsync<RpcException>(async () => await Strangers.GetJourneyAsync(new GetJourneyRequest { Code = "A-100" }));
        Assert.Equal("CODE_NOT_FOUND", LookupTests.ReasonOf(error));
        Assert.DoesNotContain(other.ToString(), error.Trailers.Get("grpc-status-details-bin")!.ValueBytes.Select(b => (char)b).Aggregate("", (text, c) => text + c), StringComparison.Ordinal);
        // Not to a shopper of another order either.
        var session = await Open();
        Assert.Equal((StatusCode.NotFound, "CODE_NOT_FOUND"), await Refusal(Lookups.LookupAsync(new LookupRequest { Code = "A-100" }, Bearer(session))));
    }

    [Fact]
    public async Task A_session_opens_its_order_and_no_other()
    {
        var other = Place("1Z5R89390357567127");
        _suite.World.RequestReturn(other);
        await _suite.Node.Find(other);
        await _suite.Node.Find("1Z5R89390357567127");
        var session = await Open();

        // Known and unknown, current and not: what there is of another order is said like what there is not.
        var unknown = await Refusal(Lookups.LookupAsync(new LookupRequest { Code = OrderId.New("ORD", TimeProvider.System).ToString() }, Bearer(session)));
        Assert.Equal((StatusCode.NotFound, "CODE_NOT_FOUND"), unknown);
        foreach (var request in new[]
        {
            new LookupRequest { Code = other.ToString() }, new LookupRequest { Code = "1Z5R89390357567127" }, new LookupRequest { Code = other.ToString(), MinOrderVersion = 99 },
            new LookupRequest { Code = other.ToString(), MinVersion = 99 }, new LookupRequest { Code = $"{other}-R1" }, new LookupRequest { Code = $"{other}-R9" },
            new LookupRequest { Code = other.ToString(), ReadMask = new FieldMask { Paths = { "journeys" } } },
        })
        {
            Assert.Equal(unknown, await Refusal(Lookups.LookupAsync(request, Bearer(session))));
            Assert.Equal(unknown, await Refusal(First(Lookups.WatchLookup(new WatchLookupRequest { Code = request.Code, ReadMask = request.ReadMask }, Bearer(session)))));
        }

        using var rest = Shopper(session);
        foreach (var path in new[] { $"/v1/lookup/{other}", $"/v1/lookup/{other}:watch" })
        {
            using var answer = await rest.GetAsync(path);
            Assert.Equal(HttpStatusCode.NotFound, answer.StatusCode);
            Assert.DoesNotContain("Ada", await answer.Content.ReadAsStringAsync(), StringComparison.Ordinal);
        }

        // Every other method: it is not for shoppers, or the request names no order of theirs.
        foreach (var method in PublicApi.Services.SelectMany(service => service.Methods).Where(method => method.Service.Name is not ("LookupService" or "ShopperService")))
        {
            var (code, _) = await WrongCredentials.Call(_suite.Node.Strange.CreateCallInvoker(), method, Bearer(session));
            Assert.True(code == StatusCode.PermissionDenied, $"{method.FullName}: {code}");
        }

        Assert.Equal(StatusCode.PermissionDenied, (await Refusal(new ReturnService.ReturnServiceClient(_suite.Node.Strange).RequestReturnAsync(new RequestReturnRequest { Parent = $"orders/{other}" }, Bearer(session)))).Item1);
        // The fake of Orders lets in and does nothing.
        Assert.Equal(StatusCode.Unimplemented, (await Refusal(new ReturnService.ReturnServiceClient(_suite.Node.Strange).RequestReturnAsync(new RequestReturnRequest { Parent = $"orders/{_id}" }, Bearer(session)))).Item1);
        Assert.Equal(StatusCode.PermissionDenied, (await Refusal(Lookups.BatchLookupAsync(new BatchLookupRequest { Codes = { _id.ToString() } }, Bearer(session)))).Item1);
        var weak = await Strangers.OpenOrderAsync(Ask(_id.ToString(), null, null, "90210"));
        Assert.Equal((StatusCode.PermissionDenied, "SCOPE_MISSING"), await Refusal(new ReturnService.ReturnServiceClient(_suite.Node.Strange).RequestReturnAsync(new RequestReturnRequest { Parent = $"orders/{_id}" }, Bearer(weak))));
    }

    [Fact]
    public async Task What_is_another_stores_is_not_found_whatever_version_is_asked_for()
    {
        var elsewhere = new Metadata { { "authorization", "Bearer " + _suite.Issuer.Token(role: "support", stores: ["outlet"]) } };
        var here = new Metadata { { "authorization", "Bearer " + _suite.Issuer.Token(role: "support", stores: ["main"]) } };
        foreach (var request in new[] { new LookupRequest { Code = _id.ToString() }, new LookupRequest { Code = _id.ToString(), MinOrderVersion = 99 }, new LookupRequest { Code = _id.ToString(), MinVersions = { $"orders/{_id}=99" } } })
            Assert.Equal((StatusCode.NotFound, "CODE_NOT_FOUND"), await Refusal(Lookups.LookupAsync(request, elsewhere)));
        Assert.Equal((StatusCode.Unavailable, "VERSION_NOT_REACHED"), await Refusal(Lookups.LookupAsync(new LookupRequest { Code = _id.ToString(), MinOrderVersion = 99 }, here)));
    }

    [Fact]
    public async Task A_shopper_watches_their_order_over_gRPC_and_as_events()
    {
        var session = await Open();
        using var watch = Lookups.WatchLookup(new WatchLookupRequest { Code = _id.ToString() }, Bearer(session));
        Assert.True(await watch.ResponseStream.MoveNext(CancellationToken.None));
        var first = watch.ResponseStream.Current;
        await _suite.Tell(_suite.World.AdvanceOrder(_id));
        Assert.True(await watch.ResponseStream.MoveNext(CancellationToken.None));
        Assert.Equal((first.Version + 1, ""), (watch.ResponseStream.Current.Version, watch.ResponseStream.Current.Order.PaymentParts[0].Token));

        using var rest = Shopper(session);
        using var reader = new StreamReader(await rest.GetStreamAsync($"/v1/lookup/{_id}:watch"));
        string? line;
        while ((line = await reader.ReadLineAsync()) is not null && !line.StartsWith("data:", StringComparison.Ordinal))
        {
        }

        Assert.Contains("Brass lamp", line, StringComparison.Ordinal);
        Assert.DoesNotContain("tok_", line, StringComparison.Ordinal);
    }

    [Fact]
    public async Task A_session_that_is_forged_or_over_is_nobodys()
    {
        var session = await Open();
        var (payload, mac) = (session.Token[3..session.Token.IndexOf('.', StringComparison.Ordinal)], session.Token[(session.Token.IndexOf('.', StringComparison.Ordinal) + 1)..]);
        var other = System.Buffers.Text.Base64Url.EncodeToString(System.Text.Encoding.ASCII.GetBytes(
            System.Text.Encoding.ASCII.GetString(System.Buffers.Text.Base64Url.DecodeFromChars(payload)).Replace(_id.ToString(), OrderId.New("ORD", TimeProvider.System).ToString(), StringComparison.Ordinal)));
        var link = Links().Sign(_id.ToString(), "ada@example.com", TimeProvider.System.GetUtcNow(), TimeProvider.System.GetUtcNow().AddDays(1));
        foreach (var forged in new[] { $"os_{other}.{mac}", $"os_{payload}.{mac[..^2]}AA", $"os_{payload}", "os_", "os_.", "os_é.é", $"os_{payload}.", $"os_{link}" })
            Assert.Equal((StatusCode.Unauthenticated, "UNAUTHENTICATED"), await Refusal(Lookups.LookupAsync(new LookupRequest { Code = _id.ToString() }, new Metadata { { "authorization", "Bearer " + forged.Replace('é', 'e') } })));

        await using var suite = await Suite.Start(settings: [("Shoppers:SessionFor", "00:00:01"), ("Shoppers:AnswerAfter", "00:00:00")]);
        _suite.World.BelongsTo(_id, Ada(), Address());
        var id = suite.World.Place();
        suite.World.BelongsTo(id, Ada(), Address());
        var brief = await new ShopperService.ShopperServiceClient(suite.Node.Strange).OpenOrderAsync(Ask(id.ToString(), "ada@example.com", null, null));
        await Eventually.True(async () => await Refusal(new LookupService.LookupServiceClient(suite.Node.Strange).LookupAsync(new LookupRequest { Code = id.ToString() }, Bearer(brief))) == (StatusCode.Unauthenticated, "CREDENTIAL_EXPIRED"));
    }

    [Fact]
    public async Task A_link_in_a_message_opens_its_order_until_it_is_over_or_the_contact_is_another()
    {
        var now = TimeProvider.System.GetUtcNow();
        var good = Links().Sign(_id.ToString(), "ada@example.com", TimeProvider.System.GetUtcNow(), now.AddDays(1));
        using var rest = Stranger();
        using var answer = await rest.GetAsync($"/v1/track/links/{good}");
        Assert.Equal((HttpStatusCode.OK, "no-store"), (answer.StatusCode, answer.Headers.CacheControl!.ToString()));
        var session = await answer.Content.ReadFromJsonAsync<JsonObject>();
        using var shopper = Stranger();
        shopper.DefaultRequestHeaders.Add("Authorization", "Bearer " + session!["token"]!.GetValue<string>());
        Assert.Contains("Brass lamp", await shopper.GetStringAsync($"/v1/lookup/{session["orderId"]!.GetValue<string>()}"), StringComparison.Ordinal);

        var formerKey = new OrderLinks("a-secret-that-nobody-has-changed-to-yet-1");
        var other = OrderId.New("ORD", TimeProvider.System).ToString();
        foreach (var bad in new[]
        {
            Links().Sign(_id.ToString(), "ada@example.com", TimeProvider.System.GetUtcNow(), now.AddSeconds(-1)),
            Links().Sign(_id.ToString(), "eve@example.com", TimeProvider.System.GetUtcNow(), now.AddDays(1)),
            Links().Sign(other, "ada@example.com", TimeProvider.System.GetUtcNow(), now.AddDays(1)),
            formerKey.Sign(_id.ToString(), "ada@example.com", TimeProvider.System.GetUtcNow(), now.AddDays(1)),
            good[..^4] + "AAAA",
            Links().Sign(other, "ada@example.com", TimeProvider.System.GetUtcNow(), now.AddDays(1)).Split('.')[0] + "." + good.Split('.')[1],
            session["token"]!.GetValue<string>(), "x", ".", "a.b",
        })
        {
            Assert.Equal((StatusCode.NotFound, "LINK_NOT_GOOD"), await Refusal(Strangers.OpenLinkAsync(new OpenLinkRequest { Link = bad })));
        }

        // Another e-mail address, or none after an erasure, ends it.
        var moved = Ada();
        moved.Email = "ada@elsewhere.example";
        _suite.World.BelongsTo(_id, moved, Address());
        Assert.Equal((StatusCode.NotFound, "LINK_NOT_GOOD"), await Refusal(Strangers.OpenLinkAsync(new OpenLinkRequest { Link = good })));
        moved.Email = "";
        _suite.World.BelongsTo(_id, moved, Address());
        Assert.Equal((StatusCode.NotFound, "LINK_NOT_GOOD"), await Refusal(Strangers.OpenLinkAsync(new OpenLinkRequest { Link = good })));
    }

    [Fact]
    public void Keys_of_links_change_over_one_after_the_other()
    {
        var now = TimeProvider.System.GetUtcNow();
        var (first, second) = (new string('1', 40), new string('2', 40));
        var former = new OrderLinks(first).Sign(_id.ToString(), "ada@example.com", TimeProvider.System.GetUtcNow(), now.AddDays(1));
        var both = new OrderLinks($"{second} {first}");
        foreach (var one in new[] { former, both.Sign(_id.ToString(), "ada@example.com", TimeProvider.System.GetUtcNow(), now.AddDays(1)) })
        {
            var link = both.Read(one, now)!;
            Assert.True(OrderLinks.IsFor(link, "Ada@example.com"));
            Assert.False(OrderLinks.IsFor(link, "eve@example.com"));
        }

        Assert.Null(new OrderLinks(second).Read(former, now));
    }

    [Theory]
    [InlineData("OrderId", true, false)]
    [InlineData("Never", false, false)]
    [InlineData("AnyCode", true, true)]
    public async Task A_shop_can_turn_postal_codes_off(string use, bool byOrderId, bool byNumber)
    {
        var node = await _suite.AddNode("Development", ("Shoppers:PostalCode", use), ("Shoppers:AnswerAfter", "00:00:00"), ("Shoppers:NoPostalCodeStores:0", "outlet"));
        var there = new ShopperService.ShopperServiceClient(node.Strange);
        async Task<bool> Opens(string code, string? email, string? postalCode) => await Refusal(there.OpenOrderAsync(Ask(code, email, null, postalCode))) == (StatusCode.OK, "");
        Assert.Equal((byOrderId, byNumber, true), (await Opens(_id.ToString(), null, "90210"), await Opens(Number, null, "90210"), await Opens(Number, "ada@example.com", null)));
        var outlet = _suite.World.Place(store: "outlet");
        _suite.World.BelongsTo(outlet, Ada(), Address());
        Assert.False(await Opens(outlet.ToString(), null, "90210"));
    }

    [Theory]
    [InlineData("ORD\u202e-7K3M9QX-T2F8CRW", "U+202E")]
    [InlineData("ORD-7K3M9QX\u0000T2F8CRW", "U+0000")]
    [InlineData("ORD-7K3M9QX-T2F8CR\u2067W", "U+2067")]
    [InlineData("ORD-7K3M9QX-T2F8CR\u042e", "U+042E")]
    [InlineData("'; DROP TABLE orders; --", "U+0027")]
    [InlineData("a\r\n*3\r\n$3\r\nSET", "U+002A")]
    [InlineData("\ud83d\udce6\ud83d\udce6\ud83d\udce6", "U+D83D")]
    public async Task A_code_with_what_no_code_has_is_refused_and_says_what_it_is(string code, string named)
    {
        var error = await Assert.ThrowsAsync<RpcException>(async () => await Strangers.GetJourneyAsync(new GetJourneyRequest { Code = code }));
        Assert.Equal((StatusCode.InvalidArgument, "INVALID_FIELD"), (error.StatusCode, LookupTests.ReasonOf(error)));
        Assert.Contains(named, error.GetRpcStatus()!.GetDetail<Google.Rpc.BadRequest>()!.FieldViolations.Single().Description, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("\u202e")]
    [InlineData("\u0000")]
    [InlineData("\u001b[31m")]
    public async Task Staff_too_are_told_what_cannot_be_in_a_code(string odd)
    {
        Assert.Equal((StatusCode.InvalidArgument, "INVALID_FIELD"), await Refusal(_suite.Node.Lookups.LookupAsync(new LookupRequest { Code = "A-1" + odd })));
        Assert.Equal((StatusCode.InvalidArgument, "INVALID_FIELD"), await Refusal(_suite.Node.Lookups.LookupAsync(new LookupRequest { Code = "A-1", StoreId = "main" + odd })));
    }

    [Fact]
    public async Task Codes_typed_in_other_widths_and_alphabets_are_the_same_codes()
    {
        var wide = string.Concat(_id.ToString().Select(c => c == '-' ? '\uff0d' : (char)(c + 0xfee0)));
        Assert.Equal(_id.ToString(), (await Strangers.OpenOrderAsync(Ask(wide, "ada@example.com", null, null))).OrderId);
        var cyrillic = _id.ToString().Replace('O', '\u041e').Replace('C', '\u0421').Replace('M', '\u041c');
        Assert.Equal(_id.ToString(), (await Strangers.OpenOrderAsync(Ask(cyrillic + "\u200b", "ada@example.com", null, null))).OrderId);
        Assert.Equal(_id.ToString(), (await _suite.Node.Find(cyrillic)).OrderId);
        Assert.Single((await Strangers.GetJourneyAsync(new GetJourneyRequest { Code = Number.Replace('E', '\u0415') })).Journeys);

        // In a batch and in a path as well, and what looks like nothing is named in both.
        var odd = _id + "\u202e";
        var batch = await _suite.Node.Lookups.BatchLookupAsync(new BatchLookupRequest { Codes = { cyrillic, wide, odd } });
        Assert.Equal([_id.ToString(), _id.ToString()], batch.Results.Take(2).Select(one => one.View.OrderId));
        Assert.Equal("INVALID_FIELD", batch.Results[2].ErrorReason);
        foreach (var (code, status) in new[] { (cyrillic, HttpStatusCode.OK), (wide, HttpStatusCode.OK), (odd, HttpStatusCode.BadRequest) })
        {
            using var answer = await _suite.Node.Http.GetAsync("/v1/lookup/" + Uri.EscapeDataString(code));
            Assert.Equal(status, answer.StatusCode);
        }

        using (var journey = await _suite.Node.Http.GetAsync("/v1/track/" + Uri.EscapeDataString(Number.Replace('E', '\u0415'))))
            Assert.Equal(HttpStatusCode.OK, journey.StatusCode);
        using (var journey = await _suite.Node.Http.GetAsync("/v1/track/" + Uri.EscapeDataString(odd)))
            Assert.Equal(HttpStatusCode.BadRequest, journey.StatusCode);
    }

    [Fact]
    public async Task While_services_do_not_answer_every_order_is_said_to_be_out_of_reach_and_no_try_is_lost()
    {
        await _suite.Node.Find(_id);
        var node = await _suite.AddNode("Development", ("Shoppers:AnswerAfter", "00:00:00"), ("Gateway:SourceTimeout", "00:00:00.2"), ("Shoppers:PerCode:Free", "1"));
        var there = new ShopperService.ShopperServiceClient(node.Strange);
        foreach (var down in new[] { _suite.Orders, _suite.Shipments })
        {
            down.Cut();
            foreach (var code in new[] { _id.ToString(), OrderId.New("ORD", TimeProvider.System).ToString() })
            {
                foreach (var email in new[] { "eve@example.com", "ada@example.com", "eve@example.com" })
                    Assert.Equal((StatusCode.Unavailable, "DEPENDENCY_UNAVAILABLE"), await Refusal(there.OpenOrderAsync(Ask(code, email, null, null))));
            }

            down.Restore();
        }

        await Eventually.True(async () => await Refusal(there.OpenOrderAsync(Ask(_id.ToString(), "ada@example.com", null, null))) == (StatusCode.OK, ""));
    }

    [Fact]
    public async Task Without_Redis_journeys_are_shown_and_orders_opened_and_guesses_slowed()
    {
        var session = await Open();
        await _suite.CutRedis();
        Assert.Single((await Strangers.GetJourneyAsync(new GetJourneyRequest { Code = Number })).Journeys);
        Assert.Equal(_id.ToString(), (await Open()).OrderId);
        Assert.Equal("Ada Lovelace", (await Lookup(session, _id.ToString())).Order.Customer.Name);
        var refusals = new List<string>();
        for (var i = 0; i < 7; i++)
            refusals.Add((await Refusal(Strangers.OpenOrderAsync(Ask(_id.ToString(), $"eve{i}@example.com", null, null)))).Item2);
        Assert.Equal([.. Enumerable.Repeat("ORDER_NOT_OPENED", 6), "GUESSING_SLOWED"], refusals);
        _suite.Redis.Restore();
    }

    private LookupService.LookupServiceClient Lookups => new(_suite.Node.Strange);

    private static OrderLinks Links() => new(ShopperKeys.Link);

    private async Task<OrderSession> Open() => await Strangers.OpenOrderAsync(Ask(_id.ToString(), "ada@example.com", null, null));

    private async Task<LookupView> Lookup(OrderSession session, string code) => await Lookups.LookupAsync(new LookupRequest { Code = code }, Bearer(session));

    private OrderId Place(string number)
    {
        var id = _suite.World.Place(externalId: "SHOPS-OWN" + number);
        _suite.World.BelongsTo(id, Ada(), Address());
        _suite.World.AddShipment(id);
        _suite.World.Label(id, number);
        _suite.World.Scan(id, "Springfield");
        return id;
    }

    internal static Contact Ada() => new() { Name = "Ada Lovelace", Email = "Ada@example.com", Phone = "+12025550123" };

    internal static PostalAddress Address() => new() { RegionCode = "US", PostalCode = "90210-1234", AddressLines = { "Secret Street 1" } };

    internal static OpenOrderRequest Ask(string code, string? email, string? phone, string? postalCode)
    {
        var ask = new OpenOrderRequest { Code = code };
        if (email is not null)
            ask.Email = email;
        if (phone is not null)
            ask.Phone = phone;
        if (postalCode is not null)
            ask.PostalCode = postalCode;
        return ask;
    }

    private HttpClient Stranger() => new() { BaseAddress = _suite.Node.HttpAddress };

    private HttpClient Shopper(OrderSession session) => new() { BaseAddress = _suite.Node.HttpAddress, DefaultRequestHeaders = { { "Authorization", "Bearer " + session.Token } } };

    private static Metadata Bearer(OrderSession session) => new() { { "authorization", "Bearer " + session.Token } };

    private static async Task<LookupView> First(AsyncServerStreamingCall<LookupView> call)
    {
        using (call)
        {
            await call.ResponseStream.MoveNext(CancellationToken.None);
            return call.ResponseStream.Current;
        }
    }

    private static Task<(StatusCode, string)> Refusal<T>(AsyncUnaryCall<T> call) => Refusal(call.ResponseAsync);

    private static async Task<(StatusCode, string)> Refusal<T>(Task<T> call)
    {
        try
        {
            await call;
            return (StatusCode.OK, "");
        }
        catch (RpcException error)
        {
            return (error.StatusCode, LookupTests.ReasonOf(error) ?? "");
        }
    }

    internal static string WithoutTrace(string problem) => System.Text.RegularExpressions.Regex.Replace(problem, "\"traceId\":\"[^\"]*\"", "");
}

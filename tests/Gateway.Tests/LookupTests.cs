using Commerce.Gateway.V1;
using Google.Rpc;
using Grpc.Core;

namespace Commerce.Gateway.Tests;

public sealed class LookupTests : IAsyncLifetime
{
    private Suite _suite = null!;

    public async ValueTask InitializeAsync() => _suite = await Suite.Start();

    public async ValueTask DisposeAsync() => await _suite.DisposeAsync();

    [Fact]
    public async Task An_order_id_gives_order_payment_and_parcels_as_one_view()
    {
        var id = _suite.World.Place();
        _suite.World.AdvancePayment(id);
        _suite.World.AddShipment(id);
        _suite.World.AddShipment(id);
        _suite.World.AdvanceShipment(id, 1);

        var view = await _suite.Node.Lookups.LookupAsync(new LookupRequest { Code = id.ToString() });

        Assert.Equal(id.ToString(), view.OrderId);
        Assert.Equal(CodeKind.OrderId, view.CodeKind);
        Assert.Equal("", view.TrackingNumber);
        Assert.Equal(id.ToString(), view.Order.OrderId);
        Assert.Equal(1, view.Payment.Version);
        Assert.Equal([1L, 2L], view.Shipments.Select(one => one.Version));
        Assert.Equal(1 + 1 + 1 + 2, view.Version);
        Assert.Empty(view.StaleParts);
    }

    [Theory]
    [InlineData("lower")]
    [InlineData("no dashes")]
    [InlineData("look-alikes")]
    public async Task An_order_id_is_found_however_it_is_typed(string how)
    {
        var id = _suite.World.Place();
        var text = id.ToString();
        var typed = how switch
        {
            "lower" => text.ToLowerInvariant(),
            "no dashes" => " " + text.Replace("-", "", StringComparison.Ordinal) + " ",
            _ => text[..4] + text[4..].Replace('0', 'O').Replace('1', 'l').Replace('V', 'u'),
        };

        Assert.Equal(text, (await _suite.Node.Find(typed)).OrderId);
    }

    [Theory]
    [InlineData("-R1", 1)]
    [InlineData("-r12 ", 12)]
    [InlineData(" R03", 3)]
    public async Task A_returns_number_leads_to_its_order_and_names_the_return(string behind, int number)
    {
        var id = _suite.World.Place();
        for (var i = 0; i < number; i++)
            _suite.World.RequestReturn(id);

        var view = await _suite.Node.Lookups.LookupAsync(new LookupRequest { Code = id + behind });

        Assert.Equal((id.ToString(), CodeKind.ReturnNumber, $"orders/{id}/returns/{number}"), (view.OrderId, view.CodeKind, view.Resource));
        Assert.Equal(number, view.Returns.Count);
        Assert.Equal(view.Resource, view.Returns[0].Name);
    }

    [Fact]
    public async Task A_return_that_an_order_does_not_have_is_said_to_be_missing_and_the_order_named()
    {
        var id = _suite.World.Place();
        _suite.World.RequestReturn(id);

        var error = await Assert.ThrowsAsync<RpcException>(async () => await _suite.Node.Lookups.LookupAsync(new LookupRequest { Code = id + "-R2" }));

        Assert.Equal("RETURN_NOT_FOUND", ReasonOf(error));
        Assert.Equal(id.ToString(), error.GetRpcStatus()!.GetDetail<ErrorInfo>()!.Metadata["order"]);
    }

    [Fact]
    public async Task The_same_symbols_under_another_prefix_are_no_order_even_when_the_order_is_cached()
    {
        var id = _suite.World.Place();
        await _suite.Node.Find(id);

        var error = await Assert.ThrowsAsync<RpcException>(async () =>
            await _suite.Node.Lookups.LookupAsync(new LookupRequest { Code = "XYZ" + id.ToString()[3..] }));

        Assert.Equal("CODE_NOT_FOUND", ReasonOf(error));
    }

    [Fact]
    public async Task A_tracking_id_gives_its_order_with_its_own_parcel_first()
    {
        var id = _suite.World.Place();
        _suite.World.AddShipment(id);
        _suite.World.AddShipment(id);
        _suite.World.Label(id, "1Z999AA10123456784", 1);

        foreach (var typed in new[] { "1Z999AA10123456784", "1z 999 aa1 01 2345 6784" })
        {
            var view = await _suite.Node.Find(typed);
            Assert.Equal(CodeKind.TrackingId, view.CodeKind);
            Assert.Equal("1Z999AA10123456784", view.TrackingNumber);
            Assert.Equal(id.ToString(), view.OrderId);
            Assert.Equal(["1Z999AA10123456784", ""], view.Shipments.Select(one => one.TrackingNumber));
        }
    }

    [Fact]
    public async Task A_valid_order_id_that_no_order_has_may_still_be_a_tracking_id()
    {
        var other = OrderId.New("C", TimeProvider.System).ToString();
        var number = other.Replace("-", "", StringComparison.Ordinal);
        var id = _suite.World.Place();
        _suite.World.AddShipment(id);
        _suite.World.Label(id, number);

        var view = await _suite.Node.Find(number);

        Assert.Equal(CodeKind.TrackingId, view.CodeKind);
        Assert.Equal(id.ToString(), view.OrderId);
    }

    [Fact]
    public async Task A_number_that_another_parcel_bears_now_leads_to_that_one()
    {
        var old = _suite.World.Place();
        _suite.World.AddShipment(old);
        _suite.World.Label(old, "RECYCLED1");
        Assert.Equal(old.ToString(), (await _suite.Node.Find("RECYCLED1")).OrderId);

        var fresh = _suite.World.Place();
        _suite.World.AddShipment(fresh);
        _suite.World.Label(old, "ELSEWHERE1");
        await _suite.Tell(_suite.World.Label(fresh, "RECYCLED1"));

        Assert.Equal(fresh.ToString(), (await _suite.Node.Find("RECYCLED1")).OrderId);
    }

    [Fact]
    public async Task A_corrected_number_is_found_and_the_old_one_still_leads_there()
    {
        var id = _suite.World.Place();
        _suite.World.AddShipment(id);
        _suite.World.AddShipment(id);
        _suite.World.Label(id, "SMUDGED1", 1);
        Assert.Equal(id.ToString(), (await _suite.Node.Find("SMUDGED1")).OrderId);

        await _suite.Tell(_suite.World.Correct(id, "RIGHT1", 1));

        foreach (var number in new[] { "RIGHT1", "SMUDGED1" })
        {
            var view = await _suite.Node.Find(number);
            Assert.Equal((id.ToString(), "RIGHT1"), (view.OrderId, view.Shipments[0].TrackingNumber));
        }
    }

    [Fact]
    public async Task A_number_that_was_corrected_leads_to_whoever_bears_it_now()
    {
        var corrected = _suite.World.Place();
        _suite.World.AddShipment(corrected);
        _suite.World.Label(corrected, "MIXEDUP1");
        await _suite.Tell(_suite.World.Correct(corrected, "RIGHT2"));
        Assert.Equal(corrected.ToString(), (await _suite.Node.Find("MIXEDUP1")).OrderId);

        var bearer = _suite.World.Place();
        _suite.World.AddShipment(bearer);
        _suite.World.Label(bearer, "OTHER2");
        await _suite.Tell(_suite.World.Correct(bearer, "MIXEDUP1"));

        Assert.Equal(bearer.ToString(), (await _suite.Node.Find("MIXEDUP1")).OrderId);
    }

    [Fact]
    public async Task A_mistyped_order_id_names_the_one_that_was_meant_if_it_exists()
    {
        var id = _suite.World.Place();

        var error = await Assert.ThrowsAsync<RpcException>(async () =>
            await _suite.Node.Lookups.LookupAsync(new LookupRequest { Code = OneSymbolOff(id) }));

        Assert.Equal(StatusCode.InvalidArgument, error.StatusCode);
        Assert.Equal("ORDER_ID_MISTYPED", ReasonOf(error));
        Assert.Equal(id.ToString(), error.GetRpcStatus()!.GetDetail<ErrorInfo>()!.Metadata["meant"]);
    }

    [Fact]
    public async Task A_mistyped_order_id_names_nothing_that_does_not_exist()
    {
        var error = await Assert.ThrowsAsync<RpcException>(async () =>
            await _suite.Node.Lookups.LookupAsync(new LookupRequest { Code = OneSymbolOff(OrderId.New("ORD", TimeProvider.System)) }));

        Assert.Equal("ORDER_ID_MISTYPED", ReasonOf(error));
        Assert.DoesNotContain("meant", error.GetRpcStatus()!.GetDetail<ErrorInfo>()!.Metadata.Keys);
    }

    public static TheoryData<string, string> Hostile => new()
    {
        { "", "INVALID_FIELD" },
        { new string('A', 101), "INVALID_FIELD" },
        { new string('7', 10_000), "INVALID_FIELD" },
        { "\0\u0001\u001b[31m", "INVALID_FIELD" },
        { "\u0001\u001b[31m", "INVALID_FIELD" },
        { "ORD\r\nFLUSHALL *\r\n", "CODE_NOT_FOUND" },
        { "view:1 order:full", "CODE_NOT_FOUND" },
        { "'; DROP TABLE orders; --", "CODE_NOT_FOUND" },
        { "*", "CODE_NOT_FOUND" },
        { "../../etc/passwd", "CODE_NOT_FOUND" },
        // Look-alikes are read as what they look like; a letter that looks like none, or is put together of several, is another.
        { "ORD-7K3M9QX-T2F8CR\u0428", "CODE_NOT_FOUND" },
        { "O\u0308RD-7K3M9QX-T2F8CRW", "CODE_NOT_FOUND" },
        { "\U0001F4E6\U0001F4E6\U0001F4E6\U0001F4E6", "CODE_NOT_FOUND" },
        { "\uFEFF\u200B\u202E", "INVALID_FIELD" },
        { "ORD-7K3M9QX-T2F8CRW\u2066", "INVALID_FIELD" },
    };

    [Theory]
    [MemberData(nameof(Hostile))]
    public async Task A_hostile_code_is_refused_precisely_and_asks_nobody(string code, string reason)
    {
        var before = _suite.Orders.Calls.Count + _suite.Shipments.Calls.Count;

        var error = await Assert.ThrowsAsync<RpcException>(async () => await _suite.Node.Lookups.LookupAsync(new LookupRequest { Code = code }));

        Assert.Equal(reason, ReasonOf(error));
        Assert.Equal(before, _suite.Orders.Calls.Count + _suite.Shipments.Calls.Count);
    }

    [Fact]
    public async Task A_batch_answers_each_of_500_codes_in_the_order_asked()
    {
        var ids = Enumerable.Range(0, 490).Select(_ => _suite.World.Place()).ToList();
        _suite.World.AddShipment(ids[0]);
        _suite.World.Label(ids[0], "TRACK0001");
        string[] codes = [.. ids.Select(id => id.ToString()), "TRACK0001", "NOBODY0001", "", OneSymbolOff(ids[1]), new string('x', 200), .. Enumerable.Repeat(ids[2].ToString(), 5)];

        var answer = await _suite.Node.Lookups.BatchLookupAsync(new BatchLookupRequest { Codes = { codes } });

        Assert.Equal(codes, answer.Results.Select(one => one.Code));
        Assert.Equal(codes[..490], answer.Results.Take(490).Select(one => one.View.OrderId));
        Assert.Equal(ids[0].ToString(), answer.Results[490].View.OrderId);
        Assert.Equal(["CODE_NOT_FOUND", "INVALID_FIELD", "ORDER_ID_MISTYPED", "INVALID_FIELD"], answer.Results.Skip(491).Take(4).Select(one => one.ErrorReason));
        Assert.All(answer.Results.Skip(491).Take(4), one => Assert.NotEmpty(one.ErrorMessage));
        Assert.All(answer.Results.Skip(495), one => Assert.Equal(ids[2].ToString(), one.View.OrderId));
    }

    [Theory]
    [InlineData(0)]
    [InlineData(501)]
    public async Task A_batch_of_none_or_more_than_500_is_refused(int count)
    {
        var error = await Assert.ThrowsAsync<RpcException>(async () =>
            await _suite.Node.Lookups.BatchLookupAsync(new BatchLookupRequest { Codes = { Enumerable.Repeat("A1B2C3", count) } }));

        Assert.Equal("INVALID_FIELD", ReasonOf(error));
        Assert.Equal("codes", error.GetRpcStatus()!.GetDetail<BadRequest>()!.FieldViolations.Single().Field);
    }

    [Fact]
    public async Task A_writer_reads_its_own_write_though_no_fact_has_come_yet()
    {
        var id = _suite.World.Place();
        await _suite.Node.Find(id);
        var written = _suite.World.AdvanceOrder(id);
        Assert.Equal(1, (await _suite.Node.Find(id)).Order.Version);

        Assert.Equal(2, (await _suite.Node.Find(id.ToString(), written.Version)).Order.Version);
        Assert.Equal(2, (await _suite.Node.Find(id)).Order.Version);
    }

    [Fact]
    public async Task A_version_that_does_not_exist_yet_is_not_reached_and_says_when_to_try_again()
    {
        var id = _suite.World.Place();

        var error = await Assert.ThrowsAsync<RpcException>(async () =>
            await _suite.Node.Lookups.LookupAsync(new LookupRequest { Code = id.ToString(), MinOrderVersion = 9 }));

        Assert.Equal(StatusCode.Unavailable, error.StatusCode);
        Assert.Equal("VERSION_NOT_REACHED", ReasonOf(error));
        Assert.NotNull(error.GetRpcStatus()!.GetDetail<RetryInfo>());
    }

    [Fact]
    public async Task What_is_kept_for_everybody_is_read_by_the_Gateway_and_shown_as_far_as_the_caller_may_see()
    {
        var id = _suite.World.Place();
        Task<LookupView> As(string? scope, params string[]? stores) => _suite.Node.Lookups.LookupAsync(
            new LookupRequest { Code = id.ToString() }, new Metadata { { "authorization", "Bearer " + _suite.Issuer.Token(role: null, scope: scope, stores: stores) } }).ResponseAsync;

        var order = await As("orders.read", null);
        Assert.Equal("service/gateway", _suite.Orders.Calls.LastPrincipal);
        Assert.Null(order.Payment);
        Assert.Empty(order.Shipments);
        var own = await As("orders.read shipments.read payments.read", order.Order.StoreId);
        Assert.Equal(order.Order, own.Order);
        var hidden = await Assert.ThrowsAsync<RpcException>(() => As("orders.read", "elsewhere"));
        Assert.Equal((StatusCode.NotFound, "CODE_NOT_FOUND"), (hidden.StatusCode, ReasonOf(hidden)));
    }

    [Fact]
    public async Task Lookup_is_REST_too()
    {
        var id = _suite.World.Place();

        var json = await _suite.Node.Http.GetStringAsync($"/v1/lookup/{id}");

        var view = Google.Protobuf.JsonParser.Default.Parse<LookupView>(json);
        Assert.Equal(id.ToString(), view.OrderId);
        Assert.Contains("\"version\":\"1\"", json.Replace(" ", "", StringComparison.Ordinal), StringComparison.Ordinal);
    }

    internal static string? ReasonOf(RpcException error) => error.GetRpcStatus()?.GetDetail<ErrorInfo>()?.Reason;

    private static string OneSymbolOff(OrderId id)
    {
        var text = id.ToString().ToCharArray();
        text[6] = text[6] == 'A' ? 'B' : 'A';
        return new string(text);
    }
}

using System.Diagnostics;
using Commerce.Gateway.Lookup;
using Commerce.Gateway.V1;
using Commerce.Gateway.Views;
using Commerce.ServiceDefaults;
using Commerce.Testing;
using Commerce.Types.V1;
using Grpc.Core;

namespace Commerce.Gateway.Tests;

public sealed class CacheTests : IAsyncLifetime
{
    private Suite _suite = null!;

    // What Redis has is looked at here, not what is in memory.
    public async ValueTask InitializeAsync() => _suite = await Suite.Start(settings: ("Gateway:HotAnswers", "0"));

    public async ValueTask DisposeAsync() => await _suite.DisposeAsync();

    private int Calls => _suite.Orders.Calls.Count + _suite.Payments.Calls.Count + _suite.Shipments.Calls.Count;

    private string ViewKey(OrderId id) => $"{_suite.Prefix}view:{id.Value}";

    private async Task<bool> IsPutTogether(OrderId id, string visibility = "staff") =>
        await (await _suite.Admin()).GetDatabase().HashExistsAsync(ViewKey(id), $"answer:{visibility}");

    private OrderId PlaceWithEverything()
    {
        var id = _suite.World.Place();
        _suite.World.AdvancePayment(id);
        _suite.World.AddShipment(id);
        return id;
    }

    [Fact]
    public async Task A_view_that_was_read_is_read_again_without_asking_anybody()
    {
        var id = PlaceWithEverything();
        var first = await _suite.Node.Find(id);
        Assert.Equal(3, Calls);

        Assert.Equal(first, await _suite.Node.Find(id));
        Assert.Equal(3, Calls);
    }

    [Fact]
    public async Task A_fact_makes_only_its_own_part_be_asked_for_again()
    {
        var id = PlaceWithEverything();
        await _suite.Node.Find(id);

        await _suite.Tell(_suite.World.AdvancePayment(id));
        var view = await _suite.Node.Find(id);

        Assert.Equal(2, view.Payment.Version);
        Assert.Equal((1, 2, 1), (_suite.Orders.Calls.Count, _suite.Payments.Calls.Count, _suite.Shipments.Calls.Count));
    }

    [Fact]
    public async Task A_fact_that_the_copy_has_already_costs_no_call()
    {
        var id = PlaceWithEverything();
        var told = _suite.World.AdvanceShipment(id);
        await _suite.Node.Find(id);

        await _suite.Tell(told);
        await _suite.Tell(told);
        await _suite.Node.Find(id);

        Assert.Equal(3, Calls);
    }

    [Fact]
    public async Task Facts_about_an_order_that_nobody_looked_at_leave_nothing_in_Redis()
    {
        var id = PlaceWithEverything();
        await _suite.Tell(_suite.World.AdvanceOrder(id));

        var redis = await _suite.Admin();
        Assert.False(await redis.GetDatabase().KeyExistsAsync(ViewKey(id)));
        Assert.Equal(0, Calls);
    }

    [Fact]
    public async Task A_fact_that_overtakes_the_answer_of_its_service_is_not_lost()
    {
        var id = PlaceWithEverything();
        // Orders has read version 1; before its answer arrives, version 2 is made and told.
        _suite.Orders.Calls.Before = async () =>
        {
            _suite.Orders.Calls.Before = null;
            await _suite.Tell(_suite.World.AdvanceOrder(id));
        };

        await _suite.Node.Find(id);

        Assert.Equal(2, (await _suite.Node.Find(id)).Order.Version);
    }

    [Fact]
    public async Task A_flush_while_the_services_are_asked_does_not_keep_what_may_be_old()
    {
        var id = PlaceWithEverything();
        _suite.Orders.Calls.Before = async () =>
        {
            _suite.Orders.Calls.Before = null;
            await _suite.FlushRedis();
            await _suite.Tell(_suite.World.AdvanceOrder(id));
        };

        await _suite.Node.Find(id);

        Assert.Equal(2, (await _suite.Node.Find(id)).Order.Version);
    }

    [Fact]
    public async Task An_older_copy_never_replaces_a_newer_one_and_a_copy_of_another_life_is_in_doubt()
    {
        var id = PlaceWithEverything();
        await _suite.Node.Find(id);
        var cache = _suite.Node.Get<ViewCache>();
        var born = (await cache.Read(id, Selection.All(Visibility.Staff), null, withHas: false)).Born!;

        Part Order(long version) => Part.Of(
            PartKind.Order, new LookupView { Order = new Orders.V1.Order { OrderId = id.ToString(), Version = version } }, version, $"order={version}", id.ToString(), DateTimeOffset.UnixEpoch, 1);
        async Task<(long, bool)> Kept()
        {
            var view = await cache.Read(id, Selection.All(Visibility.Staff), null, withHas: false);
            return (view.Parts[0]!.Version, view.IsMarked(PartKind.Order));
        }

        await cache.Store(id, born, [Order(7)]);
        await cache.Store(id, born, [Order(5)]);
        Assert.Equal((7, false), await Kept());

        await cache.Store(id, "another life", [Order(8)]);
        Assert.Equal((8, true), await Kept());
        await cache.Store(id, born, [Order(7)]);
        Assert.Equal((8, true), await Kept());
        await cache.Store(id, born, [Order(8)]);
        Assert.Equal((8, false), await Kept());
    }

    [Fact]
    public async Task All_parts_put_together_are_kept_and_answered_with_until_one_is_told_of()
    {
        var id = PlaceWithEverything();
        var first = await _suite.Node.Find(id);
        Assert.False(await IsPutTogether(id));
        Assert.Equal(first, await _suite.Node.Find(id));
        Assert.True(await IsPutTogether(id));

        // The parts themselves are not read any more.
        var redis = (await _suite.Admin()).GetDatabase();
        await redis.HashSetAsync(ViewKey(id), "order:staff", "no part");
        Assert.Equal(first, await _suite.Node.Find(id));
        Assert.Equal(3, Calls);

        await _suite.Tell(_suite.World.AdvancePayment(id));

        Assert.False(await IsPutTogether(id));
        var after = await _suite.Node.Find(id);
        Assert.Equal((first.Version + 1, 2), (after.Version, after.Payment.Version));
    }

    [Fact]
    public async Task A_part_that_is_replaced_takes_what_was_put_together_with_it()
    {
        var id = PlaceWithEverything();
        await _suite.Node.Find(id);
        await _suite.Node.Find(id);
        Assert.True(await IsPutTogether(id));
        var cache = _suite.Node.Get<ViewCache>();
        var before = await cache.Read(id, Selection.All(Visibility.Staff), null, withHas: false);
        var newer = Part.Of(
            PartKind.Order, new LookupView { Order = new Orders.V1.Order { OrderId = id.ToString(), StoreId = "main", Version = 7 } }, 7, "order=7", before.Parts[0]!.Index, DateTimeOffset.UnixEpoch, before.Parts[0]!.Epoch);

        await cache.Store(id, before.Born!, [newer]);

        Assert.False(await IsPutTogether(id));
    }

    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public async Task What_was_put_together_of_parts_that_are_others_by_now_is_not_kept(bool isOnlyTold)
    {
        var id = PlaceWithEverything();
        await _suite.Node.Find(id);
        var reader = _suite.Node.Get<ViewReader>();
        var view = (await reader.Read(id, new ReadNeeds(Selection.All(Visibility.Staff)), CancellationToken.None))!;
        var old = view.Join(new Located(id, CodeKind.OrderId), Selection.All(Visibility.Staff), Visibility.Staff);
        await _suite.Tell(_suite.World.AdvanceOrder(id));
        if (!isOnlyTold)
            Assert.Equal(2, (await _suite.Node.Find(id)).Order.Version);

        await reader.Keep(view, Visibility.Staff, old);

        Assert.False(await IsPutTogether(id));
        Assert.Equal(2, (await _suite.Node.Find(id)).Order.Version);
    }

    [Fact]
    public async Task Each_class_of_callers_has_what_is_put_together_for_it_and_who_may_not_see_the_store_has_nothing()
    {
        var id = PlaceWithEverything();
        _suite.World.RequestReturn(id);
        var code = new LookupRequest { Code = id.ToString() };
        var lookup = _suite.Node.Get<CodeLookup>();
        for (var i = 0; i < 3; i++)
        {
            Assert.NotEqual("", (await _suite.Node.Find(id)).Returns[0].RequestedBy);
            var shopper = await lookup.Answer(Question.Of(code, new Audience(Visibility.Shopper, Selection.All(Visibility.Shopper), null, id)), CancellationToken.None);
            Assert.Equal("", shopper.Parse().Returns[0].RequestedBy);
        }

        Assert.True(await IsPutTogether(id, "shopper"));
        var elsewhere = new Audience(Visibility.Staff, Selection.All(Visibility.Staff), new HashSet<string> { "outlet" });
        Assert.Equal(ErrorReason.CodeNotFound, (await Assert.ThrowsAsync<Failure>(() => lookup.Answer(Question.Of(code, elsewhere), CancellationToken.None))).Reason);
        var other = new Audience(Visibility.Shopper, Selection.All(Visibility.Shopper), null, _suite.World.Place());
        Assert.Equal(ErrorReason.CodeNotFound, (await Assert.ThrowsAsync<Failure>(() => lookup.Answer(Question.Of(code, other), CancellationToken.None))).Reason);
        var prefixed = await Assert.ThrowsAsync<Failure>(() => _suite.Node.Find("XYZ" + id.ToString()[3..]));
        Assert.Equal(ErrorReason.CodeNotFound, prefixed.Reason);
    }

    [Theory]
    [InlineData("", false)]
    [InlineData("garbage", false)]
    [InlineData("garbage of more bytes than a head has, so that they are read", false)]
    [InlineData(null, true)]
    public void What_is_no_answer_is_not_taken_for_one(string? kept, bool isWhole)
    {
        var id = OrderId.New("ORD", TimeProvider.System);
        var answer = new KeptAnswer(new ViewBytes(new byte[] { 1, 2, 3 }, 17, $"orders/{id}"), "main", DateTimeOffset.FromUnixTimeMilliseconds(1_790_000_000_123), 5);

        var read = KeptAnswer.FromBytes(kept is null ? answer.ToBytes() : System.Text.Encoding.UTF8.GetBytes(kept), id);

        if (isWhole)
        {
            Assert.Equal((answer.StoreId, answer.FreshUntil, answer.Epoch), (read!.StoreId, read.FreshUntil, read.Epoch));
            Assert.Equal((17, answer.Answer.OrderName), (read.Answer.Version, read.Answer.OrderName));
            Assert.Equal([1, 2, 3], read.Answer.Bytes.ToArray());
        }
        else
        {
            Assert.Null(read);
        }
    }

    [Fact]
    public async Task After_a_flush_the_answers_are_the_same()
    {
        var id = PlaceWithEverything();
        var before = await _suite.Node.Find(id);

        await _suite.FlushRedis();

        Assert.Equal(before, await _suite.Node.Find(id));
        Assert.Equal(6, Calls);
        Assert.Equal(before, await _suite.Node.Find(id));
        Assert.Equal(6, Calls);
    }

    [Fact]
    public async Task Without_Redis_the_answers_are_the_same_and_no_lookup_waits_for_it()
    {
        var id = PlaceWithEverything();
        var before = await _suite.Node.Find(id);
        await _suite.CutRedis();

        var started = Stopwatch.GetTimestamp();
        for (var i = 0; i < 20; i++)
            Assert.Equal(before, await _suite.Node.Find(id));

        Assert.True(Stopwatch.GetElapsedTime(started) < TimeSpan.FromSeconds(2), $"20 lookups took {Stopwatch.GetElapsedTime(started)}.");
    }

    [Fact]
    public async Task What_was_told_while_Redis_was_away_is_seen_when_it_is_back()
    {
        var id = PlaceWithEverything();
        await _suite.Node.Find(id);
        await _suite.Node.Find(id);
        var link = _suite.Node.Get<RedisLink>();
        await _suite.CutRedis();

        // The mark is lost; the copy of version 1 survives in Redis.
        await _suite.Tell(_suite.World.AdvanceOrder(id));
        _suite.Redis.Restore();
        await Eventually.True(() => link.IsUp);

        Assert.Equal(2, (await _suite.Node.Find(id)).Order.Version);
        var calls = Calls;
        await _suite.Node.Find(id);
        Assert.Equal(calls, Calls);
    }

    [Fact]
    public async Task A_mark_lost_by_one_node_puts_the_copies_in_doubt_for_all()
    {
        var other = await _suite.AddNode("Development");
        var id = PlaceWithEverything();
        await other.Find(id);
        await other.Find(id);
        var epoch = other.Get<RedisLink>().Epoch;
        await _suite.Node.Get<RedisLink>().Probe();

        await _suite.CutRedis();
        await _suite.Tell(_suite.World.AdvanceOrder(id));
        _suite.Redis.Restore();
        await Eventually.True(() => other.Get<RedisLink>().IsUp && other.Get<RedisLink>().Epoch != epoch);

        Assert.Equal(2, (await other.Find(id)).Order.Version);
    }

    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public async Task What_was_read_while_Redis_was_away_is_the_last_known_of_a_service_that_is_down_after(bool flushed)
    {
        var id = PlaceWithEverything();
        await _suite.Node.Find(id);
        var link = _suite.Node.Get<RedisLink>();
        await _suite.CutRedis();
        await _suite.Tell(_suite.World.AdvancePayment(id));
        var seen = await _suite.Node.Find(id);
        Assert.Equal(2, seen.Payment.Version);

        _suite.Payments.Cut();
        // Redis has an older copy, or none.
        if (flushed)
            await _suite.FlushRedis();
        _suite.Redis.Restore();
        await Eventually.True(() => link.IsUp);

        var view = await _suite.Node.Find(id);
        Assert.Equal((seen.Version, 2), (view.Version, view.Payment.Version));
        Assert.Contains(view.StaleParts, part => part.Part == "payment" && part.ReadTime is not null);

        // What is forgotten is forgotten there, too.
        await _suite.Node.Get<ViewCache>().Forget(id);
        Assert.Null((await _suite.Node.Find(id)).Payment);
    }

    [Theory]
    [InlineData(false, false)]
    [InlineData(true, false)]
    [InlineData(true, true)]
    public async Task What_was_read_while_Redis_was_away_is_not_shown_after_something_newer_when_it_is_away_again(bool otherReads, bool someParts)
    {
        var id = PlaceWithEverything();
        var request = new LookupRequest { Code = id.ToString(), ReadMask = someParts ? new Google.Protobuf.WellKnownTypes.FieldMask { Paths = { "payment" } } : null };
        var reader = otherReads ? await _suite.AddNode("Development", ("Gateway:HotAnswers", "0")) : _suite.Node;
        await _suite.Node.Find(id);
        var link = _suite.Node.Get<RedisLink>();
        await _suite.CutRedis();
        await _suite.Tell(_suite.World.AdvancePayment(id));
        Assert.Equal(2, (await _suite.Node.Find(id)).Payment.Version);
        _suite.Redis.Restore();
        await Eventually.True(() => _suite.Nodes.All(node => node.Get<RedisLink>().IsUp && node.Get<RedisLink>().Epoch == link.Epoch));
        await _suite.Tell(_suite.World.AdvancePayment(id));
        await reader.Find(id);
        await Eventually.Value(() => _suite.Node.Find(request), view => view.Payment.Version == 3);

        _suite.Payments.Cut();
        await _suite.CutRedis();

        var view = await _suite.Node.Find(id);
        Assert.Contains(view.StaleParts, part => part.Part == "payment");
        Assert.Null(view.Payment);
    }

    [Theory]
    [InlineData("payment")]
    [InlineData("shipments")]
    [InlineData("order")]
    public async Task The_last_known_part_of_a_service_that_is_down_is_shown_and_marked(string part)
    {
        var id = PlaceWithEverything();
        var before = await _suite.Node.Find(id);
        await _suite.Node.Find(id);
        var service = part switch
        {
            "payment" => _suite.Payments,
            "shipments" => _suite.Shipments,
            _ => _suite.Orders,
        };
        await _suite.Tell(part switch
        {
            "payment" => _suite.World.AdvancePayment(id),
            "shipments" => _suite.World.AdvanceShipment(id),
            _ => _suite.World.AdvanceOrder(id),
        });
        service.Cut();

        var view = await _suite.Node.Find(id);

        Assert.Equal(before.Version, view.Version);
        var stale = Assert.Single(view.StaleParts);
        Assert.Equal(part, stale.Part);
        Assert.InRange(stale.ReadTime.ToDateTimeOffset(), TimeProvider.System.GetUtcNow().AddMinutes(-1), TimeProvider.System.GetUtcNow());

        service.Restore();
        var after = await Eventually.Value(() => _suite.Node.Find(id), one => one.StaleParts.Count == 0);
        Assert.Equal(before.Version + 1, after.Version);
    }

    [Fact]
    public async Task A_part_of_which_no_copy_is_known_is_said_to_be_missing()
    {
        var id = PlaceWithEverything();
        _suite.Payments.Cut();

        var view = await _suite.Node.Find(id);

        Assert.Null(view.Payment);
        Assert.All(view.StaleParts, one => Assert.Null(one.ReadTime));
        Assert.Equal(["payment", "documents"], view.StaleParts.Select(one => one.Part));
        _suite.Payments.Restore();
        await Eventually.Value(() => _suite.Node.Find(id), one => one.Payment is not null && one.StaleParts.Count == 0);
    }

    [Fact]
    public async Task Without_Orders_and_without_a_copy_the_lookup_is_unavailable()
    {
        var id = PlaceWithEverything();
        _suite.Orders.Cut();

        var error = await Assert.ThrowsAsync<RpcException>(async () => await _suite.Node.Lookups.LookupAsync(new LookupRequest { Code = id.ToString() }));

        Assert.Equal(StatusCode.Unavailable, error.StatusCode);
        Assert.Equal("DEPENDENCY_UNAVAILABLE", LookupTests.ReasonOf(error));
    }

    [Fact]
    public async Task A_service_that_hangs_costs_its_own_time_limit_and_no_more()
    {
        await using var suite = await Suite.Start(settings: ("Gateway:SourceTimeout", "00:00:02"));
        var id = suite.World.Place();
        using var released = new SemaphoreSlim(0);
        suite.Payments.Calls.Before = () => released.WaitAsync();

        var view = await suite.Node.Find(id);

        Assert.Equal("payment", Assert.Single(view.StaleParts).Part);
        released.Release(100);
    }

    [Fact]
    public async Task A_copy_too_old_is_asked_for_again_even_without_a_mark()
    {
        await using var suite = await Suite.Start(settings: ("Gateway:MaxPartAge", "00:00:00.200"));
        var id = suite.World.Place();
        await suite.Node.Find(id);
        suite.World.AdvanceOrder(id);

        await Eventually.Value(() => suite.Node.Find(id), view => view.Order.Version == 2);
    }
}

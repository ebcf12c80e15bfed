using Commerce.Gateway.V1;
using Commerce.Gateway.Views;
using Commerce.Testing;

namespace Commerce.Gateway.Tests;

/// <summary>Answers from memory.</summary>
public sealed class HotTests : IAsyncLifetime
{
    private Suite _suite = null!;

    // Longer than any test: what makes an answer go here is never its age.
    public async ValueTask InitializeAsync() => _suite = await Suite.Start(nodes: 2, ("Gateway:HotAge", "00:01:00"));

    public async ValueTask DisposeAsync() => await _suite.DisposeAsync();

    /// <summary>Looks up until the answer comes from memory: Redis may lose everything then, and no service is asked.</summary>
    private async Task<LookupView> Warm(GatewayNode node, string code)
    {
        // The start of a node puts in doubt what the others have.
        await Eventually.True(() => node.Get<ChangeFeed>().IsHeard && _suite.Nodes.Select(one => one.Get<RedisLink>().Epoch).Distinct().Count() == 1);
        await node.Find(code);
        await node.Find(code);
        var view = await node.Find(code);
        await _suite.FlushRedis();
        var calls = _suite.Orders.Calls.Count;
        Assert.Equal(view, await node.Find(code));
        Assert.Equal(calls, _suite.Orders.Calls.Count);
        return view;
    }

    [Theory]
    [InlineData(0)]
    [InlineData(1)]
    public async Task A_warm_answer_is_given_without_Redis_until_a_fact_comes_to_any_node(int hearer)
    {
        var id = _suite.World.Place();
        var before = await Warm(_suite.Node, id.ToString());

        await _suite.Tell(_suite.World.AdvanceOrder(id), hearer);

        var after = await Eventually.Value(() => _suite.Node.Find(id), view => view.Version > before.Version);
        Assert.Equal(2, after.Order.Version);
    }

    [Fact]
    public async Task A_warm_number_leads_to_its_new_bearer_when_it_changed_hands()
    {
        var old = _suite.World.Place();
        _suite.World.AddShipment(old);
        _suite.World.Label(old, "WARM0001");
        await Warm(_suite.Node, "WARM0001");

        var fresh = _suite.World.Place();
        _suite.World.AddShipment(fresh);
        await _suite.Tell(_suite.World.Label(fresh, "WARM0001"), 1);

        await Eventually.Value(() => _suite.Node.Find("WARM0001"), view => view.OrderId == fresh.ToString());
    }

    [Fact]
    public async Task What_one_reader_saw_no_later_reader_of_the_node_sees_older_whatever_they_ask_for()
    {
        var id = _suite.World.Place();
        var masked = new LookupRequest { Code = id.ToString(), ReadMask = new Google.Protobuf.WellKnownTypes.FieldMask { Paths = { "order" } } };
        await _suite.Node.Find(masked);
        await _suite.Node.Find(masked);
        await Warm(_suite.Node, id.ToString());
        _suite.World.AdvanceOrder(id);

        Assert.Equal(2, (await _suite.Node.Find(id.ToString(), minOrderVersion: 2)).Order.Version);

        Assert.Equal(2, (await _suite.Node.Find(masked)).Order.Version);
    }

    [Fact]
    public async Task What_one_node_read_anew_the_others_do_not_show_older_for_long()
    {
        var id = _suite.World.Place();
        await Warm(_suite.Nodes[1], id.ToString());
        // Nobody tells of it: one reader comes across it.
        _suite.World.AdvanceOrder(id);
        Assert.Equal(2, (await _suite.Nodes[0].Find(id.ToString(), minOrderVersion: 2)).Order.Version);

        await Eventually.Value(() => _suite.Nodes[1].Find(id), view => view.Order.Version == 2);
    }

    [Fact]
    public async Task Without_Redis_nothing_is_answered_from_memory()
    {
        var id = _suite.World.Place();
        await Warm(_suite.Node, id.ToString());
        _suite.Redis.Cut();
        await Eventually.True(() => !_suite.Node.Get<ChangeFeed>().IsHeard);

        _suite.World.AdvanceOrder(id);

        Assert.Equal(2, (await _suite.Node.Find(id)).Order.Version);
        _suite.Redis.Restore();
        await Eventually.True(() => _suite.Node.Get<ChangeFeed>().IsHeard);
        Assert.Equal(2, (await _suite.Node.Find(id)).Order.Version);
    }

    [Fact]
    public async Task Whoever_moves_between_nodes_says_what_they_saw_and_sees_nothing_older()
    {
        var id = _suite.World.Place();
        await Warm(_suite.Nodes[1], id.ToString());
        _suite.World.AdvanceOrder(id);
        var seen = await _suite.Nodes[0].Find(id.ToString(), minOrderVersion: 2);

        Assert.Equal(2, (await _suite.Nodes[1].Find(new LookupRequest { Code = id.ToString(), MinVersion = seen.Version })).Version);
    }
}

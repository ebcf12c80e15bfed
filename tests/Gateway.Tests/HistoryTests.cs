using System.Collections.Concurrent;
using Commerce.Facts;
using Commerce.Testing;
using CsCheck;

namespace Commerce.Gateway.Tests;

/// <summary>Random histories: changes, late, doubled and reordered facts, lookups at the same time, and Redis coming and going.</summary>
public sealed class HistoryTests : IAsyncLifetime
{
    private Suite _suite = null!;

    public async ValueTask InitializeAsync() => _suite = await Suite.Start(nodes: 2);

    public async ValueTask DisposeAsync() => await _suite.DisposeAsync();

    private enum Step
    {
        Order,
        Payment,
        NewParcel,
        Parcel,
        Deliver,
        DeliverTwice,
        Lookups,
        Flush,
    }

    private static readonly Gen<(Step Step, int Pick)[]> Histories = Gen.Select(
        Gen.Frequency(
            (3, Gen.Const(Step.Order)), (3, Gen.Const(Step.Payment)), (1, Gen.Const(Step.NewParcel)), (4, Gen.Const(Step.Parcel)),
            (5, Gen.Const(Step.Deliver)), (1, Gen.Const(Step.DeliverTwice)), (8, Gen.Const(Step.Lookups)), (1, Gen.Const(Step.Flush))),
        Gen.Int[0, 1000]).Array[10, 60];

    [Fact]
    public async Task Versions_never_go_back_and_in_the_end_equal_the_sources() =>
        await Histories.SampleAsync(async steps =>
        {
            var id = _suite.World.Place();
            var undelivered = new List<IFact>();
            var seen = 0L;
            var background = new ConcurrentBag<Task>();
            foreach (var (step, pick) in steps)
            {
                switch (step)
                {
                    case Step.Order:
                        undelivered.Add(_suite.World.AdvanceOrder(id));
                        break;
                    case Step.Payment:
                        undelivered.Add(_suite.World.AdvancePayment(id));
                        break;
                    case Step.NewParcel:
                        undelivered.Add(_suite.World.AddShipment(id));
                        break;
                    case Step.Parcel when _suite.World.ShipmentsOf(id) > 0:
                        undelivered.Add(_suite.World.AdvanceShipment(id, pick));
                        break;
                    case Step.Deliver or Step.DeliverTwice when undelivered.Count > 0:
                        var fact = undelivered[pick % undelivered.Count];
                        if (step == Step.Deliver)
                            undelivered.Remove(fact);
                        // At the same time as whatever comes next.
                        background.Add(_suite.Tell(fact, pick % 2));
                        break;
                    case Step.Flush:
                        background.Add(_suite.FlushRedis());
                        break;
                    case Step.Lookups:
                        // Several at once on both nodes: each must be at least what any earlier one had shown.
                        var atLeast = seen;
                        var views = await Task.WhenAll(Enumerable.Range(0, 1 + (pick % 4)).Select(i => _suite.Nodes[(pick + i) % 2].Find(id)));
                        foreach (var view in views)
                        {
                            Assert.True(view.Version >= atLeast, $"Version {view.Version} after {atLeast} had been shown.");
                            Assert.True(view.Version <= _suite.World.VersionOf(id));
                            seen = Math.Max(seen, view.Version);
                        }

                        break;
                }
            }

            await Task.WhenAll(background);
            foreach (var fact in undelivered)
                await _suite.Tell(fact);
            foreach (var node in _suite.Nodes)
                Assert.Equal(_suite.World.VersionOf(id), (await node.Find(id)).Version);
        }, iter: 60, threads: 4);

    [Fact]
    public async Task With_Redis_cut_and_back_at_random_a_node_never_goes_back_either()
    {
        await Histories.SampleAsync(async steps =>
        {
            var id = _suite.World.Place();
            var seen = 0L;
            var cut = false;
            foreach (var (step, pick) in steps)
            {
                switch (step)
                {
                    case Step.Flush or Step.DeliverTwice:
                        cut = !cut;
                        if (cut)
                            _suite.Redis.Cut();
                        else
                            _suite.Redis.Restore();
                        break;
                    case Step.Lookups or Step.Deliver:
                        var view = await _suite.Node.Find(id);
                        Assert.True(view.Version >= seen, $"Version {view.Version} after {seen} had been shown.");
                        seen = view.Version;
                        break;
                    case Step.Payment:
                        await _suite.Tell(_suite.World.AdvancePayment(id));
                        break;
                    default:
                        await _suite.Tell(_suite.World.AdvanceOrder(id), pick % 2);
                        break;
                }
            }

            _suite.Redis.Restore();
            foreach (var node in _suite.Nodes)
                await Eventually.Value(() => node.Find(id), view => view.Version == _suite.World.VersionOf(id), TimeSpan.FromSeconds(10));
        }, iter: 15, threads: 1);
    }
}

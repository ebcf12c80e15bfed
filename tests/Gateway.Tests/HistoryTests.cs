using System.Collections.Concurrent;
using Commerce.Facts;
using Commerce.Gateway.V1;
using Commerce.ServiceDefaults;
using Commerce.Testing;
using Commerce.Types.V1;
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
        Return,
        Document,
        Message,
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
            (3, Gen.Const(Step.Order)), (1, Gen.Const(Step.Return)), (1, Gen.Const(Step.Document)), (1, Gen.Const(Step.Message)), (3, Gen.Const(Step.Payment)), (1, Gen.Const(Step.NewParcel)), (4, Gen.Const(Step.Parcel)),
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
                    case Step.Return:
                        undelivered.Add(_suite.World.RequestReturn(id));
                        break;
                    case Step.Document:
                        undelivered.Add(_suite.World.Issue(id, $"INV-2026-{pick:D6}"));
                        break;
                    case Step.Message:
                        _suite.World.Decide(id);
                        undelivered.Add(_suite.World.Send(id));
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
                        // Several at once on both nodes: each must be at least what any earlier one had shown. Whoever moves from one
                        // node to another says what they saw.
                        var atLeast = seen;
                        var views = await Task.WhenAll(Enumerable.Range(0, 1 + (pick % 4)).Select(i =>
                            _suite.Nodes[(pick + i) % 2].Find(new LookupRequest { Code = id.ToString(), MinVersion = atLeast })));
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
            // Another node than the one that was told hears of it through Redis.
            foreach (var node in _suite.Nodes)
                await Eventually.Value(() => node.Find(id), view => view.Version == _suite.World.VersionOf(id));
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

    [Fact]
    public async Task With_services_and_Redis_cut_and_back_at_random_what_is_shown_is_marked_and_in_the_end_equals_the_sources()
    {
        await using var suite = await Suite.Start(settings: ("Gateway:SourceTimeout", "00:00:00.250"));
        // The first of all look-ups is compiled meanwhile, which takes longer than a service may here.
        var first = suite.World.Place();
        await Eventually.True(async () =>
        {
            try
            {
                return (await suite.Node.Find(first)).Version > 0;
            }
            catch (Failure failure) when (failure.Reason == ErrorReason.DependencyUnavailable)
            {
                return false;
            }
        });
        await Histories.SampleAsync(async steps =>
        {
            var id = suite.World.Place();
            await suite.Node.Find(id);
            var seen = 0L;
            var (redis, payments, shipments) = (false, false, false);
            foreach (var (step, pick) in steps)
            {
                switch (step)
                {
                    case Step.Flush:
                        redis = Toggle(redis, suite.Redis.Cut, suite.Redis.Restore);
                        break;
                    case Step.DeliverTwice:
                        payments = Toggle(payments, suite.Payments.Cut, suite.Payments.Restore);
                        break;
                    case Step.NewParcel:
                        shipments = Toggle(shipments, suite.Shipments.Cut, suite.Shipments.Restore);
                        break;
                    case Step.Payment:
                        await suite.Tell(suite.World.AdvancePayment(id));
                        break;
                    case Step.Parcel:
                        await suite.Tell(suite.World.AddShipment(id));
                        break;
                    case Step.Document:
                        await suite.Tell(suite.World.Issue(id, $"INV-2026-{pick:D6}"));
                        break;
                    case Step.Order or Step.Return or Step.Message:
                        await suite.Tell(suite.World.AdvanceOrder(id));
                        break;
                    case Step.Lookups:
                        var view = await suite.Node.Find(id);
                        // A part that is nowhere to be had is missing, and said to be.
                        if (view.StaleParts.All(part => part.ReadTime is not null))
                        {
                            Assert.True(view.Version >= seen, $"Version {view.Version} after {seen} had been shown.");
                            seen = view.Version;
                        }

                        Assert.True(view.Version == suite.World.VersionOf(id) || view.StaleParts.Count > 0 || redis, "What is old is said to be.");
                        break;
                }
            }

            suite.Redis.Restore();
            suite.Payments.Restore();
            suite.Shipments.Restore();
            var last = await Eventually.Value(() => suite.Node.Find(id), view => view.Version == suite.World.VersionOf(id) && view.StaleParts.Count == 0, TimeSpan.FromSeconds(20));
            Assert.Equal(suite.World.GetOrder(id.ToString()), last.Order);
            Assert.Equal(suite.World.ListShipments(id.ToString()), last.Shipments);
            Assert.Equal(suite.World.ListInvoices(id.ToString()).Select(one => one.Number), last.Documents.Select(one => one.Number));
        }, iter: 8, threads: 1);
    }

    private static bool Toggle(bool cut, Action cutting, Action restoring)
    {
        if (cut)
            restoring();
        else
            cutting();
        return !cut;
    }
}

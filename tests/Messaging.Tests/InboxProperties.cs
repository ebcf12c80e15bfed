using Commerce.Messaging.Consuming;
using Commerce.Testing;
using CsCheck;
using Microsoft.Extensions.DependencyInjection;

namespace Commerce.Messaging.Tests;

/// <summary>Whatever the order, the repetition and the competition of deliveries.</summary>
public sealed class InboxProperties : MessagingTest
{
    private const int Consumers = 6;
    private const long Samples = 25;

    // For each key how many versions; and how often each fact is delivered, in an order by lot.
    private static readonly Gen<(int[] Versions, int[] Repeats, int Seed)> Deliveries =
        Gen.Select(Gen.Int[1, 9].Array[1, 5], Gen.Int[1, 3].Array[45], Gen.Int[0, int.MaxValue - 1]);

    [Fact]
    public Task In_order_every_version_takes_effect_once_and_after_the_one_before_it() =>
        Property(Delivery.InOrder, (versions, effects) => effects.SequenceEqual(Enumerable.Range(1, versions).Select(v => (long)v)));

    [Fact]
    public Task Latest_never_goes_back_and_ends_with_the_newest() =>
        Property(Delivery.Latest, (versions, effects) => effects[^1] == versions && effects.Zip(effects.Skip(1)).All(pair => pair.First < pair.Second));

    [Fact]
    public Task Each_once_every_fact_takes_effect_once() =>
        Property(Delivery.EachOnce, (versions, effects) => effects.Order().SequenceEqual(Enumerable.Range(1, versions).Select(v => (long)v)));

    [Fact]
    public async Task In_order_holds_through_the_broker_with_competing_processes_and_a_reordered_outbox()
    {
        const int Keys = 40, Versions = 6;
        await using var orders = Orders();
        await using var first = Notifications();
        await using var second = Notifications();
        await orders.Start();
        await first.Start();
        await second.Start();
        var facts = Enumerable.Range(0, Keys).SelectMany(k => Make.Order($"ORD-{k}", Versions)).ToArray();
        new Random(7).Shuffle(facts);

        await Task.WhenAll(facts.Chunk(20).Select(chunk => orders.Tell(chunk)));

        await Eventually.True(async () => await first.Database.Count("effects") == Keys * Versions);
        Assert.All((await first.Database.ReadEffects()).Values, effects => Assert.Equal([1L, 2, 3, 4, 5, 6], effects));
        Assert.Equal(0, await first.Database.Count("messaging.parked_facts"));
        Assert.Equal(Keys * Versions, await first.Database.Count("messaging.inbox"));
    }

    private async Task Property(Delivery delivery, Func<int, List<long>, bool> holds)
    {
        await using var notifications = Notifications(delivery);
        var inbox = notifications.Services.GetRequiredService<Inbox>();
        var binding = notifications.Services.GetRequiredService<Registration>().Consumers.Single();
        var sample = 0;
        await Deliveries.SampleAsync(
            async given =>
            {
                var run = Interlocked.Increment(ref sample);
                var facts = given.Versions
                    .SelectMany((versions, key) => Make.Order($"ORD-{run}-{key}", versions))
                    .Select(fact => new ReceivedFact(Guid.NewGuid(), fact, null))
                    .SelectMany((fact, i) => Enumerable.Repeat(fact, given.Repeats[i % given.Repeats.Length]))
                    .ToArray();
                new Random(given.Seed).Shuffle(facts);
                await Parallel.ForEachAsync(
                    facts, new ParallelOptions { MaxDegreeOfParallelism = Consumers }, async (fact, token) => await Handle(inbox, binding, fact, token));

                var effects = await notifications.Database.ReadEffects();
                for (var key = 0; key < given.Versions.Length; key++)
                    Assert.True(holds(given.Versions[key], effects[$"ORD-{run}-{key}"]), $"{given.Versions[key]} versions, effects: {string.Join(", ", effects[$"ORD-{run}-{key}"])}");
                Assert.Equal(0, await notifications.Database.Count("messaging.parked_facts"));
            },
            iter: Samples,
            threads: 1);
    }

    /// <summary>As the receiver does: a deadlock's loser goes again.</summary>
    private static async Task Handle(Inbox inbox, ConsumerBinding binding, ReceivedFact fact, CancellationToken cancellationToken)
    {
        while (true)
        {
            try
            {
                await inbox.Handle(binding, fact, cancellationToken);
                return;
            }
            catch (Npgsql.PostgresException exception) when (exception.IsTransient)
            {
            }
        }
    }
}

using Commerce.Facts;
using MassTransit;

namespace Commerce.Bench.Messaging;

/// <summary>MassTransit as it comes, on the same exchanges and queues: the limit of both benches.</summary>
internal static class Peer
{
    /// <summary>The facts of both sides: orders of four facts, told version by version, so that a key's facts lie apart.</summary>
    public static List<OrderPlaced> Facts(int count, string run) =>
        [.. Enumerable.Range(0, count).Select(i => new OrderPlaced(
            $"ACME-{run}-{i % (count / 4)}", "acme", 1 + (i / (count / 4)), DateTimeOffset.UnixEpoch, $"external-{i}", new Money(12_34, "EUR"),
            [new PaymentPartFact(1, "CARD", "tok_visa", new Money(10_00, "EUR"), 1), new PaymentPartFact(2, "VOUCHER", "tok_voucher", new Money(2_34, "EUR"), 1)]))];

    public static IBusControl Bus(string broker, Action<IRabbitMqBusFactoryConfigurator>? configure = null) =>
        MassTransit.Bus.Factory.CreateUsingRabbitMq(bus =>
        {
            bus.Host(new Uri(broker));
            bus.MessageTopology.SetEntityNameFormatter(new Names());
            bus.Publish<IFact>(topology => topology.Exclude = true);
            bus.Publish<IOrderFact>(topology => topology.Exclude = true);
            configure?.Invoke(bus);
        });

    /// <summary>Publishes all, each confirmed, so many at a time.</summary>
    public static Task Publish(IBus bus, IEnumerable<OrderPlaced> facts, int concurrency) =>
        Parallel.ForEachAsync(facts, new ParallelOptions { MaxDegreeOfParallelism = concurrency }, async (fact, token) => await bus.Publish(fact, token));

    private sealed class Names : IEntityNameFormatter
    {
        public string FormatEntityName<T>() => string.Concat(typeof(T).Name.Select((c, i) => char.IsUpper(c) ? (i == 0 ? "" : "-") + char.ToLowerInvariant(c) : $"{c}"));
    }
}

using Commerce.Facts;

namespace Commerce.Messaging;

/// <summary>What one service listens to, collected while it registers.</summary>
internal sealed class Registration(string service)
{
    public string Service => service;

    public List<ConsumerBinding> Consumers { get; } = [];

    public List<ObserverBinding> Observers { get; } = [];

    /// <summary>Whose facts this service tells, and who hears them.</summary>
    public IEnumerable<Subscription> Subscribers => Subscriptions.All.Where(s => s.Source == service);

    public Subscription SubscriptionTo(string source)
    {
        if (Consumers.Any(c => c.Subscription.Source == source) || Observers.Any(o => o.Subscription.Source == source))
            throw new InvalidOperationException($"{service} listens to {source} already: a queue has one consumer.");
        return Subscriptions.All.FirstOrDefault(s => s.Subscriber == service && s.Source == source)
            ?? throw new InvalidOperationException($"Subscriptions.All does not list that {service} listens to {source}; add it there, so that the relay of {source} declares the queue.");
    }
}

/// <summary>A consumer that records what it handled in the inbox of its database.</summary>
internal sealed record ConsumerBinding(Subscription Subscription, Type Consumer, Delivery Delivery)
{
    /// <summary>The name in the inbox.</summary>
    public string Name => Subscription.Queue;

    /// <exception cref="InvalidOperationException">The consumer does not implement what its subscription promises.</exception>
    public void Validate()
    {
        var missing = Subscription.Facts.Where(f => !FactTypes.Get(f).IsConsumedBy(Consumer)).Select(f => f.Name).ToList();
        if (missing.Count > 0)
            throw new InvalidOperationException($"{Consumer.Name} listens to {Subscription.Queue} and has to implement IConsumeFact<> for: {string.Join(", ", missing)}.");
    }
}

/// <summary>A listener without a database.</summary>
internal sealed record ObserverBinding(Subscription Subscription, Type Observer);

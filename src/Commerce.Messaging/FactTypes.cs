using System.Collections.Frozen;
using System.Text.Json;
using Commerce.Facts;
using MassTransit;

namespace Commerce.Messaging;

/// <summary>A stored fact has a name that this version does not know.</summary>
internal sealed class UnknownFactException(string name)
    : Exception($"No fact is called {name} in this version; deploy the version that knows it.");

/// <summary>The facts that are known, by the name under which the outbox stores them.</summary>
internal static class FactTypes
{
    private static readonly FrozenDictionary<string, FactType> ByName = typeof(IFact).Assembly.GetTypes()
        .Where(t => t is { IsClass: true, IsAbstract: false } && typeof(IFact).IsAssignableFrom(t))
        .Select(FactType.Of)
        .ToFrozenDictionary(t => t.Name);

    public static IEnumerable<FactType> All => ByName.Values;

    public static FactType Get(string name) => ByName.TryGetValue(name, out var type)
        ? type
        : throw new UnknownFactException(name);

    public static FactType Get(Type type) => Get(type.Name);

    /// <summary>The name in the envelope, as MassTransit writes it; also of a fact that this version does not know.</summary>
    public static string UrnOf(string name) => $"urn:message:{typeof(IFact).Namespace}:{name}";
}

/// <summary>What has to be done with a fact's own type where only its name is known.</summary>
internal abstract class FactType
{
    public abstract Type Type { get; }

    public string Name => Type.Name;

    /// <summary>The name of its exchange: "order-placed".</summary>
    public string Exchange => ExchangeOf(Type);

    public static FactType Of(Type type) => (FactType)Activator.CreateInstance(typeof(FactType<>).MakeGenericType(type))!;

    /// <summary>Kebab case: OrderPlaced is "order-placed".</summary>
    public static string ExchangeOf(Type type) => string.Concat(
        type.Name.Select((c, i) => char.IsUpper(c) ? (i == 0 ? "" : "-") + char.ToLowerInvariant(c) : c.ToString()));

    /// <exception cref="JsonException">The body is not such a fact.</exception>
    public abstract IFact Parse(string body);

    /// <summary>Makes the endpoint hear facts of this type.</summary>
    public abstract void Handle(IReceiveEndpointConfigurator endpoint, Func<IFact, ConsumeContext, Task> handle);

    /// <summary>Whether a consumer of that type listens to this fact.</summary>
    public abstract bool IsConsumedBy(Type consumer);

    public abstract Task Consume(object consumer, IFact fact, FactContext context);
}

internal sealed class FactType<TFact> : FactType
    where TFact : class, IFact
{
    public override Type Type => typeof(TFact);

    public override IFact Parse(string body) =>
        JsonSerializer.Deserialize<TFact>(body, FactJson.Options) ?? throw new JsonException($"The body of {Name} is null.");

    public override void Handle(IReceiveEndpointConfigurator endpoint, Func<IFact, ConsumeContext, Task> handle) =>
        endpoint.Handler<TFact>(context => handle(context.Message, context));

    public override bool IsConsumedBy(Type consumer) => typeof(IConsumeFact<TFact>).IsAssignableFrom(consumer);

    public override Task Consume(object consumer, IFact fact, FactContext context) =>
        ((IConsumeFact<TFact>)consumer).Consume((TFact)fact, context);
}

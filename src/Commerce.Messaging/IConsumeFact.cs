using Commerce.Facts;

namespace Commerce.Messaging;

/// <summary>
/// Listens to one kind of fact. It runs inside the inbox's transaction: what it writes through the
/// <see cref="FactContext"/> is committed together with the record that this fact was handled, once.
/// An exception rolls everything back and the fact comes again, later and a bounded number of times.
/// </summary>
public interface IConsumeFact<in TFact>
    where TFact : class, IFact
{
    Task Consume(TFact fact, FactContext context);
}

/// <summary>In which order, and how often, a consumer's facts of one key take effect.</summary>
public enum Delivery
{
    /// <summary>Each fact once, in whatever order they come.</summary>
    EachOnce,

    /// <summary>Each fact carries the whole state: applied when newer than what was applied last, otherwise dropped.</summary>
    Latest,

    /// <summary>Each fact once and in the order of versions: one that comes early is parked until its turn. The consumer must
    /// subscribe to every fact of the source, because versions are counted without a gap.</summary>
    InOrder,
}

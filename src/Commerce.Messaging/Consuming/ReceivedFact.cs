using System.Text.Json;
using Commerce.Facts;

namespace Commerce.Messaging.Consuming;

/// <summary>A fact with what its message said about it.</summary>
/// <param name="TraceParent">The W3C trace context in which it was received; kept while the fact waits.</param>
internal sealed record ReceivedFact(Guid MessageId, IFact Fact, string? TraceParent)
{
    public FactType Type { get; } = FactTypes.Get(Fact.GetType());

    public string Body => JsonSerializer.Serialize(Fact, Fact.GetType(), FactJson.Options);
}

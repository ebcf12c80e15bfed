namespace Commerce.Messaging.Relaying;

/// <summary>A fact on its way to the broker.</summary>
internal sealed record OutboxRow(long Id, Guid MessageId, string Fact, string Key, string Body, string? TraceParent);

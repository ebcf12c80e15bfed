namespace Commerce.Gateway.Auditing;

/// <summary>A call from outside, as it is kept.</summary>
internal sealed record AuditRecord(
    DateTimeOffset Time, Guid Id, string Principal, string[]? Stores, string Method, string[] Resources, string Result, string TraceId, string Client, long TookMicros);

namespace Commerce.Gateway.Auditing;

/// <summary>A call from outside, as it is kept; or several that were the same.</summary>
internal sealed record AuditRecord(
    DateTimeOffset Time, Guid Id, string Principal, string[]? Stores, string Method, string[] Resources, string Result, string TraceId, string Client, long TookMicros, int Calls);

/// <summary>What is the same of calls by which somebody reads the same thing again and again.</summary>
internal readonly record struct RepeatedCall(string Principal, string Method, string? First, string? Second, string Client);

using Commerce.Types.V1;
using Grpc.Core;

namespace Commerce.ServiceDefaults;

/// <summary>What is wrong with one field, and what to do about it. The path is the proto's, for example "lines[2].unit_price".</summary>
public sealed record FieldError(string Field, string Description);

/// <summary>
/// A refusal or a fault with its reason. The error interceptor alone turns it into a google.rpc.Status (and, on REST, an
/// RFC 9457 problem); nothing else builds a status.
/// </summary>
public sealed class Failure : Exception
{
    public Failure(ErrorReason reason, string message, params IReadOnlyList<FieldError> fields)
        : base(message)
    {
        Reason = reason;
        Fields = fields;
    }

    public Failure(ErrorReason reason, string message, Exception inner)
        : base(message, inner)
    {
        Reason = reason;
        Fields = [];
    }

    public ErrorReason Reason { get; }

    /// <summary>Becomes google.rpc.BadRequest.</summary>
    public IReadOnlyList<FieldError> Fields { get; }

    /// <summary>Becomes google.rpc.PreconditionFailure: type, subject, description.</summary>
    public IReadOnlyList<(string Type, string Subject, string Description)> Preconditions { get; init; } = [];

    /// <summary>Further facts in ErrorInfo.metadata, for example the code that was meant.</summary>
    public IReadOnlyDictionary<string, string> Metadata { get; init; } = new Dictionary<string, string>();

    /// <summary>Becomes google.rpc.QuotaFailure: subject, description.</summary>
    public IReadOnlyList<(string Subject, string Description)> Quotas { get; init; } = [];

    /// <summary>Becomes google.rpc.RetryInfo.</summary>
    public TimeSpan? RetryAfter { get; init; }

    /// <summary>The gRPC code that belongs to <see cref="Reason"/>, as the reason's documentation says.</summary>
    public StatusCode Code => ErrorReasons.CodeOf(Reason);

    /// <summary>Wrong fields: throws one INVALID_FIELD failure with all of them.</summary>
    public static Failure Invalid(params IReadOnlyList<FieldError> fields) =>
        new(ErrorReason.InvalidField, fields.Count == 1 ? $"{fields[0].Field}: {fields[0].Description}" : $"{fields.Count} fields are wrong.", fields);
}

using Commerce.Types.V1;
using Google.Rpc;
using Grpc.Core;
using Status = Google.Rpc.Status;

namespace Commerce.Client;

/// <summary>What is wrong with a field of the request.</summary>
/// <param name="Field">The proto's path, for example "lines[2].unit_price".</param>
/// <param name="Description">What is wrong, and what to do about it.</param>
public sealed record FieldViolation(string Field, string Description);

/// <summary>A call that was refused or failed: every call of the client throws this, and nothing else, for an answer of the suite.</summary>
public sealed class CommerceException : RpcException
{
    private const string Domain = "commerce";

    private CommerceException(RpcException inner, Status? status)
        : base(inner.Status, inner.Trailers, status?.Message is { Length: > 0 } message ? message : inner.Status.Detail)
    {
        var info = status?.GetDetail<ErrorInfo>();
        Reason = info?.Reason ?? "";
        KnownReason = Known(Reason);
        Metadata = info?.Metadata.ToDictionary() ?? [];
        FieldViolations = status?.GetDetail<BadRequest>()?.FieldViolations.Select(one => new FieldViolation(one.Field, one.Description)).ToArray() ?? [];
        RetryAfter = status?.GetDetail<RetryInfo>()?.RetryDelay?.ToTimeSpan();
    }

    /// <summary>Why, for programs to branch on, for example "ORDER_NOT_FOUND"; empty if nobody of the suite answered.</summary>
    public string Reason { get; }

    /// <summary>The reason as this version of the client knows it; <see cref="ErrorReason.Unspecified"/> for a newer one.</summary>
    public ErrorReason KnownReason { get; }

    /// <summary>Further facts, by name, for example the code that was meant.</summary>
    public IReadOnlyDictionary<string, string> Metadata { get; }

    /// <summary>The fields that are wrong.</summary>
    public IReadOnlyList<FieldViolation> FieldViolations { get; }

    /// <summary>When it is worth asking again; null: nobody said.</summary>
    public TimeSpan? RetryAfter { get; }

    /// <summary>Nobody answered, or nobody can now: the same call may succeed later.</summary>
    internal bool IsTransient => StatusCode switch
    {
        StatusCode.Unavailable => true,
        // A broken connection, and no answer of the suite.
        StatusCode.Internal or StatusCode.Unknown or StatusCode.Cancelled => Reason.Length == 0,
        StatusCode.ResourceExhausted => RetryAfter is not null,
        _ => false,
    };

    internal static CommerceException Of(RpcException exception)
    {
        if (exception is CommerceException ours)
            return ours;
        Status? status = null;
        try
        {
            status = exception.GetRpcStatus();
        }
        // Somebody else's trailer of the same name.
        catch (Exception unreadable) when (unreadable is Google.Protobuf.InvalidProtocolBufferException or FormatException)
        {
        }

        return new CommerceException(exception, status?.GetDetail<ErrorInfo>()?.Domain == Domain ? status : null);
    }

    private static ErrorReason Known(string reason) =>
        Enum.TryParse<ErrorReason>(reason.Replace("_", "", StringComparison.Ordinal), ignoreCase: true, out var known) && !char.IsAsciiDigit(reason[0]) ? known : ErrorReason.Unspecified;
}

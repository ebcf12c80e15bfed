using System.Net.Sockets;
using Commerce.Types.V1;
using Google.Protobuf;
using Google.Protobuf.WellKnownTypes;
using Google.Rpc;
using Grpc.Core;
using Npgsql;
using Polly.CircuitBreaker;
using Polly.Timeout;
using StackExchange.Redis;
using Status = Google.Rpc.Status;

namespace Commerce.ServiceDefaults;

/// <summary>
/// The one place where a failure becomes a google.rpc.Status. What an exception says stays inside: only the text of a
/// <see cref="Failure"/> is written for the caller.
/// </summary>
internal static class ErrorStatus
{
    public const string Domain = "commerce";

    /// <summary>The trailer of the details, as Grpc.StatusProto reads and writes it.</summary>
    public const string DetailsTrailer = "grpc-status-details-bin";

    // Trailers are headers: some peers refuse more than 8 KB of them in all, and the details go as base64.
    private const int MaxDetailsBytes = 4 * 1024;
    private const int MaxText = 500;

    private static readonly TimeSpan RetryAfter = TimeSpan.FromSeconds(1);

    private static readonly Dictionary<ErrorReason, string> Names = ErrorReasonReflection.Descriptor.EnumTypes[0].Values
        .ToDictionary(value => (ErrorReason)value.Number, value => value.Name["ERROR_REASON_".Length..]);

    /// <summary>The reason as it stands on the wire, for example "ORDER_NOT_FOUND".</summary>
    public static string NameOf(ErrorReason reason) => Names.TryGetValue(reason, out var name) ? name : "INTERNAL";

    public static Status Of(Failure failure)
    {
        var status = Create(failure.Reason, failure.Message, failure.Metadata);
        if (failure.RetryAfter is { } after)
            status.Details.Add(Any.Pack(new RetryInfo { RetryDelay = Duration.FromTimeSpan(after) }));
        if (failure.Quotas.Count > 0)
        {
            var quotas = failure.Quotas.Select(quota => new QuotaFailure.Types.Violation { Subject = Bounded(quota.Subject), Description = Bounded(quota.Description) });
            status.Details.Add(Any.Pack(new QuotaFailure { Violations = { quotas } }));
        }

        if (failure.Preconditions.Count > 0)
        {
            var preconditions = new PreconditionFailure();
            AddWhileSmall(preconditions, preconditions.Violations, failure.Preconditions.Select(p => new PreconditionFailure.Types.Violation
            {
                Type = Bounded(p.Type),
                Subject = Bounded(p.Subject),
                Description = Bounded(p.Description),
            }));
            status.Details.Add(Any.Pack(preconditions));
        }

        if (failure.Fields.Count > 0)
        {
            var badRequest = new BadRequest();
            AddWhileSmall(badRequest, badRequest.FieldViolations, failure.Fields.Select(f => new BadRequest.Types.FieldViolation
            {
                Field = Bounded(f.Field),
                Description = Bounded(f.Description),
                Reason = NameOf(failure.Reason),
            }));
            status.Details.Add(Any.Pack(badRequest));
        }

        return status;
    }

    public static Status Create(ErrorReason reason, string message, IReadOnlyDictionary<string, string>? metadata = null)
    {
        var info = new ErrorInfo { Domain = Domain, Reason = NameOf(reason) };
        foreach (var (key, value) in metadata ?? new Dictionary<string, string>())
            info.Metadata[key] = Bounded(value);
        return new Status { Code = (int)ErrorReasons.CodeOf(reason), Message = Bounded(message), Details = { Any.Pack(info) } };
    }

    public static Status DependencyUnavailable()
    {
        var status = Create(ErrorReason.DependencyUnavailable, "A service or server that is needed does not answer; try again.");
        status.Details.Add(Any.Pack(new RetryInfo { RetryDelay = Duration.FromTimeSpan(RetryAfter) }));
        return status;
    }

    public static Status Internal(string traceId) => Create(
        ErrorReason.Internal, $"A fault of ours; it is logged with the trace id {traceId}.", new Dictionary<string, string> { ["trace_id"] = traceId });

    /// <summary>The status of what a service answered, when it is one of ours: it passes through unchanged.</summary>
    public static Status? Ours(RpcException exception)
    {
        Status? status;
        try
        {
            status = exception.GetRpcStatus();
        }
        catch (InvalidProtocolBufferException)
        {
            return null;
        }

        return status?.GetDetail<ErrorInfo>()?.Domain == Domain ? status : null;
    }

    /// <summary>The server behind it is down, restarting or overloaded, so the same call may succeed later.</summary>
    public static bool IsDependency(Exception exception) => exception switch
    {
        PostgresException { SqlState: PostgresErrorCodes.AdminShutdown or PostgresErrorCodes.CrashShutdown } => true,
        NpgsqlException npgsql => npgsql.IsTransient,
        RedisConnectionException or RedisTimeoutException => true,
        HttpRequestException or SocketException or BrokenCircuitException or TimeoutRejectedException or TimeoutException => true,
        RpcException rpc => rpc.StatusCode == StatusCode.Unavailable,
        OperationCanceledException { InnerException: TimeoutException } => true,
        _ when exception.GetType().Namespace?.StartsWith("RabbitMQ.Client", StringComparison.Ordinal) == true => true,
        _ => exception.InnerException is { } inner && IsDependency(inner),
    };

    private static void AddWhileSmall<T>(IMessage owner, ICollection<T> list, IEnumerable<T> violations)
    {
        foreach (var violation in violations)
        {
            if (owner.CalculateSize() > MaxDetailsBytes)
                return;
            list.Add(violation);
        }
    }

    private static string Bounded(string text) => text.Length <= MaxText ? text : string.Concat(text.AsSpan(0, MaxText - 1), "…");
}

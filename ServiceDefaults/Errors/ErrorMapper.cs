using System.Diagnostics;
using Commerce.Types.V1;
using Grpc.Core;
using Microsoft.AspNetCore.Http;
using Microsoft.Extensions.Logging;
using Status = Google.Rpc.Status;

namespace Commerce.ServiceDefaults;

/// <summary>Classifies what a call threw, and logs a fault of ours once.</summary>
internal sealed partial class ErrorMapper(ILogger<ErrorMapper> logger)
{
    public Status Of(Exception exception, ServerCallContext call)
    {
        if (exception is Failure failure)
            return Of(failure, call.Method);
        if (call.CancellationToken.IsCancellationRequested)
            return StreamEnd.Of(call.GetHttpContext()) is { } why ? ErrorStatus.Of(why) : Ended(call.Deadline);
        return Of(exception, call.Method);
    }

    public Status Of(Exception exception, HttpContext http)
    {
        if (exception is Failure failure)
            return Of(failure, NameOf(http));
        if (exception is BadHttpRequestException bad)
            return Of(bad);
        if (http.RequestAborted.IsCancellationRequested)
            return Ended(DateTime.MaxValue);
        return Of(exception, NameOf(http));
    }

    public static Status Of(BadHttpRequestException bad) => bad.StatusCode == StatusCodes.Status413PayloadTooLarge
        ? TooLarge()
        : ErrorStatus.Create(ErrorReason.MalformedRequest, "The request could not be read.");

    public static Status TooLarge() =>
        ErrorStatus.Create(ErrorReason.RequestTooLarge, $"The request is larger than {Limits.RequestBytes / 1024 / 1024} MB; send less at once.");

    public Status Fault(HttpContext http)
    {
        LogFaultOutside(NameOf(http));
        return ErrorStatus.Internal(TraceId());
    }

    public static string TraceId() => Activity.Current?.TraceId.ToHexString() ?? "";

    // Not the path: whoever calls writes it, with line breaks if he likes, and codes and addresses of people stand in it.
    private static string NameOf(HttpContext http) => http.GetEndpoint()?.DisplayName ?? "What leads nowhere";

    private static Status Ended(DateTime deadline) =>
        // The wire's deadline is the system's clock, whatever clock the service is given.
        deadline <= TimeProvider.System.GetUtcNow().UtcDateTime ? DeadlineExceeded() : ErrorStatus.Create(ErrorReason.Cancelled, "The caller cancelled the call.");

    private static Status DeadlineExceeded() => ErrorStatus.Create(
        ErrorReason.DeadlineExceeded, "The deadline passed before the work was done; repeat it with the same request_id to learn what became of it.");

    private Status Of(Failure failure, string method)
    {
        if (failure.Reason is ErrorReason.Internal or ErrorReason.Unspecified)
        {
            LogFault(failure, method);
            return ErrorStatus.Internal(TraceId());
        }

        if (failure.Reason == ErrorReason.DependencyUnavailable)
            LogDependency(method, failure.InnerException?.GetType().Name ?? nameof(Failure));
        return ErrorStatus.Of(failure);
    }

    private Status Of(Exception exception, string method)
    {
        switch (exception)
        {
            case RpcException rpc when ErrorStatus.Ours(rpc) is { } status:
                return status;
            case RpcException { StatusCode: StatusCode.DeadlineExceeded }:
                return DeadlineExceeded();
            case RpcException { StatusCode: StatusCode.Unimplemented }:
                return ErrorStatus.Create(ErrorReason.MethodNotFound, "The method is not implemented.");
        }

        if (ErrorStatus.IsDependency(exception))
        {
            LogDependency(method, exception.GetType().Name);
            return ErrorStatus.DependencyUnavailable();
        }

        LogFault(exception, method);
        return ErrorStatus.Internal(TraceId());
    }

    [LoggerMessage(LogLevel.Error, "{Method} failed by a fault of ours.")]
    private partial void LogFault(Exception exception, string method);

    [LoggerMessage(LogLevel.Error, "The answer of {Method} could not be sent.")]
    private partial void LogFaultOutside(string method);

    [LoggerMessage(LogLevel.Warning, "{Method} failed because what it needs does not answer: {Error}.")]
    private partial void LogDependency(string method, string error);
}

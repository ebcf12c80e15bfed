using Microsoft.AspNetCore.Http;
using Status = Google.Rpc.Status;

namespace Commerce.ServiceDefaults;

/// <summary>
/// A failure as an answer, for a middleware that refuses calls by the thousand: an exception, thrown and caught, costs more than many a
/// call that is served.
/// </summary>
public sealed class FailureAnswer
{
    private readonly Status _status;
    private readonly string _code;
    private readonly string _message;
    private readonly string _details;

    /// <summary>Made once, where the same answer is given again and again.</summary>
    public FailureAnswer(Failure failure)
    {
        _status = ErrorStatus.Of(failure);
        (_code, _message, _details) = ErrorMiddleware.TrailersOf(_status);
    }

    /// <summary>Whether the request is gRPC, and not REST.</summary>
    public static bool IsGrpc(HttpContext http) => ErrorMiddleware.IsGrpc(http.Request);

    /// <summary>Answers a request of which nothing was answered yet.</summary>
    public static Task Write(HttpContext http, Failure failure) => new FailureAnswer(failure).Write(http);

    /// <summary>Answers a request of which nothing was answered yet.</summary>
    public Task Write(HttpContext http)
    {
        if (!IsGrpc(http))
            return Problem.Write(http.Response, _status);
        var response = http.Response;
        response.ContentType = "application/grpc";
        response.Headers["grpc-status"] = _code;
        response.Headers["grpc-message"] = _message;
        response.Headers[ErrorStatus.DetailsTrailer] = _details;
        return Task.CompletedTask;
    }
}

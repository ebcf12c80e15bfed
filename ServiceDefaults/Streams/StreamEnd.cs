using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Http.Features;

namespace Commerce.ServiceDefaults;

/// <summary>
/// What ends a stream from this side though its caller would go on reading: a feature of the request, by whoever cancels
/// <see cref="HttpContext.RequestAborted"/> for it. The caller is told why, as far as the way in which the stream was begun lets it be told:
/// gRPC in its trailers, server-sent events by an event "problem" (RFC 9457), which is the last one.
/// </summary>
public abstract class StreamEnd
{
    private const string GrpcStatus = "grpc-status";

    /// <summary>Why it ends; null: it does not.</summary>
    public abstract Failure? Why { get; }

    /// <summary>The one of a request that ends, or has ended, so.</summary>
    internal static Failure? Of(HttpContext http) => http.Features.Get<StreamEnd>()?.Why;

    /// <summary>Says why, at the end of what was written; false: it cannot be said, and the response must not look whole.</summary>
    public static async Task<bool> Tell(HttpContext http, Failure why)
    {
        var response = http.Response;
        var isGrpc = FailureAnswer.IsGrpc(http);
        var trailers = response.HasStarted ? http.Features.Get<IHttpResponseTrailersFeature>()?.Trailers : response.Headers;
        // The call has said it itself, or was over before.
        if (isGrpc && trailers?.IsReadOnly == false && trailers.ContainsKey(GrpcStatus))
            return true;
        if (!response.HasStarted)
        {
            response.Clear();
            await FailureAnswer.Write(http, why);
            return true;
        }

        if (isGrpc)
        {
            if (trailers is null or { IsReadOnly: true })
                return false;
            (trailers[GrpcStatus], trailers["grpc-message"], trailers[ErrorStatus.DetailsTrailer]) = ErrorMiddleware.TrailersOf(ErrorStatus.Of(why));
            return true;
        }

        if (!ServerSentEvents.Are(response))
            return false;
        await ServerSentEvents.Write(response, 0, "problem", Problem.Json(ErrorStatus.Of(why)), CancellationToken.None);
        return true;
    }
}

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
    /// <summary>Why it ends; null: it does not.</summary>
    public abstract Failure? Why { get; }

    /// <summary>The one of a request that ends, or has ended, so.</summary>
    internal static Failure? Of(HttpContext http) => http.Features.Get<StreamEnd>()?.Why;

    /// <summary>Says why, at the end of what was written; false: it cannot be said, and the response must not look whole.</summary>
    public static async Task<bool> Tell(HttpContext http, Failure why)
    {
        var response = http.Response;
        if (FailureAnswer.IsGrpc(http))
        {
            var trailers = response.HasStarted ? http.Features.Get<IHttpResponseTrailersFeature>()?.Trailers : response.Headers;
            if (trailers is null or { IsReadOnly: true })
                return false;
            // The call has said it itself, or was over before.
            if (trailers.ContainsKey("grpc-status"))
                return true;
            if (!response.HasStarted)
            {
                response.Clear();
                await FailureAnswer.Write(http, why);
                return true;
            }

            (trailers["grpc-status"], trailers["grpc-message"], trailers[ErrorStatus.DetailsTrailer]) = ErrorMiddleware.TrailersOf(ErrorStatus.Of(why));
            return true;
        }

        if (!response.HasStarted)
        {
            response.Clear();
            await FailureAnswer.Write(http, why);
            return true;
        }

        if (response.ContentType?.StartsWith(ServerSentEvents.ContentType, StringComparison.Ordinal) != true)
            return false;
        await ServerSentEvents.Write(response, 0, "problem", Problem.Json(ErrorStatus.Of(why)), CancellationToken.None);
        return true;
    }
}

using System.Globalization;
using System.Text;
using System.Text.Json;
using Commerce.Types.V1;
using Google.Rpc;
using Grpc.Core;
using Microsoft.AspNetCore.Http;
using HttpResponse = Microsoft.AspNetCore.Http.HttpResponse;
using Status = Google.Rpc.Status;

namespace Commerce.ServiceDefaults;

/// <summary>A google.rpc.Status as an RFC 9457 problem: the error body of everything that speaks JSON.</summary>
internal static class Problem
{
    public const string ContentType = "application/problem+json";

    /// <summary>HTTP has no number for it; the one that proxies use for a client that left.</summary>
    private const int ClientClosedRequest = 499;

    public static int HttpStatusOf(Status status) => (StatusCode)status.Code switch
    {
        StatusCode.OK => StatusCodes.Status200OK,
        StatusCode.InvalidArgument or StatusCode.FailedPrecondition or StatusCode.OutOfRange => StatusCodes.Status400BadRequest,
        StatusCode.Unauthenticated => StatusCodes.Status401Unauthorized,
        StatusCode.PermissionDenied => StatusCodes.Status403Forbidden,
        StatusCode.NotFound => StatusCodes.Status404NotFound,
        StatusCode.Aborted or StatusCode.AlreadyExists => StatusCodes.Status409Conflict,
        StatusCode.ResourceExhausted when ReasonOf(status) == ErrorStatus.NameOf(ErrorReason.RequestTooLarge) => StatusCodes.Status413PayloadTooLarge,
        StatusCode.ResourceExhausted => StatusCodes.Status429TooManyRequests,
        StatusCode.Cancelled => ClientClosedRequest,
        StatusCode.Unimplemented => StatusCodes.Status501NotImplemented,
        StatusCode.Unavailable => StatusCodes.Status503ServiceUnavailable,
        StatusCode.DeadlineExceeded => StatusCodes.Status504GatewayTimeout,
        _ => StatusCodes.Status500InternalServerError,
    };

    public static async Task Write(HttpResponse response, Status status, int? httpStatus = null)
    {
        // RFC 9110 has a number of its own for a condition in a header; the same in the body is a conflict.
        var code = httpStatus
            ?? (ReasonOf(status) == ErrorStatus.NameOf(ErrorReason.EtagMismatch) && Conditions.HasIfMatch(response.HttpContext)
                ? StatusCodes.Status412PreconditionFailed
                : HttpStatusOf(status));
        response.StatusCode = code;
        response.ContentType = ContentType;
        // Of the body that this one replaces.
        response.Headers.ContentEncoding = default;
        response.Headers.ETag = default;
        response.Headers.CacheControl = "no-store";
        if (code == StatusCodes.Status401Unauthorized)
            response.Headers.WWWAuthenticate = "Bearer";
        if (status.GetDetail<RetryInfo>()?.RetryDelay is { } delay)
            response.Headers.RetryAfter = Math.Max(1, (long)Math.Ceiling(delay.ToTimeSpan().TotalSeconds)).ToString(CultureInfo.InvariantCulture);

        var body = Bytes(status, code);
        response.ContentLength = body.Length;
        if (!HttpMethods.IsHead(response.HttpContext.Request.Method))
            await response.Body.WriteAsync(body);
    }

    /// <summary>The same as text, for who has begun to answer something else.</summary>
    public static string Json(Status status) => Encoding.UTF8.GetString(Bytes(status, HttpStatusOf(status)));

    private static byte[] Bytes(Status status, int code)
    {
        var reason = ReasonOf(status) ?? ErrorStatus.NameOf(ErrorReason.Internal);
        using var stream = new MemoryStream();
        using (var json = new Utf8JsonWriter(stream))
        {
            json.WriteStartObject();
            json.WriteString("type", "urn:commerce:error:" + reason);
            json.WriteString("title", TitleOf(reason));
            json.WriteNumber("status", code);
            json.WriteString("detail", status.Message);
            json.WriteString("reason", reason);
            if (status.GetDetail<BadRequest>() is { } badRequest)
            {
                json.WriteStartArray("errors");
                foreach (var violation in badRequest.FieldViolations)
                {
                    json.WriteStartObject();
                    json.WriteString("field", violation.Field);
                    json.WriteString("description", violation.Description);
                    json.WriteEndObject();
                }

                json.WriteEndArray();
            }

            if (status.GetDetail<PreconditionFailure>() is { } preconditions)
            {
                json.WriteStartArray("preconditions");
                foreach (var violation in preconditions.Violations)
                {
                    json.WriteStartObject();
                    json.WriteString("type", violation.Type);
                    json.WriteString("subject", violation.Subject);
                    json.WriteString("description", violation.Description);
                    json.WriteEndObject();
                }

                json.WriteEndArray();
            }

            if (status.GetDetail<ErrorInfo>() is { Metadata.Count: > 0 } info)
            {
                json.WriteStartObject("metadata");
                foreach (var (key, value) in info.Metadata)
                    json.WriteString(key, value);
                json.WriteEndObject();
            }

            json.WriteString("traceId", ErrorMapper.TraceId());
            json.WriteEndObject();
        }

        return stream.ToArray();
    }

    private static string? ReasonOf(Status status) => status.GetDetail<ErrorInfo>()?.Reason;

    // "ORDER_NOT_FOUND" reads as "Order not found": the same for every occurrence, as RFC 9457 asks of a title.
    private static string TitleOf(string reason) => reason[0] + reason[1..].ToLowerInvariant().Replace('_', ' ');
}

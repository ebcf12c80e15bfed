using System.Text;
using Commerce.Types.V1;
using Google.Protobuf;
using Grpc.Core;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Hosting;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Http.Features;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Net.Http.Headers;
using Status = Google.Rpc.Status;

namespace Commerce.ServiceDefaults;

/// <summary>
/// Completes what no interceptor sees. On gRPC: a request that cannot be parsed and a method that does not exist get
/// their ErrorInfo. On everything else: every error body becomes an RFC 9457 problem, be it from a transcoded method, an
/// endpoint that throws a <see cref="Failure"/>, or a route that does not exist.
/// </summary>
internal sealed class ErrorMiddleware(RequestDelegate next, ErrorMapper errors)
{
    private static readonly object StatusKey = new();
    private static readonly object EnteredKey = new();

    /// <summary>The interceptors took the call over: from here on every error has its details.</summary>
    public static void Entered(HttpContext http) => http.Items[EnteredKey] = true;

    /// <summary>Hands the status to the problem of a transcoded call, with nothing lost on the way through JSON.</summary>
    public static void Remember(HttpContext http, Status status) => http.Items[StatusKey] = status;

    public static bool IsGrpc(HttpRequest request) => request.ContentType?.StartsWith("application/grpc", StringComparison.OrdinalIgnoreCase) == true;

    public Task Invoke(HttpContext http) => IsGrpc(http.Request) ? InvokeGrpc(http) : InvokeHttp(http);

    private async Task InvokeGrpc(HttpContext http)
    {
        var response = http.Response;
        Status? thrown = null;
        try
        {
            await next(http);
        }
        // No interceptor saw it: a middleware refused the call, or a proxied one.
        catch (Exception exception) when (!response.HasStarted)
        {
            thrown = errors.Of(exception, http);
            response.Clear();
            response.ContentType = "application/grpc";
        }

        var trailers = response.HasStarted ? http.Features.Get<IHttpResponseTrailersFeature>()?.Trailers : response.Headers;
        if (trailers is null or { IsReadOnly: true } || trailers.ContainsKey(ErrorStatus.DetailsTrailer))
            return;

        Status? status;
        if (thrown is not null)
        {
            status = thrown;
        }
        else if (int.TryParse(trailers["grpc-status"], out var code))
        {
            status = (StatusCode)code switch
            {
                StatusCode.OK => null,
                StatusCode.Unimplemented when http.Request.Headers["grpc-encoding"] is [not ("identity" or "gzip")] =>
                    ErrorStatus.Create(ErrorReason.MalformedRequest, "Messages are compressed with gzip or not at all (grpc-encoding)."),
                StatusCode.Unimplemented => ErrorStatus.Create(ErrorReason.MethodNotFound, "There is no such method; see the service's protos."),
                StatusCode.ResourceExhausted => ErrorMapper.TooLarge(),
                StatusCode.DeadlineExceeded => ErrorStatus.Create(ErrorReason.DeadlineExceeded, "The deadline passed before the work was done."),
                StatusCode.Cancelled => ErrorStatus.Create(ErrorReason.Cancelled, "The caller cancelled the call."),
                _ when http.Items.ContainsKey(EnteredKey) => errors.Fault(http),
                _ => ErrorStatus.Create(ErrorReason.MalformedRequest, "The request is not a valid protobuf message of this method."),
            };
        }
        else
        {
            // A proxy on the way found nobody to pass the call on to.
            status = response.HasStarted || response.StatusCode < StatusCodes.Status502BadGateway ? null : ErrorStatus.DependencyUnavailable();
            if (status is not null)
            {
                response.StatusCode = StatusCodes.Status200OK;
                response.ContentType = "application/grpc";
            }
        }

        if (status is null)
            return;
        (trailers["grpc-status"], trailers["grpc-message"], trailers[ErrorStatus.DetailsTrailer]) = TrailersOf(status);
    }

    /// <summary>What stands in the trailers of a call that failed: the code, the message, the details.</summary>
    public static (string Code, string Message, string Details) TrailersOf(Status status) => (
        status.Code.ToString(System.Globalization.CultureInfo.InvariantCulture), Escape(status.Message), Convert.ToBase64String(status.ToByteArray()));

    private async Task InvokeHttp(HttpContext http)
    {
        var response = http.Response;
        if (http.Request.ContentLength > Limits.RequestBytes)
        {
            await Problem.Write(response, ErrorMapper.TooLarge());
            return;
        }

        // It would be read as it is, and be no JSON.
        if (http.Request.Headers.ContentEncoding is [.., var coding] && !string.Equals(coding, "identity", StringComparison.OrdinalIgnoreCase))
        {
            response.Headers.AcceptEncoding = "identity";
            await Problem.Write(
                response, ErrorStatus.Create(ErrorReason.MalformedRequest, "Requests are taken as they are: send the body without Content-Encoding."),
                StatusCodes.Status415UnsupportedMediaType);
            return;
        }

        http.Request.Body = new BoundedRequestStream(http.Request.Body, http);
        var original = http.Features.GetRequiredFeature<IHttpResponseBodyFeature>();
        var body = new ErrorBodyStream(original.Stream, http);
        var wrapped = new StreamResponseBodyFeature(body, original);
        http.Features.Set<IHttpResponseBodyFeature>(wrapped);
        try
        {
            await next(http);
            await wrapped.CompleteAsync();
        }
        catch (Exception exception) when (!response.HasStarted)
        {
            Catch(http, exception);
        }
        finally
        {
            http.Features.Set(original);
        }

        if (!response.HasStarted && Conditions.IsNotModified(http))
        {
            response.StatusCode = StatusCodes.Status304NotModified;
            response.ContentType = null;
            response.Headers.Remove(HeaderNames.ContentEncoding);
            return;
        }

        if (response.HasStarted || response.StatusCode < StatusCodes.Status400BadRequest)
            return;

        if (http.Items[StatusKey] is Status status)
            await Problem.Write(response, status);
        else if (body.Captured || response.ContentType is null)
            await WriteUnexplained(http, body.Captured);
    }

    /// <summary>
    /// Stands right before the endpoints, because the developer's exception page stands between them and this middleware
    /// and would log and show what an endpoint throws on purpose.
    /// </summary>
    public static IApplicationBuilder UseFailures(IApplicationBuilder app) => app.Use(async (http, next) =>
    {
        try
        {
            await next(http);
        }
        catch (Exception exception) when (!http.Response.HasStarted && !IsGrpc(http.Request))
        {
            Catch(http, exception);
        }
    });

    private static void Catch(HttpContext http, Exception exception)
    {
        var status = http.RequestServices.GetRequiredService<ErrorMapper>().Of(exception, http);
        http.Response.Clear();
        http.Response.StatusCode = Problem.HttpStatusOf(status);
        Remember(http, status);
    }

    private async Task WriteUnexplained(HttpContext http, bool transcoded)
    {
        var code = http.Response.StatusCode;
        var request = http.Request;
        if (transcoded && !request.HasJsonContentType()
            && (request.ContentType is not null || request.ContentLength > 0 || request.Headers.TransferEncoding.Count > 0))
            code = StatusCodes.Status415UnsupportedMediaType;
        var status = code switch
        {
            _ when transcoded && http.Items.ContainsKey(EnteredKey) => errors.Fault(http),
            StatusCodes.Status413PayloadTooLarge => ErrorMapper.TooLarge(),
            _ when BoundedRequestStream.WasExceeded(http) => ErrorMapper.TooLarge(),
            StatusCodes.Status404NotFound or StatusCodes.Status405MethodNotAllowed =>
                ErrorStatus.Create(ErrorReason.MethodNotFound, "There is no such method and path; see the API's description."),
            StatusCodes.Status415UnsupportedMediaType =>
                ErrorStatus.Create(ErrorReason.MalformedRequest, "The body must be JSON: send Content-Type: application/json."),
            StatusCodes.Status401Unauthorized => ErrorStatus.Create(ErrorReason.Unauthenticated, "No caller is known."),
            StatusCodes.Status403Forbidden => ErrorStatus.Create(ErrorReason.PermissionDenied, "The caller may not do this."),
            StatusCodes.Status502BadGateway or StatusCodes.Status503ServiceUnavailable or StatusCodes.Status504GatewayTimeout =>
                ErrorStatus.DependencyUnavailable(),
            _ when transcoded || code < StatusCodes.Status500InternalServerError => ErrorStatus.Create(
                ErrorReason.MalformedRequest, "The request could not be read: send JSON in UTF-8 with the fields, types and query parameters of this method."),
            _ => errors.Fault(http),
        };
        var own = Problem.HttpStatusOf(status);
        var keeps = code is StatusCodes.Status404NotFound or StatusCodes.Status405MethodNotAllowed or StatusCodes.Status415UnsupportedMediaType;
        await Problem.Write(http.Response, status, keeps ? code : own);
    }

    // grpc-message is percent-encoded UTF-8, as the gRPC protocol has it.
    private static string Escape(string message)
    {
        var escaped = new StringBuilder(message.Length);
        foreach (var b in Encoding.UTF8.GetBytes(message))
            _ = b is >= 0x20 and <= 0x7E and not (byte)'%' ? escaped.Append((char)b) : escaped.Append('%').Append(b.ToString("X2", null));
        return escaped.ToString();
    }
}

/// <summary>Puts the error middleware in front of everything, routing included, without a line in each Program.cs.</summary>
internal sealed class ErrorStartupFilter : IStartupFilter
{
    public Action<IApplicationBuilder> Configure(Action<IApplicationBuilder> next) => app =>
    {
        app.UseMiddleware<ErrorMiddleware>();
        next(app);
    };
}

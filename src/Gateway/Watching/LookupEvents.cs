using System.Globalization;
using Commerce.Gateway.V1;
using Commerce.ServiceDefaults;
using Google.Protobuf;
using Microsoft.AspNetCore.Http.Features;
using Microsoft.Extensions.Options;

namespace Commerce.Gateway.Watching;

/// <summary>
/// WatchLookup as server-sent events: JSON transcoding knows no streams of events. Each event's id is the view's version, so
/// that a browser's own reconnect (Last-Event-ID) resumes with what is newer.
/// </summary>
internal static class LookupEvents
{
    private static readonly JsonFormatter Json = new(JsonFormatter.Settings.Default.WithFormatDefaultValues(true));

    public static void MapLookupEvents(this IEndpointRouteBuilder routes) => routes.MapGet("/v1/lookup/{code}:watch", Stream);

    private static async Task Stream(string code, HttpContext http, Watches watches, IOptions<GatewayOptions> options, TimeProvider time)
    {
        var cancellationToken = http.RequestAborted;
        // Before the response begins, so that a code that cannot be found is an error and not a silent stream.
        using var watch = await watches.Open(code, AfterVersion(http.Request), cancellationToken);
        await Begin(http, cancellationToken);
        try
        {
            var next = watch.Next(cancellationToken);
            while (true)
            {
                await http.Response.Body.FlushAsync(cancellationToken);
                using (var pause = CancellationTokenSource.CreateLinkedTokenSource(cancellationToken))
                {
                    await Task.WhenAny(next, Task.Delay(options.Value.Heartbeat, time, pause.Token));
                    await pause.CancelAsync();
                }

                if (!next.IsCompleted)
                {
                    await http.Response.WriteAsync(": still here\n\n", cancellationToken);
                    continue;
                }

                if (await next is not { } view)
                    return;
                await Write(http.Response, view, cancellationToken);
                next = watch.Next(cancellationToken);
            }
        }
        catch (OperationCanceledException) when (cancellationToken.IsCancellationRequested)
        {
            // The client left.
        }
    }

    private static Task Begin(HttpContext http, CancellationToken cancellationToken)
    {
        http.Features.Get<IHttpResponseBodyFeature>()?.DisableBuffering();
        http.Response.ContentType = "text/event-stream";
        http.Response.Headers.CacheControl = "no-store";
        // Says to a proxy of the nginx kind not to hold events back.
        http.Response.Headers["X-Accel-Buffering"] = "no";
        return http.Response.WriteAsync("retry: 2000\n\n", cancellationToken);
    }

    private static Task Write(HttpResponse response, LookupView view, CancellationToken cancellationToken) =>
        response.WriteAsync($"id: {view.Version.ToString(CultureInfo.InvariantCulture)}\nevent: view\ndata: {Json.Format(view)}\n\n", cancellationToken);

    private static long AfterVersion(HttpRequest request)
    {
        var (name, text) = request.Headers["Last-Event-ID"] is { Count: > 0 } header
            ? ("Last-Event-ID", header.ToString())
            : ("after_version", request.Query["afterVersion"] is { Count: > 0 } query ? query.ToString() : request.Query["after_version"].ToString());
        if (text.Length == 0)
            return 0;
        return long.TryParse(text, NumberStyles.None, CultureInfo.InvariantCulture, out var version)
            ? version
            : throw Failure.Invalid(new FieldError(name, "Must be the version of the last view seen, a whole number."));
    }
}

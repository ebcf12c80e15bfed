using Commerce.Gateway.V1;
using Commerce.ServiceDefaults;
using Google.Protobuf;
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

    private static async Task Stream(string code, HttpContext http, Watches watches, AccessControl access, IOptions<GatewayOptions> options, TimeProvider time)
    {
        var cancellationToken = http.RequestAborted;
        access.Require(http, "/commerce.gateway.v1.LookupService/WatchLookup", new WatchLookupRequest { Code = code });
        // Before the response begins, so that a code that cannot be found is an error and not a silent stream.
        using var watch = await watches.Open(code, ServerSentEvents.AfterVersion(http.Request), cancellationToken);
        await ServerSentEvents.Begin(http, cancellationToken);
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
                    await ServerSentEvents.SayAlive(http.Response, cancellationToken);
                    continue;
                }

                if (await next is not { } view)
                    return;
                await ServerSentEvents.Write(http.Response, view.Version, "view", Json.Format(view), cancellationToken);
                next = watch.Next(cancellationToken);
            }
        }
        catch (OperationCanceledException) when (cancellationToken.IsCancellationRequested)
        {
            // The client left.
        }
    }
}

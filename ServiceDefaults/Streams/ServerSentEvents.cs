using System.Globalization;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Http.Features;

namespace Commerce.ServiceDefaults;

/// <summary>Streams on REST: JSON transcoding knows no streams of events.</summary>
public static class ServerSentEvents
{
    private const string ContentType = "text/event-stream";

    /// <summary>Whether they are what a response is made of.</summary>
    public static bool Are(HttpResponse response) => response.ContentType?.StartsWith(ContentType, StringComparison.Ordinal) == true;

    /// <summary>Begins the response.</summary>
    public static Task Begin(HttpContext http, CancellationToken cancellationToken)
    {
        http.Features.Get<IHttpResponseBodyFeature>()?.DisableBuffering();
        http.Response.ContentType = ContentType;
        http.Response.Headers.CacheControl = "no-store";
        // Says to a proxy of the nginx kind not to hold events back.
        http.Response.Headers["X-Accel-Buffering"] = "no";
        return http.Response.WriteAsync("retry: 2000\n\n", cancellationToken);
    }

    /// <summary>Writes an event. Its id is what a browser resumes after; 0: it has none, and resumes after the one before.</summary>
    public static Task Write(HttpResponse response, long version, string name, string json, CancellationToken cancellationToken) => response.WriteAsync(
        (version > 0 ? string.Create(CultureInfo.InvariantCulture, $"id: {version}\n") : "") + $"event: {name}\ndata: {json}\n\n", cancellationToken);

    /// <summary>A comment, so that nobody on the way takes an idle stream for a dead one.</summary>
    public static Task SayAlive(HttpResponse response, CancellationToken cancellationToken) => response.WriteAsync(": still here\n\n", cancellationToken);

    /// <summary>What the client has seen: the id of the last event, or the query's after_version; 0: nothing.</summary>
    /// <exception cref="Failure">INVALID_FIELD.</exception>
    public static long AfterVersion(HttpRequest request)
    {
        var (name, text) = request.Headers["Last-Event-ID"] is { Count: > 0 } header
            ? ("Last-Event-ID", header.ToString())
            : ("after_version", request.Query["afterVersion"] is { Count: > 0 } query ? query.ToString() : request.Query["after_version"].ToString());
        if (text.Length == 0)
            return 0;
        return long.TryParse(text, NumberStyles.None, CultureInfo.InvariantCulture, out var version)
            ? version
            : throw Failure.Invalid(new FieldError(name, "Must be the version of the last event seen, a whole number."));
    }
}

using System.Globalization;
using Commerce.Gateway.Access;
using Commerce.ServiceDefaults;
using Commerce.Types.V1;
using Microsoft.Extensions.Options;

namespace Commerce.Gateway.Limits;

/// <summary>Refuses a caller that asks for more than its share, before anything is done for the call. The caller is known by then.</summary>
internal sealed class RateLimiting(RequestDelegate next, RateLimits limits, OpenStreams streams, IOptions<LimitOptions> options, GatewayTelemetry telemetry)
{
    private static readonly TimeSpan TryStreamAgain = TimeSpan.FromSeconds(5);

    public Task Invoke(HttpContext http)
    {
        if (Principal.Established(http) is not { } principal || ApiMethods.Find(http.Request) is not { } method)
            return next(http);
        var caller = limits.Of(principal, http);
        var taken = caller[method.Class].Take();
        return taken.IsCompletedSuccessfully ? Go(http, method, caller, taken.Result) : Await(http, method, caller, taken);
    }

    private async Task Await(HttpContext http, ApiMethod method, LimitedCaller caller, ValueTask<Verdict> taken) => await Go(http, method, caller, await taken);

    private Task Go(HttpContext http, ApiMethod method, LimitedCaller caller, Verdict verdict)
    {
        if (!FailureAnswer.IsGrpc(http))
            Tell(http, caller[method.Class], method.Class, verdict);
        if (!verdict.Granted)
        {
            telemetry.Limited(NameOf(method.Class));
            return FailureAnswer.Write(http, TooMany(method.Class, caller[method.Class], verdict.RetryAfter));
        }

        return method.Streams ? Stream(http, method, caller) : next(http);
    }

    private async Task Stream(HttpContext http, ApiMethod method, LimitedCaller caller)
    {
        if (!caller.TryOpen(options.Value.OpenStreams))
        {
            telemetry.Limited("open");
            await FailureAnswer.Write(http, new Failure(ErrorReason.LimitReached, "This caller has as many streams open as one may have; close some, or watch several things by one look-up from time to time.")
            {
                Metadata = new Dictionary<string, string> { ["most"] = options.Value.OpenStreams.ToString(CultureInfo.InvariantCulture) },
                RetryAfter = TryStreamAgain,
            });
            return;
        }

        try
        {
            await streams.Serve(http, next, forwarded: method.Owner != PublicApi.Own);
        }
        finally
        {
            caller.Close();
        }
    }

    private static Failure TooMany(CallClass kind, Permits permits, TimeSpan after) => new(
        ErrorReason.RateLimited, string.Create(CultureInfo.InvariantCulture, $"This caller makes more {NameOf(kind)} calls than it may: {permits.PerSecond:0.###} a second, and {permits.Burst} at once after a pause."))
    {
        Metadata = new Dictionary<string, string>
        {
            ["limit"] = NameOf(kind),
            ["per_second"] = permits.PerSecond.ToString("0.###", CultureInfo.InvariantCulture),
            ["burst"] = permits.Burst.ToString(CultureInfo.InvariantCulture),
        },
        Quotas = [(NameOf(kind), string.Create(CultureInfo.InvariantCulture, $"{permits.PerSecond:0.###} calls a second"))],
        RetryAfter = after,
    };

    // draft-ietf-httpapi-ratelimit-headers: the quota of a window, what is left of it, and when all of it is back.
    private static void Tell(HttpContext http, Permits permits, CallClass kind, Verdict verdict)
    {
        var policy = $"\"{NameOf(kind)}\"";
        var window = Math.Max(1, (long)Math.Ceiling(permits.Burst / permits.PerSecond));
        var left = Math.Clamp(verdict.Remaining, 0, permits.Burst);
        var reset = verdict.Granted ? (permits.Burst - left) / permits.PerSecond : verdict.RetryAfter.TotalSeconds;
        // What refuses the call later begins its answer anew, and this goes with it all the same.
        http.Response.OnStarting(
            static state =>
            {
                var (response, policy, limit) = ((HttpResponse, string, string))state;
                response.Headers["RateLimit-Policy"] = policy;
                response.Headers["RateLimit"] = limit;
                return Task.CompletedTask;
            },
            (http.Response,
                string.Create(CultureInfo.InvariantCulture, $"{policy};q={permits.Burst};w={window}"),
                string.Create(CultureInfo.InvariantCulture, $"{policy};r={left};t={(long)Math.Ceiling(reset)}")));
    }

    internal static string NameOf(CallClass kind) => kind switch
    {
        CallClass.Read => "read",
        CallClass.Write => "write",
        CallClass.Search => "search",
        CallClass.Bulk => "bulk",
        _ => "watch",
    };
}

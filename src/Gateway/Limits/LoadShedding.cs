using System.Collections.Frozen;
using Commerce.ServiceDefaults;
using Commerce.Types.V1;
using Microsoft.Extensions.Options;

namespace Commerce.Gateway.Limits;

/// <summary>
/// Refuses calls while there is more to do than can be done in time, before anything is done for them, the least important first. It
/// also bounds how many calls wait for each of the services, so that one that hangs takes only its own callers down.
/// </summary>
internal sealed class LoadShedding(RequestDelegate next, LoadShedder load, IOptions<LimitOptions> options, GatewayTelemetry telemetry)
{
    // Of the calls that may wait for a service, how many of each importance or less, in percent.
    private static readonly int[] Shares = [50, 75, 90, 100];

    private static readonly FailureAnswer Overloaded = new(new Failure(
        ErrorReason.Overloaded, "There is more to do than can be done in time, and more important calls go first; try again a little later each time.")
    {
        RetryAfter = TimeSpan.FromSeconds(1),
    });

    private readonly int[] _most = [.. Shares.Select(share => Math.Max(1, options.Value.InFlight * share / 100))];
    private readonly FrozenDictionary<string, Service> _services =
        PassedOn.ToFrozenDictionary(owner => owner, _ => new Service(), StringComparer.Ordinal);

    private static IEnumerable<string> PassedOn => ApiMethods.All.Select(method => method.Owner).Distinct(StringComparer.Ordinal).Where(owner => owner is not ("gateway" or "operations"));

    public Task Invoke(HttpContext http)
    {
        if (ApiMethods.Find(http.Request) is not { } method)
            return next(http);
        if (load.Sheds(method.Importance))
            return Refuse(http, method, "queue");
        return method.Streams || !_services.TryGetValue(method.Owner, out var service) ? next(http) : PassOn(http, method, service);
    }

    private async Task PassOn(HttpContext http, ApiMethod method, Service service)
    {
        try
        {
            if (Interlocked.Increment(ref service.Waiting) > _most[(int)method.Importance])
                await Refuse(http, method, "in_flight");
            else
                await next(http);
        }
        finally
        {
            Interlocked.Decrement(ref service.Waiting);
        }
    }

    private Task Refuse(HttpContext http, ApiMethod method, string cause)
    {
        telemetry.Shed(method.Importance, cause);
        return Overloaded.Write(http);
    }

    private sealed class Service
    {
        public int Waiting;
    }
}

/// <summary>Puts it before everything of ours, the errors' middleware and the question of who calls included: what is refused must cost nothing.</summary>
internal sealed class LoadSheddingFilter : IStartupFilter
{
    public Action<IApplicationBuilder> Configure(Action<IApplicationBuilder> next) => app =>
    {
        app.UseMiddleware<LoadShedding>();
        next(app);
    };
}

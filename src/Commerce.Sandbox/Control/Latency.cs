using Commerce.Sandbox.Carriers;

namespace Commerce.Sandbox.Control;

/// <summary>The way to the outside world takes time: <c>latency_ms</c> before every call, that of the carrier which is called.</summary>
internal sealed class Latency(KnobBoard knobs, TimeProvider time) : IEndpointFilter
{
    public async ValueTask<object?> InvokeAsync(EndpointFilterInvocationContext context, EndpointFilterDelegate next)
    {
        var carrier = context.HttpContext.GetRouteValue("carrier") is string code ? CarrierProfiles.All.GetValueOrDefault(code) : null;
        var latency = knobs.Current.Of(carrier).LatencyMs;
        if (latency > 0) await Task.Delay(TimeSpan.FromMilliseconds(latency), time, context.HttpContext.RequestAborted);
        return await next(context);
    }
}

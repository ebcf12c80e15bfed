namespace Commerce.Sandbox.Control;

/// <summary>The way to the outside world takes time: <c>latency_ms</c> before every call.</summary>
internal sealed class Latency(KnobBoard knobs, TimeProvider time) : IEndpointFilter
{
    public async ValueTask<object?> InvokeAsync(EndpointFilterInvocationContext context, EndpointFilterDelegate next)
    {
        var latency = knobs.Current.LatencyMs;
        if (latency > 0) await Task.Delay(TimeSpan.FromMilliseconds(latency), time, context.HttpContext.RequestAborted);
        return await next(context);
    }
}

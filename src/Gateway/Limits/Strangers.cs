using Commerce.ServiceDefaults;
using Commerce.Types.V1;

namespace Commerce.Gateway.Limits;

/// <summary>
/// Bounds what an address may try with credentials that are not good. Who has one that was good before is never refused for it; whoever
/// shares the address and comes with one that this node has not seen waits until the trying ends.
/// </summary>
internal sealed class Strangers(RateLimits limits, GatewayTelemetry telemetry)
{
    private static readonly TimeSpan Soon = TimeSpan.FromSeconds(1);

    public static bool Is(Failure failure) => failure.Reason is ErrorReason.Unauthenticated or ErrorReason.CredentialExpired or ErrorReason.CredentialRevoked or ErrorReason.RateLimited;

    /// <exception cref="Failure">RATE_LIMITED: the address has tried too much.</exception>
    public void LetTry(HttpContext http)
    {
        if (limits.OfAddress(http).AsStranger.IsOver)
            throw TooMany(Soon);
    }

    /// <summary>Answers somebody with no good credential, and counts it.</summary>
    public async Task Answer(HttpContext http, Failure failure)
    {
        if (failure.Reason != ErrorReason.RateLimited && await limits.OfAddress(http).AsStranger.Take() is { Granted: false } verdict)
            failure = TooMany(verdict.RetryAfter);
        if (failure.Reason == ErrorReason.RateLimited)
            telemetry.Limited("strangers");
        await FailureAnswer.Write(http, failure);
    }

    private static Failure TooMany(TimeSpan after) => new(ErrorReason.RateLimited, "This address has tried too many credentials that are not good; wait, and send a good one.")
    {
        Metadata = new Dictionary<string, string> { ["limit"] = "strangers" },
        Quotas = [("strangers", "Credentials that are not good, from one address.")],
        RetryAfter = after,
    };
}

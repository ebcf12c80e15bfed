using System.ComponentModel.DataAnnotations;

namespace Commerce.Payments.Providers.Stripe;

/// <summary>
/// Section "Stripe"; validated on start where it has a key. Stripe is a provider only then. Its address is
/// "Outside:stripe:Address", by default https://api.stripe.com.
/// </summary>
public sealed class StripeOptions
{
    public const string Section = "Stripe";

    /// <summary>The secret key, "sk_…".</summary>
    [Required]
    public string ApiKey { get; set; } = "";

    /// <summary>What Stripe signs its webhooks with, "whsec_…", as its dashboard shows it.</summary>
    [Required(ErrorMessage = "Stripe:WebhookSecret is not set: give the signing secret of the webhook endpoint.")]
    [MinLength(8)]
    public string WebhookSecret { get; set; } = "";

    /// <summary>Where a shopper comes back to from what a bank asked of them.</summary>
    [Required]
    [Url]
    public string ReturnUrl { get; set; } = "https://example.com/paid";

    /// <summary>How far a webhook's time may be from ours, either way.</summary>
    [Range(typeof(TimeSpan), "00:00:01", "1.00:00:00")]
    public TimeSpan WebhookTolerance { get; set; } = TimeSpan.FromMinutes(5);
}

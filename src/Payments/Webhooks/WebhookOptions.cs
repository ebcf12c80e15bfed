using System.ComponentModel.DataAnnotations;

namespace Commerce.Payments.Webhooks;

/// <summary>Section "Webhooks"; validated on start.</summary>
public sealed class WebhookOptions
{
    /// <summary>What the Sandbox signs its webhooks with; "whsec_" and base64, or any text.</summary>
    [Required(ErrorMessage = "Webhooks:Secret is not set: give the secret that the provider signs its webhooks with.")]
    [MinLength(8)]
    public string Secret { get; set; } = "";
}

using System.ComponentModel.DataAnnotations;

namespace Commerce.Notifications.SendingMail;

/// <summary>Section "Smtp": where mails are handed over.</summary>
public sealed class SmtpOptions : IValidatableObject
{
    /// <summary>"host:port", or an address of scheme smtp, smtps or tcp. With smtps the connection is TLS from the start.</summary>
    [Required]
    public string Endpoint { get; set; } = "";

    public string UserName { get; set; } = "";

    public string Password { get; set; } = "";

    /// <summary>The sender of stores that have none of their own.</summary>
    [Required, EmailAddress]
    public string Sender { get; set; } = "orders@commerce.example";

    /// <summary>Connections kept at most.</summary>
    [Range(1, 64)]
    public int Connections { get; set; } = 8;

    /// <summary>A server that takes longer for a step did not answer.</summary>
    [Range(typeof(TimeSpan), "00:00:00.1", "00:02:00")]
    public TimeSpan Timeout { get; set; } = TimeSpan.FromSeconds(20);

    internal Uri Address => new(Endpoint.Contains("://", StringComparison.Ordinal) ? Endpoint : "smtp://" + Endpoint);

    public IEnumerable<ValidationResult> Validate(ValidationContext validationContext)
    {
        if (!Uri.TryCreate(Endpoint.Contains("://", StringComparison.Ordinal) ? Endpoint : "smtp://" + Endpoint, UriKind.Absolute, out var address) || address.Host.Length == 0)
            yield return new ValidationResult("Smtp:Endpoint must be \"host:port\", or an address such as smtp://host:port.", [nameof(Endpoint)]);
    }
}

using System.ComponentModel.DataAnnotations;
using Commerce.ServiceDefaults;

namespace Commerce.Notifications.SendingMail;

/// <summary>Section "Shoppers": the links in mails by which who got one opens the order.</summary>
public sealed class OrderLinkOptions : IValidatableObject
{
    public const string Section = "Shoppers";

    /// <summary>
    /// What stands before a link's own part: the Gateway's "https://api.shop.example/v1/track/links/", or a page that asks there, for
    /// example "https://shop.example/order#", behind whose "#" it is in no server's log. Empty: mails have no links.
    /// </summary>
    public string LinkAddress { get; set; } = "";

    /// <summary>What links are signed with: the Gateway's Shoppers:LinkKey, in the same form.</summary>
    public string LinkKey { get; set; } = "";

    /// <summary>How long a link is good.</summary>
    [Range(typeof(TimeSpan), "00:01:00", "400.00:00:00")]
    public TimeSpan LinkFor { get; set; } = TimeSpan.FromDays(60);

    public IEnumerable<ValidationResult> Validate(ValidationContext validationContext)
    {
        if (LinkAddress.Length == 0)
            yield break;
        if (!Uri.TryCreate(LinkAddress, UriKind.Absolute, out var uri) || uri.Scheme is not ("http" or "https"))
            yield return new ValidationResult($"{Section}:LinkAddress must be an http or https address, behind which the link is put.", [nameof(LinkAddress)]);
        if (!OrderLinks.AreSecrets(LinkKey))
            yield return new ValidationResult($"{Section}:LinkKey must be the Gateway's, of at least {AccessOptions.ShortestSecret} characters.", [nameof(LinkKey)]);
    }
}

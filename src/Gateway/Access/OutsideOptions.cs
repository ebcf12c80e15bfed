using System.ComponentModel.DataAnnotations;
using Microsoft.Extensions.Options;

namespace Commerce.Gateway.Access;

/// <summary>Who may call from outside, and how it is known: section "Access" of the configuration, beside the secrets of calls between services.</summary>
public sealed class OutsideOptions
{
    public const string Section = "Access";

    /// <summary>The issuers whose tokens (JWT) are good.</summary>
    public List<Issuer> Issuers { get; } = [];

    /// <summary>
    /// How long what is known of an API key is believed without asking the database again: the bound within which a key ends that
    /// was revoked while Redis could tell nobody.
    /// </summary>
    [Range(typeof(TimeSpan), "00:00:00.010", "00:05:00")]
    public TimeSpan KeyCacheFor { get; set; } = TimeSpan.FromSeconds(10);

    /// <summary>How often it is written down when a key was last used.</summary>
    [Range(typeof(TimeSpan), "00:00:00.050", "00:10:00")]
    public TimeSpan KeyUseEvery { get; set; } = TimeSpan.FromSeconds(30);

    /// <summary>An issuer of tokens: an OpenID Connect provider.</summary>
    public sealed class Issuer
    {
        /// <summary>Where its description lies: {Authority}/.well-known/openid-configuration. https, in development also http.</summary>
        [Required]
        public string Authority { get; set; } = "";

        /// <summary>What its tokens say as "iss", if that is not the authority.</summary>
        public string? Name { get; set; }

        /// <summary>What its tokens must say as "aud".</summary>
        [Required]
        public string Audience { get; set; } = "";

        /// <summary>Stands before the subject in the principal's id, where two issuers might have the same subject.</summary>
        public string Prefix { get; set; } = "";

        /// <summary>The claim with the roles, each of which stands for scopes.</summary>
        public string RoleClaim { get; set; } = "roles";

        /// <summary>The claim with scopes, several with spaces between.</summary>
        public string ScopeClaim { get; set; } = "scope";

        /// <summary>The claim with the ids of the stores that the subject is limited to; a token without it is of all stores.</summary>
        public string StoresClaim { get; set; } = "stores";

        internal string IssuerName => Name ?? Authority;
    }
}

/// <summary>What would let strangers in shows at the start.</summary>
internal sealed class OutsideOptionsCheck(IHostEnvironment environment) : IValidateOptions<OutsideOptions>
{
    public ValidateOptionsResult Validate(string? name, OutsideOptions options)
    {
        var failures = new List<string>();
        for (var i = 0; i < options.Issuers.Count; i++)
        {
            var issuer = options.Issuers[i];
            if (!Uri.TryCreate(issuer.Authority, UriKind.Absolute, out var uri) || uri.Scheme is not ("http" or "https"))
                failures.Add($"Access:Issuers:{i}:Authority must be an https URL.");
            // Whoever stands between could put keys of his own in the place of the issuer's.
            else if (uri.Scheme == "http" && !environment.IsDevelopment())
                failures.Add($"Access:Issuers:{i}:Authority must be https outside development.");
            if (issuer.Audience.Length == 0)
                failures.Add($"Access:Issuers:{i}:Audience is missing: a token for somebody else is not good here.");
        }

        if (options.Issuers.Select(issuer => issuer.IssuerName).Distinct(StringComparer.Ordinal).Count() < options.Issuers.Count)
            failures.Add("Access:Issuers has an issuer twice.");
        return failures.Count == 0 ? ValidateOptionsResult.Success : ValidateOptionsResult.Fail(failures);
    }
}

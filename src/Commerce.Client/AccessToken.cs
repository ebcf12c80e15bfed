namespace Commerce.Client;

/// <summary>A token as an issuer gives it out.</summary>
/// <param name="Value">What stands after "Bearer": a JWT or an API key.</param>
/// <param name="ExpiresAt">When it ends; a new one is asked for before. <see cref="DateTimeOffset.MaxValue"/>: never.</param>
public sealed record AccessToken(string Value, DateTimeOffset ExpiresAt)
{
    /// <summary>Without the value, so that no log gets it.</summary>
    public override string ToString() => $"AccessToken {{ ExpiresAt = {ExpiresAt:O} }}";
}

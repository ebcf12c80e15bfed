using Microsoft.Extensions.Options;

namespace Commerce.ServiceDefaults;

/// <summary>
/// Settings of the tokens between services, section "Access". Each pair of a caller and a called service has a secret of its own:
/// who verifies can also sign, so with one secret a caller every service could speak as the Gateway to every other.
/// </summary>
public sealed class AccessOptions
{
    public const string Section = "Access";

    /// <summary>The shortest secret, in characters.</summary>
    public const int ShortestSecret = 32;

    /// <summary>The services that this one calls, by name, with the secret that it signs with for each.</summary>
    public Dictionary<string, string> Services { get; } = new(StringComparer.Ordinal);

    /// <summary>
    /// The services that may call this one, by name, with the secret of each; two of them, separated by a space, while one is
    /// changed for the other.
    /// </summary>
    public Dictionary<string, string> Callers { get; } = new(StringComparer.Ordinal);

    /// <summary>The secrets in a setting that may hold two.</summary>
    public static string[] SecretsOf(string setting) => setting.Split(' ', StringSplitOptions.RemoveEmptyEntries);
}

/// <summary>A service that this one has a client of, and so needs a secret for.</summary>
/// <param name="Name">The service.</param>
/// <param name="Client">The generated class of the client.</param>
internal sealed record CalledService(string Name, Type Client);

/// <summary>What is missing or too weak shows at the start, not at the first call.</summary>
internal sealed class AccessOptionsCheck(IEnumerable<CalledService> called) : IValidateOptions<AccessOptions>
{
    public ValidateOptionsResult Validate(string? name, AccessOptions options)
    {
        var failures = new List<string>();
        foreach (var service in called.Select(one => one.Name).Distinct(StringComparer.Ordinal))
        {
            if (!options.Services.ContainsKey(service))
                failures.Add($"{AccessOptions.Section}:Services:{service} is missing: the secret with which this service calls {service}.");
        }

        foreach (var (service, secret) in options.Services)
        {
            if (!Strong(secret) || secret.Contains(' ', StringComparison.Ordinal))
                failures.Add($"{AccessOptions.Section}:Services:{service} must be one secret of at least {AccessOptions.ShortestSecret} characters.");
        }

        foreach (var (service, secrets) in options.Callers)
        {
            if (!ServiceScopes.All.ContainsKey(service))
                failures.Add($"{AccessOptions.Section}:Callers:{service} is no service; there are {string.Join(", ", ServiceScopes.All.Keys)}.");
            if (AccessOptions.SecretsOf(secrets) is not [_, ..] all || !all.All(Strong))
                failures.Add($"{AccessOptions.Section}:Callers:{service} must be secrets of at least {AccessOptions.ShortestSecret} characters.");
        }

        return failures.Count == 0 ? ValidateOptionsResult.Success : ValidateOptionsResult.Fail(failures);
    }

    private static bool Strong(string secret) => secret.Length >= AccessOptions.ShortestSecret;
}

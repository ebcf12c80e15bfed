using Commerce.ServiceDefaults;
using Commerce.Types.V1;
using Microsoft.IdentityModel.Protocols;
using Microsoft.IdentityModel.Protocols.OpenIdConnect;

namespace Commerce.Gateway.Access;

/// <summary>
/// What an issuer says of itself and its keys. It is asked again every hour, and at once for a token of a key that is not known,
/// though not more often than every few seconds: so a key is good from the first token that it signs. (The ConfigurationManager of
/// the library refreshes behind the call that needs it, which then fails.)
/// </summary>
internal sealed class IssuerKeys(OutsideOptions.Issuer issuer, IHttpClientFactory http, TimeProvider time) : IDisposable
{
    public const string Client = "issuers";

    private static readonly TimeSpan Lifetime = TimeSpan.FromHours(1);
    private static readonly TimeSpan Pause = TimeSpan.FromSeconds(5);

    private readonly SemaphoreSlim _gate = new(1, 1);
    private OpenIdConnectConfiguration? _known;
    private DateTimeOffset _askedAt;

    /// <summary>What is known now, not older than an hour while the issuer answers.</summary>
    /// <param name="unknownTo">A token is signed by a key that this does not have; null: none is.</param>
    /// <param name="cancellationToken">Cancels.</param>
    /// <exception cref="Failure">DEPENDENCY_UNAVAILABLE: the issuer never answered yet.</exception>
    public async ValueTask<OpenIdConnectConfiguration> Get(OpenIdConnectConfiguration? unknownTo, CancellationToken cancellationToken)
    {
        if (IsGood(unknownTo))
            return _known!;
        await _gate.WaitAsync(cancellationToken);
        try
        {
            if (!IsGood(unknownTo))
                await Ask(cancellationToken);
            return _known ?? throw new Failure(ErrorReason.DependencyUnavailable, "The issuer of this token does not answer; try again.") { RetryAfter = Pause };
        }
        finally
        {
            _gate.Release();
        }
    }

    public void Dispose() => _gate.Dispose();

    private bool IsGood(OpenIdConnectConfiguration? unknownTo)
    {
        var age = time.GetUtcNow() - _askedAt;
        return _known is not null && (age < Pause || age < Lifetime && (unknownTo is null || unknownTo != _known));
    }

    private async Task Ask(CancellationToken cancellationToken)
    {
        _askedAt = time.GetUtcNow();
        using var client = http.CreateClient(Client);
        var retriever = new HttpDocumentRetriever(client) { RequireHttps = issuer.Authority.StartsWith("https:", StringComparison.OrdinalIgnoreCase) };
        try
        {
            var told = await OpenIdConnectConfigurationRetriever.GetAsync(issuer.Authority.TrimEnd('/') + "/.well-known/openid-configuration", retriever, cancellationToken);
            // Somebody else's description would bring somebody else's keys.
            if (told.Issuer == issuer.IssuerName)
                _known = told;
        }
        // Whatever is wrong with it, what was known before is still the best there is.
        catch (Exception exception) when (exception is IOException or HttpRequestException or InvalidOperationException or ArgumentException or TaskCanceledException)
        {
            cancellationToken.ThrowIfCancellationRequested();
        }
    }
}

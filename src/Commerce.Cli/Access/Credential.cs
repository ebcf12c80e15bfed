using System.Net.Http.Json;
using System.Text.Json.Nodes;
using Commerce.Cli.Api;
using Grpc.Core;

namespace Commerce.Cli.Access;

/// <summary>
/// What commands call with: the token or API key in COMMERCE_TOKEN, or a token that the Sandbox of the suite gives, of the user of
/// the role that --as names. It is renewed before it ends, for a command may run for hours.
/// </summary>
internal sealed class Credential(Uri? sandbox) : IDisposable
{
    public const string Variable = "COMMERCE_TOKEN";

    /// <summary>Whom commands call as where --as says nothing else.</summary>
    public const string DefaultRole = "admin";

    private static readonly TimeSpan Reserve = TimeSpan.FromMinutes(5);

    private readonly SemaphoreSlim _gate = new(1, 1);
    private string? _token;
    private DateTimeOffset _renewAt;

    /// <summary>The role that --as names.</summary>
    public static string Role { get; set; } = DefaultRole;

    /// <summary>A token that is good for some minutes at least.</summary>
    /// <exception cref="SuiteNotRunningException">There is no Sandbox that gives one, and none in the environment.</exception>
    public async ValueTask<string> Get(CancellationToken cancellationToken)
    {
        if (Environment.GetEnvironmentVariable(Variable) is { Length: > 0 } given)
            return given;
        if (sandbox is null)
            throw new SuiteNotRunningException($"This suite has no Sandbox that signs people in: set {Variable} to a token of its issuer, or to an API key.");
        await _gate.WaitAsync(cancellationToken);
        try
        {
            if (_token is null || TimeProvider.System.GetUtcNow() >= _renewAt)
                await Renew(sandbox, cancellationToken);
            return _token!;
        }
        finally
        {
            _gate.Release();
        }
    }

    /// <summary>For a channel: every call has the token that is good then.</summary>
    public ChannelCredentials ForChannel(Uri address) => ChannelCredentials.Create(
        address.Scheme == Uri.UriSchemeHttps ? ChannelCredentials.SecureSsl : ChannelCredentials.Insecure,
        CallCredentials.FromInterceptor(async (context, metadata) => metadata.Add("Authorization", "Bearer " + await Get(context.CancellationToken))));

    public void Dispose() => _gate.Dispose();

    private async Task Renew(Uri sandbox, CancellationToken cancellationToken)
    {
        using var http = new HttpClient { BaseAddress = sandbox, Timeout = TimeSpan.FromSeconds(10) };
        using var form = new FormUrlEncodedContent(new Dictionary<string, string> { ["grant_type"] = "password", ["username"] = Role });
        using var answer = await http.PostAsync("/oidc/token", form, cancellationToken);
        var json = await answer.Content.ReadFromJsonAsync<JsonNode>(cancellationToken);
        if (!answer.IsSuccessStatusCode)
            throw new SuiteNotRunningException($"The Sandbox gives no token: {json?["detail"]}");
        _token = json!["access_token"]!.GetValue<string>();
        _renewAt = TimeProvider.System.GetUtcNow() + TimeSpan.FromSeconds(json["expires_in"]!.GetValue<int>()) - Reserve;
    }
}

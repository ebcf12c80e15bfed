using Commerce.ServiceDefaults;
using Grpc.Core;
using Grpc.Net.Client;

namespace Commerce.Testing;

/// <summary>
/// Calls as anybody: real tokens, signed by the Gateway with secrets of the tests. Every test host is given <see cref="Settings"/>,
/// and is called through <see cref="Channel"/> and <see cref="Client"/>, which are <see cref="Admin"/> where a call does not say
/// otherwise by <see cref="As(string, Principal)"/>.
/// </summary>
public static class TestAccess
{
    private static readonly string[] Services = [.. ServiceScopes.All.Keys];

    private static readonly TokenMinter Gateway = MinterOf("gateway");

    /// <summary>Somebody who may do everything.</summary>
    public static Principal Admin { get; } = new(PrincipalKind.Staff, "developer", ScopeSet.All);

    /// <summary>What a service needs of its configuration to be called, and to call others.</summary>
    public static IEnumerable<KeyValuePair<string, string?>> Settings(string service) => Services
        .SelectMany(other => new KeyValuePair<string, string?>[]
        {
            new($"Access:Services:{other}", Secret(service, other)),
            new($"Access:Callers:{other}", Secret(other, service)),
        });

    /// <summary>Makes the tokens of a service.</summary>
    public static TokenMinter MinterOf(string service) => new(service, Services.ToDictionary(other => other, other => Secret(service, other)));

    /// <summary>The secret with which one service calls another.</summary>
    public static string Secret(string caller, string called) => $"a secret of the tests, for {caller} to call {called}, and no other".Replace(' ', '-');

    /// <summary>From here on the running test is a call of this principal's, as if a service had let it in.</summary>
    public static void CallsAs(Principal principal) => principal.CallsByHand();

    /// <summary>The header of a call to a service for a principal, as the Gateway passes it on.</summary>
    public static Metadata As(string service, Principal principal) => new() { { TokenMinter.Header, Token(service, principal) } };

    /// <summary>The same for somebody by kind and id, for example "shopper/ada", who has been given every scope.</summary>
    public static Metadata As(string service, string principal) => As(service, Somebody(principal));

    /// <summary>The token of such a call.</summary>
    public static string Token(string service, Principal principal) => Gateway.For(principal, service);

    /// <summary>Somebody by kind and id, with every scope.</summary>
    public static Principal Somebody(string principal) => Principal.TryParse(principal, out var kind, out var id)
        ? new Principal(kind, id, ScopeSet.All)
        : throw new ArgumentException($"{principal} is no principal.", nameof(principal));

    /// <summary>gRPC to a service's own port.</summary>
    public static GrpcChannel Channel(Uri address, string service, Action<GrpcChannelOptions>? configure = null)
    {
        var options = new GrpcChannelOptions { HttpHandler = new TokenHandler(service), DisposeHttpClient = true };
        configure?.Invoke(options);
        return GrpcChannel.ForAddress(address, options);
    }

    /// <summary>REST to a service's own port.</summary>
    public static HttpClient Client(Uri address, string service) => new(new TokenHandler(service)) { BaseAddress = address };

    private sealed class TokenHandler(string service) : DelegatingHandler(new SocketsHttpHandler { EnableMultipleHttp2Connections = true })
    {
        protected override Task<HttpResponseMessage> SendAsync(HttpRequestMessage request, CancellationToken cancellationToken)
        {
            if (!request.Headers.Contains(TokenMinter.Header))
                request.Headers.Add(TokenMinter.Header, Token(service, Admin));
            return base.SendAsync(request, cancellationToken);
        }
    }
}

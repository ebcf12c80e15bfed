using Commerce.Cli.Api;
using Commerce.Cli.Suite;
using Commerce.NativeHosting.State;

namespace Commerce.Cli;

/// <summary>Where the suite that commands talk to answers.</summary>
/// <param name="Gateway">HTTP/1.1: REST, pages.</param>
/// <param name="GatewayGrpc">HTTP/2: gRPC.</param>
/// <param name="Sandbox">The outside world in development; null where there is none.</param>
internal sealed record SuiteConnection(Uri Gateway, Uri GatewayGrpc, Uri? Sandbox)
{
    /// <summary>The one named by COMMERCE_GATEWAY and COMMERCE_GATEWAY_GRPC, else the one that runs here.</summary>
    /// <exception cref="SuiteNotRunningException">Neither.</exception>
    public static SuiteConnection Find()
    {
        var gateway = Address("COMMERCE_GATEWAY");
        var grpc = Address("COMMERCE_GATEWAY_GRPC");
        var sandbox = Address("COMMERCE_SANDBOX");
        if (gateway is not null && grpc is not null)
            return new SuiteConnection(gateway, grpc, sandbox);
        if (gateway is not null || grpc is not null)
            throw new SuiteNotRunningException("COMMERCE_GATEWAY (http) and COMMERCE_GATEWAY_GRPC go together: set both.");

        if (Repository.UsesAspire)
        {
            // Aspire keeps the ports of the Kestrel sections in front of the processes.
            return new SuiteConnection(new Uri("http://localhost:8080"), new Uri("http://localhost:8081"), new Uri("http://localhost:5190"));
        }

        var state = Repository.State;
        if (!state.IsHeld() || RunInfo.Read(state.RunFile) is not { } run)
            throw new SuiteNotRunningException($"No suite runs here (state folder {state.Path}). Start it with './commerce up', or name one with COMMERCE_GATEWAY and COMMERCE_GATEWAY_GRPC.");
        return new SuiteConnection(
            Endpoint(run, "gateway", "http") ?? throw new SuiteNotRunningException("The suite that runs here has no gateway."),
            Endpoint(run, "gateway", "grpc") ?? throw new SuiteNotRunningException("The gateway that runs here has no endpoint 'grpc'."),
            sandbox ?? Endpoint(run, "sandbox", "http"));
    }

    private static Uri? Endpoint(RunInfo run, string resource, string endpoint) =>
        run.Find(resource)?.Endpoints.TryGetValue(endpoint, out var url) == true ? new Uri(url) : null;

    private static Uri? Address(string variable)
    {
        var value = Environment.GetEnvironmentVariable(variable);
        if (string.IsNullOrEmpty(value))
            return null;
        return Uri.TryCreate(value, UriKind.Absolute, out var uri) && uri.Scheme is ("http" or "https")
            ? uri
            : throw new SuiteNotRunningException($"{variable}='{value}' is not an http or https address.");
    }
}

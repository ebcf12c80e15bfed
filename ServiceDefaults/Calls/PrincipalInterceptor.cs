using Commerce.Types.V1;
using Grpc.Core;
using Microsoft.Extensions.Configuration;
using Microsoft.Extensions.Hosting;

namespace Commerce.ServiceDefaults;

/// <summary>
/// Establishes the caller from the header, which only the Gateway and the services themselves set: whatever stands before
/// them takes it away from outside calls.
/// </summary>
internal sealed class PrincipalInterceptor : CallInterceptor
{
    private readonly Principal? _default;

    public PrincipalInterceptor(IConfiguration configuration, IHostEnvironment environment)
    {
        if (configuration["Principal:Default"] is { Length: > 0 } configured)
        {
            _default = Principal.TryParse(configured, out var principal)
                ? principal
                : throw new InvalidOperationException($"Principal:Default must be kind/id, for example staff/developer, and is \"{configured}\".");
        }
        else if (environment.IsDevelopment())
        {
            _default = new Principal(PrincipalKind.Staff, "developer");
        }
    }

    protected override Task<T> Around<T>(ServerCallContext context, object? request, bool streams, Func<ServerCallContext, Task<T>> call)
    {
        // Health and reflection are asked by machinery that is nobody.
        if (!context.Method.StartsWith("/grpc.", StringComparison.Ordinal))
            context.UserState[Principal.Header] = Establish(context.RequestHeaders);
        return call(context);
    }

    private Principal Establish(Metadata headers)
    {
        string? text = null;
        foreach (var entry in headers)
        {
            if (entry.Key != Principal.Header || entry.IsBinary)
                continue;
            if (text is not null)
                throw new Failure(ErrorReason.Unauthenticated, $"The header {Principal.Header} is given more than once.");
            text = entry.Value;
        }

        if (text is null)
            return _default ?? throw new Failure(ErrorReason.Unauthenticated, $"No caller is known: the header {Principal.Header} is missing.");
        return Principal.TryParse(text, out var principal)
            ? principal
            : throw new Failure(ErrorReason.Unauthenticated, $"The header {Principal.Header} must be kind/id, for example shop/acme.");
    }
}

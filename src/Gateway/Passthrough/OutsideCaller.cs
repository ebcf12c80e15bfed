using Commerce.ServiceDefaults;
using Commerce.Types.V1;

namespace Commerce.Gateway.Passthrough;

/// <summary>
/// Says who calls from outside. Behind the Gateway the principal's header is believed, so none from outside passes: only in
/// development may a caller say who it is, or be the developer. Elsewhere there is a caller only if the configuration names
/// one (Principal:Default), and nobody is let in without.
/// </summary>
internal sealed class OutsideCaller(RequestDelegate next, IHostEnvironment environment, IConfiguration configuration)
{
    private readonly bool _believes = environment.IsDevelopment();
    private readonly string? _default = configuration["Principal:Default"] is { Length: > 0 } configured
        ? configured
        : environment.IsDevelopment() ? new Principal(PrincipalKind.Staff, "developer").ToString() : null;

    public Task Invoke(HttpContext http)
    {
        var headers = http.Request.Headers;
        if (!_believes || !headers.ContainsKey(Principal.Header))
        {
            headers.Remove(Principal.Header);
            if (_default is not null)
                headers[Principal.Header] = _default;
            else if (IsApi(http.Request.Path))
                throw new Failure(ErrorReason.Unauthenticated, "No caller is known, and nobody may call without being known.");
        }

        return next(http);
    }

    private static bool IsApi(PathString path) =>
        path.StartsWithSegments("/v1", StringComparison.OrdinalIgnoreCase) || path.Value?.StartsWith("/commerce.", StringComparison.OrdinalIgnoreCase) == true;
}

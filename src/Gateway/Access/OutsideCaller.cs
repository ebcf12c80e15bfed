using Commerce.ServiceDefaults;
using Commerce.Types.V1;

namespace Commerce.Gateway.Access;

/// <summary>
/// Finds out who calls from outside, by the token or the API key that comes with the call, before anything else is done for it.
/// What services show each other is not believed from outside.
/// </summary>
internal sealed class OutsideCaller(RequestDelegate next, Tokens tokens, ApiKeys keys)
{
    public const string KeyHeader = "x-api-key";

    private const string Bearer = "Bearer ";

    public Task Invoke(HttpContext http)
    {
        http.Request.Headers.Remove(TokenMinter.Header);
        if (!IsApi(http.Request.Path))
            return next(http);
        var principal = Verify(http);
        if (!principal.IsCompletedSuccessfully)
            return Await(http, principal);
        Principal.Establish(http, principal.GetAwaiter().GetResult());
        return next(http);
    }

    private async Task Await(HttpContext http, ValueTask<Principal> principal)
    {
        Principal.Establish(http, await principal);
        await next(http);
    }

    private ValueTask<Principal> Verify(HttpContext http)
    {
        var headers = http.Request.Headers;
        var (authorization, key) = (headers.Authorization, headers[KeyHeader]);
        if (authorization.Count + key.Count > 1)
            throw Nobody("Send one credential, once.");
        if (key.Count == 1)
            return keys.Verify(key[0] ?? "", http.RequestAborted);
        if (authorization.Count == 0 || authorization[0] is not { } text || !text.StartsWith(Bearer, StringComparison.OrdinalIgnoreCase))
            throw Nobody("Send a token of a known issuer or an API key as Authorization: Bearer.");
        var credential = text[Bearer.Length..];
        return ApiKey.IsOne(credential) ? keys.Verify(credential, http.RequestAborted) : tokens.Verify(credential, http.RequestAborted);
    }

    private static Failure Nobody(string whatToDo) => new(ErrorReason.Unauthenticated, "No caller is known. " + whatToDo);

    /// <summary>Whether a path is the API's, and asks who calls.</summary>
    public static bool IsApi(PathString path) =>
        path.StartsWithSegments("/v1", StringComparison.OrdinalIgnoreCase) || path.Value?.StartsWith("/commerce.", StringComparison.OrdinalIgnoreCase) == true;
}

/// <summary>
/// Puts it before everything but the error middleware: before routing, so that strangers do not learn what there is, and before the
/// developer's exception page, which would take its refusals for faults.
/// </summary>
internal sealed class OutsideCallerFilter : IStartupFilter
{
    public Action<IApplicationBuilder> Configure(Action<IApplicationBuilder> next) => app =>
    {
        app.UseMiddleware<OutsideCaller>();
        next(app);
    };
}

using Commerce.Gateway.Limits;
using Commerce.Gateway.Shoppers;
using Commerce.ServiceDefaults;
using Commerce.Types.V1;

namespace Commerce.Gateway.Access;

/// <summary>
/// Finds out who calls from outside, by the token, the API key or the order session that comes with the call, before anything else is done for it.
/// What services show each other is not believed from outside.
/// </summary>
internal sealed class OutsideCaller(RequestDelegate next, Tokens tokens, ApiKeys keys, OrderSessions sessions, Strangers strangers)
{
    public const string KeyHeader = "x-api-key";

    private const string Bearer = "Bearer ";

    public Task Invoke(HttpContext http)
    {
        http.Request.Headers.Remove(TokenMinter.Header);
        if (!ApiMethods.IsApi(http.Request.Path))
            return next(http);
        OpenPaths.Redact(http);
        ValueTask<Principal> principal;
        try
        {
            principal = Verify(http);
        }
        catch (Failure failure) when (Strangers.Is(failure))
        {
            return strangers.Answer(http, failure);
        }

        if (!principal.IsCompletedSuccessfully)
            return Await(http, principal);
        Principal.Establish(http, principal.GetAwaiter().GetResult());
        return next(http);
    }

    private async Task Await(HttpContext http, ValueTask<Principal> verified)
    {
        Principal principal;
        try
        {
            principal = await verified;
        }
        catch (Failure failure) when (Strangers.Is(failure))
        {
            await strangers.Answer(http, failure);
            return;
        }

        Principal.Establish(http, principal);
        await next(http);
    }

    private ValueTask<Principal> Verify(HttpContext http)
    {
        var headers = http.Request.Headers;
        var (authorization, key) = (headers.Authorization, headers[KeyHeader]);
        if (authorization.Count + key.Count > 1)
            throw Nobody("Send one credential, once.");
        if (authorization.Count + key.Count == 0 && OpenPaths.Contains(http.Request.Path))
            return ValueTask.FromResult(Principal.Stranger);
        if (key.Count == 1)
            return Verify(http, key[0] ?? "", isKey: true);
        if (authorization.Count == 0 || authorization[0] is not { } text || !text.StartsWith(Bearer, StringComparison.OrdinalIgnoreCase))
            throw Nobody("Send a token of a known issuer or an API key as Authorization: Bearer.");
        var credential = text[Bearer.Length..];
        if (OrderSessions.IsOne(credential))
            return ValueTask.FromResult(sessions.Verify(credential));
        return Verify(http, credential, ApiKey.IsOne(credential));
    }

    private ValueTask<Principal> Verify(HttpContext http, string credential, bool isKey)
    {
        // What is not remembered costs a signature or a look into the database.
        if (!(isKey ? keys.Knows(credential) : tokens.Knows(credential)))
            strangers.LetTry(http);
        return isKey ? keys.Verify(credential, http.RequestAborted) : tokens.Verify(credential, http.RequestAborted);
    }

    private static Failure Nobody(string whatToDo) => new(ErrorReason.Unauthenticated, "No caller is known. " + whatToDo);
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
        app.UseMiddleware<RateLimiting>();
        next(app);
    };
}

using Commerce.Gateway.Limits;
using Commerce.Gateway.Shoppers;
using Commerce.ServiceDefaults;

namespace Commerce.Gateway.Access;

/// <summary>
/// Finds out who calls from outside, by the token, the API key or the order session that comes with the call, before anything else is done for it.
/// What services show each other is not believed from outside.
/// </summary>
internal sealed class OutsideCaller(RequestDelegate next, Credentials credentials, Strangers strangers)
{
    public Task Invoke(HttpContext http)
    {
        http.Request.Headers.Remove(TokenMinter.Header);
        if (!ApiMethods.IsApi(http.Request.Path))
            return next(http);
        OpenPaths.Redact(http);
        ValueTask<Verified> verified;
        try
        {
            if (Credentials.Of(http.Request) is not { } credential)
            {
                Principal.Establish(http, OpenPaths.Contains(http.Request.Path) ? Principal.Stranger : throw Credentials.Missing());
                return next(http);
            }

            // What is not remembered costs a signature or a look into the database.
            if (!credentials.Knows(credential))
                strangers.LetTry(http);
            verified = credentials.Verify(credential, http.RequestAborted);
        }
        catch (Failure failure) when (Strangers.Is(failure))
        {
            return strangers.Answer(http, failure);
        }

        if (!verified.IsCompletedSuccessfully)
            return Await(http, verified);
        Principal.Establish(http, verified.GetAwaiter().GetResult().Principal);
        return next(http);
    }

    private async Task Await(HttpContext http, ValueTask<Verified> verified)
    {
        Principal principal;
        try
        {
            principal = (await verified).Principal;
        }
        catch (Failure failure) when (Strangers.Is(failure))
        {
            await strangers.Answer(http, failure);
            return;
        }

        Principal.Establish(http, principal);
        await next(http);
    }
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

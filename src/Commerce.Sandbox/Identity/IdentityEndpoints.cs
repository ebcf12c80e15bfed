using Commerce.Sandbox.Http;

namespace Commerce.Sandbox.Identity;

/// <summary>The provider's own paths, below <c>/oidc</c>.</summary>
internal static class IdentityEndpoints
{
    private static readonly string[] Algorithms = ["ES256"];

    public static void MapIdentity(this IEndpointRouteBuilder app)
    {
        var oidc = app.MapGroup("/oidc");
        oidc.MapGet("/.well-known/openid-configuration", (HttpRequest request) =>
        {
            var here = $"{request.Scheme}://{request.Host}/oidc";
            return Results.Json(new
            {
                issuer = IdentityProvider.Issuer,
                jwks_uri = here + "/jwks",
                token_endpoint = here + "/token",
                id_token_signing_alg_values_supported = Algorithms,
            });
        });
        oidc.MapGet("/jwks", (IdentityProvider identity) => Results.Json(new { keys = new[] { identity.PublicKey() } }));
        // RFC 6749 has a form; there is no password to know here.
        oidc.MapPost("/token", async (HttpRequest request, IdentityProvider identity) =>
        {
            var form = request.HasFormContentType ? await request.ReadFormAsync() : null;
            var role = form?["username"].ToString() is { Length: > 0 } given ? given : "admin";
            if (!IdentityProvider.Roles.Contains(role))
                throw Refusal.Unprocessable("unknown_user", $"There is no user {role}; there are {string.Join(", ", IdentityProvider.Roles)}.");
            var stores = form?["stores"].ToString().Split(',', StringSplitOptions.RemoveEmptyEntries | StringSplitOptions.TrimEntries);
            return Results.Json(new
            {
                access_token = identity.Token(role, stores is { Length: > 0 } ? stores : null),
                token_type = "Bearer",
                expires_in = (int)IdentityProvider.Lifetime.TotalSeconds,
            });
        });
    }
}

using System.Text;
using System.Text.Encodings.Web;
using System.Text.Json;

namespace Commerce.Gateway.OpenApi;

/// <summary>The API described, made once.</summary>
internal sealed class ApiDescription
{
    private static readonly JsonSerializerOptions Options = new() { WriteIndented = true, Encoder = JavaScriptEncoder.UnsafeRelaxedJsonEscaping };

    public string Json { get; } = OpenApiDocument.Build(Protos.Embedded()).ToJsonString(Options);

    public string Home { get; } = ReadHome();

    private static string ReadHome()
    {
        using var stream = typeof(ApiDescription).Assembly.GetManifestResourceStream("home.html")
            ?? throw new InvalidOperationException("The page is not embedded.");
        using var reader = new StreamReader(stream);
        return reader.ReadToEnd();
    }
}

/// <summary>Where the description is served: as OpenAPI for programs, as a page to try it on for people.</summary>
internal static class ApiDescriptionRoutes
{
    private const string Page = "/docs";

    public static void MapApiDescription(this WebApplication app)
    {
        app.MapGet("/openapi/v1.json", (ApiDescription api) => Results.Text(api.Json, "application/json", Encoding.UTF8));
        app.MapGet("/", (ApiDescription api) => Results.Text(api.Home, "text/html", Encoding.UTF8));
        app.Use((http, next) =>
        {
            // The page holds the token that somebody tries the API with: nothing but our own files runs in it, and it talks to us alone.
            if (http.Request.Path.StartsWithSegments(Page, StringComparison.Ordinal))
            {
                http.Response.Headers.ContentSecurityPolicy =
                    "default-src 'none'; script-src 'self'; style-src 'self' 'unsafe-inline'; img-src 'self' data:; connect-src 'self'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'";
            }

            return next(http);
        });
        app.UseSwaggerUI(ui =>
        {
            ui.RoutePrefix = Page[1..];
            ui.DocumentTitle = "Commerce: the API";
            ui.SwaggerEndpoint("/openapi/v1.json", "Commerce v1");
            ui.EnableTryItOutByDefault();
            ui.EnableFilter();
            ui.EnableDeepLinking();
            ui.DisplayRequestDuration();
            ui.DocExpansion(Swashbuckle.AspNetCore.SwaggerUI.DocExpansion.None);
            ui.DefaultModelsExpandDepth(0);
        });
    }
}

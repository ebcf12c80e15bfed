using System.Net;
using System.Text;
using System.Text.Encodings.Web;
using System.Text.Json;
using System.Text.Json.Nodes;

namespace Commerce.Gateway.OpenApi;

/// <summary>The API described, made once: as OpenAPI for programs, as pages for people.</summary>
internal sealed class ApiDescription
{
    private static readonly JsonSerializerOptions Options = new() { WriteIndented = true, Encoder = JavaScriptEncoder.UnsafeRelaxedJsonEscaping };

    public ApiDescription()
    {
        var document = OpenApiDocument.Build(Protos.Embedded());
        Json = document.ToJsonString(Options);
        Page = Frame("Commerce: the API", Operations(document));
        Home = Frame("Commerce", """
            <h1>Commerce</h1>
            <p>The front door of the suite: orders, payments, shipments, and the answer to “where is my order?” from an Order ID or a Tracking ID.</p>
            <ul>
              <li><a href="/docs">The API, operation by operation</a></li>
              <li><a href="/openapi/v1.json">OpenAPI 3.1 document</a></li>
              <li><a href="/health">Health</a></li>
            </ul>
            <p>Try <code>GET /v1/lookup/{code}</code> with either code, or <code>GET /v1/lookup/{code}:watch</code> to be told of every change.
            The same methods can be called over gRPC, which tells what it has by reflection in development.</p>
            """);
    }

    public string Json { get; }

    public string Page { get; }

    public string Home { get; }

    private static string Operations(JsonObject document)
    {
        var html = new StringBuilder("<h1>The API</h1><p>").Append(Text(document["info"]!["description"])).Append("</p><nav><ul>");
        foreach (var tag in document["tags"]!.AsArray())
            html.Append($"<li><a href=\"#{Text(tag!["name"])}\">{Text(tag["name"])}</a>: {Text(tag["description"])}</li>");
        html.Append("</ul></nav>");
        foreach (var tag in document["tags"]!.AsArray())
        {
            html.Append($"<h2 id=\"{Text(tag!["name"])}\">{Text(tag["name"])}</h2>");
            foreach (var (path, item) in document["paths"]!.AsObject())
            {
                foreach (var (verb, operation) in item!.AsObject().Where(one => one.Value!["tags"]![0]!.GetValue<string>() == tag["name"]!.GetValue<string>()))
                    Operation(html, verb, path, operation!);
            }
        }

        html.Append("<h2 id=\"schemas\">Schemas</h2>");
        foreach (var (name, schema) in document["components"]!["schemas"]!.AsObject())
        {
            html.Append($"<details id=\"{Encode(name)}\"><summary><code>{Encode(name)}</code></summary><p>{Text(schema!["description"]).Replace("\n", "<br>", StringComparison.Ordinal)}</p>");
            if (schema["properties"] is JsonObject properties)
                Rows(html, properties.Select(one => (one.Key, one.Value!, one.Value!["description"])));
            html.Append("</details>");
        }

        return html.ToString();
    }

    private static void Operation(StringBuilder html, string verb, string path, JsonNode operation)
    {
        html.Append($"<section><h3><code>{Encode(verb.ToUpperInvariant())} {Encode(path)}</code></h3><p>{Text(operation["description"])}</p>");
        if (operation["parameters"] is JsonArray parameters)
            Rows(html, parameters.Select(one => ($"{one!["name"]} ({one["in"]})", one["schema"]!, one["description"])));
        if (operation["requestBody"]?["content"]?["application/json"]?["schema"] is { } body)
            html.Append($"<p>Body: {Type(body)}</p>");
        if (operation["responses"]?["200"]?["content"] is JsonObject content)
            html.Append($"<p>Answer: {Type(content.First().Value!["schema"]!)}</p>");
        html.Append("</section>");
    }

    private static void Rows(StringBuilder html, IEnumerable<(string Name, JsonNode Schema, JsonNode? Description)> rows)
    {
        html.Append("<table>");
        foreach (var (name, schema, description) in rows)
            html.Append($"<tr><th scope=\"row\"><code>{Encode(name)}</code></th><td>{Type(schema)}</td><td>{Text(description)}</td></tr>");
        html.Append("</table>");
    }

    private static string Type(JsonNode schema)
    {
        if (schema["$ref"]?.GetValue<string>() is { } reference)
        {
            var name = Encode(reference[(reference.LastIndexOf('/') + 1)..]);
            return $"<a href=\"#{name}\">{name}</a>";
        }

        return schema["items"] is { } items ? "list of " + Type(items)
            : Text(schema["type"]) + (schema["format"] is { } format ? $" ({Text(format)})" : "");
    }

    private static string Text(JsonNode? node) => Encode(node?.GetValue<string>() ?? "");

    private static string Encode(string text) => WebUtility.HtmlEncode(text);

    private static string Frame(string title, string body)
    {
        using var stream = typeof(ApiDescription).Assembly.GetManifestResourceStream("docs.html")
            ?? throw new InvalidOperationException("The page is not embedded.");
        using var reader = new StreamReader(stream);
        return reader.ReadToEnd().Replace("{{title}}", title, StringComparison.Ordinal).Replace("{{body}}", body, StringComparison.Ordinal);
    }
}

/// <summary>Where the description is served.</summary>
internal static class ApiDescriptionRoutes
{
    public static void MapApiDescription(this IEndpointRouteBuilder routes)
    {
        routes.MapGet("/openapi/v1.json", (ApiDescription api) => Results.Text(api.Json, "application/json", Encoding.UTF8));
        routes.MapGet("/docs", (ApiDescription api) => Results.Text(api.Page, "text/html", Encoding.UTF8));
        routes.MapGet("/", (ApiDescription api) => Results.Text(api.Home, "text/html", Encoding.UTF8));
    }
}

using System.Net.Http.Json;
using System.Text;
using System.Text.Json.Nodes;
using Commerce.Sandbox.Mailbox;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Hosting;
using Microsoft.Extensions.Configuration;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Logging;

namespace Commerce.Sandbox.Tests;

/// <summary>The Sandbox in this process, on free ports, with books of its own.</summary>
internal sealed class SandboxApp : IAsyncDisposable
{
    private readonly WebApplication _app;
    private readonly string _directory;

    private SandboxApp(WebApplication app, string directory)
    {
        _app = app;
        _directory = directory;
        Http = new SandboxClient(new Uri(app.Urls.Single()));
    }

    public SandboxClient Http { get; }

    public int SmtpPort => _app.Services.GetRequiredService<MailboxServer>().Port;

    public static async Task<SandboxApp> StartAsync(WebhookReceiver? receiver = null, params (string Name, string Value)[] settings)
    {
        // A folder that does not exist yet: the Sandbox makes it.
        var directory = Path.Combine(Path.GetTempPath(), $"sandbox-{Guid.NewGuid():N}", "books");
        var builder = WebApplication.CreateBuilder(new WebApplicationOptions { ContentRootPath = Path.GetTempPath() });
        builder.Configuration.AddInMemoryCollection(new Dictionary<string, string?>
        {
            ["Sandbox:DataDirectory"] = directory,
            ["Sandbox:Smtp:Port"] = "0",
            ["Sandbox:Knobs:day_seconds"] = "0.2",
            ["Sandbox:Knobs:pending_delay_seconds"] = "0.1",
            ["Webhooks:Secret"] = WebhookReceiver.Secret,
            ["services:shipments:http:0"] = receiver?.Url,
            ["services:payments:http:0"] = receiver?.Url,
        });
        builder.Configuration.AddInMemoryCollection(settings.Select(s => KeyValuePair.Create(s.Name, (string?)s.Value)));
        builder.Logging.ClearProviders();
        builder.WebHost.UseUrls("http://127.0.0.1:0");
        builder.AddSandbox();
        var app = builder.Build();
        app.MapSandbox();
        await app.StartAsync();
        return new SandboxApp(app, directory);
    }

    public async ValueTask DisposeAsync()
    {
        Http.Dispose();
        await _app.StopAsync();
        await _app.DisposeAsync();
        Directory.Delete(Path.GetDirectoryName(_directory)!, recursive: true);
    }
}

/// <summary>What callers of the Sandbox do, in few words.</summary>
internal sealed class SandboxClient(Uri at) : IDisposable
{
    public HttpClient Raw { get; } = new() { BaseAddress = at, Timeout = TimeSpan.FromSeconds(30) };

    public static JsonObject Amount(long minor, string currency = "BRL") => new() { ["currency"] = currency, ["minor"] = minor };

    public static JsonObject Authorization(string reference, string token = "tok_ok", long minor = 10_000) => new()
    {
        ["reference"] = reference,
        ["amount"] = Amount(minor),
        ["method"] = new JsonObject { ["type"] = "card", ["token"] = token },
        ["installments"] = 3,
    };

    public static JsonObject Lane(long grams = 650) => new()
    {
        ["ship_from"] = new JsonObject { ["postal_code"] = "14409", ["region"] = "SP", ["country_code"] = "BR", ["city"] = "Franca" },
        ["ship_to"] = new JsonObject
        {
            ["name"] = "Maria",
            ["street_lines"] = new JsonArray("Rua 1"),
            ["postal_code"] = "69005",
            ["region"] = "AM",
            ["country_code"] = "BR",
            ["city"] = "Manaus",
        },
        ["parcel"] = new JsonObject { ["weight_grams"] = grams, ["length_mm"] = 280, ["width_mm"] = 90, ["height_mm"] = 140 },
        ["value"] = Amount(5890),
    };

    public static JsonObject Label(string reference, string service = "ground", string? order = null)
    {
        var label = Lane();
        label["reference"] = reference;
        label["order_reference"] = order ?? reference;
        label["service"] = service;
        return label;
    }

    public async Task<(int Status, JsonNode Body)> SendAsync(HttpMethod method, string path, string? body = null, string? key = null, CancellationToken stop = default)
    {
        using var request = new HttpRequestMessage(method, path);
        if (body is not null) request.Content = new StringContent(body, Encoding.UTF8, "application/json");
        if (key is not null) request.Headers.Add("Idempotency-Key", key);
        using var response = await Raw.SendAsync(request, stop);
        var text = await response.Content.ReadAsStringAsync(stop);
        return ((int)response.StatusCode, text.Length > 0 ? JsonNode.Parse(text)! : new JsonObject());
    }

    public Task<(int Status, JsonNode Body)> PostAsync(string path, JsonObject body, string? key = null, CancellationToken stop = default) =>
        SendAsync(HttpMethod.Post, path, body.ToJsonString(), key, stop);

    public async Task<JsonNode> GetAsync(string path) => (await Raw.GetFromJsonAsync<JsonNode>(path))!;

    public async Task TurnAsync(string json)
    {
        var (status, body) = await SendAsync(HttpMethod.Patch, "/control/knobs", json);
        Assert.True(status == 200, body.ToJsonString());
    }

    public void Dispose() => Raw.Dispose();
}

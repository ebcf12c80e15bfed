using System.Net.Http.Headers;
using System.Net.Http.Json;
using System.Text;
using System.Text.Json.Nodes;
using Commerce.Facts;

namespace Commerce.SystemTests;

/// <summary>Hears every fact on the broker beside its subscribers, and can have it delivered to them once more, as it was.</summary>
internal sealed class FactTap : IAsyncDisposable
{
    private const string Host = "%2F";

    private readonly HttpClient _broker;
    private readonly string _queue = $"tap-{Guid.NewGuid():N}";

    private FactTap(HttpClient broker) => _broker = broker;

    public static async Task<FactTap> Open(Suite suite)
    {
        var broker = suite.Run.Find("messaging")!;
        var client = new HttpClient { BaseAddress = new Uri(broker.Endpoints["management"]) };
        client.DefaultRequestHeaders.Authorization = new AuthenticationHeaderValue(
            "Basic", Convert.ToBase64String(Encoding.UTF8.GetBytes(Uri.UnescapeDataString(new Uri(broker.ConnectionString!).UserInfo))));
        var tap = new FactTap(client);
        await tap.Send(HttpMethod.Put, $"/api/queues/{Host}/{tap._queue}", new JsonObject { ["durable"] = true, ["auto_delete"] = false });
        foreach (var exchange in Subscriptions.All.SelectMany(subscription => subscription.Facts).Distinct().Select(ExchangeOf))
            await tap.Send(HttpMethod.Post, $"/api/bindings/{Host}/e/{exchange}/q/{tap._queue}", new JsonObject { ["routing_key"] = "" });
        return tap;
    }

    /// <summary>Delivers every fact of an order that was heard so far again: the same message, with the same id. Tells how many.</summary>
    public async Task<int> Redeliver(string orderId)
    {
        var heard = await Send(HttpMethod.Post, $"/api/queues/{Host}/{_queue}/get", new JsonObject { ["count"] = 10_000, ["ackmode"] = "ack_requeue_false", ["encoding"] = "auto" });
        var own = heard!.AsArray().Where(message => message!["payload"]!.GetValue<string>().Contains(orderId, StringComparison.Ordinal)).ToList();
        foreach (var message in own)
        {
            var routed = await Send(HttpMethod.Post, $"/api/exchanges/{Host}/{message!["exchange"]!.GetValue<string>()}/publish", new JsonObject
            {
                ["properties"] = message["properties"]!.DeepClone(),
                ["routing_key"] = message["routing_key"]!.DeepClone(),
                ["payload"] = message["payload"]!.DeepClone(),
                ["payload_encoding"] = message["payload_encoding"]!.DeepClone(),
            });
            Assert.True(routed!["routed"]!.GetValue<bool>());
        }

        return own.Count;
    }

    public async ValueTask DisposeAsync()
    {
        await Send(HttpMethod.Delete, $"/api/queues/{Host}/{_queue}", null);
        _broker.Dispose();
    }

    // A fanout exchange a fact, named as the fact in kebab case.
    private static string ExchangeOf(Type fact) => string.Concat(
        fact.Name.Select((c, i) => char.IsUpper(c) ? (i == 0 ? "" : "-") + char.ToLowerInvariant(c) : c.ToString()));

    private async Task<JsonNode?> Send(HttpMethod method, string path, JsonNode? body)
    {
        using var request = new HttpRequestMessage(method, path) { Content = body is null ? null : JsonContent.Create(body) };
        using var response = await _broker.SendAsync(request);
        var text = await response.Content.ReadAsStringAsync();
        Assert.True(response.IsSuccessStatusCode, $"{method} {path}: {(int)response.StatusCode} {text}");
        return text.Length == 0 ? null : JsonNode.Parse(text);
    }
}

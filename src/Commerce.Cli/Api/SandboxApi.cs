using System.Net.Http.Json;
using System.Text.Json;
using System.Text.Json.Nodes;

namespace Commerce.Cli.Api;

/// <summary>Steers the Sandbox and reads its books (it answers for the outside world, so it is what a replay is judged by).</summary>
internal sealed class SandboxApi(Uri address) : IDisposable
{
    private static readonly JsonSerializerOptions Json = new() { PropertyNamingPolicy = JsonNamingPolicy.SnakeCaseLower };
    private readonly HttpClient _http = new() { BaseAddress = address, Timeout = TimeSpan.FromSeconds(60) };

    public Uri Address => address;

    public async Task<JsonObject> Knobs(CancellationToken cancellationToken) =>
        await _http.GetFromJsonAsync<JsonObject>("/control/knobs", cancellationToken) ?? [];

    public async Task SetKnobs(object knobs, CancellationToken cancellationToken)
    {
        using var content = JsonContent.Create(knobs, options: Json);
        using var response = await _http.PatchAsync("/control/knobs", content, cancellationToken);
        response.EnsureSuccessStatusCode();
    }

    /// <summary>How the journeys of these orders' parcels are to end.</summary>
    public async Task SetScenarios(IReadOnlyDictionary<string, Scenario> scenarios, CancellationToken cancellationToken)
    {
        using var response = await _http.PutAsJsonAsync("/control/scenarios", new { scenarios }, Json, cancellationToken);
        response.EnsureSuccessStatusCode();
    }

    public async Task<BookSummary> Summary(CancellationToken cancellationToken) =>
        await _http.GetFromJsonAsync<BookSummary>("/books/summary", Json, cancellationToken) ?? throw new HttpRequestException("The Sandbox's books are empty.");

    public void Dispose() => _http.Dispose();

    internal sealed record Scenario(string EndsAt);

    internal sealed record BookSummary(
        long Authorizations,
        IReadOnlyDictionary<string, long> Captured,
        IReadOnlyDictionary<string, long> Refunded,
        long Labels,
        long VoidedLabels,
        long Mails,
        long DuplicateMails,
        long WebhooksPending);
}

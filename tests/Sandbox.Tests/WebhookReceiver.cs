using System.Globalization;
using System.Security.Cryptography;
using System.Text;
using System.Text.Json.Nodes;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Hosting;
using Microsoft.AspNetCore.Http;
using Microsoft.Extensions.Logging;

namespace Commerce.Sandbox.Tests;

/// <summary>A webhook that was received and whose signature is right.</summary>
internal sealed record Received(string Path, string Id, JsonNode Body)
{
    public IEnumerable<JsonNode> Events => Body["events"]!.AsArray()!;
}

/// <summary>The suite's side of the webhooks: checks signatures, keeps what came, refuses when told to.</summary>
internal sealed class WebhookReceiver : IAsyncDisposable
{
    public const string Secret = "whsec_for_tests";

    private readonly Lock _lock = new();
    private readonly List<Received> _received = [];
    private WebApplication? _app;
    private TaskCompletionSource _more = new(TaskCreationOptions.RunContinuationsAsynchronously);

    public string Url { get; private set; } = "";

    public int BadSignatures { get; private set; }

    /// <summary>How many of the next webhooks are refused with 503.</summary>
    public int RefuseNext { get; set; }

    public IReadOnlyList<Received> All
    {
        get
        {
            lock (_lock) return [.. _received];
        }
    }

    public static async Task<WebhookReceiver> StartAsync(int port = 0)
    {
        var receiver = new WebhookReceiver();
        // Elsewhere than the output folder, where the appsettings of the Sandbox lie.
        var builder = WebApplication.CreateSlimBuilder(new WebApplicationOptions { ContentRootPath = Path.GetTempPath() });
        builder.Logging.ClearProviders();
        builder.WebHost.UseUrls($"http://127.0.0.1:{port}");
        receiver._app = builder.Build();
        receiver._app.Run(receiver.TakeAsync);
        await receiver._app.StartAsync();
        receiver.Url = receiver._app.Urls.Single();
        return receiver;
    }

    public async Task<IReadOnlyList<Received>> WaitAsync(Func<IReadOnlyList<Received>, bool> enough, string what)
    {
        using var bound = new CancellationTokenSource(TimeSpan.FromSeconds(30));
        while (true)
        {
            Task more;
            lock (_lock)
            {
                if (enough(_received)) return [.. _received];
                more = _more.Task;
            }

            try
            {
                await more.WaitAsync(bound.Token);
            }
            catch (OperationCanceledException)
            {
                Assert.Fail($"{what} did not arrive in 30 s; there were {All.Count} webhooks: {string.Join(" | ", All.Select(r => r.Body.ToJsonString()).TakeLast(5))}");
            }
        }
    }

    public Task<IReadOnlyList<Received>> WaitForScanAsync(string trackingNumber, string hint) =>
        WaitAsync(all => Scans(all, trackingNumber).Any(e => (string)e["status_hint"]! == hint), $"{hint} of {trackingNumber}");

    public static IEnumerable<JsonNode> Scans(IEnumerable<Received> all, string trackingNumber) =>
        all.Where(r => r.Body["events"] is not null).SelectMany(r => r.Events).Where(e => (string)e["tracking_number"]! == trackingNumber);

    public async ValueTask DisposeAsync()
    {
        await _app!.StopAsync();
        await _app.DisposeAsync();
    }

    private async Task TakeAsync(HttpContext context)
    {
        using var body = new MemoryStream();
        await context.Request.Body.CopyToAsync(body);
        var bytes = body.ToArray();
        var id = context.Request.Headers["Webhook-Id"].ToString();
        var timestamp = context.Request.Headers["Webhook-Timestamp"].ToString();
        var signed = Encoding.UTF8.GetBytes($"{id}.{timestamp}.").Concat(bytes).ToArray();
        var expected = "v1," + Convert.ToBase64String(HMACSHA256.HashData(Encoding.UTF8.GetBytes(Secret), signed));
        var age = TimeProvider.System.GetUtcNow().ToUnixTimeSeconds() - long.Parse(timestamp, CultureInfo.InvariantCulture);
        lock (_lock)
        {
            if (RefuseNext > 0)
            {
                RefuseNext--;
                context.Response.StatusCode = 503;
                return;
            }

            if (expected != context.Request.Headers["Webhook-Signature"].ToString() || Math.Abs(age) > 300) BadSignatures++;
            _received.Add(new Received(context.Request.Path, id, JsonNode.Parse(bytes)!));
            _more.TrySetResult();
            _more = new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously);
        }
    }
}

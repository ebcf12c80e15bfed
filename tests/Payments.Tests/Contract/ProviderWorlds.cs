using System.Collections.Concurrent;
using Commerce.Payments.Providers;
using Commerce.Payments.Providers.Sandbox;
using Commerce.Payments.Providers.Stripe;
using Commerce.Payments.Webhooks;
using Commerce.Sandbox;
using Commerce.Testing;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Hosting;
using Microsoft.AspNetCore.Http;
using Microsoft.Extensions.Configuration;
using Microsoft.Extensions.Logging;
using Microsoft.Extensions.Options;

namespace Commerce.Payments.Tests.Contract;

/// <summary>A provider as we talk to it, and the handles of the world behind it.</summary>
internal interface IProviderWorld
{
    IPaymentProvider Provider { get; }

    /// <summary>Tokens of means that are good, that are declined for insufficient funds, and that wait for the shopper.</summary>
    (string Good, string Declined, string Waiting) Tokens { get; }

    Task Ready { get; }

    /// <summary>Whether answers are lost after the work was done.</summary>
    Task LoseAnswers(bool lose);

    /// <summary>The shopper of an order's waiting parts pays.</summary>
    Task Pay(string orderId);

    /// <summary>Every webhook that was sent so far, as it was sent.</summary>
    IReadOnlyList<(IHeaderDictionary Headers, byte[] Body)> Webhooks { get; }
}

/// <summary>A client of the same address each time.</summary>
internal sealed class OneAddress(Func<string> address) : IHttpClientFactory
{
    /// <summary>Answers that do not come within this time are lost.</summary>
    public TimeSpan Timeout { get; set; } = TimeSpan.FromSeconds(30);

    public HttpClient CreateClient(string name) => new() { BaseAddress = new Uri(address()), Timeout = Timeout };
}

/// <summary>Stripe, played by <see cref="FakeStripe"/>.</summary>
public sealed class StripeWorld : IProviderWorld, IAsyncDisposable
{
    internal const string Secret = "whsec_of_the_tests";

    private readonly Lazy<Task> _started;

    public StripeWorld()
    {
        Stripe = new FakeStripe(Secret);
        _started = new Lazy<Task>(Stripe.Start);
        Provider = ProviderAt(TimeProvider.System);
    }

    internal FakeStripe Stripe { get; }

    internal IPaymentProvider Provider { get; }

    IPaymentProvider IProviderWorld.Provider => Provider;

    (string Good, string Declined, string Waiting) IProviderWorld.Tokens => ("pm_card_visa", "pm_card_visa_chargeDeclinedInsufficientFunds", "pm_card_authenticationRequired");

    public Task Ready => _started.Value;

    IReadOnlyList<(IHeaderDictionary Headers, byte[] Body)> IProviderWorld.Webhooks => [.. Stripe.Events.Select(e => ((IHeaderDictionary)e.Headers, e.Body))];

    Task IProviderWorld.LoseAnswers(bool lose)
    {
        Stripe.LosesAnswers = lose;
        return Task.CompletedTask;
    }

    Task IProviderWorld.Pay(string orderId)
    {
        Stripe.Decide(orderId, pays: true);
        return Task.CompletedTask;
    }

    public ValueTask DisposeAsync() => Stripe.DisposeAsync();

    internal IPaymentProvider ProviderAt(TimeProvider time) => new StripeProvider(
        new OneAddress(() => Stripe.Url),
        new OptionsWrapper<StripeOptions>(new StripeOptions { ApiKey = "sk_test_x", WebhookSecret = Secret, ReturnUrl = "https://shop.example/back" }),
        time);
}

/// <summary>The Sandbox's provider, as it runs.</summary>
public sealed class SandboxWorld : IProviderWorld, IAsyncDisposable
{
    private const string Secret = "a secret of the tests";

    private readonly Lazy<Task> _started;
    private readonly OneAddress _address;
    private readonly ConcurrentQueue<(IHeaderDictionary Headers, byte[] Body)> _webhooks = [];
    private readonly string _directory = Path.Combine(Path.GetTempPath(), $"contract-sandbox-{Guid.NewGuid():N}");
    private WebApplication? _receiver;
    private WebApplication? _sandbox;

    public SandboxWorld()
    {
        _started = new Lazy<Task>(Start);
        _address = new OneAddress(() => _sandbox!.Urls.First());
        Provider = new SandboxProvider(_address, new OptionsWrapper<WebhookOptions>(new WebhookOptions { Secret = Secret }), TimeProvider.System);
    }

    internal IPaymentProvider Provider { get; }

    IPaymentProvider IProviderWorld.Provider => Provider;

    (string Good, string Declined, string Waiting) IProviderWorld.Tokens => ("tok_ok", "tok_insufficient_funds", "tok_pending");

    public Task Ready => _started.Value;

    IReadOnlyList<(IHeaderDictionary Headers, byte[] Body)> IProviderWorld.Webhooks => [.. _webhooks];

    async Task IProviderWorld.LoseAnswers(bool lose)
    {
        // It hangs over an answer that it loses.
        _address.Timeout = TimeSpan.FromSeconds(lose ? 2 : 30);
        using var client = new HttpClient { BaseAddress = new Uri(_sandbox!.Urls.First()) };
        using var knobs = new StringContent($$"""{"payment_timeout_after_success_rate":{{(lose ? 1 : 0)}}}""", System.Text.Encoding.UTF8, "application/json");
        using var answer = await client.PatchAsync("/control/knobs", knobs);
        Assert.True(answer.IsSuccessStatusCode);
    }

    // It resolves by itself, soon.
    async Task IProviderWorld.Pay(string orderId) => await Eventually.True(
        async () => await Provider.FindByKey($"{orderId}/1/authorise", CancellationToken.None) is { Status: AuthorisationStatus.Authorised });

    public async ValueTask DisposeAsync()
    {
        if (_sandbox is not null)
            await _sandbox.DisposeAsync();
        if (_receiver is not null)
            await _receiver.DisposeAsync();
        if (Directory.Exists(_directory))
            Directory.Delete(_directory, recursive: true);
    }

    private async Task Start()
    {
        var receiver = WebApplication.CreateBuilder(new WebApplicationOptions { ContentRootPath = Path.GetTempPath() });
        receiver.Logging.ClearProviders();
        receiver.WebHost.UseUrls("http://127.0.0.1:0");
        _receiver = receiver.Build();
        _receiver.MapPost("/webhooks/payments/sandbox", async (HttpRequest request) =>
        {
            using var body = new MemoryStream();
            await request.Body.CopyToAsync(body);
            _webhooks.Enqueue((new HeaderDictionary(request.Headers.ToDictionary(h => h.Key, h => h.Value, StringComparer.OrdinalIgnoreCase)), body.ToArray()));
            return Results.NoContent();
        });
        await _receiver.StartAsync();

        var sandbox = WebApplication.CreateBuilder(new WebApplicationOptions { ContentRootPath = Path.GetTempPath() });
        sandbox.Configuration.AddInMemoryCollection(new Dictionary<string, string?>
        {
            ["Sandbox:DataDirectory"] = _directory,
            ["Sandbox:Smtp:Port"] = "0",
            ["Sandbox:Knobs:pending_delay_seconds"] = "1",
            ["Webhooks:Secret"] = Secret,
            ["services:payments:http:0"] = _receiver.Urls.First(),
        });
        sandbox.Logging.ClearProviders();
        sandbox.WebHost.UseUrls("http://127.0.0.1:0");
        sandbox.AddSandbox();
        _sandbox = sandbox.Build();
        _sandbox.MapSandbox();
        await _sandbox.StartAsync();
    }
}

using Commerce.Testing;
using static Commerce.Sandbox.Tests.SandboxClient;

namespace Commerce.Sandbox.Tests;

public sealed class WebhookTests
{
    private const string Authorizations = "/payments/v1/authorizations";

    [Fact]
    public async Task A_refused_webhook_comes_again_under_the_same_id()
    {
        await using var receiver = await WebhookReceiver.StartAsync();
        receiver.RefuseNext = 2;
        await using var sandbox = await SandboxApp.StartAsync(receiver);
        await sandbox.Http.PostAsync(Authorizations, Authorization("r"));
        var all = await receiver.WaitAsync(r => r.Count == 1, "the webhook that was refused twice");
        Assert.Equal(all[0].Id, (string?)all[0].Body["id"]);
        Assert.Equal(0, receiver.RefuseNext);
        await Eventually.True(async () => (int)(await sandbox.Http.GetAsync("/books/summary"))["webhooks_pending"]! == 0);
    }

    [Fact]
    public async Task A_duplicate_rate_of_one_sends_everything_twice()
    {
        await using var receiver = await WebhookReceiver.StartAsync();
        await using var sandbox = await SandboxApp.StartAsync(receiver, ("Sandbox:Knobs:webhook_duplicate_rate", "1"));
        await sandbox.Http.PostAsync(Authorizations, Authorization("r"));
        var all = await receiver.WaitAsync(r => r.Count == 2, "both copies");
        Assert.Equal(all[0].Id, all[1].Id);
        Assert.Equal(all[0].Body.ToJsonString(), all[1].Body.ToJsonString());
    }

    [Fact]
    public async Task A_reorder_rate_lets_later_news_overtake()
    {
        await using var receiver = await WebhookReceiver.StartAsync();
        await using var sandbox = await SandboxApp.StartAsync(receiver, ("Sandbox:Knobs:webhook_reorder_rate", "0.5"), ("Sandbox:Knobs:seed", "3"));
        var numbers = new List<string>();
        for (var i = 0; i < 10; i++) numbers.Add((string)(await sandbox.Http.PostAsync("/carriers/ups/v1/labels", Label($"s{i}"))).Body["tracking_number"]!);
        foreach (var number in numbers) await receiver.WaitForScanAsync(number, "DELIVERED");
        await Eventually.True(async () => (int)(await sandbox.Http.GetAsync("/books/summary"))["webhooks_pending"]! == 0);
        Assert.Contains(numbers, number =>
        {
            var order = WebhookReceiver.Scans(receiver.All, number).Select(e => (string)e["occurred_at"]!).ToList();
            return !order.SequenceEqual(order.Order(StringComparer.Ordinal));
        });
    }

    [Fact]
    public async Task Nothing_is_lost_while_the_receiver_is_away()
    {
        var receiver = await WebhookReceiver.StartAsync();
        await using var sandbox = await SandboxApp.StartAsync(receiver);
        await receiver.DisposeAsync();
        for (var i = 0; i < 100; i++) await sandbox.Http.PostAsync(Authorizations, Authorization($"r{i}"));
        Assert.Equal(100, (int)(await sandbox.Http.GetAsync("/books/summary"))["webhooks_pending"]!);

        await using var back = await WebhookReceiver.StartAsync(new Uri(receiver.Url).Port);
        var all = await back.WaitAsync(r => r.Count >= 100, "the hundred webhooks");
        Assert.Equal(100, all.Select(r => (string)r.Body["data"]!["reference"]!).Distinct().Count());
    }
}

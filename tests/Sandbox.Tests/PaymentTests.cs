using System.Text.Json.Nodes;
using Commerce.Testing;
using static Commerce.Sandbox.Tests.SandboxClient;

namespace Commerce.Sandbox.Tests;

public sealed class PaymentTests
{
    private const string Authorizations = "/payments/v1/authorizations";

    [Theory]
    [InlineData("tok_ok", "authorized", null)]
    [InlineData("tok_ok_visa", "authorized", null)]
    [InlineData("anything at all", "authorized", null)]
    [InlineData("tok_declined", "declined", "card_declined")]
    [InlineData("tok_insufficient_funds", "declined", "insufficient_funds")]
    [InlineData("tok_expired_card", "declined", "expired_card")]
    [InlineData("tok_pending", "pending", null)]
    [InlineData("tok_never", "pending", null)]
    public async Task A_token_decides_how_an_authorization_goes(string token, string status, string? reason)
    {
        await using var sandbox = await SandboxApp.StartAsync();
        var (code, body) = await sandbox.Http.PostAsync(Authorizations, Authorization("r", token));
        Assert.Equal(201, code);
        Assert.Equal(status, (string?)body["status"]);
        Assert.Equal(reason, (string?)body["decline_reason"]);
        Assert.Equal("""{"currency":"BRL","minor":10000}""", body["amount"]!.ToJsonString());
    }

    [Fact]
    public async Task A_pending_authorization_is_paid_later_and_told_by_webhook()
    {
        await using var receiver = await WebhookReceiver.StartAsync();
        await using var sandbox = await SandboxApp.StartAsync(receiver);
        var (_, body) = await sandbox.Http.PostAsync(Authorizations, Authorization("r", "tok_pending"));
        var all = await receiver.WaitAsync(r => r.Count > 0, "the payment's news");
        Assert.Equal("/webhooks/payments/sandbox", all[0].Path);
        Assert.Equal("authorization.authorized", (string?)all[0].Body["type"]);
        Assert.Equal((string?)body["id"], (string?)all[0].Body["data"]!["id"]);
        Assert.Equal("authorized", (string?)(await sandbox.Http.GetAsync($"{Authorizations}/{body["id"]}"))["status"]);
        Assert.Equal(0, receiver.BadSignatures);
    }

    [Fact]
    public async Task After_a_timeout_the_charge_is_found_by_its_idempotency_key_and_made_only_once()
    {
        await using var sandbox = await SandboxApp.StartAsync();
        using var patience = new CancellationTokenSource();
        var call = sandbox.Http.PostAsync(Authorizations, Authorization("r", "tok_timeout_after_success"), "key-1", patience.Token);
        await Eventually.True(async () => (await sandbox.Http.GetAsync($"{Authorizations}?idempotency_key=key-1"))["authorizations"]!.AsArray().Count == 1);
        Assert.False(call.IsCompleted);
        await patience.CancelAsync();
        await Assert.ThrowsAnyAsync<OperationCanceledException>(() => call);

        var found = (await sandbox.Http.GetAsync($"{Authorizations}?idempotency_key=key-1"))["authorizations"]!.AsArray();
        var (code, again) = await sandbox.Http.PostAsync(Authorizations, Authorization("r", "tok_timeout_after_success"), "key-1");
        Assert.Equal(200, code);
        Assert.Equal((string?)Assert.Single(found)!["id"], (string?)again["id"]);
        Assert.Equal(1, (int)(await sandbox.Http.GetAsync("/books/summary"))["authorizations"]!);
    }

    [Fact]
    public async Task Error_once_fails_once_and_charges_nothing_then()
    {
        await using var sandbox = await SandboxApp.StartAsync();
        var (first, problem) = await sandbox.Http.PostAsync(Authorizations, Authorization("r", "tok_error_once"), "k");
        Assert.Equal((500, "provider_error"), (first, (string?)problem["code"]));
        Assert.Equal(0, (int)(await sandbox.Http.GetAsync("/books/summary"))["authorizations"]!);
        var (second, _) = await sandbox.Http.PostAsync(Authorizations, Authorization("r", "tok_error_once"), "k");
        Assert.Equal(201, second);
    }

    [Fact]
    public async Task The_same_key_gives_the_same_bytes_and_another_body_is_refused()
    {
        await using var sandbox = await SandboxApp.StartAsync();
        var answers = await Task.WhenAll(Enumerable.Range(0, 20).Select(_ => sandbox.Http.PostAsync(Authorizations, Authorization("r"), "k")));
        Assert.Equal(1, answers.Count(a => a.Status == 201));
        Assert.Equal(19, answers.Count(a => a.Status == 200));
        Assert.Single(answers.Select(a => a.Body.ToJsonString()).Distinct());

        var (status, problem) = await sandbox.Http.PostAsync(Authorizations, Authorization("r", minor: 1), "k");
        Assert.Equal((422, "idempotency_key_reused"), (status, (string?)problem["code"]));
        var id = answers[0].Body["id"];
        var (capture, other) = await sandbox.Http.PostAsync($"{Authorizations}/{id}/capture", new JsonObject { ["amount"] = Amount(1) }, "k");
        Assert.Equal((422, "idempotency_key_reused"), (capture, (string?)other["code"]));
    }

    [Fact]
    public async Task Money_moves_only_within_what_was_authorized_captured_and_left()
    {
        await using var sandbox = await SandboxApp.StartAsync();
        var (_, a) = await sandbox.Http.PostAsync(Authorizations, Authorization("r"));
        var at = $"{Authorizations}/{a["id"]}";
        Assert.Equal((422, "amount_too_large"), await Do("refunds", 1));
        Assert.Equal((200, null), await Do("capture", 6_000));
        Assert.Equal((422, "amount_too_large"), await Do("capture", 4_001));
        Assert.Equal((201, null), await Do("refunds", 2_500));
        Assert.Equal((201, null), await Do("refunds", 3_500));
        Assert.Equal((422, "amount_too_large"), await Do("refunds", 1));
        Assert.Equal((200, null), await Do("void", 0));
        Assert.Equal((409, "already_voided"), await Do("capture", 1));
        Assert.Equal((200, null), await Do("void", 0));

        var view = await sandbox.Http.GetAsync(at);
        Assert.Equal((6_000, 6_000, 4_000), ((int)view["captured"]!["minor"]!, (int)view["refunded"]!["minor"]!, (int)view["voided"]!["minor"]!));
        var charge = Assert.Single((await sandbox.Http.GetAsync("/books/charges?reference=r"))["charges"]!.AsArray())!;
        Assert.Single(charge["captures"]!.AsArray());
        Assert.Equal(2, charge["refunds"]!.AsArray().Count);
        Assert.Equal(6_000, (int)(await sandbox.Http.GetAsync("/books/summary"))["captured"]!["BRL"]!);

        async Task<(int, string?)> Do(string what, long minor)
        {
            var (status, body) = await sandbox.Http.PostAsync($"{at}/{what}", new JsonObject { ["amount"] = Amount(minor), ["reference"] = "why" });
            return (status, (string?)body["code"]);
        }
    }

    [Fact]
    public async Task A_declined_or_pending_authorization_cannot_be_captured_and_a_captured_one_not_voided()
    {
        await using var sandbox = await SandboxApp.StartAsync();
        foreach (var token in new[] { "tok_declined", "tok_never" })
        {
            var (_, a) = await sandbox.Http.PostAsync(Authorizations, Authorization("r", token));
            var (status, body) = await sandbox.Http.PostAsync($"{Authorizations}/{a["id"]}/capture", new JsonObject { ["amount"] = Amount(1) });
            Assert.Equal((409, "not_authorized"), (status, (string?)body["code"]));
        }

        var (_, b) = await sandbox.Http.PostAsync(Authorizations, Authorization("r"));
        await sandbox.Http.PostAsync($"{Authorizations}/{b["id"]}/capture", new JsonObject { ["amount"] = Amount(10_000) });
        var (voided, problem) = await sandbox.Http.PostAsync($"{Authorizations}/{b["id"]}/void", []);
        Assert.Equal((409, "already_captured"), (voided, (string?)problem["code"]));
        var (mismatch, currency) = await sandbox.Http.PostAsync($"{Authorizations}/{b["id"]}/refunds", new JsonObject { ["amount"] = Amount(1, "USD"), ["reference"] = "x" });
        Assert.Equal((422, "currency_mismatch"), (mismatch, (string?)currency["code"]));
    }

    [Fact]
    public async Task Knobs_decline_fail_and_hang_and_the_same_seed_declines_the_same()
    {
        await using var sandbox = await SandboxApp.StartAsync();
        await sandbox.Http.TurnAsync("""{"payment_decline_rate": 0.5, "seed": 7}""");
        var once = await StatusesAsync();
        Assert.InRange(once.Count(s => s == "declined"), 5, 35);
        Assert.Equal(once, await StatusesAsync());

        await sandbox.Http.TurnAsync("""{"payment_decline_rate": 0, "payment_error_rate": 1}""");
        Assert.Equal(500, (await sandbox.Http.PostAsync(Authorizations, Authorization("e"))).Status);
        await sandbox.Http.TurnAsync("""{"payment_error_rate": 0, "payment_timeout_after_success_rate": 1}""");
        using var patience = new CancellationTokenSource();
        var hanging = sandbox.Http.PostAsync(Authorizations, Authorization("hangs"), "h", patience.Token);
        await Eventually.True(async () => (await sandbox.Http.GetAsync($"{Authorizations}?reference=hangs"))["authorizations"]!.AsArray().Count == 1);
        Assert.False(hanging.IsCompleted);
        await patience.CancelAsync();
        Assert.Equal(200, (await sandbox.Http.PostAsync(Authorizations, Authorization("hangs"), "h")).Status);

        async Task<List<string>> StatusesAsync()
        {
            var statuses = new List<string>();
            for (var i = 0; i < 40; i++) statuses.Add((string)(await sandbox.Http.PostAsync(Authorizations, Authorization($"r{i}"))).Body["status"]!);
            return statuses;
        }
    }
}

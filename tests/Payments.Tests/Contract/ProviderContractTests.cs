using Commerce.Payments.Providers;
using Commerce.ServiceDefaults;
using Commerce.Testing;
using Microsoft.AspNetCore.Http;

namespace Commerce.Payments.Tests.Contract;

public sealed class SandboxContractTests(DriverHarness harness, SandboxWorld world) : ProviderContractTests(harness), IClassFixture<DriverHarness>, IClassFixture<SandboxWorld>
{
    private protected override IProviderWorld World => world;
}

public sealed class StripeContractTests(DriverHarness harness, StripeWorld world) : ProviderContractTests(harness), IClassFixture<DriverHarness>, IClassFixture<StripeWorld>
{
    private protected override IProviderWorld World => world;
}

/// <summary>What every provider must do, whoever it is: the driver relies on nothing else.</summary>
public abstract class ProviderContractTests(DriverHarness harness)
{
    private static readonly CancellationToken Stop = CancellationToken.None;

    private readonly string _reference = $"{OrderId.New("ORD", TimeProvider.System)}/1";

    private protected abstract IProviderWorld World { get; }

    private IPaymentProvider Provider => World.Provider;

    [Fact]
    public async Task Authorised_is_held_and_taken_whole()
    {
        var held = await Authorise(World.Tokens.Good, 1000);
        Assert.Equal((AuthorisationStatus.Authorised, 0L, 0L, false, _reference), (held.Status, held.Captured, held.Refunded, held.Voided, held.Reference));
        Assert.Equal(held, await Provider.Get(held.Id, Stop));
        Assert.Equal(held, await Provider.FindByKey(_reference + "/authorise", Stop));
        var taken = await Provider.Capture(held.Id, Real(1000), _reference + "/capture", Stop);
        Assert.Equal((1000L, false), (taken.Captured, taken.Voided));
        Assert.Equal(1000, (await Provider.Capture(held.Id, Real(1000), _reference + "/capture", Stop)).Captured);
        await Assert.ThrowsAsync<ProviderRefusedException>(() => Provider.Capture(held.Id, Real(1), _reference + "/capture/2", Stop));
        await Assert.ThrowsAsync<ProviderRefusedException>(() => Provider.Void(held.Id, _reference + "/void", Stop));
    }

    [Fact]
    public async Task It_is_taken_in_parts_and_the_rest_let_go()
    {
        var held = await Authorise(World.Tokens.Good, 1000);
        Assert.Equal(300, (await Provider.Capture(held.Id, Real(300), _reference + "/capture/1", Stop)).Captured);
        Assert.Equal(700, (await Provider.Capture(held.Id, Real(400), _reference + "/capture/2", Stop)).Captured);
        Assert.Equal(700, (await Provider.Capture(held.Id, Real(400), _reference + "/capture/2", Stop)).Captured);
        await Assert.ThrowsAsync<ProviderRefusedException>(() => Provider.Capture(held.Id, Real(301), _reference + "/capture/3", Stop));
        var rest = await Provider.Void(held.Id, _reference + "/void", Stop);
        Assert.Equal((700L, true), (rest.Captured, rest.Voided));
        await Assert.ThrowsAsync<ProviderRefusedException>(() => Provider.Capture(held.Id, Real(1), _reference + "/capture/4", Stop));
        Assert.Equal((700L, true), ((await Provider.Get(held.Id, Stop)).Captured, (await Provider.Get(held.Id, Stop)).Voided));
    }

    [Fact]
    public async Task What_is_held_is_voided_also_twice_and_while_the_shopper_decides()
    {
        var held = await Authorise(World.Tokens.Good, 1000);
        Assert.True((await Provider.Void(held.Id, _reference + "/void", Stop)).Voided);
        Assert.True((await Provider.Void(held.Id, _reference + "/void", Stop)).Voided);
        Assert.True((await Provider.Void(held.Id, _reference + "/another", Stop)).Voided);
        await Assert.ThrowsAsync<ProviderRefusedException>(() => Provider.Capture(held.Id, Real(1000), _reference + "/capture", Stop));

        var other = $"{OrderId.New("ORD", TimeProvider.System)}/1";
        var waiting = await Provider.Authorise(Request(other, World.Tokens.Waiting, 1000), other + "/authorise", Stop);
        Assert.Equal(AuthorisationStatus.Pending, waiting.Status);
        Assert.True((await Provider.Void(waiting.Id, other + "/void", Stop)).Voided);
    }

    [Fact]
    public async Task It_is_given_back_in_many_refunds_up_to_what_was_taken()
    {
        var held = await Authorise(World.Tokens.Good, 1000);
        await Assert.ThrowsAsync<ProviderRefusedException>(() => Provider.Refund(held.Id, Real(1), _reference + "/9", _reference + "/9/refund", Stop));
        await Provider.Capture(held.Id, Real(1000), _reference + "/capture", Stop);
        foreach (var (minor, i) in new[] { 1L, 299, 300 }.Select((m, i) => (m, i)))
        {
            var refund = await Provider.Refund(held.Id, Real(minor), $"{_reference}/{i}", $"{_reference}/{i}/refund", Stop);
            Assert.Equal((RefundStatus.Succeeded, Real(minor), $"{_reference}/{i}", held.Id), (refund.Status, refund.Amount, refund.Reference, refund.AuthorisationId));
            Assert.Equal(refund, await Provider.Refund(held.Id, Real(minor), $"{_reference}/{i}", $"{_reference}/{i}/refund", Stop));
            Assert.Equal(refund, await Provider.FindRefund(held.Id, $"{_reference}/{i}", Stop));
        }

        Assert.Equal(600, (await Provider.Get(held.Id, Stop)).Refunded);
        Assert.Null(await Provider.FindRefund(held.Id, _reference + "/8", Stop));
        await Assert.ThrowsAsync<ProviderRefusedException>(() => Provider.Refund(held.Id, Real(401), _reference + "/8", _reference + "/8/refund", Stop));
    }

    [Fact]
    public async Task A_decline_has_its_reason_and_the_same_key_is_declined_again()
    {
        var declined = await Authorise(World.Tokens.Declined, 1000);
        Assert.Equal((AuthorisationStatus.Declined, "insufficient_funds"), (declined.Status, declined.DeclineReason));
        Assert.Equal(declined, await Authorise(World.Tokens.Declined, 1000));
        Assert.Equal(declined, await Provider.Get(declined.Id, Stop));
        await Assert.ThrowsAsync<ProviderRefusedException>(() => Provider.Capture(declined.Id, Real(1000), _reference + "/capture", Stop));
        await Assert.ThrowsAsync<ProviderRefusedException>(() => Provider.Void(declined.Id, _reference + "/void", Stop));
    }

    [Fact]
    public async Task Each_call_whose_answer_was_lost_is_done_once_when_asked_again()
    {
        var id = await Lost(() => Authorise(World.Tokens.Good, 1000));
        await Lost(() => Provider.Capture(id.Id, Real(1000), _reference + "/capture", Stop));
        await Lost(() => Provider.Refund(id.Id, Real(300), _reference + "/1", _reference + "/1/refund", Stop));
        Assert.Equal((1000L, 300L), ((await Provider.Get(id.Id, Stop)).Captured, (await Provider.Get(id.Id, Stop)).Refunded));
        Assert.Equal(id.Id, (await Provider.FindByKey(_reference + "/authorise", Stop))!.Id);
    }

    [Fact]
    public async Task A_payment_is_collected_and_refunded_whatever_its_webhooks_do()
    {
        await World.Ready;
        foreach (var webhooks in new[] { "beat the call", "twice", "late", "never" })
        {
            var provider = new Interfering(Provider);
            var payment = await harness.Begin(provider);
            if (webhooks == "beat the call")
                provider.OnAnswer = () => HearAll(payment, atLeast: 1);
            await payment.Place((World.Tokens.Good, 700), (World.Tokens.Good, 300));
            if (webhooks == "twice")
                await HearAll(payment, atLeast: 0);
            await payment.Settle();
            await payment.Refund(400);
            await payment.Settle();
            if (webhooks is "twice" or "late")
            {
                await HearAll(payment, atLeast: 5);
                await HearAll(payment, atLeast: 5);
                await payment.Settle();
            }

            var stored = await payment.Read();
            Assert.Equal((PaymentState.PartlyRefunded, 1000L, 400L, RefundState.Succeeded), (stored.State, stored.Captured.Minor, stored.Refunded.Minor, stored.Refunds[0].State));
            Assert.Equal(["PaymentCaptured", "PaymentRefunded"], await payment.Facts());
            Assert.Empty(await payment.PointsLeft());
            foreach (var part in stored.Parts)
            {
                var theirs = await Provider.Get(part.ProviderReference!, Stop);
                Assert.Equal((part.Captured.Minor, part.Refunded.Minor), (theirs.Captured, theirs.Refunded));
            }
        }
    }

    [Fact]
    public async Task A_shopper_who_pays_later_is_heard_by_webhook_or_asked_about()
    {
        await World.Ready;
        foreach (var heard in new[] { true, false })
        {
            var payment = await harness.Begin(Provider);
            await payment.Place((World.Tokens.Waiting, 1000));
            await payment.Run((await payment.PointsLeft())[0]);
            await World.Pay(payment.OrderId);
            if (heard)
                await Eventually.True(async () => await HearAll(payment, atLeast: 1) && (await payment.Read()).Waits == false);
            await payment.Settle();
            Assert.Equal((PaymentState.Captured, 1000L), ((await payment.Read()).State, (await payment.Read()).Captured.Minor));
            Assert.Equal(["PaymentPending", "PaymentCaptured"], await payment.Facts());
        }
    }

    [Fact]
    public async Task A_webhook_that_was_changed_or_is_not_signed_is_refused()
    {
        await Authorise(World.Tokens.Good, 1000);
        await Eventually.True(() => World.Webhooks.Count > 0);
        var (headers, body) = World.Webhooks[0];
        Provider.ReadWebhook(headers, body);
        var changed = body.ToArray();
        changed[^2] ^= 1;
        Assert.Throws<Failure>(() => Provider.ReadWebhook(headers, changed));
        Assert.Throws<Failure>(() => Provider.ReadWebhook(new HeaderDictionary(), body));
    }

    // Every webhook about the order that was sent so far, the newest first.
    private async Task<bool> HearAll(DriverHarness.TestPayment payment, int atLeast)
    {
        List<ProviderNotice> Notices() => [.. World.Webhooks.Select(w => Provider.ReadWebhook(w.Headers, w.Body))
            .Where(n => (n.Seen?.Reference ?? n.Refund?.Reference ?? "").StartsWith(payment.OrderId, StringComparison.Ordinal)).Reverse()];
        await Eventually.True(() => Notices().Count >= atLeast);
        foreach (var notice in Notices())
            await payment.Hear(notice);
        return true;
    }

    private async Task<T> Lost<T>(Func<Task<T>> call)
    {
        await World.Ready;
        await World.LoseAnswers(true);
        try
        {
            await Assert.ThrowsAsync<ProviderUnavailableException>(call);
        }
        finally
        {
            await World.LoseAnswers(false);
        }

        return await call();
    }

    private async Task<Authorisation> Authorise(string token, long minor)
    {
        await World.Ready;
        return await Provider.Authorise(Request(_reference, token, minor), _reference + "/authorise", Stop);
    }

    private static AuthoriseRequest Request(string reference, string token, long minor) => new(reference, Real(minor), "CARD", token, 1, "main", "");

    private static Money Real(long minor) => new(minor, "BRL");

    /// <summary>The provider, with something that happens after the work of an authorise or refund call and before its answer is here.</summary>
    private sealed class Interfering(IPaymentProvider provider) : IPaymentProvider
    {
        public Func<Task> OnAnswer { get; set; } = () => Task.CompletedTask;

        public string Name => provider.Name;

        public async Task<Authorisation> Authorise(AuthoriseRequest request, string key, CancellationToken cancellationToken) =>
            await After(await provider.Authorise(request, key, cancellationToken));

        public Task<Authorisation?> FindByKey(string key, CancellationToken cancellationToken) => provider.FindByKey(key, cancellationToken);

        public Task<Authorisation> Get(string id, CancellationToken cancellationToken) => provider.Get(id, cancellationToken);

        public async Task<Authorisation> Capture(string id, Money amount, string key, CancellationToken cancellationToken) =>
            await After(await provider.Capture(id, amount, key, cancellationToken));

        public Task<Authorisation> Void(string id, string key, CancellationToken cancellationToken) => provider.Void(id, key, cancellationToken);

        public async Task<ProviderRefund> Refund(string id, Money amount, string reference, string key, CancellationToken cancellationToken) =>
            await After(await provider.Refund(id, amount, reference, key, cancellationToken));

        public Task<ProviderRefund?> FindRefund(string id, string reference, CancellationToken cancellationToken) => provider.FindRefund(id, reference, cancellationToken);

        public ProviderNotice ReadWebhook(IHeaderDictionary headers, ReadOnlyMemory<byte> body) => provider.ReadWebhook(headers, body);

        private async Task<T> After<T>(T answer)
        {
            await OnAnswer();
            return answer;
        }
    }
}

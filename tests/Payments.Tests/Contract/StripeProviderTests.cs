using Commerce.Payments.Providers;
using Commerce.Payments.Providers.Stripe;
using Commerce.ServiceDefaults;
using Commerce.Types.V1;
using Microsoft.AspNetCore.Http;

namespace Commerce.Payments.Tests.Contract;

/// <summary>What is Stripe's own: how it counts, what it asks of shoppers, how it signs and fails.</summary>
public sealed class StripeProviderTests(DriverHarness harness, StripeWorld world) : IClassFixture<DriverHarness>, IClassFixture<StripeWorld>
{
    private readonly string _reference = $"{OrderId.New("ORD", TimeProvider.System)}/1";

    [Theory]
    [InlineData(1234, "EUR", 1234L)]
    [InlineData(1234, "JPY", 1234L)]
    [InlineData(1230, "KWD", 1230L)]
    [InlineData(1234, "KWD", null)]
    [InlineData(1200, "MGA", 12L)]
    [InlineData(1234, "MGA", null)]
    [InlineData(5, "ISK", 500L)]
    [InlineData(5, "UGX", 500L)]
    [InlineData(5, "CLF", null)]
    public async Task Amounts_are_counted_as_Stripe_does_and_what_it_cannot_charge_is_refused(long minor, string currency, long? counted)
    {
        await world.Ready;
        var request = new AuthoriseRequest(_reference, new Money(minor, currency), "CARD", "pm_card_visa", 1, "main", "");
        if (counted is null)
        {
            Assert.Equal("amount_not_chargeable", (await Assert.ThrowsAsync<ProviderRefusedException>(() => world.Provider.Authorise(request, _reference, CancellationToken.None))).Code);
            return;
        }

        var held = await world.Provider.Authorise(request, _reference, CancellationToken.None);
        Assert.Equal($"{counted}", world.Stripe.LastCreation!["amount"].ToString());
        Assert.Equal(request.Amount, held.Amount);
        Assert.Equal(minor, (await world.Provider.Capture(held.Id, request.Amount, _reference + "/capture", CancellationToken.None)).Captured);
    }

    [Fact]
    public async Task What_the_bank_asks_of_the_shopper_is_shown_until_it_is_done()
    {
        await world.Ready;
        var payment = await harness.Begin(world.Provider);
        await payment.Place(("pm_card_authenticationRequired", 1000));
        await payment.Settle();
        var shown = FindingPayments.PaymentMapping.ToProto(await payment.Read());
        Assert.Equal((V1.Payment.Types.State.RequiresAction, V1.Payment.Types.State.RequiresAction), (shown.State, shown.Parts[0].State));
        Assert.StartsWith("https://hooks.stripe.example/pi_", shown.Parts[0].NextActionUrl, StringComparison.Ordinal);
        Assert.Equal(["PaymentPending"], await payment.Facts());

        world.Stripe.Decide(payment.OrderId, pays: false);
        await payment.Settle();
        shown = FindingPayments.PaymentMapping.ToProto(await payment.Read());
        Assert.Equal((V1.Payment.Types.State.Declined, "payment_intent_authentication_failure", ""), (shown.State, shown.Parts[0].DeclineReason, shown.Parts[0].NextActionUrl));
    }

    [Fact]
    public async Task Instalments_and_our_references_are_passed_on()
    {
        await world.Ready;
        await world.Provider.Authorise(new AuthoriseRequest(_reference, new Money(1000, "BRL"), "CARD", "pm_card_visa", 6, "main", "c-1"), _reference + "/authorise", CancellationToken.None);
        var form = world.Stripe.LastCreation!;
        Assert.Equal(
            ("6", "month", "fixed_count", "manual", "true", _reference, "main"),
            (form["payment_method_options[card][installments][plan][count]"].ToString(), form["payment_method_options[card][installments][plan][interval]"].ToString(),
                form["payment_method_options[card][installments][plan][type]"].ToString(), form["capture_method"].ToString(), form["confirm"].ToString(),
                form["metadata[reference]"].ToString(), form["metadata[store_id]"].ToString()));
        Assert.DoesNotContain(form.Keys, k => k.Contains("number", StringComparison.Ordinal));
    }

    [Fact]
    public async Task Where_only_one_capture_is_allowed_the_rest_is_let_go_with_it()
    {
        await world.Ready;
        world.Stripe.Multicapture = false;
        try
        {
            var payment = await harness.Begin(world.Provider);
            payment.CaptureMode = "MANUAL";
            await payment.Place(("pm_card_visa", 1000));
            await payment.Settle();
            await payment.Capture(600);
            await payment.Settle();
            Assert.Equal((PaymentState.Captured, 600L), ((await payment.Read()).State, (await payment.Read()).Captured.Minor));
            Assert.Equal(["PaymentAuthorised", "PaymentCaptured"], await payment.Facts());
        }
        finally
        {
            world.Stripe.Multicapture = true;
        }
    }

    [Fact]
    public async Task A_pending_refund_is_no_refund_until_it_succeeds_and_a_failed_one_never_is()
    {
        await world.Ready;
        foreach (var end in new[] { "succeeded", "failed" })
        {
            world.Stripe.RefundsWait = true;
            var payment = await harness.Begin(world.Provider);
            await payment.Place(("pm_card_visa", 1000));
            await payment.Settle();
            await payment.Refund(400);
            await payment.Settle();
            Assert.Equal((0L, 600L), ((await payment.Read()).Refunded.Minor, (await payment.Read()).Refundable.Minor));
            world.Stripe.SettleRefunds(payment.OrderId, end);
            var (headers, body) = world.Stripe.Events[^1];
            Assert.Equal("news", await payment.Hear(world.Provider.ReadWebhook(headers, body)));
            await payment.Settle();
            var stored = await payment.Read();
            Assert.Equal(end == "failed" ? (0L, 1000L, "expired_or_canceled_card") : (400L, 600L, null), (stored.Refunded.Minor, stored.Refundable.Minor, stored.Refunds[0].Pieces[0].FailureReason));
            world.Stripe.RefundsWait = false;
        }
    }

    [Theory]
    [InlineData(409, "invalid_request_error", "lock_timeout")]
    [InlineData(429, "invalid_request_error", "rate_limit")]
    [InlineData(500, "api_error", "")]
    [InlineData(401, "invalid_request_error", "api_key_expired")]
    [InlineData(400, "idempotency_error", "idempotency_key_in_use")]
    public async Task What_may_pass_is_tried_again(int status, string type, string code)
    {
        await world.Ready;
        var request = new AuthoriseRequest(_reference, new Money(1000, "BRL"), "CARD", "pm_card_visa", 1, "main", "");
        world.Stripe.NextError = (status, type, code);
        await Assert.ThrowsAsync<ProviderUnavailableException>(() => world.Provider.Authorise(request, _reference + "/authorise", CancellationToken.None));
        Assert.Equal(AuthorisationStatus.Authorised, (await world.Provider.Authorise(request, _reference + "/authorise", CancellationToken.None)).Status);
    }

    [Fact]
    public async Task A_token_that_there_is_not_declines_the_payment()
    {
        await world.Ready;
        var payment = await harness.Begin(world.Provider);
        await payment.Place(("pm_none", 1000));
        await payment.Settle();
        Assert.Equal((PaymentState.Declined, "resource_missing"), ((await payment.Read()).State, (await payment.Read()).DeclineReason));
    }

    [Fact]
    public void A_webhook_is_believed_if_one_signature_fits_and_its_time_is_near()
    {
        var body = """{"id":"evt_1","object":"event","type":"customer.created","data":{"object":{"object":"customer","id":"cus_1"}}}"""u8.ToArray();
        var now = TimeProvider.System.GetUtcNow().ToUnixTimeSeconds();
        string Signed(long seconds) => StripeSignature.Sign(seconds, body, StripeWorld.Secret);
        ProviderNotice Read(params string[] headers) => world.Provider.ReadWebhook(new HeaderDictionary { [StripeSignature.Header] = headers }, body);

        Assert.Equal(("evt_1", null), (Read($"t={now},v1={Signed(now)}").Id, Read($"t={now},v1={Signed(now)}").AuthorisationId));
        Assert.Equal("evt_1", Read($"t={now},v1={new string('0', 64)},v1={Signed(now)}").Id);
        Assert.Equal(ErrorReason.WebhookStale, Assert.Throws<Failure>(() => Read($"t={now - 301},v1={Signed(now - 301)}")).Reason);
        Assert.Equal(ErrorReason.WebhookStale, Assert.Throws<Failure>(() => Read($"t={now + 400},v1={Signed(now + 400)}")).Reason);
        foreach (var wrong in new[] { "", "t=x,v1=y", $"v1={Signed(now)}", $"t={now}", $"t={now},v1=", $"t={now},v0={Signed(now)}", $"t={now + 1},v1={Signed(now)}", new string('t', 5000) })
            Assert.Equal(ErrorReason.WebhookSignatureInvalid, Assert.Throws<Failure>(() => Read(wrong)).Reason);
        Assert.Equal(ErrorReason.WebhookSignatureInvalid, Assert.Throws<Failure>(() => Read($"t={now},v1={Signed(now)}", $"t={now},v1={Signed(now)}")).Reason);
    }

    [Theory]
    [InlineData("")]
    [InlineData("null")]
    [InlineData("[]")]
    [InlineData("{}")]
    [InlineData("not json")]
    [InlineData("""{"id":"evt_1","object":"event","data":{"object":{"object":"payment_intent","id":"pi_1","currency":"xxx","amount":1}}}""")]
    public void A_signed_body_that_is_no_event_is_refused(string text)
    {
        var body = System.Text.Encoding.UTF8.GetBytes(text);
        var now = TimeProvider.System.GetUtcNow().ToUnixTimeSeconds();
        var headers = new HeaderDictionary { [StripeSignature.Header] = $"t={now},v1={StripeSignature.Sign(now, body, StripeWorld.Secret)}" };
        Assert.Equal(ErrorReason.MalformedRequest, Assert.Throws<Failure>(() => world.Provider.ReadWebhook(headers, body)).Reason);
    }
}

using Commerce.Payments.Providers;

namespace Commerce.Payments.Tests;

public sealed class CollectingPaymentTests(DriverHarness harness) : IClassFixture<DriverHarness>
{
    private readonly FakeProvider _provider = new();

    [Fact]
    public async Task An_order_with_one_part_costs_two_calls_and_tells_one_fact()
    {
        var payment = await harness.Begin(_provider);
        await payment.Place(("ok", 1000));
        await payment.Settle();

        Assert.Equal(2, _provider.Calls);
        Assert.Equal(["PaymentCaptured"], await payment.Facts());
        var stored = await payment.Read();
        Assert.Equal((PaymentState.Captured, 1L, new Money(1000, "BRL")), (stored.State, stored.Version, stored.Captured));
    }

    [Fact]
    public async Task When_one_part_declines_the_others_are_released_before_it_is_told()
    {
        var payment = await harness.Begin(_provider);
        await payment.Place(("ok", 700), ("declined", 200), ("pending", 100));
        await payment.Settle();

        Assert.Equal(["PaymentDeclined"], await payment.Facts());
        var stored = await payment.Read();
        Assert.Equal((PaymentState.Declined, "insufficient_funds"), (stored.State, stored.DeclineReason));
        Assert.All(_provider.BooksOf(payment.OrderId), a => Assert.True(a.Voided || a.Status == AuthorisationStatus.Declined));
    }

    [Fact]
    public async Task An_answer_that_was_lost_is_asked_for_and_nothing_is_charged_twice()
    {
        var lost = 0;
        _provider.Fault = operation => operation is "authorise" or "capture" && lost < 4 && Interlocked.Increment(ref lost) <= 4 ? ProviderFault.AfterTheWork : ProviderFault.None;
        var payment = await harness.Begin(_provider);
        await payment.Place(("ok", 600), ("ok", 400));
        await payment.Settle();

        Assert.Equal(4, lost);
        Assert.Equal([600L, 400L], _provider.BooksOf(payment.OrderId).OrderByDescending(a => a.Captured).Select(a => a.Captured));
        Assert.Equal(PaymentState.Captured, (await payment.Read()).State);
    }

    [Fact]
    public async Task What_was_authorised_is_told_when_capturing_does_not_follow_at_once()
    {
        var down = true;
        _provider.Fault = operation => operation == "capture" && down ? ProviderFault.BeforeTheWork : ProviderFault.None;
        var payment = await harness.Begin(_provider);
        await payment.Place(("ok", 1000));
        await payment.Run((await payment.PointsLeft())[0]);
        Assert.Equal(["PaymentAuthorised"], await payment.Facts());

        down = false;
        await payment.Settle();
        Assert.Equal(["PaymentAuthorised", "PaymentCaptured"], await payment.Facts());
    }

    [Fact]
    public async Task A_pending_part_waits_and_its_webhook_carries_on()
    {
        var payment = await harness.Begin(_provider);
        await payment.Place(("pending", 300), ("ok", 700));
        await payment.Settle();
        Assert.Equal(["PaymentPending"], await payment.Facts());

        _provider.Decide(payment.OrderId, pays: true);
        Assert.Equal("news", await payment.Hear(_provider.Said[^1]));
        Assert.Equal("known", await payment.Hear(_provider.Said[^1]));
        await payment.Settle();
        Assert.Equal(["PaymentPending", "PaymentCaptured"], await payment.Facts());
    }

    [Fact]
    public async Task A_pending_part_whose_webhook_never_comes_is_asked_for()
    {
        var payment = await harness.Begin(_provider);
        await payment.Place(("pending", 1000));
        await payment.Settle();
        _provider.Decide(payment.OrderId, pays: false);
        await payment.Settle();

        Assert.Equal(["PaymentPending", "PaymentDeclined"], await payment.Facts());
        Assert.Equal("abandoned", (await payment.Read()).DeclineReason);
    }

    [Fact]
    public async Task A_webhook_that_overtakes_the_pending_answer_is_not_lost()
    {
        var payment = await harness.Begin(_provider);
        _provider.OnAnswer = async operation =>
        {
            if (operation != "authorise")
                return;
            // The provider had said "pending"; before that answer arrives, the shopper has paid and the webhook is here.
            _provider.Decide(payment.OrderId, pays: true);
            Assert.Equal("news", await payment.Hear(_provider.Said[^1]));
        };
        await payment.Place(("pending", 1000));
        await payment.Settle();

        Assert.Equal(["PaymentCaptured"], await payment.Facts());
        Assert.Empty(await payment.PointsLeft());
    }

    [Fact]
    public async Task A_hold_that_ran_out_at_the_provider_declines_the_payment_and_frees_the_rest()
    {
        var payment = await harness.Begin(_provider);
        await payment.Place(("pending", 300), ("ok", 700));
        await payment.Settle();
        var held = _provider.BooksOf(payment.OrderId).Single(a => a.Status == AuthorisationStatus.Authorised);
        await _provider.Void(held.Id, "the provider's own", CancellationToken.None);
        await payment.Hear(_provider.Said[^1]);
        await payment.Settle();

        Assert.Equal(["PaymentPending", "PaymentDeclined"], await payment.Facts());
        Assert.All(_provider.BooksOf(payment.OrderId), a => Assert.True(a.Voided));
    }

    [Fact]
    public async Task A_webhook_about_an_unknown_order_changes_nothing()
    {
        var payment = await harness.Begin(_provider);
        var said = new Authorisation("fake_99", "ORD-NOBODY/1", AuthorisationStatus.Authorised, null, new Money(5, "BRL"), 5, 0, Voided: false);
        Assert.Equal("ignored", await payment.Hear(said));
        await payment.Place(("ok", 1000));
        Assert.Equal("ignored", await payment.Hear(said with { Reference = payment.OrderId + "/7" }));
        Assert.Equal("ignored", await payment.Hear(said with { Reference = payment.OrderId + "/x" }));
    }
}

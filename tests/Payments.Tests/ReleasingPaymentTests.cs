namespace Commerce.Payments.Tests;

public sealed class ReleasingPaymentTests(DriverHarness harness) : IClassFixture<DriverHarness>
{
    private readonly FakeProvider _provider = new();

    [Fact]
    public async Task A_cancellation_that_comes_before_the_order_leaves_nothing_to_be_charged()
    {
        var payment = await harness.Begin(_provider);
        await payment.Cancel();
        await payment.Settle();
        await payment.Place(("ok", 1000));
        await payment.Settle();

        Assert.Equal(0, _provider.Calls);
        Assert.Equal(["PaymentVoided"], await payment.Facts());
    }

    [Fact]
    public async Task A_cancellation_before_the_provider_was_asked_asks_nobody()
    {
        var payment = await harness.Begin(_provider);
        await payment.Place(("ok", 1000));
        await payment.Cancel();
        await payment.Settle();

        Assert.Equal(0, _provider.Calls);
        Assert.Equal(["PaymentVoided"], await payment.Facts());
    }

    [Fact]
    public async Task What_was_captured_is_refunded_in_whole_and_once()
    {
        var payment = await harness.Begin(_provider);
        await payment.Place(("ok", 600), ("ok", 400));
        await payment.Settle();
        await payment.Cancel();
        var lost = 0;
        _provider.Fault = operation => operation == "refund" && lost++ < 2 ? ProviderFault.AfterTheWork : ProviderFault.None;
        await payment.Settle();

        Assert.Equal(["PaymentCaptured", "PaymentRefunded"], await payment.Facts());
        Assert.All(_provider.BooksOf(payment.OrderId), a => Assert.Equal(a.Captured, a.Refunded));
    }

    [Theory]
    [InlineData("authorise", "PaymentVoided")]
    [InlineData("capture", "PaymentRefunded")]
    public async Task A_cancellation_while_the_provider_works_is_settled_by_whoever_comes_last(string during, string fact)
    {
        var payment = await harness.Begin(_provider);
        _provider.OnAnswer = async operation =>
        {
            if (operation != during)
                return;
            _provider.OnAnswer = _ => Task.CompletedTask;
            await payment.Cancel();
            // The second driver runs from beginning to end while the first one still waits for its answer.
            await payment.Run((await payment.PointsLeft()).Single(p => p.Kind == "release-payment"));
        };
        await payment.Place(("ok", 1000));
        await payment.Settle();

        Assert.Equal(fact, (await payment.Facts())[^1]);
        var charge = Assert.Single(_provider.BooksOf(payment.OrderId));
        Assert.Equal(charge.Captured, charge.Refunded);
        Assert.True(charge.Voided || charge.Captured > 0);
        Assert.Empty(await payment.PointsLeft());
    }

    [Fact]
    public async Task A_waiting_part_of_a_cancelled_order_is_voided_and_cannot_be_paid_any_more()
    {
        var payment = await harness.Begin(_provider);
        await payment.Place(("pending", 1000));
        await payment.Settle();
        await payment.Cancel();
        await payment.Settle();
        _provider.Decide(payment.OrderId, pays: true);
        await payment.Settle();

        Assert.Equal(["PaymentPending", "PaymentVoided"], await payment.Facts());
    }

    [Fact]
    public async Task A_cancellation_after_a_decline_has_nothing_to_give_back_and_nothing_to_tell()
    {
        var payment = await harness.Begin(_provider);
        await payment.Place(("declined", 1000));
        await payment.Settle();
        await payment.Cancel();
        await payment.Settle();

        Assert.Equal(["PaymentDeclined"], await payment.Facts());
    }
}

using Commerce.Payments.Documents;
using Commerce.Payments.Providers;

namespace Commerce.Payments.Tests;

/// <summary>An order's lines change while, before and after its money is collected.</summary>
public sealed class ChangedOrderTests(DriverHarness harness) : IClassFixture<DriverHarness>
{
    private readonly FakeProvider _provider = new();

    [Fact]
    public async Task What_the_order_costs_less_goes_back_once_wherever_it_is_killed()
    {
        var payment = await Paid(("ok", 1500), ("ok", 500));
        await payment.Changed(3, 2000, 1200);
        foreach (var point in await payment.PointsLeft())
            await payment.Run(point, killed: true);
        var lost = 0;
        _provider.Fault = operation => operation == "refund" && lost++ < 2 ? ProviderFault.AfterTheWork : ProviderFault.None;
        await payment.Settle();

        Assert.Equal(800, _provider.BooksOf(payment.OrderId).Sum(a => a.Refunded));
        // The last part first, as the order takes it off its parts.
        Assert.Equal([300, 500], _provider.BooksOf(payment.OrderId).OrderBy(a => a.Reference, StringComparer.Ordinal).Select(a => a.Refunded));
        Assert.Equal(["PaymentCaptured", "PaymentRefunded"], await payment.Facts());
        Assert.Equal((1200, 2000, 800), (await payment.Read()) is var read ? (read.Due.Minor, read.Captured.Minor, read.Refunded.Minor) : default);
        Assert.Equal(0, (await payment.Ledger()).Values.Sum());
    }

    [Fact]
    public async Task A_change_before_anything_was_captured_or_even_heard_of_leaves_what_the_order_costs()
    {
        var payment = await harness.Begin(_provider);
        await payment.Changed(2, 1000, 600);
        await payment.Settle();
        await payment.Place(("pending", 1000));
        await payment.Settle();
        await payment.Changed(3, 600, 550);
        _provider.Decide(payment.OrderId, pays: true);
        await payment.Settle();

        var charge = Assert.Single(_provider.BooksOf(payment.OrderId));
        Assert.Equal(550, charge.Captured - charge.Refunded);
    }

    [Fact]
    public async Task A_refund_of_the_difference_that_fails_is_made_again()
    {
        var payment = await Paid(("ok", 1000));
        var failed = 0;
        _provider.RefundsEnd = _ => failed++ < 2 ? RefundStatus.Failed : RefundStatus.Succeeded;
        await payment.Changed(3, 1000, 900);
        await payment.Settle();
        Assert.Equal(100, Assert.Single(_provider.BooksOf(payment.OrderId)).Refunded);
    }

    [Fact]
    public async Task What_staff_gave_back_before_is_not_taken_for_the_difference()
    {
        var payment = await Paid(("ok", 1000));
        await payment.Refund(300);
        await payment.Changed(3, 1000, 800);
        await payment.Settle();
        Assert.Equal(500, Assert.Single(_provider.BooksOf(payment.OrderId)).Refunded);
        await payment.Changed(4, 800, 100);
        await payment.Settle();
        // Nothing more than was taken, however it was asked for.
        Assert.Equal(1000, Assert.Single(_provider.BooksOf(payment.OrderId)).Refunded);
    }

    [Fact]
    public async Task A_cancellation_after_a_change_gives_back_what_is_left()
    {
        var payment = await Paid(("ok", 1000));
        await payment.Changed(3, 1000, 700);
        await Task.WhenAll(payment.Cancel(), payment.Settle());
        await payment.Settle();
        Assert.Equal(1000, Assert.Single(_provider.BooksOf(payment.OrderId)).Refunded);
        Assert.Equal("PaymentRefunded", (await payment.Facts())[^1]);
    }

    [Fact]
    public async Task A_change_is_charged_as_a_part_of_its_own_and_told_once()
    {
        var payment = await Paid(("ok", 1000));
        await payment.Charge(1, "ok", 250);
        foreach (var point in await payment.PointsLeft())
            await payment.Run(point, killed: true);
        await payment.Settle();
        Assert.Equal(["PaymentCaptured", "PaymentChargeCaptured"], await payment.Facts());
        Assert.Equal((1250, 1250, 2), (await payment.Read()) is var read ? (read.Due.Minor, read.Captured.Minor, read.Parts.Count) : default);

        await payment.Changed(5, 1000, 1250, change: 1);
        await payment.Settle();
        Assert.Equal(0, _provider.BooksOf(payment.OrderId).Sum(a => a.Refunded));
    }

    [Theory]
    [InlineData("declined")]
    [InlineData("refused")]
    public async Task A_charge_that_is_declined_leaves_the_payment_as_it_was(string how)
    {
        var payment = await Paid(("ok", 1000));
        if (how == "refused")
        {
            // Authorised, and then void at the provider: it cannot be captured.
            _provider.OnAnswer = async operation =>
            {
                if (operation == "authorise")
                    await _provider.Void(_provider.BooksOf(payment.OrderId).Single(a => a.Amount.Minor == 250).Id, "outside", TestContext.Current.CancellationToken);
            };
        }

        await payment.Charge(1, how == "declined" ? "declined" : "ok", 250);
        await payment.Settle();
        Assert.Equal(["PaymentCaptured", "PaymentChargeDeclined"], await payment.Facts());
        Assert.Equal(1000, _provider.BooksOf(payment.OrderId).Sum(a => a.Captured - a.Refunded));
        Assert.Equal(PaymentState.Captured, (await payment.Read()).State);
    }

    [Theory]
    [InlineData(0)]
    [InlineData(1)]
    [InlineData(2)]
    [InlineData(3)]
    public async Task A_withdrawn_change_costs_nothing_whenever_it_is_heard_of(int when)
    {
        var payment = await Paid(("ok", 1000));
        if (when == 0)
            await payment.Withdraw(1);
        await payment.Charge(1, when == 2 ? "pending" : "ok", 250);
        if (when == 1)
            await payment.Withdraw(1);
        await payment.Settle();
        if (when >= 2)
            await payment.Withdraw(1);
        await payment.Settle();
        _provider.Decide(payment.OrderId, pays: true);
        await payment.Settle();
        Assert.Equal(1000, _provider.BooksOf(payment.OrderId).Sum(a => a.Captured - a.Refunded));
        Assert.Equal(1000, (await payment.Read()).Due.Minor);
        Assert.Empty(await payment.PointsLeft());
    }

    [Fact]
    public async Task A_cancelled_order_gives_the_charge_back_too()
    {
        var payment = await Paid(("ok", 1000));
        await payment.Charge(1, "ok", 250);
        await payment.Settle();
        await payment.Cancel();
        await payment.Settle();
        Assert.All(_provider.BooksOf(payment.OrderId), a => Assert.Equal(a.Captured, a.Refunded));
        Assert.Equal(0, (await payment.Ledger()).Values.Sum());
    }

    [Fact]
    public async Task Invoices_less_credit_notes_say_what_the_order_costs()
    {
        var payment = await Paid(("ok", 2819));
        payment.Orders.Changed = order => order.Total = Amount(1969);
        await payment.Changed(3, 2819, 1969, 0, (2, -1, 850));
        await payment.Settle();
        await payment.Charge(1, "ok", 1700);
        await payment.Settle();
        payment.Orders.Changed = order => order.Total = Amount(3669);
        await payment.Changed(5, 1969, 3669, 1, (2, 2, 850));
        await payment.Settle();

        Assert.Equal(
            [(DocumentKind.Invoice, 2819L), (DocumentKind.Receipt, 2819L), (DocumentKind.CreditNote, 850L), (DocumentKind.Invoice, 1700L)],
            (await payment.Documents()).Select(d => (d.Kind, d.Content.TotalMinor)));
        var further = (await payment.Documents())[^1];
        Assert.Equal(("22191", 2, 1700L), further.Content.Lines[0] is var line ? (line.Sku, line.Quantity, line.AmountMinor) : default);
        Assert.Equal((await payment.Documents())[0].Number, further.Content.Corrects);
    }

    [Fact]
    public async Task An_invoice_that_is_issued_after_the_change_says_so_and_needs_no_credit_note()
    {
        var payment = await harness.Begin(_provider);
        payment.Orders.Changed = order => order.Total = Amount(1969);
        await payment.Place(("pending", 2819));
        await payment.Settle();
        await payment.Changed(3, 2819, 1969);
        _provider.Decide(payment.OrderId, pays: true);
        await payment.Settle();
        Assert.Equal([(DocumentKind.Invoice, 1969L)], (await payment.Documents()).Where(d => d.Kind != DocumentKind.Receipt).Select(d => (d.Kind, d.Content.TotalMinor)));
        Assert.False((await payment.Read()).DocumentsDue);
    }

    private static Google.Type.Money Amount(long minor) => new Money(minor, "BRL").ToProto();

    private async Task<DriverHarness.TestPayment> Paid(params (string Token, long Minor)[] parts)
    {
        var payment = await harness.Begin(_provider);
        await payment.Place(parts);
        await payment.Settle();
        return payment;
    }
}

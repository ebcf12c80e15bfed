using Commerce.Payments.CapturingPayment;
using Commerce.Payments.Documents;
using Commerce.Payments.Ledger;
using Commerce.ServiceDefaults;
using Commerce.Types.V1;

namespace Commerce.Payments.Tests;

public sealed class CapturingPaymentTests(DriverHarness harness) : IClassFixture<DriverHarness>
{
    private readonly FakeProvider _provider = new();

    [Fact]
    public async Task What_is_held_is_taken_in_amounts_and_told_when_no_more_is_to_come()
    {
        var payment = await Held("MANUAL", ("ok", 700), ("ok", 300));
        Assert.Equal(["PaymentAuthorised"], await payment.Facts());
        Assert.Equal((PaymentState.Authorised, 1000L, 0L), ((await payment.Read()).State, (await payment.Read()).Capturable.Minor, (await payment.Read()).Captured.Minor));

        await payment.Capture(100);
        await payment.Settle();
        await payment.Capture(650);
        await payment.Settle();
        var stored = await payment.Read();
        Assert.Equal((PaymentState.PartlyCaptured, 750L, 250L), (stored.State, stored.Captured.Minor, stored.Capturable.Minor));
        // The first part first.
        Assert.Equal([700L, 50L], stored.Parts.Select(p => p.Captured.Minor));
        var ledger = await payment.Ledger();
        Assert.Equal((-750L, 750L, 250L), (ledger[AccountKind.Sales], ledger[AccountKind.ProviderClearing], ledger[AccountKind.Holds]));
        Assert.Equal(["PaymentAuthorised"], await payment.Facts());
        Assert.Empty(await payment.Documents());

        await payment.Capture();
        await payment.Settle();
        Assert.Equal(["PaymentAuthorised", "PaymentCaptured"], await payment.Facts());
        Assert.Equal([100L, 650L, 250L], (await payment.Read()).Captures.Select(c => c.Taken.Minor));
        Assert.Equal([DocumentKind.Invoice, DocumentKind.Receipt], (await payment.Documents()).Select(d => d.Kind));
        Assert.Equal(0, (await payment.Ledger())[AccountKind.Holds]);
    }

    [Fact]
    public async Task What_is_not_captured_is_let_go_and_what_was_is_kept()
    {
        var payment = await Held("MANUAL", ("ok", 700), ("ok", 300));
        await payment.Capture(600);
        await payment.Void();
        // Before the provider was asked for either.
        Assert.Equal(0, (await payment.Read()).Capturable.Minor);
        await payment.Settle();

        var stored = await payment.Read();
        Assert.Equal((PaymentState.Captured, 600L, null), (stored.State, stored.Captured.Minor, stored.DeclineReason));
        Assert.All(_provider.BooksOf(payment.OrderId), a => Assert.True(a.Voided));
        Assert.Equal(["PaymentAuthorised", "PaymentCaptured"], await payment.Facts());
        Assert.Equal((0L, -600L), ((await payment.Ledger())[AccountKind.Holds], (await payment.Ledger())[AccountKind.Sales]));
        Assert.Equal(600, (await payment.Documents()).Single(d => d.Kind == DocumentKind.Receipt).Content.TotalMinor);
        Assert.Equal(ErrorReason.CaptureExceedsAuthorisation, (await Assert.ThrowsAsync<Failure>(() => payment.Capture(1))).Reason);
        Assert.True((await payment.Void()).VoidRequested);

        await payment.Refund(null);
        await payment.Settle();
        Assert.Equal((PaymentState.Refunded, 600L), ((await payment.Read()).State, (await payment.Read()).Refunded.Minor));
        Assert.Equal(["PaymentAuthorised", "PaymentCaptured", "PaymentRefunded"], await payment.Facts());
    }

    [Fact]
    public async Task What_was_never_captured_is_voided_whole_also_while_the_shopper_has_not_paid()
    {
        var payment = await Held("MANUAL", ("ok", 700), ("ok", 300));
        await payment.Void("the same");
        await payment.Settle();
        Assert.Equal(PaymentState.Voided, (await payment.Read()).State);
        Assert.Equal(["PaymentAuthorised", "PaymentVoided"], await payment.Facts());
        Assert.Equal(PaymentState.Voided, (await payment.Void("the same")).State);

        var waiting = await Held(null, ("pending", 700));
        await waiting.Void();
        await waiting.Settle();
        Assert.Equal(PaymentState.Voided, (await waiting.Read()).State);
        Assert.True(Assert.Single(_provider.BooksOf(waiting.OrderId)).Voided);
    }

    [Fact]
    public async Task A_capture_above_the_authorisation_is_refused_and_says_what_is_left()
    {
        var payment = await Held("MANUAL", ("ok", 1000));
        await payment.Capture(600);

        // Promised counts, though the provider was not asked yet.
        var failure = await Assert.ThrowsAsync<Failure>(() => payment.Capture(401));
        Assert.Equal((ErrorReason.CaptureExceedsAuthorisation, "4.00", "BRL"), (failure.Reason, failure.Metadata["capturable"], failure.Metadata["currency"]));
        Assert.Equal(ErrorReason.InvalidField, (await Assert.ThrowsAsync<Failure>(() => payment.Capture(1, currency: "EUR"))).Reason);
        Assert.Equal(ErrorReason.InvalidField, (await Assert.ThrowsAsync<Failure>(() => payment.Capture(0))).Reason);
        Assert.Equal(ErrorReason.InvalidField, (await Assert.ThrowsAsync<Failure>(() => payment.Capture(-1))).Reason);
        Assert.Equal(ErrorReason.CaptureExceedsAuthorisation, (await Assert.ThrowsAsync<Failure>(() => payment.Capture(long.MaxValue))).Reason);
        await payment.Capture(400);
        await payment.Settle();
        Assert.Equal(1000, Assert.Single(_provider.BooksOf(payment.OrderId)).Captured);

        var automatic = await Held(null, ("ok", 1000));
        Assert.Contains("by itself", (await Assert.ThrowsAsync<Failure>(() => automatic.Capture(1))).Message, StringComparison.Ordinal);
        Assert.Equal(ErrorReason.PaymentState, (await Assert.ThrowsAsync<Failure>(() => automatic.Void())).Reason);
        var waiting = await Held("MANUAL", ("ok", 500), ("pending", 500));
        Assert.Equal(ErrorReason.CaptureExceedsAuthorisation, (await Assert.ThrowsAsync<Failure>(() => waiting.Capture(1))).Reason);
    }

    [Fact]
    public async Task Captures_at_once_never_take_more_than_is_held_and_the_same_one_is_taken_once()
    {
        var payment = await Held("MANUAL", ("ok", 600), ("ok", 400));
        var promised = (await Task.WhenAll(Enumerable.Range(0, 12).Select(async i =>
        {
            try
            {
                await payment.Capture(150 + i);
                return 150L + i;
            }
            catch (Failure failure) when (failure.Reason == ErrorReason.CaptureExceedsAuthorisation)
            {
                return 0;
            }
        }))).Sum();
        await payment.Settle();
        Assert.InRange(promised, 1000 - 161, 1000);
        Assert.Equal(promised, _provider.BooksOf(payment.OrderId).Sum(a => a.Captured));

        var other = await Held("MANUAL", ("ok", 1000));
        await Task.WhenAll(Enumerable.Range(0, 6).Select(_ => other.Capture(null, "the same")));
        await other.Settle();
        Assert.Single((await other.Read()).Captures);
        Assert.Equal(ErrorReason.RequestIdReused, (await Assert.ThrowsAsync<Failure>(() => other.Capture(5, "the same"))).Reason);
    }

    [Fact]
    public async Task An_answer_to_a_capture_that_was_lost_takes_nothing_twice()
    {
        var payment = await Held("MANUAL", ("ok", 1000));
        var lost = 0;
        _provider.Fault = operation => operation == "capture" && lost++ < 3 ? ProviderFault.AfterTheWork : ProviderFault.None;
        await payment.Capture(300);
        await payment.Capture(300);
        await payment.Settle();
        Assert.Equal(600, Assert.Single(_provider.BooksOf(payment.OrderId)).Captured);
        Assert.Equal([CaptureState.Succeeded, CaptureState.Succeeded], (await payment.Read()).Captures.Select(c => c.State));
    }

    [Fact]
    public async Task A_capture_that_the_provider_refuses_fails_and_the_payment_is_not_declined()
    {
        var payment = await Held("MANUAL", ("ok", 1000));
        await payment.Capture(300);
        await payment.Settle();
        // The hold runs out at the provider.
        await _provider.Void(Assert.Single(_provider.BooksOf(payment.OrderId)).Id, "theirs", CancellationToken.None);
        await payment.Capture(300);
        await payment.Settle();

        var stored = await payment.Read();
        Assert.Equal((PaymentState.Captured, 300L, CaptureState.Failed, "not_capturable"), (stored.State, stored.Captured.Minor, stored.Captures[1].State, stored.Captures[1].Pieces[0].FailureReason));
        Assert.Equal(["PaymentAuthorised", "PaymentCaptured"], await payment.Facts());
    }

    [Fact]
    public async Task A_cancellation_after_a_capture_lets_the_rest_go_and_gives_back_what_was_taken()
    {
        var payment = await Held("MANUAL", ("ok", 700), ("ok", 300));
        await payment.Capture(600);
        await payment.Settle();
        await payment.Cancel();
        await payment.Settle();
        Assert.Equal((PaymentState.Refunded, 600L), ((await payment.Read()).State, (await payment.Read()).Refunded.Minor));
        Assert.All(_provider.BooksOf(payment.OrderId), a => Assert.True(a.Voided && a.Captured == a.Refunded));
        Assert.Equal(0, (await payment.Ledger())[AccountKind.Holds]);
        Assert.Equal(["PaymentAuthorised", "PaymentRefunded"], await payment.Facts());
    }

    [Fact]
    public async Task Parcels_take_their_share_as_they_are_handed_over_and_the_last_one_takes_the_rest()
    {
        // Goods for 2720 (12 × 85 and 2 × 850), 1 less and 199 of shipping: 2819.
        var payment = await Held("ON_SHIPMENT", ("ok", 2000), ("ok", 819));
        await payment.Parcel("s1", (1, 12));
        await payment.Settle();
        Assert.Equal(0, (await payment.Read()).Captured.Minor);

        await payment.HandOver("s1");
        await payment.HandOver("s1");
        await payment.HandOver("s1", previous: "IN_TRANSIT");
        await payment.Settle();
        Assert.Equal(2819 * 1020 / 2720, (await payment.Read()).Captured.Minor);

        // The carrier's word of the second one is here before the plan of it.
        await payment.HandOver("s2");
        await payment.Settle();
        await payment.Parcel("s2", (2, 2));
        await payment.Settle();
        Assert.Equal((PaymentState.Captured, 2819L), ((await payment.Read()).State, (await payment.Read()).Captured.Minor));
        Assert.All((await payment.Read()).Captures, c => Assert.Equal("service/shipments", c.By));
        Assert.Equal(["PaymentAuthorised", "PaymentCaptured"], await payment.Facts());

        var automatic = await Held(null, ("ok", 1000));
        await automatic.Parcel("s3", (1, 1));
        await automatic.HandOver("s3");
        Assert.Empty(await automatic.PointsLeft());
    }

    [Fact]
    public async Task A_parcel_that_comes_back_takes_nothing()
    {
        var payment = await Held("ON_SHIPMENT", ("ok", 2819));
        await payment.Parcel("out-1", (1, 12));
        await payment.HandOver("out-1");
        await payment.ComeBack("back-1", (1, 12), (2, 2));
        await payment.Settle();
        Assert.Equal(2819 * 1020 / 2720, (await payment.Read()).Captured.Minor);
    }

    [Fact]
    public void A_share_is_exact_in_the_end_and_never_more_than_the_whole()
    {
        var order = FakeOrders.Order("x");
        long Of(params (int, long)[] gone) => CaptureShipments.Share(2819, order.Lines, gone.ToDictionary(g => g.Item1, g => g.Item2));
        Assert.Equal(0, Of());
        Assert.Equal(2819, Of((1, 12), (2, 2)));
        // A replacement sent besides does not stand for another line.
        Assert.Equal(Of((1, 12)), Of((1, 24)));
        order.Lines[0].UnitPrice = new Money(0, "BRL").ToProto();
        order.Lines[1].UnitPrice = new Money(0, "BRL").ToProto();
        Assert.Equal((0, 2819), (Of((1, 12)), Of((1, 12), (2, 2))));
    }

    private async Task<DriverHarness.TestPayment> Held(string? mode, params (string Token, long Minor)[] parts)
    {
        var payment = await harness.Begin(_provider);
        payment.CaptureMode = mode;
        await payment.Place(parts);
        await payment.Settle();
        return payment;
    }
}

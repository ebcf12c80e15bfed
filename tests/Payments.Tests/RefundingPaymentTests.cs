using Commerce.Payments.Documents;
using Commerce.Payments.Providers;
using Commerce.ServiceDefaults;
using Commerce.Types.V1;

namespace Commerce.Payments.Tests;

public sealed class RefundingPaymentTests(DriverHarness harness) : IClassFixture<DriverHarness>
{
    private readonly FakeProvider _provider = new();

    [Fact]
    public async Task Many_refunds_of_any_amount_up_to_what_is_left()
    {
        var payment = await Paid(700, 300);
        foreach (var minor in new long[] { 1, 250, 99, 400 })
        {
            await payment.Refund(minor);
            await payment.Settle();
        }

        // The last part first, then what is left of the other.
        Assert.Equal([450L, 300L], _provider.BooksOf(payment.OrderId).OrderByDescending(a => a.Captured).Select(a => a.Refunded));
        var rest = await payment.Refund(null);
        Assert.Equal(250, rest.Amount.Minor);
        await payment.Settle();

        var stored = await payment.Read();
        Assert.Equal((PaymentState.Refunded, 1000L, 0L), (stored.State, stored.Refunded.Minor, stored.Refundable.Minor));
        Assert.Equal(5, stored.Refunds.Count);
        Assert.All(stored.Refunds, r => Assert.Equal((RefundState.Succeeded, r.Amount), (r.State, r.Given)));
        Assert.Equal(["PaymentCaptured", .. Enumerable.Repeat("PaymentRefunded", 5)], await payment.Facts());
    }

    [Fact]
    public async Task A_refund_above_what_is_left_is_refused_and_says_what_is_left()
    {
        var payment = await Paid(1000);
        await payment.Refund(600);

        // Promised counts, though the provider was not asked yet.
        var failure = await Assert.ThrowsAsync<Failure>(() => payment.Refund(401));
        Assert.Equal((ErrorReason.RefundExceedsPayment, "4.00", "BRL"), (failure.Reason, failure.Metadata["refundable"], failure.Metadata["currency"]));
        await payment.Refund(400);
        Assert.Equal("0.00", (await Assert.ThrowsAsync<Failure>(() => payment.Refund(null))).Metadata["refundable"]);
        await payment.Settle();
        Assert.Equal(1000, _provider.BooksOf(payment.OrderId).Sum(a => a.Refunded));
    }

    [Fact]
    public async Task What_was_not_captured_cannot_be_refunded()
    {
        var payment = await harness.Begin(_provider);
        await payment.Place(("pending", 1000));
        await payment.Settle();

        Assert.Equal(ErrorReason.RefundExceedsPayment, (await Assert.ThrowsAsync<Failure>(() => payment.Refund(1))).Reason);
        Assert.Equal(ErrorReason.PaymentNotFound, (await Assert.ThrowsAsync<Failure>(async () => await (await harness.Begin(_provider)).Refund(1))).Reason);
    }

    [Fact]
    public async Task Two_concurrent_refunds_never_exceed_what_is_left()
    {
        var payment = await Paid(600, 400);
        var outcomes = await Task.WhenAll(Enumerable.Range(0, 12).Select(async i =>
        {
            try
            {
                return (await payment.Refund(150 + i)).Amount.Minor;
            }
            catch (Failure failure) when (failure.Reason == ErrorReason.RefundExceedsPayment)
            {
                return 0;
            }
        }));
        await payment.Settle();

        var promised = outcomes.Sum();
        Assert.InRange(promised, 1000 - 161, 1000);
        Assert.Equal(promised, _provider.BooksOf(payment.OrderId).Sum(a => a.Refunded));
        Assert.Equal(promised, (await payment.Read()).Refunded.Minor);
    }

    [Fact]
    public async Task The_same_request_again_is_one_refund_also_by_twins_at_once_and_after_nothing_is_left()
    {
        var payment = await Paid(1000);
        var twins = await Task.WhenAll(Enumerable.Range(0, 6).Select(_ => payment.Refund(null, "the same")));
        Assert.All(twins, t => Assert.Equal((1, 1000L), (t.Number, t.Amount.Minor)));
        await payment.Settle();
        Assert.Equal(RefundState.Succeeded, (await payment.Refund(null, "the same")).State);
        Assert.Equal(ErrorReason.RequestIdReused, (await Assert.ThrowsAsync<Failure>(() => payment.Refund(5, "the same"))).Reason);
        Assert.Equal(1000, Assert.Single(_provider.BooksOf(payment.OrderId)).Refunded);
    }

    [Fact]
    public async Task An_etag_that_is_old_keeps_a_refund_from_being_made_twice_by_two_people()
    {
        var payment = await Paid(1000);
        var etag = FindingPayments.PaymentMapping.EtagOf(await payment.Read());
        await payment.Refund(100, etag: etag);
        Assert.Equal(ErrorReason.EtagMismatch, (await Assert.ThrowsAsync<Failure>(() => payment.Refund(100, etag: etag))).Reason);
    }

    // Elsewhere it does: saleor 14278, vendure 3152.
    [Fact]
    public async Task A_failed_refund_does_not_count_as_refunded_and_is_told_once()
    {
        var payment = await Paid(1000);
        _provider.RefundsEnd = _ => RefundStatus.Failed;
        await payment.Refund(400);
        await payment.Settle();

        var stored = await payment.Read();
        Assert.Equal((PaymentState.Captured, 0L, 1000L), (stored.State, stored.Refunded.Minor, stored.Refundable.Minor));
        Assert.Equal((RefundState.Failed, "bank_says_no", 0L), (stored.Refunds[0].State, stored.Refunds[0].Pieces[0].FailureReason, stored.Refunds[0].Given.Minor));
        Assert.Equal(["PaymentCaptured", "PaymentRefundFailed"], await payment.Facts());
        Assert.Equal([DocumentKind.Invoice, DocumentKind.Receipt], (await payment.Documents()).Select(d => d.Kind));

        _provider.RefundsEnd = _ => RefundStatus.Succeeded;
        await payment.Refund(1000);
        await payment.Settle();
        Assert.Equal(["PaymentCaptured", "PaymentRefundFailed", "PaymentRefunded"], await payment.Facts());
        Assert.Equal(1000, Assert.Single(_provider.BooksOf(payment.OrderId)).Refunded);
    }

    [Fact]
    public async Task A_refund_of_which_one_part_fails_counts_what_the_other_gave_back_and_no_more()
    {
        var payment = await Paid(600, 400);
        _provider.RefundsEnd = reference => reference.Split('/')[1] == "2" ? RefundStatus.Failed : RefundStatus.Succeeded;
        await payment.Refund(null);
        await payment.Settle();

        var stored = await payment.Read();
        var refund = Assert.Single(stored.Refunds);
        Assert.Equal((RefundState.Failed, 600L, PaymentState.PartlyRefunded, 400L), (refund.State, refund.Given.Minor, stored.State, stored.Refundable.Minor));
    }

    [Theory]
    [InlineData(RefundStatus.Succeeded)]
    [InlineData(RefundStatus.Failed)]
    public async Task A_pending_refund_is_settled_by_its_webhook_first_twice_or_late_and_by_asking_where_none_comes(RefundStatus end)
    {
        foreach (var heard in new[] { "twice", "late", "never" })
        {
            var payment = await Paid(1000);
            _provider.RefundsEnd = _ => RefundStatus.Pending;
            await payment.Refund(300);
            await payment.Settle();
            Assert.Equal((RefundState.Pending, 700L), ((await payment.Read()).Refunds[0].State, (await payment.Read()).Refundable.Minor));
            Assert.Contains(await payment.PointsLeft(), p => p.Kind == "poll-payment");

            _provider.SettleRefunds(payment.OrderId, end);
            var said = _provider.SaidOfRefunds.Where(r => r.Reference.StartsWith(payment.OrderId, StringComparison.Ordinal)).ToList();
            if (heard == "twice")
                Assert.Equal("news", await payment.Hear(said[^1]));
            if (heard != "never")
                await payment.Hear(said[^1]);
            await payment.Settle();
            // The provider's "pending" comes late, after the end.
            Assert.Equal("known", await payment.Hear(said[0]));
            Assert.Equal("known", await payment.Hear(said[^1]));

            var stored = await payment.Read();
            var given = end == RefundStatus.Succeeded ? 300L : 0L;
            Assert.Equal((end.ToString(), given, 1000 - given), (stored.Refunds[0].State.ToString(), stored.Refunded.Minor, stored.Refundable.Minor));
            Assert.Equal(["PaymentCaptured", given > 0 ? "PaymentRefunded" : "PaymentRefundFailed"], await payment.Facts());
            Assert.Empty(await payment.PointsLeft());
        }
    }

    [Fact]
    public async Task A_webhook_that_beats_the_answer_of_the_refund_call_ends_in_the_same_state()
    {
        var payment = await Paid(1000);
        _provider.OnAnswer = async operation =>
        {
            if (operation == "refund")
                Assert.Equal("news", await payment.Hear(_provider.SaidOfRefunds[^1]));
        };
        await payment.Refund(300);
        await payment.Settle();

        Assert.Equal(["PaymentCaptured", "PaymentRefunded"], await payment.Facts());
        Assert.Equal(300, (await payment.Read()).Refunded.Minor);
        Assert.Empty(await payment.PointsLeft());
    }

    [Fact]
    public async Task An_answer_to_a_refund_that_was_lost_gives_nothing_back_twice()
    {
        var payment = await Paid(1000);
        var lost = 0;
        _provider.Fault = operation => operation == "refund" && lost++ < 3 ? ProviderFault.AfterTheWork : ProviderFault.None;
        await payment.Refund(300);
        await payment.Settle();
        Assert.Equal(300, Assert.Single(_provider.BooksOf(payment.OrderId)).Refunded);
        Assert.Equal(300, (await payment.Read()).Refunded.Minor);
    }

    [Fact]
    public async Task A_cancellation_gives_back_what_earlier_refunds_left_and_waits_for_those_on_their_way()
    {
        var payment = await Paid(600, 400);
        await payment.Refund(250);
        await payment.Settle();
        _provider.RefundsEnd = reference => reference.EndsWith("/2", StringComparison.Ordinal) ? RefundStatus.Pending : RefundStatus.Succeeded;
        await payment.Refund(100);
        await payment.Settle();
        await payment.Cancel();
        await payment.Settle();
        Assert.Equal(900, _provider.BooksOf(payment.OrderId).Sum(a => a.Refunded));
        Assert.Equal("PaymentRefunded", (await payment.Facts())[^1]);

        // The one on its way fails: what it had promised goes back with the rest after all.
        _provider.SettleRefunds(payment.OrderId, RefundStatus.Failed);
        await payment.Settle();
        var stored = await payment.Read();
        Assert.Equal((PaymentState.Refunded, 1000L), (stored.State, stored.Refunded.Minor));
        Assert.Equal(["PaymentCaptured", "PaymentRefunded", "PaymentRefunded", "PaymentRefundFailed"], await payment.Facts());
        Assert.Equal([250L, 100L, 650L, 100L], stored.Refunds.Select(r => r.Amount.Minor));
    }

    [Fact]
    public async Task What_was_given_back_at_the_provider_leaves_less_to_refund()
    {
        var payment = await Paid(1000);
        var id = Assert.Single(_provider.BooksOf(payment.OrderId)).Id;
        var elsewhere = await _provider.Refund(id, new Money(800, "BRL"), "by hand", "another key", CancellationToken.None);
        await payment.Refund(300);
        await payment.Settle();

        var stored = await payment.Read();
        Assert.Equal((RefundState.Failed, "too_much", 800L, 200L), (stored.Refunds[0].State, stored.Refunds[0].Pieces[0].FailureReason, stored.Refunded.Minor, stored.Refundable.Minor));
        Assert.Equal("news", await payment.Hear(elsewhere));
        await payment.Refund(null);
        await payment.Settle();
        Assert.Equal(1000, (await payment.Read()).Refunded.Minor);
    }

    [Fact]
    public async Task A_refund_in_another_currency_is_refused_and_says_which_one_it_is()
    {
        var payment = await Paid(1000);
        var failure = await Assert.ThrowsAsync<Failure>(() => payment.Refund(1, currency: "EUR"));
        Assert.Equal((ErrorReason.InvalidField, "amount.currency_code"), (failure.Reason, failure.Fields[0].Field));
        Assert.Contains("BRL", failure.Fields[0].Description, StringComparison.Ordinal);
        foreach (var nonsense in new long[] { 0, -1, long.MinValue })
            Assert.Equal(ErrorReason.InvalidField, (await Assert.ThrowsAsync<Failure>(() => payment.Refund(nonsense))).Reason);
        Assert.Empty((await payment.Read()).Refunds);
    }

    [Fact]
    public async Task Amounts_at_the_limit_of_64_bits_are_refunded_to_the_last_unit()
    {
        var payment = await Paid(long.MaxValue - 7, 7);
        await payment.Refund(long.MaxValue - 1);
        Assert.Equal("0.01", (await Assert.ThrowsAsync<Failure>(() => payment.Refund(long.MaxValue))).Metadata["refundable"]);
        await payment.Refund(1);
        await payment.Settle();

        var stored = await payment.Read();
        Assert.Equal((PaymentState.Refunded, long.MaxValue), (stored.State, stored.Refunded.Minor));
        Assert.Equal((-long.MaxValue, long.MaxValue), ((await payment.Ledger())[Payments.Ledger.AccountKind.Sales], (await payment.Ledger())[Payments.Ledger.AccountKind.Refunds]));
    }

    [Fact]
    public async Task A_refund_that_would_be_more_store_credit_than_one_may_have_fails_and_is_free_again()
    {
        var payment = await harness.Begin(_provider);
        payment.Customer = "rich";
        await payment.Place(("ok", long.MaxValue));
        await payment.Settle();
        await payment.Refund(null, destination: V1.RefundDestination.StoreCredit);
        await payment.Settle();

        var stored = await payment.Read();
        Assert.Equal((RefundState.Failed, "CREDIT_LIMIT", 0L, long.MaxValue), (stored.Refunds[0].State, stored.Refunds[0].Pieces[0].FailureReason, stored.Refunded.Minor, stored.Refundable.Minor));
        Assert.Equal((0L, 0L), await harness.BalanceOf("rich"));
        Assert.Equal(["PaymentCaptured", "PaymentRefundFailed"], await payment.Facts());
    }

    [Fact]
    public async Task The_schema_refuses_promises_above_what_was_captured_whoever_writes_them()
    {
        var payment = await Paid(1000);
        await payment.Refund(900);
        await using var command = harness.Database.CreateCommand("UPDATE refund_pieces SET amount_minor = 1001 WHERE order_id = $1");
        command.Parameters.AddWithValue(payment.OrderId);
        var refusal = await Assert.ThrowsAsync<Npgsql.PostgresException>(() => command.ExecuteNonQueryAsync());
        Assert.Equal("refunds_within_payment", refusal.ConstraintName);
    }

    private async Task<DriverHarness.TestPayment> Paid(params long[] parts)
    {
        var payment = await harness.Begin(_provider);
        await payment.Place([.. parts.Select(minor => ("ok", minor))]);
        await payment.Settle();
        return payment;
    }
}

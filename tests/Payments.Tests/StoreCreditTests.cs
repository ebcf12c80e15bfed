using Commerce.Payments.Ledger;
using Commerce.Payments.Providers;
using Commerce.Payments.Providers.StoreCredit;
using Commerce.Payments.StoreCredits;
using Commerce.ServiceDefaults;
using Commerce.Types.V1;
using Npgsql;

namespace Commerce.Payments.Tests;

public sealed class StoreCreditTests(DriverHarness harness) : IClassFixture<DriverHarness>
{
    private readonly FakeProvider _provider = new();
    private readonly string _customer = "customer-" + Guid.NewGuid().ToString("N")[..12];

    [Fact]
    public async Task An_order_is_paid_in_part_with_store_credit_and_gives_it_back()
    {
        await harness.Grant(_customer, 1000);
        var payment = await Placed(("ok", 700), ("credit", 300));
        await payment.Settle();
        Assert.Equal((700L, 0L), await harness.BalanceOf(_customer));
        var ledger = await payment.Ledger();
        Assert.Equal((700L, 300L, -1000L, 0L), (ledger[AccountKind.ProviderClearing], ledger[AccountKind.StoreCredit], ledger[AccountKind.Sales], ledger[AccountKind.Holds]));

        await payment.Refund(400);
        await payment.Settle();
        Assert.Equal((1000L, 0L), await harness.BalanceOf(_customer));
        Assert.Equal(100, Assert.Single(_provider.BooksOf(payment.OrderId)).Refunded);
        Assert.Equal(["PaymentCaptured", "PaymentRefunded"], await payment.Facts());
        var entries = await harness.CreditBook.Entries("main", _customer, null, 10, CancellationToken.None);
        Assert.Equal(
            [(3, CreditEntryKind.Refunded, 300L, 1000L, payment.OrderId), (2, CreditEntryKind.Spent, -300L, 700L, payment.OrderId), (1, CreditEntryKind.Granted, 1000L, 1000L, "")],
            entries.Select(e => (e.Number, e.Kind, e.Amount.Minor, e.Balance.Minor, e.OrderId)));
    }

    [Fact]
    public async Task A_refund_becomes_store_credit_and_the_provider_gives_nothing_back()
    {
        var payment = await Placed(("ok", 700), ("ok", 300));
        await payment.Settle();
        await payment.Refund(400, destination: V1.RefundDestination.StoreCredit, note: "by wish");
        await payment.Settle();

        var stored = await payment.Read();
        Assert.Equal((400L, 600L, PaymentState.PartlyRefunded), (stored.Refunded.Minor, stored.Refundable.Minor, stored.State));
        Assert.Equal((RefundState.Succeeded, RefundDestination.StoreCredit), (stored.Refunds[0].State, stored.Refunds[0].Destination));
        Assert.Equal(0, _provider.BooksOf(payment.OrderId).Sum(a => a.Refunded));
        Assert.Equal((400L, 0L), await harness.BalanceOf(_customer));
        var ledger = await payment.Ledger();
        Assert.Equal((1000L, 400L, -400L), (ledger[AccountKind.ProviderClearing], ledger[AccountKind.Refunds], ledger[AccountKind.StoreCredit]));
        var note = Assert.Single(await payment.Documents(), d => d.Kind == Payments.Documents.DocumentKind.CreditNote);
        Assert.All(note.Content.Payments, p => Assert.Equal("STORE_CREDIT", p.Method));

        // What is left goes back to the cards, and what the provider says of it does not count the credit away.
        await payment.Refund(null);
        await payment.Settle();
        foreach (var said in _provider.Said)
            await payment.Hear(said);
        stored = await payment.Read();
        Assert.Equal((PaymentState.Refunded, 1000L), (stored.State, stored.Refunded.Minor));
        Assert.Equal(600, _provider.BooksOf(payment.OrderId).Sum(a => a.Refunded));
        Assert.Equal((400L, 0L), await harness.BalanceOf(_customer));
    }

    [Fact]
    public async Task What_was_given_back_at_the_provider_counts_beside_what_became_store_credit()
    {
        var payment = await Placed(("ok", 1000));
        await payment.Settle();
        await payment.Refund(200, destination: V1.RefundDestination.StoreCredit);
        await payment.Settle();
        var id = Assert.Single(_provider.BooksOf(payment.OrderId)).Id;
        await _provider.Refund(id, new Money(300, "BRL"), "by hand", "another key", CancellationToken.None);
        await payment.Hear(_provider.Said[^1]);

        Assert.Equal((500L, 500L), ((await payment.Read()).Refunded.Minor, (await payment.Read()).Refundable.Minor));
        await payment.Refund(500, destination: V1.RefundDestination.StoreCredit);
        await payment.Settle();
        Assert.Equal((PaymentState.Refunded, 1000L), ((await payment.Read()).State, (await payment.Read()).Refunded.Minor));
        Assert.Equal((700L, 0L), await harness.BalanceOf(_customer));
    }

    [Fact]
    public async Task An_order_without_a_customer_has_its_credit_under_its_order_id_and_another_is_paid_with_it()
    {
        var payment = await harness.Begin(_provider);
        await payment.Place(("ok", 1000));
        await payment.Settle();
        await payment.Refund(400, destination: V1.RefundDestination.StoreCredit);
        await payment.Settle();
        Assert.Equal((400L, 0L), await harness.BalanceOf(payment.OrderId));

        // The token names whose it is, whoever orders: here somebody with an account and credit of their own.
        await harness.Grant(_customer, 100);
        var instead = await Placed((payment.OrderId, 300));
        await instead.Settle();
        Assert.Equal((100L, 300L, 0L), ((await harness.BalanceOf(payment.OrderId)).Balance, (await instead.Read()).Captured.Minor, (await harness.BalanceOf(payment.OrderId)).Held));
        await instead.Refund(null);
        await instead.Settle();
        Assert.Equal((400L, 100L), ((await harness.BalanceOf(payment.OrderId)).Balance, (await harness.BalanceOf(_customer)).Balance));
    }

    [Fact]
    public async Task An_order_with_too_little_credit_is_declined_and_nothing_of_its_card_is_kept()
    {
        await harness.Grant(_customer, 299);
        var payment = await Placed(("ok", 700), ("credit", 300));
        await payment.Settle();

        var stored = await payment.Read();
        Assert.Equal((PaymentState.Declined, StoreCreditProvider.Insufficient), (stored.State, stored.DeclineReason));
        Assert.True(Assert.Single(_provider.BooksOf(payment.OrderId)).Voided);
        Assert.Equal((299L, 0L), await harness.BalanceOf(_customer));
        var nobody = await harness.Begin(_provider);
        await nobody.Place(("credit", 1));
        await nobody.Settle();
        Assert.Equal(StoreCreditProvider.Insufficient, (await nobody.Read()).DeclineReason);
    }

    [Fact]
    public async Task A_declined_card_or_a_cancellation_lets_the_held_credit_go()
    {
        await harness.Grant(_customer, 1000);
        var declined = await Placed(("credit", 600), ("declined", 100));
        await declined.Settle();
        Assert.Equal((1000L, 0L), await harness.BalanceOf(_customer));

        var waiting = await Placed(("credit", 600), ("pending", 100));
        await waiting.Settle();
        Assert.Equal((1000L, 600L), await harness.BalanceOf(_customer));
        await waiting.Cancel();
        await waiting.Settle();
        Assert.Equal((1000L, 0L), await harness.BalanceOf(_customer));
        Assert.Equal(PaymentState.Voided, (await waiting.Read()).State);

        var paid = await Placed(("credit", 600));
        await paid.Settle();
        Assert.Equal((400L, 0L), await harness.BalanceOf(_customer));
        await paid.Cancel();
        await paid.Settle();
        Assert.Equal((1000L, 0L), await harness.BalanceOf(_customer));
    }

    [Fact]
    public async Task Twenty_orders_at_once_never_spend_more_than_there_is()
    {
        await harness.Grant(_customer, 1000);
        var payments = await Task.WhenAll(Enumerable.Range(0, 20).Select(async _ =>
        {
            var payment = await Placed(("credit", 150));
            await payment.Settle();
            return await payment.Read();
        }));

        Assert.Equal(6, payments.Count(p => p.State == PaymentState.Captured));
        Assert.Equal(14, payments.Count(p => p.DeclineReason == StoreCreditProvider.Insufficient));
        Assert.Equal((100L, 0L), await harness.BalanceOf(_customer));
    }

    [Fact]
    public async Task The_same_call_at_once_or_again_is_done_once()
    {
        await harness.Grant(_customer, 1000);
        var (credit, reference) = (harness.Credit, $"{OrderId.New("ORD", TimeProvider.System)}/1");
        var request = new AuthoriseRequest(reference, new Money(400, "BRL"), "STORE_CREDIT", "", 1, "main", _customer);
        async Task<T[]> Often<T>(Func<Task<T>> call) => await Task.WhenAll(Enumerable.Range(0, 8).Select(_ => call()));

        Assert.All(await Often(() => credit.Authorise(request, reference + "/authorise", CancellationToken.None)), a => Assert.Equal(AuthorisationStatus.Authorised, a.Status));
        Assert.Equal((1000L, 400L), await harness.BalanceOf(_customer));
        Assert.NotNull(await credit.FindByKey(reference + "/authorise", CancellationToken.None));
        Assert.All(await Often(() => credit.Capture(reference, new Money(300, "BRL"), reference + "/capture", CancellationToken.None)), a => Assert.Equal(300, a.Captured));
        Assert.Equal((700L, 100L), await harness.BalanceOf(_customer));
        Assert.All(await Often(() => credit.Void(reference, reference + "/void", CancellationToken.None)), a => Assert.True(a.Voided));
        Assert.Equal((700L, 0L), await harness.BalanceOf(_customer));
        await Assert.ThrowsAsync<ProviderRefusedException>(() => credit.Capture(reference, new Money(1, "BRL"), reference + "/capture/300", CancellationToken.None));
        Assert.All(await Often(() => credit.Refund(reference, new Money(200, "BRL"), reference + "/1", reference + "/1/refund", CancellationToken.None)), r => Assert.Equal(RefundStatus.Succeeded, r.Status));
        await Assert.ThrowsAsync<ProviderRefusedException>(() => credit.Refund(reference, new Money(101, "BRL"), reference + "/2", reference + "/2/refund", CancellationToken.None));
        Assert.Null(await credit.FindRefund(reference, reference + "/2", CancellationToken.None));
        Assert.Equal(200, (await credit.FindRefund(reference, reference + "/1", CancellationToken.None))!.Amount.Minor);
        Assert.Equal((900L, 0L), await harness.BalanceOf(_customer));
    }

    [Fact]
    public async Task A_grant_is_made_once_and_taken_back_at_most_as_far_as_it_is_not_held()
    {
        var first = await Task.WhenAll(Enumerable.Range(0, 6).Select(_ => harness.Grant(_customer, 500, "the same")));
        Assert.All(first, e => Assert.Equal((1, 500L), (e.Number, e.Balance.Minor)));
        var waiting = await Placed(("credit", 300), ("pending", 100));
        await waiting.Settle();

        var refused = await Assert.ThrowsAsync<Failure>(() => harness.Grant(_customer, -201));
        Assert.Equal((ErrorReason.InsufficientCredit, "2.00", "BRL"), (refused.Reason, refused.Metadata["available"], refused.Metadata["currency"]));
        Assert.Equal(300, (await harness.Grant(_customer, -200)).Balance.Minor);
        Assert.Equal(ErrorReason.CreditLimit, (await Assert.ThrowsAsync<Failure>(() => harness.Grant(_customer, StoreCreditBook.Most))).Reason);
        Assert.Equal(ErrorReason.InsufficientCredit, (await Assert.ThrowsAsync<Failure>(() => harness.Grant("nobody", -1))).Reason);
        Assert.Equal((300L, 300L), await harness.BalanceOf(_customer));

        // Another currency is another balance.
        await harness.Grant(_customer + ".2", 700, currency: "JPY");
        await harness.Grant(_customer + ".2", 900);
        Assert.Equal(["BRL 900", "JPY 700"], (await harness.CreditBook.Balances("main", _customer + ".2", CancellationToken.None)).Select(b => $"{b.Currency} {b.Balance}"));
        var balance = await new LedgerStore(harness.Database).Totals("main", null, CancellationToken.None);
        Assert.Single(balance, t => t.Account == "main/JPY/STORE_CREDIT");
        Assert.Contains(balance, t => t is { Kind: AccountKind.Goodwill, Currency: "JPY", Debit: var debit } && debit == 700);
    }

    [Fact]
    public async Task Entries_are_paged_newest_first_and_stay_as_they_are()
    {
        for (var i = 1; i <= 5; i++)
            await harness.Grant(_customer, i);
        var all = await harness.CreditBook.Entries("main", _customer, null, 10, CancellationToken.None);
        Assert.Equal([5, 4, 3, 2, 1], all.Select(e => e.Number));
        var rest = await harness.CreditBook.Entries("main", _customer, (all[1].CreatedAt, "BRL", all[1].Number), 10, CancellationToken.None);
        Assert.Equal([3, 2, 1], rest.Select(e => e.Number));
        await using var delete = harness.Database.CreateCommand("DELETE FROM store_credit_entries");
        Assert.Contains("append-only", (await Assert.ThrowsAsync<PostgresException>(() => delete.ExecuteNonQueryAsync())).MessageText, StringComparison.Ordinal);
        await using var below = harness.Database.CreateCommand("UPDATE store_credits SET balance_minor = -1");
        await Assert.ThrowsAsync<PostgresException>(() => below.ExecuteNonQueryAsync());
    }

    private async Task<DriverHarness.TestPayment> Placed(params (string Token, long Minor)[] parts)
    {
        var payment = await harness.Begin(_provider);
        payment.Customer = _customer;
        await payment.Place(parts);
        return payment;
    }
}

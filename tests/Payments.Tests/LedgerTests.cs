using Commerce.Payments.Ledger;
using Commerce.Payments.Providers;
using Npgsql;

namespace Commerce.Payments.Tests;

public sealed class LedgerTests(DriverHarness harness) : IClassFixture<DriverHarness>
{
    private readonly FakeProvider _provider = new();

    [Fact]
    public async Task A_payment_posts_its_holds_captures_and_refunds_once_each()
    {
        var payment = await harness.Begin(_provider);
        await payment.Place(("ok", 700), ("ok", 300));
        await payment.Settle();
        await payment.Refund(350);
        await payment.Settle();
        foreach (var said in _provider.Said)
            await payment.Hear(said);

        var entries = await new LedgerStore(harness.Database).List("main", payment.OrderId, "", null, null, null, 100, CancellationToken.None);
        Assert.Equal(
            [
                $"{payment.OrderId}/1/capture/0 4", $"{payment.OrderId}/1/hold 2", $"{payment.OrderId}/1/refund/0 2",
                $"{payment.OrderId}/2/capture/0 4", $"{payment.OrderId}/2/hold 2", $"{payment.OrderId}/2/refund/0 2",
            ],
            entries.GroupBy(e => e.Movement).Select(m => $"{m.Key} {m.Count()}").Order(StringComparer.Ordinal));
        var ledger = await payment.Ledger();
        Assert.Equal(
            (650L, -1000L, 350L, 0L, 0L),
            (ledger[AccountKind.ProviderClearing], ledger[AccountKind.Sales], ledger[AccountKind.Refunds], ledger[AccountKind.Holds], ledger[AccountKind.HoldsCounterpart]));
    }

    [Fact]
    public async Task What_is_held_and_then_voided_leaves_nothing_in_the_books_but_its_trace()
    {
        var payment = await harness.Begin(_provider);
        _provider.Fault = operation => operation == "capture" ? ProviderFault.BeforeTheWork : ProviderFault.None;
        await payment.Place(("ok", 1000));
        await payment.Run((await payment.PointsLeft())[0]);
        Assert.Equal(1000, (await payment.Ledger())[AccountKind.Holds]);
        await payment.Cancel();
        await payment.Settle();
        Assert.Equal([0L, 0L], (await payment.Ledger()).OrderBy(a => a.Key).Select(a => a.Value));
    }

    [Fact]
    public async Task A_failed_refund_is_in_no_account()
    {
        _provider.RefundsEnd = _ => RefundStatus.Failed;
        var payment = await harness.Begin(_provider);
        await payment.Place(("ok", 1000));
        await payment.Settle();
        await payment.Refund(400);
        await payment.Settle();
        Assert.DoesNotContain(AccountKind.Refunds, (await payment.Ledger()).Keys);
    }

    [Theory]
    [InlineData("UPDATE ledger_entries SET amount_minor = 1")]
    [InlineData("UPDATE ledger_entries SET amount_minor = 1 WHERE false")]
    [InlineData("DELETE FROM ledger_entries")]
    [InlineData("TRUNCATE ledger_entries")]
    [InlineData("UPDATE ledger_movements SET order_id = ''")]
    [InlineData("DELETE FROM ledger_movements")]
    [InlineData("TRUNCATE ledger_movements CASCADE")]
    [InlineData("UPDATE ledger_accounts SET currency = 'EUR'")]
    [InlineData("DELETE FROM ledger_accounts")]
    [InlineData("TRUNCATE ledger_accounts")]
    [InlineData("SET session_replication_role = replica; DELETE FROM ledger_entries")]
    public async Task What_is_posted_cannot_be_changed_by_anybody(string sql)
    {
        await harness.Begin(_provider);
        await using var connection = await harness.Database.OpenConnectionAsync();
        await using var transaction = await connection.BeginTransactionAsync();
        await using var command = new NpgsqlCommand(sql, connection, transaction);
        var refusal = await Assert.ThrowsAsync<PostgresException>(() => command.ExecuteNonQueryAsync());
        Assert.Contains("append-only", refusal.MessageText, StringComparison.Ordinal);
    }

    [Theory]
    // It does not sum to zero.
    [InlineData("('x', 1, 'x/EUR/SALES', 100, 'x', now()), ('x', 2, 'x/EUR/REFUNDS', -99, 'x', now())")]
    // It does, but not in each currency.
    [InlineData("('x', 1, 'x/EUR/SALES', 100, 'x', now()), ('x', 2, 'x/USD/SALES', -100, 'x', now())")]
    // An account that there is not, and one of another store.
    [InlineData("('x', 1, 'x/EUR/SALES', 100, 'x', now()), ('x', 2, 'x/EUR/NOWHERE', -100, 'x', now())")]
    [InlineData("('x', 1, 'x/EUR/SALES', 100, 'y', now()), ('x', 2, 'x/EUR/REFUNDS', -100, 'y', now())")]
    // Nothing at all.
    [InlineData(null)]
    public async Task What_does_not_balance_in_each_currency_cannot_be_committed(string? entries)
    {
        await harness.Begin(_provider);
        await using var connection = await harness.Database.OpenConnectionAsync();
        await using var transaction = await connection.BeginTransactionAsync();
        await using var batch = new NpgsqlBatch(connection, transaction);
        batch.BatchCommands.Add(new NpgsqlBatchCommand(
            "INSERT INTO ledger_accounts VALUES ('x/EUR/SALES', 'x', 'EUR', 2, ''), ('x/EUR/REFUNDS', 'x', 'EUR', 3, ''), ('x/USD/SALES', 'x', 'USD', 2, '') ON CONFLICT DO NOTHING"));
        batch.BatchCommands.Add(new NpgsqlBatchCommand("INSERT INTO ledger_movements VALUES ('x', 'x', 'o', 2, now())"));
        if (entries is not null)
            batch.BatchCommands.Add(new NpgsqlBatchCommand("INSERT INTO ledger_entries VALUES " + entries));
        await batch.ExecuteNonQueryAsync();
        Assert.Equal("ledger_balances", (await Assert.ThrowsAsync<PostgresException>(() => transaction.CommitAsync())).ConstraintName);
    }

    [Fact]
    public async Task Entries_are_paged_by_order_account_and_time_and_the_store_balances()
    {
        var payment = await harness.Begin(_provider);
        await payment.Place(("ok", 700), ("ok", 300));
        await payment.Settle();
        var ledger = new LedgerStore(harness.Database);
        var all = await ledger.List("main", payment.OrderId, "", null, null, null, 100, CancellationToken.None);
        var paged = new List<PostedEntry>();
        IReadOnlyList<PostedEntry> page;
        do
        {
            (DateTimeOffset, string, int)? after = paged.Count == 0 ? null : (paged[^1].PostedAt, paged[^1].Movement, paged[^1].Line);
            page = await ledger.List("main", payment.OrderId, "", null, null, after, 5, CancellationToken.None);
            paged.AddRange(page);
        }
        while (page.Count == 5);
        Assert.Equal(all, paged);
        Assert.Equal(2, (await ledger.List("main", payment.OrderId, "main/BRL/SALES", null, null, null, 100, CancellationToken.None)).Count);
        Assert.Empty(await ledger.List("main", payment.OrderId, "", all[^1].PostedAt.AddTicks(10), null, null, 100, CancellationToken.None));
        Assert.Empty(await ledger.List("main", payment.OrderId, "", null, all[0].PostedAt, null, 100, CancellationToken.None));
        Assert.Empty(await ledger.List("other", payment.OrderId, "", null, null, null, 100, CancellationToken.None));

        var totals = await ledger.Totals("main", null, CancellationToken.None);
        Assert.Equal(totals.Aggregate(System.Numerics.BigInteger.Zero, (sum, t) => sum + t.Debit), totals.Aggregate(System.Numerics.BigInteger.Zero, (sum, t) => sum + t.Credit));
        Assert.All(await ledger.Totals("main", DateTimeOffset.UnixEpoch, CancellationToken.None), t => Assert.Equal(0, t.Entries));
    }
}

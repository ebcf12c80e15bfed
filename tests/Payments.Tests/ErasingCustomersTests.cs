using System.Text.Json;
using Commerce.Facts;
using Commerce.Payments.Documents;
using Commerce.Payments.ErasingCustomers;
using Microsoft.Extensions.Logging.Abstractions;
using Npgsql;

namespace Commerce.Payments.Tests;

/// <summary>A customer is erased: what of it is in the books stays, and what names them is out of sight until its day.</summary>
public sealed class ErasingCustomersTests(DriverHarness harness) : IClassFixture<DriverHarness>
{
    private readonly FakeProvider _provider = new();

    [Fact]
    public async Task Words_and_means_of_payment_go_the_books_stay_and_documents_are_restricted()
    {
        var payment = await Paid();
        await payment.Refund(100, note: "for Ana's birthday");
        await payment.Settle();
        var (ledger, before) = (await payment.Ledger(), await payment.Documents());

        await payment.Erase();

        Assert.Equal(ledger, await payment.Ledger());
        foreach (var table in new[] { "payments", "payment_parts", "refunds", "store_credit_entries", "ledger_notes" })
            Assert.Equal(0L, await Scalar($"SELECT count(*) FROM {table} t WHERE t::text LIKE '%birthday%' OR t::text LIKE '%\"ok\"%'"));
        Assert.Equal(0L, await Scalar("SELECT count(*) FROM payment_parts WHERE order_id = $1 AND token <> ''", payment.OrderId));
        var after = await payment.Documents();
        Assert.Equal(before.Select(d => (d.Number, d.Content.TotalMinor, d.Content.CustomerName)), after.Select(d => (d.Number, d.Content.TotalMinor, d.Content.CustomerName)));
        Assert.All(after, document => Assert.True(document.IsRestricted));

        var told = JsonSerializer.Deserialize<PersonalDataErased>((string)(await Scalar("SELECT body FROM messaging.outbox WHERE fact = 'PersonalDataErased' AND key LIKE '%' || $1 || '%'", payment.OrderId))!, JsonSerializerOptions.Web)!;
        var kept = Assert.Single(told.Items, item => item.KeepUntil is not null);
        Assert.Equal((3, new DateOnly(after.Max(d => d.Year) + 10, 12, 31)), (kept.Kept, kept.KeepUntil));
    }

    [Fact]
    public async Task Documents_are_kept_to_their_day_and_then_name_nobody_while_numbers_and_amounts_stay()
    {
        var payment = await Paid();
        var other = await Paid();
        await payment.Erase();
        var pass = new RemoveOldDocuments(harness.Database, TimeProvider.System, NullLogger<RemoveOldDocuments>.Instance);
        Assert.Equal(0, await pass.Pass(CancellationToken.None));
        Assert.Equal("Ana Conceição", (await payment.Documents())[0].Content.CustomerName);

        await Execute("UPDATE erased_orders SET keep_documents_until = now()::date - 1 WHERE order_id = $1", payment.OrderId);
        Assert.Equal(1, await pass.Pass(CancellationToken.None));
        Assert.Equal(0, await pass.Pass(CancellationToken.None));
        var removed = await payment.Documents();
        Assert.All(removed, d => Assert.Equal(("", 0, ""), (d.Content.CustomerName, d.Content.CustomerAddress.Count, d.Content.Note)));
        Assert.Equal([(DocumentKind.Invoice, 2819L), (DocumentKind.Receipt, 2819L)], removed.Select(d => (d.Kind, d.Content.TotalMinor)));
        Assert.Equal("Ana Conceição", (await other.Documents())[0].Content.CustomerName);
    }

    [Theory]
    [InlineData("UPDATE documents SET content = content || '{\"customer_name\": \"\", \"customer_address\": [], \"note\": \"\"}'")]
    [InlineData("UPDATE store_credit_entries SET amount_minor = 1")]
    [InlineData("UPDATE ledger_notes SET note = 'something else'")]
    [InlineData("UPDATE ledger_entries SET amount_minor = amount_minor")]
    [InlineData("DELETE FROM documents")]
    public async Task What_is_final_stays_final_whoever_says_that_they_erase(string statement)
    {
        var payment = await Paid();
        await harness.Grant($"c-{Guid.NewGuid():N}", 100);
        await Execute("INSERT INTO ledger_notes (movement, note, actor) SELECT movement, 'a note', 'staff/anna' FROM ledger_movements WHERE order_id = $1", payment.OrderId);
        foreach (var said in new[] { "", "notes", "documents" })
        {
            await using var connection = await harness.Database.OpenConnectionAsync();
            await using var transaction = await connection.BeginTransactionAsync();
            await using (var say = new NpgsqlCommand("SELECT set_config('commerce.erasing', $1, true)", connection, transaction) { Parameters = { new() { Value = said } } })
                await say.ExecuteNonQueryAsync();
            await using var change = new NpgsqlCommand(statement, connection, transaction);
            Assert.Equal("23001", (await Assert.ThrowsAsync<PostgresException>(() => change.ExecuteNonQueryAsync())).SqlState);
        }
    }

    [Fact]
    public void The_law_of_the_store_s_country_says_how_long_documents_are_kept()
    {
        var options = new PaymentsOptions();
        Assert.Equal((8, 6, 10, 10), (options.YearsToKeepDocuments("DE"), options.YearsToKeepDocuments("gb"), options.YearsToKeepDocuments("FR"), options.YearsToKeepDocuments("")));
    }

    private async Task<DriverHarness.TestPayment> Paid()
    {
        var payment = await harness.Begin(_provider);
        await payment.Place(("ok", 2819));
        await payment.Settle();
        return payment;
    }

    private async Task<object?> Scalar(string sql, params string[] values)
    {
        await using var command = harness.Database.CreateCommand(sql);
        foreach (var value in values)
            command.Parameters.Add(new NpgsqlParameter { Value = value });
        return await command.ExecuteScalarAsync();
    }

    private async Task Execute(string sql, params string[] values) => await Scalar(sql, values);
}

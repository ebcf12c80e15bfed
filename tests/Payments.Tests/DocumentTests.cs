using System.Text;
using Commerce.Payments.Documents;
using Commerce.Payments.Ledger;
using Commerce.Payments.Providers;
using CsCheck;
using Npgsql;

namespace Commerce.Payments.Tests;

public sealed class DocumentTests(DriverHarness harness) : IClassFixture<DriverHarness>
{
    private readonly FakeProvider _provider = new();

    [Fact]
    public async Task A_paid_order_gets_an_invoice_a_receipt_and_a_credit_note_for_each_refund_that_gave_something_back()
    {
        var payment = await Paid();
        await payment.Refund(100, note: "a scratch");
        await payment.Settle();
        _provider.RefundsEnd = _ => RefundStatus.Failed;
        await payment.Refund(200);
        await payment.Settle();
        _provider.RefundsEnd = _ => RefundStatus.Succeeded;
        await payment.Cancel();
        await payment.Settle();

        var documents = await payment.Documents();
        Assert.Equal(
            [(DocumentKind.Invoice, 0, 2819L), (DocumentKind.Receipt, 0, 2819L), (DocumentKind.CreditNote, 1, 100L), (DocumentKind.CreditNote, 3, 2719L)],
            documents.Select(d => (d.Kind, d.RefundNumber, d.Content.TotalMinor)));
        Assert.All(documents.Skip(1), d => Assert.Equal(documents[0].Number, d.Content.Corrects));
        Assert.Equal(("Ana Conceição", "Loja do Sol", "pt-BR", 2), (documents[0].Content.CustomerName, documents[0].Content.StoreName, documents[0].Content.Language, documents[0].Content.Lines.Count));
        Assert.Equal("a scratch", documents[2].Content.Note);
        Assert.All(documents, d => Assert.StartsWith("%PDF-", Encoding.ASCII.GetString(PdfDocumentRenderer.Render(d)[..5]), StringComparison.Ordinal));
        Assert.All(documents, d => Assert.Equal((d.StoreId, d.Kind, d.Year, d.Serial), DocumentNumbers.Read(d.Id)));
    }

    [Fact]
    public async Task What_was_let_go_of_after_a_part_was_taken_is_not_invoiced()
    {
        var payment = await harness.Begin(_provider);
        payment.CaptureMode = "MANUAL";
        await payment.Place(("ok", 2819));
        await payment.Settle();
        await payment.Capture(2000);
        await payment.Settle();
        await payment.Void();
        await payment.Settle();

        var invoice = (await payment.Documents())[0].Content;
        Assert.Equal((2000, new DocumentAdjustment("Não cobrado", -819)), (invoice.TotalMinor, invoice.Adjustments[^1]));
        Assert.Equal(invoice.TotalMinor, invoice.SubtotalMinor + invoice.ShippingMinor + invoice.Adjustments.Sum(a => a.AmountMinor));
        Assert.Equal(2000, Assert.Single(invoice.Payments).AmountMinor);
    }

    [Fact]
    public async Task Prices_that_include_a_tax_say_so_and_the_ledger_has_what_is_the_states()
    {
        var payment = await harness.Begin(_provider);
        payment.Stores = new FakeOrders.Stores(taxBasisPoints: 1900);
        await payment.Place(("ok", 2819));
        await payment.Settle();
        await payment.Refund(100);
        await payment.Settle();

        var documents = await payment.Documents();
        Assert.Equal(
            [(DocumentKind.Invoice, 2369L, 450L), (DocumentKind.Receipt, 2369L, 450L), (DocumentKind.CreditNote, 84L, 16L)],
            documents.Select(d => (d.Kind, Assert.Single(d.Content.Taxes!).NetMinor, d.Content.TaxMinor)));
        var ledger = await payment.Ledger();
        Assert.Equal(
            (-2819L + 450, 100L - 16, -450L + 16, 2719L),
            (ledger[AccountKind.Sales], ledger[AccountKind.Refunds], ledger[AccountKind.Taxes], ledger[AccountKind.ProviderClearing]));
        Assert.DoesNotContain((await new CheckingBooks.BookCheck(harness.Database, new CheckingBooks.OrderCheck(harness.Database, new FakeOrders.Orders(), TimeProvider.System)).Slice(0, "", 1000, CancellationToken.None)).Differences, d => d.About == payment.OrderId);

        // Issued again after a kill, nothing is posted twice.
        foreach (var point in await payment.PointsLeft())
            await payment.Run(point);
        Assert.Equal(ledger, await payment.Ledger());
    }

    [Fact]
    public async Task Articles_at_a_reduced_rate_are_shown_and_posted_by_rate_and_a_credit_note_bears_the_taxes_of_its_invoice()
    {
        var payment = await harness.Begin(_provider);
        payment.Stores = new FakeOrders.Stores(taxBasisPoints: 1900);
        // 10.20 at 7 %, 17.00 at 19 %; shipping and voucher are for both.
        payment.Orders.Changed = order => order.Lines[0].TaxBasisPoints = 700;
        await payment.Place(("ok", 2819));
        await payment.Settle();
        // What the catalogue says later changes nothing that was issued.
        payment.Orders.Changed = order => order.Lines[0].TaxBasisPoints = 0;
        await payment.Refund(1000);
        await payment.Settle();

        var documents = await payment.Documents();
        var invoice = documents.Single(d => d.Kind == DocumentKind.Invoice).Content;
        Assert.Equal([(1900, 1480L, 281L), (700, 989L, 69L)], invoice.Taxes!.Select(t => (t.BasisPoints, t.NetMinor, t.TaxMinor)));
        Assert.Equal(2819, invoice.Taxes!.Sum(t => t.GrossMinor));
        var credit = documents.Single(d => d.Kind == DocumentKind.CreditNote).Content;
        Assert.Equal([(1900, 624L), (700, 376L)], credit.Taxes!.Select(t => (t.BasisPoints, t.GrossMinor)));
        var ledger = await payment.Ledger();
        Assert.Equal(-(281L + 69) + credit.TaxMinor, ledger[AccountKind.Taxes]);
        Assert.Equal(0, ledger[AccountKind.Taxes] + ledger[AccountKind.Sales] + ledger[AccountKind.Refunds] + ledger[AccountKind.ProviderClearing]);
    }

    [Fact]
    public void However_an_amount_is_split_among_rates_net_and_tax_of_all_of_them_sum_to_it() => Gen.Select(
        Gen.Long[0, 1_000_000_000_000], Gen.Select(Gen.Int[0, 10_000], Gen.Long[0, 1_000_000]).Array[1, 5]).Sample((gross, sold) =>
        {
            var taxes = DocumentTax.Split(gross, sold);
            Assert.Equal(gross, taxes.Sum(t => t.GrossMinor));
            Assert.All(taxes, t => Assert.True(t.NetMinor >= 0 && t.TaxMinor >= 0));
        });

    [Theory]
    [InlineData(2819, 1900, 450)]
    [InlineData(119, 1900, 19)]
    [InlineData(1, 1900, 0)]
    [InlineData(3, 10000, 2)]
    [InlineData(long.MaxValue, 10000, 4611686018427387904)]
    [InlineData(1000, 0, 0)]
    public void The_tax_within_an_amount_is_rounded_half_up_and_sums_with_the_net_to_it(long gross, int basisPoints, long tax)
    {
        var within = DocumentTax.Within(gross, basisPoints);
        Assert.Equal((tax, gross), (within.TaxMinor, within.TaxMinor + within.NetMinor));
    }

    [Fact]
    public async Task A_logo_is_kept_once_as_it_was_and_one_that_is_no_picture_costs_no_document()
    {
        // A red PNG of 2 × 1 pixels.
        var logo = Convert.FromBase64String("iVBORw0KGgoAAAANSUhEUgAAAAIAAAABCAIAAAB7QOjdAAAAD0lEQVR4nGP4z8DA0MAAAAcBAYCZKJN9AAAAAElFTkSuQmCC");
        await harness.Begin(_provider);
        var store = new DocumentStore(harness.Database);
        foreach (var image in new[] { logo, "no picture"u8.ToArray() })
        {
            var payment = await harness.Begin(_provider);
            payment.Stores = new FakeOrders.Stores(logo: image);
            await payment.Place(("ok", 1000));
            await payment.Settle();
            foreach (var document in await payment.Documents())
            {
                Assert.Equal(image, await store.Logo(document.Content.LogoHash, CancellationToken.None));
                var (plain, with) = (PdfDocumentRenderer.Render(document), PdfDocumentRenderer.Render(document, image));
                Assert.Equal(image == logo, Encoding.Latin1.GetString(with).Contains("/Subtype/Image", StringComparison.Ordinal));
                Assert.DoesNotContain("/Subtype/Image", Encoding.Latin1.GetString(plain), StringComparison.Ordinal);
            }
        }

        await using var command = harness.Database.CreateCommand("DELETE FROM document_logos");
        Assert.Contains("as it was issued", (await Assert.ThrowsAsync<PostgresException>(() => command.ExecuteNonQueryAsync())).MessageText, StringComparison.Ordinal);
        Assert.Null(await store.Logo("", CancellationToken.None));
    }

    [Fact]
    public async Task What_was_cancelled_before_it_was_paid_has_no_documents()
    {
        var payment = await harness.Begin(_provider);
        await payment.Place(("ok", 1000));
        await payment.Cancel();
        await payment.Settle();
        Assert.Empty(await payment.Documents());
    }

    [Fact]
    public async Task Numbers_have_no_gap_though_many_issue_at_once_and_some_are_rolled_back()
    {
        await Task.WhenAll(Enumerable.Range(0, 12).Select(async i =>
        {
            var payment = await harness.Begin(_provider);
            await payment.Place(("ok", 1000 + i));
            for (var round = 0; round < 4; round++)
            {
                foreach (var point in await payment.PointsLeft())
                {
                    // Dies with its numbers drawn, and again; two at once then race for the next ones.
                    await payment.Run(point, killed: true);
                    await Task.WhenAll(payment.Run(point), payment.Run(point));
                }
            }

            await payment.Settle();
        }));

        await using var command = harness.Database.CreateCommand(
            "SELECT kind, count(*), max(serial), (SELECT last FROM document_numbers n WHERE (n.store_id, n.kind, n.year) = (d.store_id, d.kind, d.year)) FROM documents d GROUP BY store_id, kind, year");
        await using var reader = await command.ExecuteReaderAsync();
        while (await reader.ReadAsync())
            Assert.Equal((reader.GetInt64(1), reader.GetInt64(1)), (reader.GetInt32(2), reader.GetInt32(3)));
    }

    [Theory]
    [InlineData("UPDATE documents SET content = '{}'")]
    [InlineData("DELETE FROM documents")]
    [InlineData("TRUNCATE documents")]
    [InlineData("SET session_replication_role = replica; DELETE FROM documents")]
    public async Task An_issued_document_cannot_be_changed_by_anybody(string sql)
    {
        await harness.Begin(_provider);
        await using var connection = await harness.Database.OpenConnectionAsync();
        await using var transaction = await connection.BeginTransactionAsync();
        await using var command = new NpgsqlCommand(sql, connection, transaction);
        Assert.Equal(PostgresErrorCodes.RestrictViolation, (await Assert.ThrowsAsync<PostgresException>(() => command.ExecuteNonQueryAsync())).SqlState);
    }

    [Fact]
    public async Task A_document_that_would_leave_a_gap_is_refused_whoever_writes_it()
    {
        await harness.Begin(_provider);
        await using var command = harness.Database.CreateCommand("INSERT INTO documents VALUES ('gap', 1, 2026, 7, 'ORD-GAP', 0, now(), '{}')");
        Assert.Equal("documents_are_gapless", (await Assert.ThrowsAsync<PostgresException>(() => command.ExecuteNonQueryAsync())).ConstraintName);
    }

    [Theory]
    [InlineData(123456, "EUR", "en-GB", "€1,234.56")]
    [InlineData(123456, "EUR", "de-DE", "1.234,56 €")]
    [InlineData(123456, "BRL", "pt-BR", "R$ 1.234,56")]
    [InlineData(-5, "EUR", "fr", "−0,05 €")]
    [InlineData(1234567, "JPY", "en", "¥1,234,567")]
    [InlineData(0, "JPY", "en", "¥0")]
    [InlineData(1234567, "KWD", "en", "1,234.567 KWD")]
    [InlineData(1, "KWD", "de", "0,001 KWD")]
    [InlineData(long.MinValue, "USD", "en", "−$92,233,720,368,547,758.08")]
    public void Amounts_have_their_currencys_decimals_in_the_stores_language(long minor, string currency, string language, string text) =>
        Assert.Equal(text, DocumentLanguage.Of(language).Amount(minor, currency).Replace('\u00a0', ' '));

    [Theory]
    [InlineData("main.INV-2026")]
    [InlineData("main.INV-2026-1")]
    [InlineData("main.XXX-2026-000001")]
    [InlineData("INV-2026-000001")]
    [InlineData("main.INV-20٢6-000001")]
    [InlineData("")]
    public void What_is_no_number_is_none(string id) => Assert.Null(DocumentNumbers.Read(id));

    [Fact]
    public async Task A_tallorder_with_anything_for_names_still_renders()
    {
        var payment = await Paid();
        var document = (await payment.Documents())[0];
        string[] names = [new string('x', 300), "日本語の名前 😀", "\u0000\u0007", "العربية", ""];
        var lines = Enumerable.Range(0, 500).Select(i => new DocumentLine($"sku-{i}", names[i % names.Length], i, long.MaxValue, long.MaxValue)).ToList();
        var tall = document with { Content = document.Content with { Lines = lines, Colour = "red", TimeZone = "Nowhere", Language = "xx", StoreName = names[0], CustomerName = names[1] } };
        Assert.True(PdfDocumentRenderer.Render(tall).Length > 10_000);
    }

    private async Task<DriverHarness.TestPayment> Paid()
    {
        var payment = await harness.Begin(_provider);
        await payment.Place(("ok", 2819));
        await payment.Settle();
        return payment;
    }
}

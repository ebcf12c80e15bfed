using System.Diagnostics;
using Commerce.Facts;
using Commerce.Messaging;
using Commerce.Orders.V1;
using Commerce.Payments.CollectingPayment;
using Commerce.Payments.Storage;
using Google.Type;

namespace Commerce.Payments.Documents;

/// <summary>
/// Issues what a payment has come to (<see cref="DueDocument"/>): invoice and receipt when it was taken, a credit note for what went
/// back, a further invoice for what an order was made dearer by. What was bought and by whom is asked of Orders; while that is down,
/// documents are issued later.
/// </summary>
public sealed class IssueDocuments(PaymentStore payments, OrderService.OrderServiceClient orders, StoreService.StoreServiceClient stores, TimeProvider time) : IRecover
{
    public const string PointKind = "issue-documents";

    public string Kind => PointKind;

    /// <summary>The intent to issue what is due, if something is.</summary>
    public static RecoveryPoint? DueOf(Payment payment) => payment.DocumentsDue ? At(payment) : null;

    /// <summary>The intent to invoice what an order was made dearer by; null where it was not.</summary>
    public static RecoveryPoint? DueOf(OrderLinesChanged fact) =>
        fact.Change > 0 ? new RecoveryPoint(PointKind, FormattableString.Invariant($"{fact.OrderId}/change-{fact.Version}")) : null;

    public async Task<RecoveryOutcome> Recover(RecoveryPoint point, int attempt, CancellationToken cancellationToken)
    {
        var orderId = PaymentDriver.OrderOf(point);
        PaymentsTelemetry.TagOrder(orderId);
        if (await payments.Find(orderId, cancellationToken) is not { Sold: true } payment)
            return new RecoveryOutcome.Done();

        var order = await orders.GetOrderAsync(new GetOrderRequest { Name = "orders/" + orderId, MinVersion = payment.ChangeVersion }, cancellationToken: cancellationToken);
        var store = await stores.GetStoreAsync(new GetStoreRequest { Name = "stores/" + payment.StoreId }, cancellationToken: cancellationToken);
        return new RecoveryOutcome.Done(context => Issue(order, store, context));
    }

    private static RecoveryPoint At(Payment payment) => new(PointKind, FormattableString.Invariant($"{payment.OrderId}/{payment.Revision}"));

    // From the payment as it is now, and not as it was when Orders was asked: it stays so until the documents are issued.
    private async Task Issue(Order order, Store store, RecoveryContext context)
    {
        var (connection, transaction) = (context.Connection, context.Transaction);
        await PaymentStore.Lock(connection, transaction, order.OrderId, context.CancellationToken);
        var payment = await PaymentStore.Find(connection, transaction, order.OrderId, context.CancellationToken)
            ?? throw new UnreachableException("Payments are never deleted.");
        if (payment.ChangeVersion > order.Version)
        {
            context.Intend(At(payment));
            return;
        }

        var issued = (await DocumentStore.Of(connection, transaction, order.OrderId, context.CancellationToken)).ToList();
        var due = DueDocument.Of(payment, Minor(order.Total), order.Version, issued);
        var now = time.GetUtcNow();
        // A document belongs to the year in which the store is.
        var year = (TimeZoneInfo.TryFindSystemTimeZoneById(store.TimeZone, out var zone) ? TimeZoneInfo.ConvertTime(now, zone) : now).Year;
        foreach (var document in due.Where(d => d is not { Kind: DocumentKind.CreditNote, Minor: 0 }))
        {
            var changed = document is { Kind: DocumentKind.Invoice, Number: > 0 }
                ? await DocumentStore.Change(connection, transaction, order.OrderId, document.Number, context.CancellationToken)
                : null;
            var content = ContentOf(document, payment, order, store, changed, issued);
            issued.Add(await DocumentStore.Issue(
                connection, transaction, payment.StoreId, payment.OrderId, document.Kind, year, document.Number, now, content, store.LogoImage.ToByteArray(), context.CancellationToken));
            context.Tell(new DocumentIssued(payment.OrderId, payment.StoreId, issued.Count, now, issued[^1].Number));
        }

        if (issued.Count > 0)
            await DocumentStore.Done(connection, transaction, payment.OrderId, [.. due.Where(d => d.Kind == DocumentKind.CreditNote).Select(d => d.Number)], context.CancellationToken);
    }

    private static DocumentContent ContentOf(DueDocument due, Payment payment, Order order, Store store, OrderChange? changed, IReadOnlyList<IssuedDocument> issued)
    {
        var invoice = Invoice(payment, order, store);
        switch (due)
        {
            case { Kind: DocumentKind.Invoice, Number: 0 }:
                if (due.Minor == invoice.TotalMinor)
                    return invoice;
                // Some of what it costs was let go of, and nobody is to pay it.
                var waived = new DocumentAdjustment(DocumentLanguage.Of(invoice.Language)[Word.NotCharged], due.Minor - invoice.TotalMinor);
                return invoice.Over(due.Minor) with { Adjustments = [.. invoice.Adjustments, waived] };
            case { Kind: DocumentKind.Receipt }:
                return Summary(invoice, issued, due.Minor) with { Payments = invoice.Payments };
            case { Kind: DocumentKind.Invoice }:
                var charge = payment.Parts.Single(p => p.Accepted == due.Number);
                var lines = (changed?.Lines ?? []).Select(l => (Changed: l, Line: order.Lines.FirstOrDefault(line => line.LineNumber == l.LineNumber)))
                    .Where(l => l.Line is not null)
                    .Select(l => new DocumentLine(l.Line!.Sku, l.Line.Title, l.Changed.Pieces, l.Changed.UnitPriceMinor, l.Changed.Pieces * l.Changed.UnitPriceMinor)).ToList();
                var further = Summary(invoice, issued, due.Minor) with { Payments = [new DocumentPayment(charge.Method, charge.Instalments, due.Minor)] };
                var sold = (changed?.Lines ?? []).Select(l => (Line: order.Lines.FirstOrDefault(line => line.LineNumber == l.LineNumber), Minor: l.Pieces * l.UnitPriceMinor));
                return lines.Sum(l => l.AmountMinor) == due.Minor
                    ? further with { Lines = lines, Taxes = Taxes(due.Minor, sold.Where(l => l is { Line: not null, Minor: > 0 }).Select(l => (l.Line!, l.Minor)), store) }
                    : further;
            default:
                var refund = payment.Refunds.Single(r => r.Number == due.Number);
                return Summary(invoice, issued, due.Minor) with
                {
                    Payments = [.. refund.Pieces.Where(p => p.State == RefundPieceState.Succeeded).Select(p => new DocumentPayment(
                        refund.Destination == RefundDestination.StoreCredit ? "STORE_CREDIT" : payment.Parts.Single(part => part.Number == p.PartNumber).Method, 1, p.Amount.Minor))],
                    Note = refund.Note,
                };
        }
    }

    // Documents that follow the first invoice say what they are about in one line, which names it.
    private static DocumentContent Summary(DocumentContent invoice, IReadOnlyList<IssuedDocument> issued, long minor)
    {
        var corrects = issued.First(d => d.Kind == DocumentKind.Invoice);
        var words = DocumentLanguage.Of(invoice.Language);
        // It bears the taxes of what was invoiced, whatever the catalogue says by now.
        return (invoice with { Taxes = corrects.Content.Taxes }).Over(minor) with
        {
            Lines = [new DocumentLine("", $"{words.Title(DocumentKind.Invoice)} {corrects.Number}", 0, 0, minor)],
            SubtotalMinor = minor,
            ShippingMinor = 0,
            Adjustments = [],
            Corrects = corrects.Number,
        };
    }

    private static DocumentContent Invoice(Payment payment, Order order, Store store) => new(
        payment.OrderId,
        store.DisplayName,
        store.ShipFrom is { } at ? [.. Lines(PostalTown.Line(at.RegionCode, at.PostalCode, at.Locality, at.AdministrativeArea), at.RegionCode)] : [],
        store.SenderEmail,
        store.Colour,
        store.LanguageCode,
        store.TimeZone,
        order.Customer?.Name ?? "",
        AddressOf(order.ShippingAddress),
        order.CreateTime.ToDateTimeOffset(),
        payment.Amount.Currency,
        [.. order.Lines.Where(l => l.Quantity > 0).Select(l => new DocumentLine(l.Sku, l.Title, l.Quantity, Minor(l.UnitPrice), Minor(l.Amount)))],
        Minor(order.Subtotal),
        Minor(order.ShippingCharge),
        [.. order.Adjustments.Select(a => new DocumentAdjustment(a.Label, Minor(a.Amount)))],
        Minor(order.Total),
        [.. payment.Parts.Where(p => p.Taken && (!p.IsCharge || (p.Accepted > 0 && p.Accepted <= order.Version))).Select(p => new DocumentPayment(p.Method, p.Instalments, p.Captured.Minor))],
        "",
        "",
        Taxes(Minor(order.Total), order.Lines.Where(l => l.Quantity > 0).Select(l => (l, Minor(l.Amount))), store),
        DocumentStore.HashOf(store.LogoImage.Span),
        order.Version);

    // The highest rate first, as it is read; null where nothing is taxed.
    private static IReadOnlyList<DocumentTax>? Taxes(long totalMinor, IEnumerable<(OrderLine Line, long Minor)> lines, Store store)
    {
        var sold = lines.GroupBy(l => l.Line.HasTaxBasisPoints ? l.Line.TaxBasisPoints : store.TaxBasisPoints)
            .Select(rate => (BasisPoints: rate.Key, Minor: rate.Sum(l => l.Minor))).OrderByDescending(rate => rate.BasisPoints).ToList();
        if (sold.Count == 0)
            sold.Add((store.TaxBasisPoints, 0));
        return sold.All(rate => rate.BasisPoints == 0) ? null : DocumentTax.Split(totalMinor, sold);
    }

    private static List<string> AddressOf(PostalAddress? address) => address is null
        ? []
        : [.. Lines([.. address.AddressLines, PostalTown.Line(address.RegionCode, address.PostalCode, address.Locality, address.AdministrativeArea), address.RegionCode])];

    private static IEnumerable<string> Lines(params IEnumerable<string?> lines) => lines.Select(l => l?.Trim() ?? "").Where(l => l.Length > 0);

    private static long Minor(Google.Type.Money? money) =>
        money is null ? 0 : money.TryToMoney(out var amount, out var error) ? amount.Minor : throw new InvalidOperationException($"Orders gave an amount that is none: {error}");
}

using Commerce.Facts;
using Commerce.Messaging;
using Commerce.Orders.V1;
using Commerce.Payments.CollectingPayment;
using Commerce.Payments.Storage;
using Google.Type;

namespace Commerce.Payments.Documents;

/// <summary>
/// Issues what a payment has come to: invoice and receipt when it was taken, a credit note for each refund that gave
/// something back; a further invoice for what an order was made dearer by. What was bought and by whom is asked of Orders; while that is down, documents are issued later.
/// </summary>
public sealed class IssueDocuments(PaymentStore payments, DocumentStore documents, OrderService.OrderServiceClient orders, StoreService.StoreServiceClient stores, TimeProvider time) : IRecover
{
    public const string PointKind = "issue-documents";

    /// <summary>How the key of a point that is about a change of the order goes on after the Order ID.</summary>
    public const string ChangeMark = "change-";

    public string Kind => PointKind;

    /// <summary>The intent to issue what is due, if something is.</summary>
    public static RecoveryPoint? DueOf(Payment payment) =>
        payment.DocumentsDue ? new RecoveryPoint(PointKind, FormattableString.Invariant($"{payment.OrderId}/{payment.Revision}")) : null;

    /// <summary>The intent to see, once an order's lines have changed, whether its invoice still says what it costs.</summary>
    public static RecoveryPoint DueOf(OrderLinesChanged fact) => new(PointKind, FormattableString.Invariant($"{fact.OrderId}/{ChangeMark}{fact.Version}"));

    public async Task<RecoveryOutcome> Recover(RecoveryPoint point, int attempt, CancellationToken cancellationToken)
    {
        var orderId = PaymentDriver.OrderOf(point);
        PaymentsTelemetry.TagOrder(orderId);
        var change = ChangeOf(point);
        if (await payments.Find(orderId, cancellationToken) is not { Sold: true } payment || (!payment.DocumentsDue && change is null))
            return new RecoveryOutcome.Done();

        var order = await orders.GetOrderAsync(new GetOrderRequest { Name = "orders/" + orderId, MinVersion = change ?? 0 }, cancellationToken: cancellationToken);
        var store = await stores.GetStoreAsync(new GetStoreRequest { Name = "stores/" + payment.StoreId }, cancellationToken: cancellationToken);
        var wanted = Wanted(payment, order, store).ToList();
        if (change is { } version && await documents.Change(orderId, version, cancellationToken) is { } changed)
            wanted.Add((DocumentKind.Invoice, (int)version, issued => InvoiceOf(changed, payment, order, store, issued)));
        return new RecoveryOutcome.Done(context => Issue(payment, store, wanted, context));
    }

    private Task Issue(Payment payment, Store store, IReadOnlyList<(DocumentKind, int, Func<IReadOnlyList<IssuedDocument>, DocumentContent?>)> wanted, RecoveryContext context)
    {
        var now = time.GetUtcNow();
        // A document belongs to the year in which the store is.
        var year = (TimeZoneInfo.TryFindSystemTimeZoneById(store.TimeZone, out var zone) ? TimeZoneInfo.ConvertTime(now, zone) : now).Year;
        return DocumentStore.Issue(context.Connection, context.Transaction, payment.StoreId, payment.OrderId, year, now, wanted, store.LogoImage.ToByteArray(), context.CancellationToken);
    }

    /// <summary>
    /// What is to be issued of a payment; a content that is null says that nothing is, after all. Invoices less what was credited
    /// because the order was made smaller come to what the order costs: an invoice that was issued after the change says so
    /// already, and what goes back then needs no credit note.
    /// </summary>
    internal static IEnumerable<(DocumentKind Kind, int Number, Func<IReadOnlyList<IssuedDocument>, DocumentContent?> Content)> Wanted(Payment payment, Order order, Store store)
    {
        var invoice = Invoice(payment, order, store);
        yield return (DocumentKind.Invoice, 0, _ => invoice);
        yield return (DocumentKind.Receipt, 0, issued => Summary(invoice, issued, payment.Captured.Minor) with { Payments = invoice.Payments });
        foreach (var refund in payment.Refunds.Where(r => r.State != RefundState.Pending && r.Given.Minor > 0))
        {
            yield return (DocumentKind.CreditNote, refund.Number, issued =>
            {
                // What is released may hold a charge that no invoice was issued for, or what the order was made cheaper by before
                // its invoice, which had not gone back yet.
                var most = refund.IsReduction ? Invoiced(payment, issued) - invoice.TotalMinor
                    : refund.IsRelease ? issued.Sum(d => d.Kind switch { DocumentKind.Invoice => d.Content.TotalMinor, DocumentKind.CreditNote => -d.Content.TotalMinor, _ => 0 })
                    : refund.Given.Minor;
                return most <= 0 ? null : Summary(invoice, issued, Math.Min(most, refund.Given.Minor)) with
                {
                    Payments = [.. refund.Pieces.Where(p => p.State == RefundPieceState.Succeeded).Select(p => new DocumentPayment(
                        refund.Destination == RefundDestination.StoreCredit ? "STORE_CREDIT" : payment.Parts.Single(part => part.Number == p.PartNumber).Method, 1, p.Amount.Minor))],
                    Note = refund.Note,
                };
            }
            );
        }
    }

    // What the order was made dearer by, as far as no invoice says it yet.
    private static DocumentContent? InvoiceOf(OrderChange change, Payment payment, Order order, Store store, IReadOnlyList<IssuedDocument> issued)
    {
        var invoice = Invoice(payment, order, store);
        var more = invoice.TotalMinor - Invoiced(payment, issued);
        if (more <= 0)
            return null;
        var lines = change.Lines.Select(l => (Changed: l, Line: order.Lines.FirstOrDefault(line => line.LineNumber == l.LineNumber)))
            .Where(l => l.Line is not null)
            .Select(l => new DocumentLine(l.Line!.Sku, l.Line.Title, l.Changed.Pieces, l.Changed.UnitPriceMinor, l.Changed.Pieces * l.Changed.UnitPriceMinor)).ToList();
        var subtotal = lines.Sum(l => l.AmountMinor);
        var charge = payment.Parts.FirstOrDefault(p => p.IsCharge && p.Change == change.Number);
        var summary = Summary(invoice, issued, more);
        return (subtotal == more ? summary with { Lines = lines } : summary) with
        {
            Payments = charge is null ? [] : [new DocumentPayment(charge.Method, charge.Instalments, more)],
        };
    }

    private static long Invoiced(Payment payment, IReadOnlyList<IssuedDocument> issued) => issued.Sum(document => document.Kind switch
    {
        DocumentKind.Invoice => document.Content.TotalMinor,
        DocumentKind.CreditNote when payment.Refunds.Any(r => r.IsReduction && r.Number == document.RefundNumber) => -document.Content.TotalMinor,
        _ => 0,
    });

    // Documents that follow the first invoice say what they are about in one line, which names it.
    private static DocumentContent Summary(DocumentContent invoice, IReadOnlyList<IssuedDocument> issued, long minor)
    {
        var corrects = issued.First(d => d.Kind == DocumentKind.Invoice);
        var words = DocumentLanguage.Of(invoice.Language);
        return invoice.Over(minor) with
        {
            Lines = [new DocumentLine("", $"{words.Title(DocumentKind.Invoice)} {corrects.Number}", 0, 0, minor)],
            SubtotalMinor = minor,
            ShippingMinor = 0,
            Adjustments = [],
            Corrects = corrects.Number,
        };
    }

    private static long? ChangeOf(RecoveryPoint point) =>
        point.Key.Split('/', 2) is [_, var mark] && mark.StartsWith(ChangeMark, StringComparison.Ordinal)
            ? long.Parse(mark[ChangeMark.Length..], System.Globalization.CultureInfo.InvariantCulture)
            : null;

    private static DocumentContent Invoice(Payment payment, Order order, Store store) => new(
        payment.OrderId,
        store.DisplayName,
        [.. Lines(store.ShipFrom?.PostalCode + " " + store.ShipFrom?.Locality, store.ShipFrom?.AdministrativeArea, store.ShipFrom?.RegionCode)],
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
        [.. payment.Parts.Where(p => !p.IsCharge || p is { Taken: true, Withdrawn: false }).Select(p => new DocumentPayment(p.Method, p.Instalments, p.Amount.Minor))],
        "",
        "",
        store.TaxBasisPoints > 0 ? [DocumentTax.Within(Minor(order.Total), store.TaxBasisPoints)] : null,
        DocumentStore.HashOf(store.LogoImage.Span));

    private static List<string> AddressOf(PostalAddress? address) => address is null
        ? []
        : [.. Lines([.. address.AddressLines, $"{address.PostalCode} {address.Locality} {address.AdministrativeArea}", address.RegionCode])];

    private static IEnumerable<string> Lines(params IEnumerable<string?> lines) => lines.Select(l => l?.Trim() ?? "").Where(l => l.Length > 0);

    private static long Minor(Google.Type.Money? money) =>
        money is null ? 0 : money.TryToMoney(out var amount, out var error) ? amount.Minor : throw new InvalidOperationException($"Orders gave an amount that is none: {error}");
}

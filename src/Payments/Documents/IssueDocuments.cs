using Commerce.Messaging;
using Commerce.Orders.V1;
using Commerce.Payments.CollectingPayment;
using Commerce.Payments.Storage;
using Google.Type;

namespace Commerce.Payments.Documents;

/// <summary>
/// Issues what a payment has come to: invoice and receipt when it was taken, a credit note for each refund that gave
/// something back. What was bought and by whom is asked of Orders; while that is down, documents are issued later.
/// </summary>
public sealed class IssueDocuments(PaymentStore payments, OrderService.OrderServiceClient orders, StoreService.StoreServiceClient stores, TimeProvider time) : IRecover
{
    public const string PointKind = "issue-documents";

    public string Kind => PointKind;

    /// <summary>The intent to issue what is due, if something is.</summary>
    public static RecoveryPoint? DueOf(Payment payment) =>
        payment.DocumentsDue ? new RecoveryPoint(PointKind, FormattableString.Invariant($"{payment.OrderId}/{payment.Revision}")) : null;

    public async Task<RecoveryOutcome> Recover(RecoveryPoint point, int attempt, CancellationToken cancellationToken)
    {
        var orderId = PaymentDriver.OrderOf(point);
        PaymentsTelemetry.TagOrder(orderId);
        if (await payments.Find(orderId, cancellationToken) is not { DocumentsDue: true } payment)
            return new RecoveryOutcome.Done();

        var order = await orders.GetOrderAsync(new GetOrderRequest { Name = "orders/" + orderId }, cancellationToken: cancellationToken);
        var store = await stores.GetStoreAsync(new GetStoreRequest { Name = "stores/" + payment.StoreId }, cancellationToken: cancellationToken);
        return new RecoveryOutcome.Done(context => Issue(payment, order, store, context));
    }

    private Task Issue(Payment payment, Order order, Store store, RecoveryContext context)
    {
        var now = time.GetUtcNow();
        // A document belongs to the year in which the store is.
        var year = (TimeZoneInfo.TryFindSystemTimeZoneById(store.TimeZone, out var zone) ? TimeZoneInfo.ConvertTime(now, zone) : now).Year;
        return DocumentStore.Issue(context.Connection, context.Transaction, payment.StoreId, payment.OrderId, year, now, [.. Wanted(payment, order, store)], context.CancellationToken);
    }

    internal static IEnumerable<(DocumentKind Kind, int RefundNumber, Func<IReadOnlyList<IssuedDocument>, DocumentContent> Content)> Wanted(Payment payment, Order order, Store store)
    {
        var invoice = Invoice(payment, order, store);
        yield return (DocumentKind.Invoice, 0, _ => invoice);
        yield return (DocumentKind.Receipt, 0, issued => Summary(issued, payment.Captured.Minor) with { Payments = invoice.Payments });
        foreach (var refund in payment.Refunds.Where(r => r.State != RefundState.Pending && r.Given.Minor > 0))
        {
            yield return (DocumentKind.CreditNote, refund.Number, issued => Summary(issued, refund.Given.Minor) with
            {
                Payments = [.. refund.Pieces.Where(p => p.State == RefundPieceState.Succeeded).Select(p => new DocumentPayment(
                    refund.Destination == RefundDestination.StoreCredit ? "STORE_CREDIT" : payment.Parts.Single(part => part.Number == p.PartNumber).Method, 1, p.Amount.Minor))],
                Note = refund.Note,
            });
        }

        // The receipt and the credit note say what they are about in one line, which names the invoice.
        DocumentContent Summary(IReadOnlyList<IssuedDocument> issued, long minor)
        {
            var corrects = issued.First(d => d.Kind == DocumentKind.Invoice);
            var words = DocumentLanguage.Of(invoice.Language);
            return invoice with
            {
                Lines = [new DocumentLine("", $"{words.Title(DocumentKind.Invoice)} {corrects.Number}", 0, 0, minor)],
                SubtotalMinor = minor,
                ShippingMinor = 0,
                Adjustments = [],
                TotalMinor = minor,
                Corrects = corrects.Number,
            };
        }
    }

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
        [.. order.Lines.Select(l => new DocumentLine(l.Sku, l.Title, l.Quantity, Minor(l.UnitPrice), Minor(l.Amount)))],
        Minor(order.Subtotal),
        Minor(order.ShippingCharge),
        [.. order.Adjustments.Select(a => new DocumentAdjustment(a.Label, Minor(a.Amount)))],
        Minor(order.Total),
        [.. payment.Parts.Select(p => new DocumentPayment(p.Method, p.Instalments, p.Amount.Minor))],
        "",
        "");

    private static List<string> AddressOf(PostalAddress? address) => address is null
        ? []
        : [.. Lines([.. address.AddressLines, $"{address.PostalCode} {address.Locality} {address.AdministrativeArea}", address.RegionCode])];

    private static IEnumerable<string> Lines(params IEnumerable<string?> lines) => lines.Select(l => l?.Trim() ?? "").Where(l => l.Length > 0);

    private static long Minor(Google.Type.Money? money) =>
        money is null ? 0 : money.TryToMoney(out var amount, out var error) ? amount.Minor : throw new InvalidOperationException($"Orders gave an amount that is none: {error}");
}

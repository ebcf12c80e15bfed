namespace Commerce.Payments.Documents;

/// <summary>
/// What a payment is to have as its next documents: the one place that sees all that was taken of it, changed and given back.
/// Invoices less credit notes come to what is kept of it (<see cref="Payment.ToKeep"/>) once it is at rest, whatever happened at
/// once and in whatever order it became known.
/// <para>
/// The first invoice says what the order costs when it is issued, as far as it was taken; each change that made the order dearer
/// afterwards has one of its own. What goes back is credited, but not below what is kept: what an invoice never said needs no
/// credit note. That is so where an invoice was issued after the change, and its money went back after the invoice.
/// </para>
/// </summary>
/// <param name="Number">Of a credit note the refund, of a further invoice the order's version, otherwise 0.</param>
/// <param name="Minor">0 where a refund needs no credit note after all.</param>
public sealed record DueDocument(DocumentKind Kind, int Number, long Minor)
{
    /// <param name="payment">The payment, locked.</param>
    /// <param name="orderMinor">What the order costs.</param>
    /// <param name="orderVersion">The order's version of which that is; not before <see cref="Payment.ChangeVersion"/>.</param>
    /// <param name="issued">What it has.</param>
    public static IReadOnlyList<DueDocument> Of(Payment payment, long orderMinor, long orderVersion, IReadOnlyList<IssuedDocument> issued)
    {
        var due = new List<DueDocument>();
        // Whose charge is perhaps part of the order, and perhaps goes back: Orders is about to tell, and only then is it known what
        // of all that goes back was invoiced.
        if (!payment.Sold || payment.AwaitsChange)
            return due;
        var open = issued.Sum(d => d.Kind switch { DocumentKind.Invoice => d.Content.TotalMinor, DocumentKind.CreditNote => -d.Content.TotalMinor, _ => 0 });
        var since = orderVersion;
        if (issued.FirstOrDefault(d => d is { Kind: DocumentKind.Invoice, RefundNumber: 0 }) is { } first)
        {
            since = first.Content.OrderVersion;
        }
        else
        {
            var taken = payment.Parts.Where(p => !p.IsCharge || (p.Accepted > 0 && p.Accepted <= since)).Sum(p => p.Captured.Minor);
            open = Math.Min(orderMinor, taken);
            due.Add(new DueDocument(DocumentKind.Invoice, 0, open));
            due.Add(new DueDocument(DocumentKind.Receipt, 0, taken));
        }

        // What goes back with all the rest is never invoiced any more.
        foreach (var charge in payment.Parts.Where(p => !payment.Releasing && p is { Withdrawn: false, Taken: true } && p.Accepted > since).OrderBy(p => p.Accepted))
        {
            if (issued.Any(d => d.Kind == DocumentKind.Invoice && d.RefundNumber == charge.Accepted))
                continue;
            due.Add(new DueDocument(DocumentKind.Invoice, (int)charge.Accepted, charge.Captured.Minor));
            open += charge.Captured.Minor;
        }

        foreach (var refund in payment.Refunds.Where(r => !r.Credited && r.State != RefundState.Pending && r.Given.Minor > 0))
        {
            if (issued.Any(d => d.Kind == DocumentKind.CreditNote && d.RefundNumber == refund.Number))
                continue;
            var credited = Math.Clamp(open - payment.ToKeep, 0, refund.Given.Minor);
            due.Add(new DueDocument(DocumentKind.CreditNote, refund.Number, credited));
            open -= credited;
        }

        return due;
    }
}

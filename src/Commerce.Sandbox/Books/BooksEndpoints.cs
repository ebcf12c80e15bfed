using Commerce.Sandbox.Carriers;
using Commerce.Sandbox.Http;
using Commerce.Sandbox.Payments;

namespace Commerce.Sandbox.Books;

/// <summary>What really happened outside, for those who check.</summary>
internal static class BooksEndpoints
{
    public static void MapBooks(this IEndpointRouteBuilder app)
    {
        var books = app.MapGroup("/books");
        books.MapGet("/summary", (BookKeeper keeper) => Answer.Ok(keeper.Read(Summary.Of)));
        books.MapGet("/charges", (HttpRequest request, BookKeeper keeper) => Answer.Ok(new { charges = keeper.Read(page => Charges(page, Given(request, "reference"))) }));
        books.MapGet("/labels", (HttpRequest request, BookKeeper keeper) => Answer.Ok(new
        {
            labels = keeper.Read(page => LabelBook.All(page, Given(request, "reference"), Given(request, "order_reference"))).Select(View),
        }));
        books.MapDelete("", async (BookKeeper keeper) =>
        {
            await keeper.ForgetAsync();
            return Results.NoContent();
        });
    }

    private static string? Given(HttpRequest request, string name) => request.Query[name].ToString() is { Length: > 0 } value ? value : null;

    private static List<object> Charges(Page page, string? reference) =>
    [
        .. PaymentBook.All(page, reference).Select(a => (object)new
        {
            authorization = a.View(),
            captures = a.Captured > 0 ? PaymentBook.Captures(page, a) : [],
            // One that failed moved nothing, and is in the books nevertheless.
            refunds = a.Captured > 0 ? PaymentBook.Refunds(page, a) : [],
        }),
    ];

    private static object View(Label label)
    {
        var carrier = CarrierProfiles.All[label.Carrier];
        return new
        {
            id = label.Id,
            carrier = label.Carrier,
            tracking_number = label.TrackingNumber,
            reference = label.Reference,
            order_reference = label.OrderReference,
            service = label.Service,
            price = new Amount(label.Currency, label.Price),
            weight_grams = label.WeightGrams,
            created_at = Authorization.Rfc3339(label.CreatedAt),
            estimated_delivery_at = Authorization.Rfc3339(label.EstimatedDeliveryAt),
            voided = label.VoidedAt is not null,
            scans_planned = label.Journey.Count,
            events = label.Happened.Select(s => s.View(carrier, label.TrackingNumber)),
        };
    }
}

/// <summary>The books in a few numbers; amounts in minor units per currency.</summary>
internal sealed record Summary(
    long Authorizations,
    IReadOnlyDictionary<string, long> Captured,
    IReadOnlyDictionary<string, long> Refunded,
    long Labels,
    long VoidedLabels,
    long Mails,
    long DuplicateMails,
    long WebhooksPending,
    long ScansPending)
{
    public static Summary Of(Page page) => new(
        page.Count("SELECT count(*) FROM authorizations"),
        PerCurrency(page, "captured"),
        PerCurrency(page, "refunded"),
        page.Count("SELECT count(*) FROM labels"),
        page.Count("SELECT count(*) FROM labels WHERE voided_at IS NOT NULL"),
        page.Count("SELECT count(*) FROM mails"),
        page.Count("SELECT coalesce(sum(duplicates), 0) FROM mails"),
        page.Count("SELECT count(*) FROM webhooks"),
        page.Count("SELECT count(*) FROM labels WHERE next_scan_at IS NOT NULL"));

    private static SortedDictionary<string, long> PerCurrency(Page page, string column) => new(
        page.All($"SELECT currency, sum({column}) FROM authorizations GROUP BY currency HAVING sum({column}) > 0", r => KeyValuePair.Create(r.GetString(0), r.GetInt64(1)))
            .ToDictionary(StringComparer.Ordinal),
        StringComparer.Ordinal);
}

using System.Text.Json;
using Commerce.Sandbox.Books;
using Commerce.Sandbox.Http;
using Microsoft.Data.Sqlite;

namespace Commerce.Sandbox.Carriers;

/// <summary>A label as the books keep it. <c>Position</c> scans have happened, <c>Announced</c> of them were told by webhook.</summary>
internal sealed record Label(
    long Seq,
    string Id,
    string Carrier,
    string TrackingNumber,
    string Reference,
    string OrderReference,
    string Service,
    string Currency,
    long Price,
    string ShipTo,
    long WeightGrams,
    long CreatedAt,
    long EstimatedDeliveryAt,
    long? VoidedAt,
    IReadOnlyList<PlannedScan> Journey,
    int Position,
    int Announced)
{
    public bool HandedOver => Journey.Take(Position).Any(s => s.Step != Step.LabelCreated);

    public IEnumerable<PlannedScan> Happened => Journey.Take(Position);
}

/// <summary>The labels' SQL.</summary>
internal static class LabelBook
{
    private const string Columns =
        "seq, id, carrier, tracking_number, reference, order_reference, service, currency, price, ship_to, weight_grams, created_at, estimated_delivery_at, voided_at, journey, position, announced";

    public static Label? Find(Page page, string carrier, string id) =>
        page.First($"SELECT {Columns} FROM labels WHERE id = $1 AND carrier = $2", Map, id, carrier);

    public static Label? Find(Page page, long seq) => page.First($"SELECT {Columns} FROM labels WHERE seq = $1", Map, seq);

    public static Label? WithNumber(Page page, string carrier, string number) =>
        page.First($"SELECT {Columns} FROM labels WHERE tracking_number = $1 AND carrier = $2", Map, number, carrier);

    public static List<Label> Newest(Page page, int limit) => page.All($"SELECT {Columns} FROM labels ORDER BY seq DESC LIMIT $1", Map, limit);

    public static List<Label> All(Page page, string? reference, string? orderReference) => (reference, orderReference) switch
    {
        (null, null) => page.All($"SELECT {Columns} FROM labels ORDER BY seq", Map),
        (not null, null) => page.All($"SELECT {Columns} FROM labels WHERE reference = $1 ORDER BY seq", Map, reference),
        (null, not null) => page.All($"SELECT {Columns} FROM labels WHERE order_reference = $1 ORDER BY seq", Map, orderReference),
        _ => page.All($"SELECT {Columns} FROM labels WHERE reference = $1 AND order_reference = $2 ORDER BY seq", Map, reference, orderReference),
    };

    public static void Insert(WritingPage page, Label label)
    {
        var first = label.Journey.Count > 0 ? label.Journey[0].DueAt : (long?)null;
        var seq = page.Insert(
            """
            INSERT INTO labels (id, carrier, tracking_number, reference, order_reference, service, currency, price, ship_to, weight_grams, created_at, estimated_delivery_at, journey, next_scan_at)
            VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14)
            """,
            label.Id,
            label.Carrier,
            label.TrackingNumber,
            label.Reference,
            label.OrderReference,
            label.Service,
            label.Currency,
            label.Price,
            label.ShipTo,
            label.WeightGrams,
            label.CreatedAt,
            label.EstimatedDeliveryAt,
            Json.Text(label.Journey),
            first);
        if (first is { } due) page.Remind(Errand.Scan, seq, DateTimeOffset.FromUnixTimeMilliseconds(due));
    }

    public static void Advance(WritingPage page, long seq, int position, int announced, long? nextScanAt)
    {
        page.Execute("UPDATE labels SET position = $2, announced = $3, next_scan_at = $4 WHERE seq = $1", seq, position, announced, nextScanAt);
        if (nextScanAt is { } due) page.Remind(Errand.Scan, seq, DateTimeOffset.FromUnixTimeMilliseconds(due));
    }

    public static void Replan(WritingPage page, long seq, string shipTo, IReadOnlyList<PlannedScan> journey, long estimatedDeliveryAt, long? nextScanAt)
    {
        page.Execute(
            "UPDATE labels SET ship_to = $2, journey = $3, estimated_delivery_at = $4, next_scan_at = $5 WHERE seq = $1", seq, shipTo, Json.Text(journey), estimatedDeliveryAt, nextScanAt);
        if (nextScanAt is { } due) page.Remind(Errand.Scan, seq, DateTimeOffset.FromUnixTimeMilliseconds(due));
    }

    public static void Void(WritingPage page, long seq, long now) =>
        page.Execute("UPDATE labels SET voided_at = $2, next_scan_at = NULL WHERE seq = $1", seq, now);

    private static Label Map(SqliteDataReader r) => new(
        r.GetInt64(0),
        r.GetString(1),
        r.GetString(2),
        r.GetString(3),
        r.GetString(4),
        r.GetString(5),
        r.GetString(6),
        r.GetString(7),
        r.GetInt64(8),
        r.GetString(9),
        r.GetInt64(10),
        r.GetInt64(11),
        r.GetInt64(12),
        r.IsDBNull(13) ? null : r.GetInt64(13),
        JsonSerializer.Deserialize<List<PlannedScan>>(r.GetString(14), Json.Options)!,
        r.GetInt32(15),
        r.GetInt32(16));
}

using Commerce.Sandbox.Books;
using Microsoft.Data.Sqlite;

namespace Commerce.Sandbox.Payments;

/// <summary>The provider's SQL.</summary>
internal static class PaymentBook
{
    private const string Columns =
        "seq, id, reference, method, installments, currency, amount, captured, refunded, voided, status, decline_reason, created_at, resolves_at, account";

    public static Authorization? Find(Page page, string id) =>
        page.First($"SELECT {Columns} FROM authorizations WHERE id = $1", Map, id);

    public static Authorization? Find(Page page, long seq) =>
        page.First($"SELECT {Columns} FROM authorizations WHERE seq = $1", Map, seq);

    public static List<Authorization> WithReference(Page page, string reference, int limit) =>
        page.All($"SELECT {Columns} FROM authorizations WHERE reference = $1 ORDER BY seq LIMIT $2", Map, reference, limit);

    public static List<Authorization> WithIdempotencyKey(Page page, string key) =>
        page.All($"SELECT {Columns} FROM authorizations WHERE idempotency_key = $1 ORDER BY seq", Map, key);

    public static List<Authorization> Newest(Page page, int limit) =>
        page.All($"SELECT {Columns} FROM authorizations ORDER BY seq DESC LIMIT $1", Map, limit);

    public static List<Authorization> All(Page page, string? reference) => reference is null
        ? page.All($"SELECT {Columns} FROM authorizations ORDER BY seq", Map)
        : page.All($"SELECT {Columns} FROM authorizations WHERE reference = $1 ORDER BY seq", Map, reference);

    public static long Insert(WritingPage page, Authorization authorization, string? idempotencyKey) => page.Insert(
        """
        INSERT INTO authorizations (id, reference, idempotency_key, method, installments, currency, amount, status, decline_reason, created_at, resolves_at, account)
        VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12)
        """,
        authorization.Id,
        authorization.Reference,
        idempotencyKey,
        authorization.Method,
        authorization.Installments,
        authorization.Currency,
        authorization.Amount,
        authorization.Status,
        authorization.DeclineReason,
        authorization.CreatedAt,
        authorization.ResolvesAt,
        authorization.Account);

    public static void Update(WritingPage page, Authorization a) => page.Execute(
        "UPDATE authorizations SET captured = $2, refunded = $3, voided = $4, status = $5, resolves_at = $6 WHERE seq = $1",
        a.Seq,
        a.Captured,
        a.Refunded,
        a.Voided,
        a.Status,
        a.ResolvesAt);

    public static void InsertCapture(WritingPage page, string id, long authorization, long amount, long now) =>
        page.Execute("INSERT INTO captures (id, authorization_seq, amount, created_at) VALUES ($1, $2, $3, $4)", id, authorization, amount, now);

    public static void InsertRefund(WritingPage page, RefundView refund, long authorization, long now) => page.Execute(
        "INSERT INTO refunds (id, authorization_seq, reference, amount, status, created_at) VALUES ($1, $2, $3, $4, $5, $6)",
        refund.Id,
        authorization,
        refund.Reference,
        refund.Amount.Value,
        refund.Status,
        now);

    public static List<CaptureView> Captures(Page page, Authorization a) => page.All(
        "SELECT id, amount, created_at FROM captures WHERE authorization_seq = $1 ORDER BY created_at, id",
        r => new CaptureView(r.GetString(0), a.Money(r.GetInt64(1)), Authorization.Rfc3339(r.GetInt64(2))),
        a.Seq);

    public static List<RefundView> Refunds(Page page, Authorization a) => page.All(
        "SELECT id, reference, amount, status, created_at FROM refunds WHERE authorization_seq = $1 ORDER BY created_at, id",
        r => new RefundView(r.GetString(0), a.Id, r.GetString(1), a.Money(r.GetInt64(2)), r.GetString(3), Authorization.Rfc3339(r.GetInt64(4))),
        a.Seq);

    /// <summary>True the first time that it is asked for a use.</summary>
    public static bool FirstUse(WritingPage page, string use) =>
        page.Execute("INSERT INTO failed_once (token_use) VALUES ($1) ON CONFLICT DO NOTHING", use) == 1;

    private static Authorization Map(SqliteDataReader r) => new(
        r.GetInt64(0),
        r.GetString(1),
        r.GetString(2),
        r.GetString(3),
        r.GetInt32(4),
        r.GetString(5),
        r.GetInt64(6),
        r.GetInt64(7),
        r.GetInt64(8),
        r.GetInt64(9),
        r.GetString(10),
        r.IsDBNull(11) ? null : r.GetString(11),
        r.GetInt64(12),
        r.IsDBNull(13) ? null : r.GetInt64(13),
        r.GetString(14));
}

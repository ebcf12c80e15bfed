using Commerce.Sandbox.Books;
using Commerce.Sandbox.Carriers;
using Commerce.Sandbox.Control;

namespace Commerce.Sandbox.Webhooks;

/// <summary>A webhook on its way, as the books keep it until a receiver has accepted it.</summary>
internal sealed record PendingWebhook(long Seq, string Id, string Target, string Path, byte[] Body, int Attempts, long DueAt);

/// <summary>Puts webhooks into the books, in the transaction of what they tell.</summary>
internal sealed class WebhookBook(KnobBoard knobs, Chance chance, TimeProvider time)
{
    public const string Shipments = "shipments";
    public const string Payments = "payments";

    /// <param name="overtakenAfter">How long to hold it back, should chance want the next one to overtake it.</param>
    /// <param name="carrier">Whose faults it has; null: those of all.</param>
    /// <param name="heldBack">The sender holds this one back by habit, whatever chance says.</param>
    public void Add(WritingPage page, string target, string path, string id, byte[] body, TimeSpan overtakenAfter, bool heldBack = false, Carrier? carrier = null)
    {
        var now = knobs.Current.Of(carrier);
        var due = time.GetUtcNow().AddMilliseconds(now.WebhookDelayMs);
        if (heldBack || chance.Hits(now.WebhookReorderRate, "reorder", id)) due += overtakenAfter;
        Insert(page, target, path, id, body, due);
        if (chance.Hits(now.WebhookDuplicateRate, "duplicate", id)) Insert(page, target, path, id, body, due);
    }

    public static PendingWebhook? Find(Page page, long seq) => page.First(
        "SELECT seq, id, target, path, body, attempts, due_at FROM webhooks WHERE seq = $1",
        r => new PendingWebhook(r.GetInt64(0), r.GetString(1), r.GetString(2), r.GetString(3), (byte[])r[4], r.GetInt32(5), r.GetInt64(6)),
        seq);

    public static void Delivered(WritingPage page, long seq) => page.Execute("DELETE FROM webhooks WHERE seq = $1", seq);

    public static void Postpone(WritingPage page, PendingWebhook webhook, DateTimeOffset due)
    {
        page.Execute("UPDATE webhooks SET attempts = attempts + 1, due_at = $2 WHERE seq = $1", webhook.Seq, due.ToUnixTimeMilliseconds());
        page.Remind(ErrandOf(webhook.Target), webhook.Seq, due);
    }

    private static void Insert(WritingPage page, string target, string path, string id, byte[] body, DateTimeOffset due)
    {
        var seq = page.Insert(
            "INSERT INTO webhooks (id, target, path, body, due_at) VALUES ($1, $2, $3, $4, $5)", id, target, path, body, due.ToUnixTimeMilliseconds());
        page.Remind(ErrandOf(target), seq, due);
    }

    private static Errand ErrandOf(string target) => target == Shipments ? Errand.ShipmentsWebhook : Errand.PaymentsWebhook;
}

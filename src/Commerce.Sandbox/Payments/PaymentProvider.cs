using Commerce.Sandbox.Books;
using Commerce.Sandbox.Control;
using Commerce.Sandbox.Http;
using Commerce.Sandbox.Webhooks;

namespace Commerce.Sandbox.Payments;

/// <summary>The payment provider's rules. Every change and the webhook that tells of it are one transaction.</summary>
internal sealed class PaymentProvider(BookKeeper books, WebhookBook webhooks, KnobBoard knobs, Chance chance, TimeProvider time)
{
    private const string WebhookPath = "webhooks/payments/sandbox";
    private static readonly TimeSpan Overtaken = TimeSpan.FromSeconds(1);

    public async Task<Answer> AuthorizeAsync(IdempotentRequest call, AuthorizeRequest request)
    {
        var token = request.Method!.Token!;
        if (MagicToken.FailsOnce(token))
        {
            var use = call.Key ?? request.Reference!;
            if (await books.WriteAsync(page => PaymentBook.FirstUse(page, use))) throw new Refusal(500, "provider_error", "The provider failed; nothing was charged. Try again.");
        }

        return await books.WriteAsync(page => page.Once(call, p => Authorize(p, call.Key, request, token)));
    }

    public Task<Answer> CaptureAsync(IdempotentRequest call, string id, CaptureRequest request) => books.WriteAsync(page => page.Once(call, p =>
    {
        var a = Usable(p, id, request.Amount!);
        var amount = request.Amount!.Value;
        var left = a.Amount - a.Captured - a.Voided;
        if (a.Voided > 0) throw Refusal.Conflict("already_voided", $"Authorization {id} is voided; authorise again.");
        if (amount > left) throw Refusal.Unprocessable("amount_too_large", $"Only {left} {a.Currency} minor units of authorization {id} are left to capture.");
        var captured = a with { Captured = a.Captured + amount };
        PaymentBook.Update(p, captured);
        PaymentBook.InsertCapture(p, NewId("cap"), a.Seq, amount, Now());
        Announce(p, "authorization.captured", captured.View());
        return Answer.Ok(captured.View());
    }));

    public Task<Answer> VoidAsync(IdempotentRequest call, string id) => books.WriteAsync(page => page.Once(call, p =>
    {
        var a = PaymentBook.Find(p, id) ?? throw Refusal.NotFound("authorization", id);
        if (a.Voided > 0) return Answer.Ok(a.View());
        if (a.Status == PaymentStatus.Declined) throw Refusal.Conflict("not_authorized", $"Authorization {id} was declined; there is nothing to void.");
        if (a.Captured == a.Amount) throw Refusal.Conflict("already_captured", $"Authorization {id} is captured in full; refund it instead.");
        var voided = a with { Voided = a.Amount - a.Captured, ResolvesAt = null };
        PaymentBook.Update(p, voided);
        Announce(p, "authorization.voided", voided.View());
        return Answer.Ok(voided.View());
    }));

    public Task<Answer> RefundAsync(IdempotentRequest call, string id, RefundRequest request) => books.WriteAsync(page => page.Once(call, p =>
    {
        var a = Usable(p, id, request.Amount!);
        var amount = request.Amount!.Value;
        var left = a.Captured - a.Refunded;
        if (amount > left) throw Refusal.Unprocessable("amount_too_large", $"Only {left} {a.Currency} minor units of authorization {id} are left to refund.");
        var now = Now();
        var fails = chance.HitsNext(knobs.Current.RefundFailureRate, "refund_failure");
        if (!fails) PaymentBook.Update(p, a with { Refunded = a.Refunded + amount });
        var status = fails ? PaymentStatus.Failed : PaymentStatus.Succeeded;
        var refund = new RefundView(NewId("re"), id, request.Reference!, a.Money(amount), status, Authorization.Rfc3339(now));
        PaymentBook.InsertRefund(p, refund, a.Seq, now);
        Announce(p, $"refund.{status}", refund);
        return Answer.Created(refund);
    }));

    /// <summary>A pending authorization's time has come.</summary>
    public void Resolve(WritingPage page, long seq)
    {
        var a = PaymentBook.Find(page, seq);
        if (a is not { ResolvesAt: { } due, Status: PaymentStatus.Pending }) return;
        if (due > Now())
        {
            page.Remind(Errand.Payment, seq, DateTimeOffset.FromUnixTimeMilliseconds(due));
            return;
        }

        var authorized = a with { Status = PaymentStatus.Authorized, ResolvesAt = null };
        PaymentBook.Update(page, authorized);
        Announce(page, "authorization.authorized", authorized.View());
    }

    private Answer Authorize(WritingPage page, string? key, AuthorizeRequest request, string token)
    {
        var now = time.GetUtcNow();
        var reason = MagicToken.DeclineReason(token);
        var later = MagicToken.PaysLater(token);
        if (reason is null && !later && !MagicToken.NeverPays(token) && chance.Hits(knobs.Current.PaymentDeclineRate, "decline", request.Reference!)) reason = "card_declined";
        var status = reason is not null ? PaymentStatus.Declined : later || MagicToken.NeverPays(token) ? PaymentStatus.Pending : PaymentStatus.Authorized;
        var resolves = later ? now.AddSeconds(knobs.Current.PendingDelaySeconds) : (DateTimeOffset?)null;
        var a = new Authorization(
            0,
            NewId("auth"),
            request.Reference!,
            request.Method!.Type!,
            request.Installments ?? 1,
            request.Amount!.Code,
            request.Amount.Value,
            Captured: 0,
            Refunded: 0,
            Voided: 0,
            status,
            reason,
            now.ToUnixTimeMilliseconds(),
            resolves?.ToUnixTimeMilliseconds(),
            request.Account ?? "");
        var seq = PaymentBook.Insert(page, a, key);
        if (resolves is { } due) page.Remind(Errand.Payment, seq, due);
        if (status != PaymentStatus.Pending) Announce(page, $"authorization.{status}", a.View());
        return Answer.Created(a.View());
    }

    private static Authorization Usable(WritingPage page, string id, Amount amount)
    {
        var a = PaymentBook.Find(page, id) ?? throw Refusal.NotFound("authorization", id);
        if (a.Status != PaymentStatus.Authorized) throw Refusal.Conflict("not_authorized", $"Authorization {id} is {a.Status}.");
        if (amount.Currency != a.Currency) throw Refusal.Unprocessable("currency_mismatch", $"Authorization {id} is in {a.Currency}, not in {amount.Currency}.");
        return a;
    }

    private void Announce<T>(WritingPage page, string type, T data)
    {
        var id = NewId("whk");
        var body = Json.Write(new { id, type, created_at = Authorization.Rfc3339(Now()), data });
        webhooks.Add(page, WebhookBook.Payments, WebhookPath, id, body, Overtaken);
    }

    private string NewId(string prefix) => $"{prefix}_{Guid.CreateVersion7(time.GetUtcNow()):N}";

    private long Now() => time.GetUtcNow().ToUnixTimeMilliseconds();
}

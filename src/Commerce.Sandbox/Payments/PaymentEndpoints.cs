using Commerce.Sandbox.Books;
using Commerce.Sandbox.Control;
using Commerce.Sandbox.Http;

namespace Commerce.Sandbox.Payments;

/// <summary>The provider's HTTP side, with its faults.</summary>
internal static class PaymentEndpoints
{
    private const string Scope = "payments";
    private const int MaxListed = 1000;

    /// <summary>Longer than any client waits, so that it is the client who gives up.</summary>
    private static readonly TimeSpan HangsFor = TimeSpan.FromMinutes(10);

    public static void MapPayments(this IEndpointRouteBuilder app)
    {
        var payments = app.MapGroup("/payments/v1").AddEndpointFilter<Latency>();
        var changes = payments.MapGroup("").AddEndpointFilter(FailSometimesAsync);

        changes.MapPost("/authorizations", async (HttpContext context, PaymentProvider provider, Chance chance, KnobBoard knobs, TimeProvider time) =>
        {
            var call = await IdempotentRequest.ReadAsync(context, Scope);
            var request = Json.Read<AuthorizeRequest>(call.Body).Checked();
            var answer = await provider.AuthorizeAsync(call, request);
            var hangs = !answer.Repeated && MagicToken.HangsAfterSuccess(request.Method!.Token!);
            return await AnswerOrHangAsync(context, answer, hangs, chance, knobs, time);
        });
        changes.MapPost("/authorizations/{id}/capture", async (string id, HttpContext context, PaymentProvider provider, Chance chance, KnobBoard knobs, TimeProvider time) =>
        {
            var call = await IdempotentRequest.ReadAsync(context, Scope);
            var answer = await provider.CaptureAsync(call, id, Json.Read<CaptureRequest>(call.Body).Checked());
            return await AnswerOrHangAsync(context, answer, false, chance, knobs, time);
        });
        changes.MapPost("/authorizations/{id}/void", async (string id, HttpContext context, PaymentProvider provider, Chance chance, KnobBoard knobs, TimeProvider time) =>
        {
            var call = await IdempotentRequest.ReadAsync(context, Scope);
            return await AnswerOrHangAsync(context, await provider.VoidAsync(call, id), false, chance, knobs, time);
        });
        changes.MapPost("/authorizations/{id}/refunds", async (string id, HttpContext context, PaymentProvider provider, Chance chance, KnobBoard knobs, TimeProvider time) =>
        {
            var call = await IdempotentRequest.ReadAsync(context, Scope);
            var answer = await provider.RefundAsync(call, id, Json.Read<RefundRequest>(call.Body).Checked());
            return await AnswerOrHangAsync(context, answer, false, chance, knobs, time);
        });

        payments.MapGet("/settlement", (HttpRequest request, BookKeeper books, TimeProvider time) => Settlement.Answer(request, books, time));
        payments.MapGet("/authorizations/{id}", (string id, BookKeeper books) =>
            Answer.Ok((books.Read(page => PaymentBook.Find(page, id)) ?? throw Refusal.NotFound("authorization", id)).View()));
        payments.MapGet("/authorizations/{id}/refunds", (string id, HttpRequest request, BookKeeper books) =>
        {
            var reference = request.Query["reference"].ToString();
            var found = books.Read(page => PaymentBook.Refunds(page, PaymentBook.Find(page, id) ?? throw Refusal.NotFound("authorization", id)));
            return Answer.Ok(new { refunds = found.Where(r => reference.Length == 0 || r.Reference == reference) });
        });
        payments.MapGet("/authorizations", (HttpRequest request, BookKeeper books) =>
        {
            var reference = request.Query["reference"].ToString();
            var key = request.Query["idempotency_key"].ToString();
            if (reference.Length == 0 && key.Length == 0) throw new Refusal(400, "invalid_request", "Ask by reference or by idempotency_key.");
            var found = books.Read(page => key.Length > 0 ? PaymentBook.WithIdempotencyKey(page, key) : PaymentBook.WithReference(page, reference, MaxListed));
            return Answer.Ok(new { authorizations = found.Where(a => reference.Length == 0 || a.Reference == reference).Select(a => a.View()) });
        });
    }

    private static ValueTask<object?> FailSometimesAsync(EndpointFilterInvocationContext context, EndpointFilterDelegate next)
    {
        var services = context.HttpContext.RequestServices;
        var rate = services.GetRequiredService<KnobBoard>().Current.PaymentErrorRate;
        return services.GetRequiredService<Chance>().HitsNext(rate, "payment_error")
            ? throw new Refusal(500, "provider_error", "The provider failed; nothing was changed. Try again.")
            : next(context);
    }

    private static async Task<IResult> AnswerOrHangAsync(HttpContext context, Answer answer, bool hangs, Chance chance, KnobBoard knobs, TimeProvider time)
    {
        if (hangs || (!answer.Repeated && chance.HitsNext(knobs.Current.PaymentTimeoutAfterSuccessRate, "payment_timeout")))
        {
            var stopping = context.RequestServices.GetRequiredService<IHostApplicationLifetime>().ApplicationStopping;
            using var either = CancellationTokenSource.CreateLinkedTokenSource(context.RequestAborted, stopping);
            try
            {
                await Task.Delay(HangsFor, time, either.Token);
            }
            catch (OperationCanceledException)
            {
                context.Abort();
            }
        }

        return answer;
    }
}

using System.Diagnostics;
using Commerce.Facts;
using Commerce.Messaging;
using Commerce.Payments.Documents;
using Commerce.Payments.Providers;
using Commerce.Payments.Providers.StoreCredit;
using Commerce.Payments.Storage;
using Commerce.Payments.StoreCredits;
using Microsoft.Extensions.Options;

namespace Commerce.Payments.CollectingPayment;

/// <summary>
/// Brings a payment to where it wants to be, step by step: the intent stored, the provider asked under a key of ours, what
/// it said stored, and only then the next step. Killed anywhere, it goes on from what was stored, and asks again under the
/// same keys. Two of these may work on one payment (a cancellation starts a second one, a lease can run out): what they ask
/// for under one key happens once, what they learn only ever adds up, and the revision keeps one from undoing the other.
/// </summary>
public sealed partial class PaymentDriver(
    PaymentStore store, PaymentProviders providers, StoreCreditProvider credit, IOptions<PaymentsOptions> options, TimeProvider time, ILogger<PaymentDriver> logger)
{
    private static readonly TimeSpan FirstRetryAfter = TimeSpan.FromMilliseconds(200);

    /// <summary>The order that a point is about: keys are "{order_id}" or "{order_id}/{why there is a further one}".</summary>
    public static string OrderOf(RecoveryPoint point) => point.Key.Split('/', 2)[0];

    /// <summary>Does what is to be done until nothing is, or until the provider gives no outcome.</summary>
    public Task<RecoveryOutcome> Advance(RecoveryPoint point, int attempt, CancellationToken cancellationToken) =>
        Run(point, attempt, ask: false, cancellationToken);

    /// <summary>First asks the provider what became of everything that is open, and then goes on as <see cref="Advance"/>.</summary>
    public Task<RecoveryOutcome> AskAndAdvance(RecoveryPoint point, int attempt, CancellationToken cancellationToken) =>
        Run(point, attempt, ask: true, cancellationToken);

    private async Task<RecoveryOutcome> Run(RecoveryPoint point, int attempt, bool ask, CancellationToken cancellationToken)
    {
        var orderId = OrderOf(point);
        PaymentsTelemetry.TagOrder(orderId);
        if (await store.Find(orderId, cancellationToken) is not { } payment)
            return new RecoveryOutcome.Done();

        // What the provider said since the payment was read: applied again should somebody else have stored a change.
        var learned = new List<Action<Payment>>();
        string? failure = null;
        var releaseFailed = false;
        if (ask)
            failure = await Carry(payment, Questions(payment), learned, cancellationToken);

        while (failure is null)
        {
            payment.DropUnasked();
            if (payment.Next().Count == 0)
                break;
            // A release that a provider settled as failed is promised anew, but not as fast as it fails.
            if (releaseFailed)
                break;

            var uncertain = payment.Parts.Where(p => p.State == PartState.Asking).Select(p => p.Number).ToHashSet();
            payment.Ask();
            payment.PromiseRelease(time.GetUtcNow());
            payment.PromiseReduction(time.GetUtcNow());
            if (payment.Changed && !await store.Save(payment, null, null, cancellationToken))
            {
                payment = await ReadAgain(orderId, learned, cancellationToken);
                continue;
            }

            learned.Clear();
            var next = payment.Next();
            failure = await Carry(payment, [.. next.Select(s => StepOf(payment, s, uncertain.Contains(s.Part.Number)))], learned, cancellationToken);
            releaseFailed = next.Any(s => s.Refund is { GoesOn: true, State: RefundState.Failed });
        }

        if (failure is not null)
        {
            PaymentsTelemetry.Retries.Add(1);
            var at = time.GetUtcNow() + BackOff.After(attempt, FirstRetryAfter, options.Value.RetryAtMost);
            return new RecoveryOutcome.Again(at, failure, context => Close(payment, learned, context, last: false));
        }

        if (releaseFailed && payment.Next().Count > 0)
        {
            var at = time.GetUtcNow() + BackOff.After(attempt, options.Value.PollAfter, options.Value.PollAtMost);
            return new RecoveryOutcome.Again(at, "The provider does not give back what it holds.", context => Close(payment, learned, context, last: false));
        }

        if (ask && (payment.Waits || payment.AwaitsRefund) && point.Key == orderId)
        {
            var at = time.GetUtcNow() + BackOff.After(attempt, options.Value.PollAfter, options.Value.PollAtMost);
            return new RecoveryOutcome.Again(at, "The provider still waits.", context => Close(payment, learned, context, last: false));
        }

        return new RecoveryOutcome.Done(context => Close(payment, learned, context, last: true));
    }

    private async Task Close(Payment payment, List<Action<Payment>> learned, RecoveryContext context, bool last)
    {
        var facts = Tell(payment, last);
        while ((facts.Count > 0 || payment.Changed)
            && !await store.Save(payment, context.Connection, context.Transaction, context.CancellationToken))
        {
            payment = await PaymentStore.Find(context.Connection, context.Transaction, payment.OrderId, context.CancellationToken)
                ?? throw new UnreachableException("Payments are never deleted.");
            learned.ForEach(apply => apply(payment));
            payment.DropUnasked();
            facts = Tell(payment, last);
        }

        foreach (var fact in facts)
        {
            context.Tell(fact);
            PaymentsTelemetry.Outcomes.Add(1, new KeyValuePair<string, object?>("state", payment.Told.ToString()));
        }

        if (IssueDocuments.DueOf(payment) is { } due)
            context.Intend(due);
        if (!last)
            return;

        // Somebody else's change left something to do, and relied on this point, which ends here.
        if (payment.Next().Count > 0)
            context.Intend(new RecoveryPoint(AdvancePayment.Collect, $"{payment.OrderId}/{payment.Revision}"));
        if (payment.Waits || payment.AwaitsRefund)
            context.Intend(new RecoveryPoint(PollPayment.PointKind, payment.OrderId, DueAt: time.GetUtcNow() + options.Value.PollAfter));
    }

    // Where something follows at once, its end is the news.
    private IReadOnlyList<IPaymentFact> Tell(Payment payment, bool last) => last && payment.Next().Count > 0 ? [] : payment.Tell(time.GetUtcNow());

    // Each step is one call to the provider about one part, and answers with what to make of the answer, which is applied to
    // whatever the payment is by then. Null if every call had an outcome, otherwise why one had not. Outcomes are applied
    // and remembered either way.
    private async Task<string?> Carry(
        Payment payment, List<Func<CancellationToken, Task<Action<Payment>>>> steps, List<Action<Payment>> learned, CancellationToken cancellationToken)
    {
        var outcomes = new Action<Payment>?[steps.Count];
        string? failure = null;
        await Parallel.ForEachAsync(
            Enumerable.Range(0, steps.Count),
            new ParallelOptions { MaxDegreeOfParallelism = options.Value.PartsAtOnce, CancellationToken = cancellationToken },
            async (i, stop) =>
            {
                try
                {
                    outcomes[i] = await steps[i](stop);
                }
                catch (ProviderUnavailableException exception)
                {
                    failure = exception.Message;
                }
                catch (ProviderFaultException exception)
                {
                    failure = Fault(payment.OrderId, exception);
                }
            });

        foreach (var outcome in outcomes)
        {
            if (outcome is null)
                continue;
            try
            {
                outcome(payment);
                learned.Add(outcome);
            }
            catch (ProviderFaultException exception)
            {
                failure = Fault(payment.OrderId, exception);
            }
        }

        return failure;
    }

    private List<Func<CancellationToken, Task<Action<Payment>>>> Questions(Payment payment)
    {
        var parts = payment.Parts.Where(p => p is { Released: false, ProviderReference: not null }).Select(p => Of(p, async stop =>
        {
            var seen = await providers[p.Provider].Get(p.ProviderReference!, stop);
            return part => part.Learn(seen);
        }));
        var refunds = payment.Refunds.SelectMany(r => r.Pieces, (refund, piece) => (refund, piece))
            .Where(one => one.piece.State == RefundPieceState.Waiting)
            .Select(one => AskForRefund(payment, one.refund.Number, one.piece));
        return [.. parts, .. refunds];
    }

    private Func<CancellationToken, Task<Action<Payment>>> AskForRefund(Payment payment, int number, RefundPiece piece) => async stop =>
    {
        var part = payment.Parts.Single(p => p.Number == piece.PartNumber);
        var seen = await providers[part.Provider].FindRefund(part.ProviderReference!, ReferenceOf(payment, part, number), stop);
        return to =>
        {
            if (seen is not null && to.PieceOf(number, piece.PartNumber) is { } known)
                to.Learn(known, seen);
        };
    };

    private static string ReferenceOf(Payment payment, PaymentPart part, int refundNumber) => $"{payment.OrderId}/{part.Number}/{refundNumber}";

    private Func<CancellationToken, Task<Action<Payment>>> StepOf(Payment payment, PaymentStep step, bool uncertain)
    {
        var part = step.Part;
        var provider = providers[part.Provider];
        var reference = $"{payment.OrderId}/{part.Number}";
        return step.Action switch
        {
            PartAction.Authorise => Of(part, stop => Authorise(provider, payment, part, reference, uncertain, stop)),
            PartAction.Capture when step.Capture is { } capture => stop => Take(provider, part, capture, $"{reference}/capture/{capture.Number}", stop),
            PartAction.Capture => Of(part, stop => Capture(provider, part, reference, stop)),
            PartAction.Void => Of(part, stop => Void(provider, part, reference, stop)),
            _ when Payment.BecomesCredit(step.Refund!, part) => stop => GiveCredit(payment, part, step.Refund!, ReferenceOf(payment, part, step.Refund!.Number), stop),
            _ => stop => GiveBack(provider, part, step.Refund!, ReferenceOf(payment, part, step.Refund!.Number), stop),
        };
    }

    // What a step learned is of the part with this number, in whatever the payment is by then.
    private static Func<CancellationToken, Task<Action<Payment>>> Of(PaymentPart part, Func<CancellationToken, Task<Action<PaymentPart>>> call) => async stop =>
    {
        var outcome = await call(stop);
        return payment => outcome(payment.Parts.Single(p => p.Number == part.Number));
    };

    private static async Task<Action<PaymentPart>> Authorise(
        IPaymentProvider provider, Payment payment, PaymentPart part, string reference, bool uncertain, CancellationToken stop)
    {
        var key = $"{reference}/authorise";
        try
        {
            // Asking first spares a provider that hung over its work from being asked to do it again; the key alone would do.
            var seen = (uncertain ? await provider.FindByKey(key, stop) : null)
                ?? await provider.Authorise(
                    new AuthoriseRequest(reference, part.Amount, part.Method, part.Token, part.Instalments, payment.StoreId, payment.CustomerId), key, stop);
            return p => p.Learn(seen);
        }
        catch (ProviderRefusedException refusal)
        {
            return p => p.Decline(refusal.Code);
        }
    }

    private static async Task<Action<PaymentPart>> Capture(IPaymentProvider provider, PaymentPart part, string reference, CancellationToken stop)
    {
        try
        {
            var seen = await provider.Capture(part.ProviderReference!, part.Amount, $"{reference}/capture", stop);
            return p => p.Learn(seen);
        }
        catch (ProviderRefusedException refusal)
        {
            var seen = await provider.Get(part.ProviderReference!, stop);
            return p =>
            {
                p.Learn(seen);
                p.RefuseCapture(refusal.Code);
            };
        }
    }

    private static async Task<Action<Payment>> Take(IPaymentProvider provider, PaymentPart part, Capture capture, string key, CancellationToken stop)
    {
        try
        {
            var seen = await provider.Capture(part.ProviderReference!, capture.Pieces.Single(p => p.PartNumber == part.Number).Amount, key, stop);
            return payment =>
            {
                payment.Parts.Single(p => p.Number == part.Number).Learn(seen);
                payment.CaptureOf(capture.Number, part.Number)!.Take();
            };
        }
        catch (ProviderRefusedException refusal)
        {
            // It may refuse because it did so already, under a key that it has forgotten by now.
            var seen = await provider.Get(part.ProviderReference!, stop);
            return payment => payment.LearnRefusal(payment.CaptureOf(capture.Number, part.Number)!, seen, refusal.Code);
        }
    }

    private static async Task<Action<PaymentPart>> Void(IPaymentProvider provider, PaymentPart part, string reference, CancellationToken stop)
    {
        try
        {
            var seen = await provider.Void(part.ProviderReference!, $"{reference}/void", stop);
            return p => p.Learn(seen);
        }
        catch (ProviderRefusedException refusal)
        {
            // It was captured, or declined, after all.
            var seen = await provider.Get(part.ProviderReference!, stop);
            return p =>
            {
                p.Learn(seen);
                if (p.State == PartState.Waiting || p.Held > 0)
                    throw new ProviderFaultException($"{refusal.Message} Yet there is something to void.");
            };
        }
    }

    // The reference names one piece of one refund, which never changes: it is the key, too.
    private static async Task<Action<Payment>> GiveBack(IPaymentProvider provider, PaymentPart part, Refund refund, string reference, CancellationToken stop)
    {
        var piece = refund.Pieces.Single(p => p.PartNumber == part.Number);
        ProviderRefund? seen;
        ProviderRefusedException? refusal = null;
        try
        {
            seen = await provider.Refund(part.ProviderReference!, piece.Amount, reference, $"{reference}/refund", stop);
        }
        catch (ProviderRefusedException refused)
        {
            // It may refuse because it did so already, under a key that it has forgotten by now.
            refusal = refused;
            seen = await provider.FindRefund(part.ProviderReference!, reference, stop);
        }

        // What was given back in all, be it at the provider or before we kept books of refunds.
        var authorisation = await provider.Get(part.ProviderReference!, stop);
        return payment =>
        {
            var known = payment.PieceOf(refund.Number, part.Number)!;
            var of = payment.Parts.Single(p => p.Number == part.Number);
            of.Learn(authorisation);
            if (seen is not null)
            {
                payment.Learn(known, seen);
                return;
            }

            // A release is not given up: a provider that refuses while it keeps that much is asked again.
            if (refund.GoesOn && known.IsOpen && of.Kept >= known.Amount.Minor)
                throw new ProviderFaultException($"{refusal!.Message} Yet there is something to refund.");
            known.Refuse(refusal!.Code);
        };
    }

    private async Task<Action<Payment>> GiveCredit(Payment payment, PaymentPart part, Refund refund, string reference, CancellationToken stop)
    {
        var amount = refund.Pieces.Single(p => p.PartNumber == part.Number).Amount;
        try
        {
            var seen = await credit.Give(new CreditOwner(payment.StoreId, payment.CreditHolder, amount.Currency), part.ProviderReference!, amount, reference, stop);
            return to => to.Learn(to.PieceOf(refund.Number, part.Number)!, seen);
        }
        catch (ProviderRefusedException refusal)
        {
            return to => to.PieceOf(refund.Number, part.Number)!.Refuse(refusal.Code);
        }
    }

    private async Task<Payment> ReadAgain(string orderId, List<Action<Payment>> learned, CancellationToken cancellationToken)
    {
        var payment = await store.Find(orderId, cancellationToken) ?? throw new UnreachableException("Payments are never deleted.");
        learned.ForEach(apply => apply(payment));
        return payment;
    }

    private string Fault(string orderId, ProviderFaultException exception)
    {
        PaymentsTelemetry.Faults.Add(1);
        LogFault(logger, orderId, exception.Message);
        return exception.Message;
    }

    [LoggerMessage(Level = LogLevel.Error, Message = "Order {OrderId}: {What}")]
    private static partial void LogFault(ILogger logger, string orderId, string what);
}

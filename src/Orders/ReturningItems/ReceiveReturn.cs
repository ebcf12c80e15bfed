using Commerce.Facts;
using Commerce.Messaging;
using Commerce.Orders.Checking;
using Commerce.Orders.V1;
using Commerce.ServiceDefaults;
using Commerce.Types.V1;

namespace Commerce.Orders.ReturningItems;

/// <summary>Takes in what came back, piece by piece, and gives the money back: at once, or later.</summary>
public sealed class ReceiveReturn(ReturnChanges changes, RecoveryPoints points)
{
    private const int MostItems = 1_500;
    private const int LongestReference = 128;

    /// <exception cref="Failure">
    /// RETURN_STATE, NOT_RETURNABLE, RETURN_NOT_FOUND, INVALID_FIELD, ETAG_MISMATCH, REQUEST_ID_REUSED, PAYMENT_ELSEWHERE.
    /// </exception>
    public Task<V1.Return> Receive(ReceiveReturnRequest request, RequestKey key, CancellationToken cancellationToken)
    {
        Check(request);
        return changes.Once(
            request.Name,
            request.Etag,
            key,
            (decision, one) =>
            {
                if (request.Refund && decision.Order.ImportedDelivery is not null)
                    throw PaidElsewhere(one.OrderId, "Take the pieces in without refund; give the money back where the order was paid, and record it with RefundReturn and its outside_reference.", "refund");
                Receive(request, decision, one);
                if (request.Refund)
                    Refund(decision, one);
            },
            cancellationToken);
    }

    /// <exception cref="Failure">RETURN_STATE, RETURN_NOT_FOUND, INVALID_FIELD, ETAG_MISMATCH, REQUEST_ID_REUSED, PAYMENT_ELSEWHERE.</exception>
    public Task<V1.Return> Refund(RefundReturnRequest request, RequestKey key, CancellationToken cancellationToken)
    {
        var errors = new FieldErrors();
        errors.RequestId(request.RequestId, required: true);
        errors.Etag("etag", request.Etag);
        errors.Optional("outside_reference", request.OutsideReference, LongestReference);
        errors.ThrowIfAny();
        return changes.Once(
            request.Name,
            request.Etag,
            key,
            (decision, one) =>
            {
                if (decision.Order.ImportedDelivery is not null)
                    Record(request, decision, one);
                else if (request.OutsideReference.Length > 0)
                    throw Failure.Invalid(new FieldError("outside_reference", "The order's payment is with Payments, which gives the money back: leave it out."));
                else if (!Refund(decision, one))
                {
                    throw one.Refused(
                        one.PendingMinor > 0 ? "What is due is on its way."
                        : one.Content.Outcome == ReturnOutcome.Exchange && one.State != ReturnState.Received ? "An exchange is settled when everything of it came."
                        : one.DueMinor > one.GivenMinor ? "More is due, but nothing is left of what was paid for the order."
                        : "Nothing is due.");
                }
            },
            cancellationToken);
    }

    /// <summary>What cannot be done here about an order whose money is not here.</summary>
    internal static Failure PaidElsewhere(OrderId orderId, string whatToDo, string field) => new(
        ErrorReason.PaymentElsewhere, $"Order {orderId} was imported, and its payment is not with this suite. {whatToDo}", new FieldError(field, whatToDo))
    {
        Preconditions = [("PAYMENT_ELSEWHERE", "orders/" + orderId, whatToDo)],
    };

    // The money went back where it was paid: here it is only known.
    private static void Record(RefundReturnRequest request, ReturnDecision decision, Return one)
    {
        if (request.OutsideReference.Length == 0)
            throw PaidElsewhere(one.OrderId, "Give the money back where the order was paid, and name that refund as outside_reference.", "outside_reference");
        var recorded = one.RecordRefund(decision.Returns.AvailableMinor, request.OutsideReference, decision.Moment.Time);
        if (recorded == 0)
            throw one.Refused(one.DueMinor > one.GivenMinor ? "More is due, but nothing is left of what was paid for the order." : "Nothing is due.");
        decision.TellProgress(one, $"refund of {new Money(recorded, one.Content.Currency)} given back elsewhere");
        decision.GaveBackElsewhere(recorded);
    }

    internal static void Receive(ReceiveReturnRequest request, ReturnDecision decision, Return one)
    {
        one.RequireReceivable();
        var (known, order) = (decision.Returns, decision.Order);
        var lines = one.Content.Lines.ToDictionary(line => line.LineNumber);
        Require(request, one, lines);

        var cameBack = new Dictionary<int, int>();
        var stock = new List<(string Sku, int AsNew, int Damaged)>();
        foreach (var (lineNumber, items) in request.Items.GroupBy(item => item.LineNumber).Select(g => (g.Key, g.ToList())))
        {
            var line = lines[lineNumber];
            int Of(ReturnCondition condition) => items.Where(item => item.Condition == condition).Sum(item => item.Quantity);
            var (asNew, damaged, missing) = (Of(ReturnCondition.AsNew), Of(ReturnCondition.Damaged), Of(ReturnCondition.Missing));
            var back = order.Lines.Single(l => l.LineNumber == lineNumber).Returned;
            var cut = ReturnPolicies.IsShopsFault(line.Reason) ? ReturnPolicies.BasisPoints : one.Policy.DamagedRefundBasisPoints;
            // From what was said of the line before: it may have been changed since, and the whole is to come out even.
            var before = known.Returns.SelectMany(r => r.Content.Lines).Where(l => l.LineNumber == lineNumber).Sum(l => l.WorthMinor);
            var asNewWorth = Math.Max(0, known.Paid.UpTo(lineNumber, back + asNew) - before);
            var damagedWorth = Math.Max(0, known.Paid.UpTo(lineNumber, back + asNew + damaged) - before - asNewWorth);
            lines[lineNumber] = line with
            {
                AsNew = line.AsNew + asNew,
                Damaged = line.Damaged + damaged,
                Missing = line.Missing + missing,
                WorthMinor = line.WorthMinor + asNewWorth + damagedWorth,
                GoodsMinor = line.GoodsMinor + asNewWorth + (long)((Int128)damagedWorth * cut / ReturnPolicies.BasisPoints),
            };
            if (asNew + damaged > 0)
                cameBack[lineNumber] = asNew + damaged;
            stock.Add((line.Sku, asNew, damaged));
        }

        var wasAll = order.Lines.All(line => line.Returned >= line.Quantity);
        var isAll = order.Lines.All(line => line.Returned + cameBack.GetValueOrDefault(line.LineNumber) >= line.Quantity);
        var shipping = one.Policy.RefundShipping && isAll && !wasAll ? known.Paid.ShippingMinor : 0;
        one.Receive([.. one.Content.Lines.Select(line => lines[line.LineNumber])], shipping, decision.Moment.Time);

        var complete = one.State == ReturnState.Received;
        var what = string.Join(", ", request.Items.Take(5).Select(item => FieldErrors.Text($"{item.Quantity} of line {item.LineNumber} {FactName.Of(item.Condition)}")))
            + (request.Items.Count > 5 ? FieldErrors.Text($", {request.Items.Count - 5} more") : "")
            + (request.Note.Length > 0 ? $": {request.Note}" : "");
        decision.Tell(
            one, what, version => new ReturnReceived(one.OrderId.ToString(), one.StoreId, version, decision.Moment.Time, one.Number, complete), cameBack);
        decision.AtLast = batch => ReturnStore.SaveStock(batch, one, stock, decision.Moment.Actor);
    }

    // The intent is stored with the decision: whatever dies afterwards, the money goes back, once.
    private bool Refund(ReturnDecision decision, Return one)
    {
        var asked = one.AskRefunds(decision.Returns.AvailableMinor, decision.Moment.Time);
        if (asked.Count > 0)
        {
            var what = asked.Select(refund => $"{new Money(refund.AmountMinor, one.Content.Currency)}{(refund.ToCredit ? " as store credit" : "")}");
            decision.TellProgress(one, $"refund of {string.Join(", and of ", what)} asked for");
        }

        foreach (var refund in asked)
            points.Add(decision.Batch, RefundReturn.PointOf(one, refund.Number));
        if (!one.ReplacementDue)
            return asked.Count > 0;
        points.Add(decision.Batch, PlaceReplacement.PointOf(one));
        return true;
    }

    private static void Require(ReceiveReturnRequest request, Return one, Dictionary<int, ReturnLineRow> lines)
    {
        var refused = new List<FieldError>();
        var said = new Dictionary<int, int>();
        for (var i = 0; i < request.Items.Count; i++)
        {
            var item = request.Items[i];
            if (!lines.TryGetValue(item.LineNumber, out var line))
            {
                refused.Add(new FieldError($"items[{i}].line_number", FieldErrors.Text($"Line {item.LineNumber} is not part of return {ReturnNames.NumberOf(one.OrderId, one.Number)}.")));
                continue;
            }

            var open = line.Open - said.GetValueOrDefault(item.LineNumber);
            said[item.LineNumber] = said.GetValueOrDefault(item.LineNumber) + item.Quantity;
            if (item.Quantity > open)
                refused.Add(new FieldError($"items[{i}].quantity", FieldErrors.Text($"Is {item.Quantity}, but of {line.Quantity} pieces of line {line.LineNumber} only {Math.Max(0, open)} are still to come.")));
        }

        if (refused.Count > 0)
            throw new Failure(ErrorReason.NotReturnable, $"{refused[0].Field}: {refused[0].Description}", [.. refused.Take(FieldErrors.MostNamed)]);
    }

    private static void Check(ReceiveReturnRequest request)
    {
        var errors = new FieldErrors();
        errors.RequestId(request.RequestId, required: true);
        errors.Etag("etag", request.Etag);
        errors.Optional("note", request.Note, 500);
        errors.Count("items", request.Items.Count, 1, MostItems, "items");
        for (var i = 0; i < request.Items.Count && i < MostItems; i++)
        {
            errors.Between($"items[{i}].quantity", request.Items[i].Quantity, 1, PlacingOrder.PlaceOrderCheck.MostPieces);
            if (!Enum.IsDefined(request.Items[i].Condition) || request.Items[i].Condition == ReturnCondition.Unspecified)
                errors.Add($"items[{i}].condition", "Say in which condition it came.");
        }

        errors.ThrowIfAny();
    }
}

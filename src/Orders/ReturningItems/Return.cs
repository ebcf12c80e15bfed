using Commerce.Orders.V1;
using Commerce.ServiceDefaults;
using Commerce.Types.V1;

namespace Commerce.Orders.ReturningItems;

/// <summary>
/// Goods of one order that come back together. Its order's lock is its lock. Every method is one transition; one that the state
/// does not allow is a <see cref="Failure"/> RETURN_STATE, one that changes nothing answers false.
/// </summary>
public sealed class Return
{
    private Return(OrderId orderId, string storeId, int number, ReturnContent content) =>
        (OrderId, StoreId, Number, Content) = (orderId, storeId, number, content);

    public OrderId OrderId { get; }

    public string StoreId { get; }

    /// <summary>From 1 within its order.</summary>
    public int Number { get; }

    public ReturnContent Content { get; private set; }

    public ReturnState State { get; private set; } = ReturnState.Requested;

    /// <summary>Counts its changes from 1.</summary>
    public long Version { get; private set; } = 1;

    public DateTimeOffset CreatedAt { get; private init; }

    public DateTimeOffset UpdatedAt { get; private set; }

    /// <summary>It takes up the pieces that it names.</summary>
    public bool IsLive => State is ReturnState.Requested or ReturnState.Approved or ReturnState.Arrived or ReturnState.PartlyReceived;

    /// <summary>Goods, money or other goods are still to come.</summary>
    public bool IsUnderWay => IsLive || PendingMinor > 0 || ReplacementDue;

    /// <summary>Some piece was taken in, or found missing.</summary>
    public bool IsReceived => State is ReturnState.PartlyReceived or ReturnState.Received;

    public ReturnPolicy Policy => ReturnPolicies.FromJson(Content.Policy);

    /// <summary>What is to be given back: the proposal for everything, or what is due for what came.</summary>
    public long DueMinor => Math.Max(0, GoodsMinor + ShippingMinor - RestockingMinor - PostageMinor);

    public long GoodsMinor => Content.Lines.Sum(AmountOf);

    public long ShippingMinor => IsReceived ? Content.ShippingMinor : Content.ProposedShippingMinor;

    /// <summary>What the shop keeps. By line, so that what came later never makes what came before worth less.</summary>
    public long RestockingMinor => Content.Lines.Where(line => !ReturnPolicies.IsShopsFault(line.Reason))
        .Sum(line => Share(AmountOf(line), Policy.RestockingFeeBasisPoints));

    public long PostageMinor => !Content.ShopperPays ? 0 : Content.PostageMinor ?? Content.Parcels.Sum(parcel => parcel.PriceMinor);

    /// <summary>What was given back.</summary>
    public long GivenMinor => Content.Refunds.Sum(refund => refund.GivenMinor);

    /// <summary>What was given as credit with the store.</summary>
    public long CreditMinor => Content.Refunds.Where(refund => refund.ToCredit).Sum(refund => refund.GivenMinor);

    /// <summary>Everything came, what it is worth is the customer's credit, and what is sent instead is to be ordered.</summary>
    public bool ReplacementDue => State == ReturnState.Received && Content.Replacement is { OrderId: "" } replacement
        && (CreditMinor > 0 || replacement.TotalMinor == 0) && !Content.Refunds.Any(refund => refund.ToCredit && IsPending(refund));

    /// <summary>What may still be given back of refunds that were asked for.</summary>
    public long PendingMinor => Content.Refunds.Where(IsPending).Sum(refund => refund.AmountMinor);

    /// <summary>"R1: " and what a return is called on the timeline.</summary>
    private string Label => FormattableString.Invariant($"R{Number}");

    public static Return Request(OrderId orderId, string storeId, int number, ReturnContent content, DateTimeOffset now) =>
        new(orderId, storeId, number, content) { CreatedAt = now, UpdatedAt = now };

    /// <summary>A return as it was stored.</summary>
    public static Return Restore(
        OrderId orderId, string storeId, int number, ReturnContent content, ReturnState state, long version, DateTimeOffset createdAt, DateTimeOffset updatedAt) =>
        new(orderId, storeId, number, content) { State = state, Version = version, CreatedAt = createdAt, UpdatedAt = updatedAt };

    /// <summary>What of a line is not to be asked for again because of this return.</summary>
    public int Takes(int lineNumber)
    {
        var line = Content.Lines.FirstOrDefault(one => one.LineNumber == lineNumber);
        if (line is null)
            return 0;
        // What was missing in the parcel is still with the shopper.
        return IsLive ? line.Quantity : State == ReturnState.Received ? line.AsNew + line.Damaged : 0;
    }

    /// <summary>What is paid for a line: the proposal, or of what came.</summary>
    public long AmountOf(ReturnLineRow line) => IsReceived ? line.GoodsMinor : line.ProposedMinor;

    public bool Approve(string note, bool labelWanted, DateTimeOffset now)
    {
        if (State is ReturnState.Approved or ReturnState.Arrived)
            return false;
        Require(State == ReturnState.Requested, "Only what was asked for can be approved.");
        Content = Content with { DecisionNote = note, LabelWanted = labelWanted };
        Become(ReturnState.Approved, now);
        return true;
    }

    public void Reject(string reason, DateTimeOffset now)
    {
        Require(State == ReturnState.Requested, "Only what was asked for can be rejected.");
        Content = Content with { DecisionNote = reason };
        Become(ReturnState.Rejected, now);
    }

    public bool Cancel(string note, DateTimeOffset now)
    {
        if (State == ReturnState.Cancelled)
            return false;
        Require(State is ReturnState.Requested or ReturnState.Approved, "Goods that came back, or may not come, cannot be kept.");
        if (Content.Parcels.FirstOrDefault(p => p.State is ReturnParcel.Types.State.Shipped or ReturnParcel.Types.State.Delivered) is { } gone)
            throw Refused($"Parcel {gone.ShipmentId} is on its way back.");
        Content = Content with { DecisionNote = note };
        Become(ReturnState.Cancelled, now);
        return true;
    }

    /// <summary>Takes in pieces; what each line is worth with them is the caller's to know.</summary>
    /// <param name="lines">The lines as they are now.</param>
    /// <param name="shippingMinor">The shipping charge that goes back because of them.</param>
    /// <param name="now">Now.</param>
    public void Receive(IReadOnlyList<ReturnLineRow> lines, long shippingMinor, DateTimeOffset now)
    {
        RequireReceivable();
        Content = Content with { Lines = lines, ShippingMinor = Content.ShippingMinor + shippingMinor };
        Become(lines.All(line => line.Open == 0) ? ReturnState.Received : ReturnState.PartlyReceived, now);
    }

    /// <exception cref="Failure">RETURN_STATE: nothing can be taken in.</exception>
    public void RequireReceivable() => Require(
        State is ReturnState.Approved or ReturnState.Arrived or ReturnState.PartlyReceived,
        State == ReturnState.Received ? "Everything of it was received." : "Only what was approved can be received.");

    /// <summary>
    /// Asks for what is due and was not asked for yet. For an exchange as much as the replacement costs is asked for as store
    /// credit, which pays for it, and the rest as money; that is not before everything came.
    /// </summary>
    /// <param name="availableMinor">What is left of what was paid.</param>
    /// <param name="now">Now.</param>
    public IReadOnlyList<ReturnRefundRow> AskRefunds(long availableMinor, DateTimeOffset now)
    {
        if (!IsReceived)
            throw Refused("Nothing of it was received yet.");
        var amount = Math.Min(DueMinor - GivenMinor - PendingMinor, availableMinor);
        if (amount <= 0 || (Content.Outcome == ReturnOutcome.Exchange && State != ReturnState.Received))
            return [];
        var credit = Content.Outcome switch
        {
            ReturnOutcome.StoreCredit => amount,
            ReturnOutcome.Exchange when Content.Replacement is { OrderId: "" } replacement => Math.Clamp(
                replacement.TotalMinor - CreditMinor - Content.Refunds.Where(r => r.ToCredit && IsPending(r)).Sum(r => r.AmountMinor), 0, amount),
            _ => 0,
        };
        var asked = new List<ReturnRefundRow>();
        foreach (var (minor, toCredit) in new[] { (credit, true), (amount - credit, false) })
        {
            if (minor > 0)
                asked.Add(new ReturnRefundRow(Content.Refunds.Count + asked.Count + 1, minor, 1, "", ReturnRefund.Types.State.Pending, 0, "", now, toCredit));
        }

        Content = Content with { Refunds = [.. Content.Refunds, .. asked] };
        Touch(now);
        return asked;
    }

    /// <summary>Keeps that what is due, as far as it is left, was given back outside the suite; answers how much that is.</summary>
    public long RecordRefund(long availableMinor, string reference, DateTimeOffset now)
    {
        if (!IsReceived)
            throw Refused("Nothing of it was received yet.");
        var amount = Math.Min(DueMinor - GivenMinor, availableMinor);
        if (amount <= 0)
            return 0;
        var refund = new ReturnRefundRow(Content.Refunds.Count + 1, amount, 1, "", ReturnRefund.Types.State.Succeeded, amount, "", now, Outside: reference);
        Content = Content with { Refunds = [.. Content.Refunds, refund] };
        Touch(now);
        return amount;
    }

    /// <summary>What is sent instead was ordered. False if that is known.</summary>
    public bool Replaced(string orderId, DateTimeOffset now) => ChangeReplacement(replacement => replacement with { OrderId = orderId, Failure = "" }, now);

    /// <summary>It could not be ordered. False if it was, or that is known.</summary>
    public bool NotReplaced(string why, DateTimeOffset now) =>
        Content.Replacement is { OrderId: "" } && ChangeReplacement(replacement => replacement with { Failure = why }, now);

    /// <summary>Less is left than was asked for: the same refund asks for less. False if it is settled.</summary>
    public bool AskLess(int refundNumber, long amountMinor, DateTimeOffset now) =>
        Change(refundNumber, refund => refund with { AmountMinor = amountMinor, Attempt = refund.Attempt + 1 }, now);

    /// <summary>Payments promised it, and calls it so: no news to anybody, and no version. False if that is known, or it is settled.</summary>
    public bool Promised(int refundNumber, string name)
    {
        if (!Content.Refunds.Any(r => r.Number == refundNumber && IsPending(r) && r.Refund != name))
            return false;
        Content = Content with { Refunds = [.. Content.Refunds.Select(r => r.Number == refundNumber ? r with { Refund = name } : r)] };
        return true;
    }

    /// <summary>It ended. What failed does not count, but for what was given back of it nevertheless. False if it is settled.</summary>
    public bool Settle(int refundNumber, string name, long givenMinor, string? failure, DateTimeOffset now) => Change(
        refundNumber,
        refund => refund with
        {
            Refund = name,
            GivenMinor = givenMinor,
            State = failure is null ? ReturnRefund.Types.State.Succeeded : ReturnRefund.Types.State.Failed,
            Failure = failure ?? "",
        },
        now);

    /// <summary>A parcel of it was planned. False if it is known.</summary>
    public bool PlanParcel(string shipmentId, DateTimeOffset now)
    {
        if (Content.Parcels.Any(p => p.ShipmentId == shipmentId))
            return false;
        Content = Content with { Parcels = [.. Content.Parcels, new ReturnParcelRow(shipmentId, "", "", ReturnParcel.Types.State.Planned, 0)] };
        Arrive();
        Touch(now);
        return true;
    }

    /// <summary>A parcel of it got its label, or lost it (empty).</summary>
    public bool LabelParcel(string shipmentId, string carrier, string trackingNumber, Money? price, DateTimeOffset now) => Change(
        shipmentId,
        parcel => parcel with
        {
            Carrier = carrier,
            TrackingNumber = trackingNumber,
            // In another currency nobody can say what it is to the shopper: the shop pays.
            PriceMinor = price is { } paid && paid.Currency == Content.Currency ? paid.Minor : 0,
        },
        now);

    /// <summary>A parcel of it bears another number than was known; what its label cost stays.</summary>
    public bool RenumberParcel(string shipmentId, string carrier, string trackingNumber, DateTimeOffset now) =>
        Change(shipmentId, parcel => parcel with { Carrier = carrier, TrackingNumber = trackingNumber }, now);

    /// <summary>A parcel of it came further.</summary>
    public bool MoveParcel(string shipmentId, ReturnParcel.Types.State state, DateTimeOffset now) =>
        Change(shipmentId, parcel => parcel with { State = state }, now);

    /// <summary>How far the money has come.</summary>
    /// <param name="dueMinor">What is to be given back, as far as it can be.</param>
    public ReturnRefundState RefundStateOf(long dueMinor)
    {
        if (Content.Refunds.Any(IsPending))
            return ReturnRefundState.Pending;
        if (Content.Refunds.Count == 0)
            return ReturnRefundState.None;
        if (GivenMinor >= dueMinor)
            return ReturnRefundState.Refunded;
        return Content.Refunds[^1].State == ReturnRefund.Types.State.Failed ? ReturnRefundState.Failed : ReturnRefundState.PartlyRefunded;
    }

    /// <summary>What is said of it on the timeline.</summary>
    public string Say(string what) => what.Length == 0 ? Label : $"{Label}: {what}";

    /// <exception cref="Failure">Always to be thrown: RETURN_STATE.</exception>
    public Failure Refused(string why) => new(ErrorReason.ReturnState, $"Return {ReturnNames.NumberOf(OrderId, Number)} does not allow it. {why}")
    {
        Preconditions = [("RETURN_STATE", ReturnNames.Of(OrderId, Number), why)],
        Metadata = new Dictionary<string, string> { ["state"] = FactName.Of(State) },
    };

    private static long Share(long minor, int basisPoints) => (long)((Int128)minor * basisPoints / ReturnPolicies.BasisPoints);

    private static bool IsPending(ReturnRefundRow refund) => refund.State == ReturnRefund.Types.State.Pending;

    private bool Change(int refundNumber, Func<ReturnRefundRow, ReturnRefundRow> change, DateTimeOffset now)
    {
        if (!Content.Refunds.Any(r => r.Number == refundNumber && IsPending(r)))
            return false;
        Content = Content with { Refunds = [.. Content.Refunds.Select(r => r.Number == refundNumber ? change(r) : r)] };
        Touch(now);
        return true;
    }

    private bool ChangeReplacement(Func<ReplacementContent, ReplacementContent> change, DateTimeOffset now)
    {
        if (Content.Replacement is not { } replacement || change(replacement) is var changed && changed == replacement)
            return false;
        Content = Content with { Replacement = changed };
        Touch(now);
        return true;
    }

    private bool Change(string shipmentId, Func<ReturnParcelRow, ReturnParcelRow> change, DateTimeOffset now)
    {
        var parcel = Content.Parcels.FirstOrDefault(p => p.ShipmentId == shipmentId)
            ?? throw new InvalidOperationException($"Return {ReturnNames.NumberOf(OrderId, Number)} has no parcel {shipmentId}.");
        var changed = change(parcel);
        if (changed == parcel)
            return false;
        Content = Content with { Parcels = [.. Content.Parcels.Select(p => p.ShipmentId == shipmentId ? changed : p)] };
        Arrive();
        Touch(now);
        return true;
    }

    // From all of its parcels and not from the last one: it arrived when the last of those that are sent did, and a later scan
    // may say otherwise.
    private void Arrive()
    {
        var sent = Content.Parcels.Where(p => p.State != ReturnParcel.Types.State.Cancelled).ToList();
        var arrived = sent.Count > 0 && sent.All(p => p.State == ReturnParcel.Types.State.Delivered);
        if (State is ReturnState.Approved or ReturnState.Arrived)
            State = arrived ? ReturnState.Arrived : ReturnState.Approved;
    }

    private void Require(bool allowed, string why)
    {
        if (!allowed)
            throw Refused($"It is {FactName.Of(State)}. {why}");
    }

    private void Become(ReturnState state, DateTimeOffset now)
    {
        State = state;
        Touch(now);
    }

    private void Touch(DateTimeOffset now)
    {
        Version++;
        UpdatedAt = now;
    }
}

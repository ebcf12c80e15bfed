using Commerce.Facts;
using Commerce.Orders.V1;
using Commerce.ServiceDefaults;
using Commerce.Types.V1;

namespace Commerce.Orders;

/// <summary>
/// An order as the state machines see it: three axes (order, payment, fulfilment), its parcels and what it holds of the
/// stock. Every method is one transition and answers with the one change it made, or null where the order already is what
/// the caller says; a transition that the tables below do not have is a <see cref="Failure"/> ORDER_STATE.
/// What never changes (contact, address, prices) is not loaded here.
/// </summary>
public sealed partial class Order(OrderId id, string storeId, string? externalId, DateTimeOffset? promisedDeliveryTime, IReadOnlyList<HeldLine> lines)
{
    /// <summary>The kind of the recovery point that cancels the order if it is not paid for in time.</summary>
    public const string ExpiryKind = "expire-order";

    private readonly List<OrderParcel> _parcels = [];

    public OrderId Id { get; } = id;

    public string StoreId { get; } = storeId;

    public string? ExternalId { get; } = externalId;

    /// <summary>In the order of their numbers.</summary>
    public IReadOnlyList<HeldLine> Lines { get; private set; } = lines;

    public IReadOnlyList<OrderParcel> Parcels => _parcels;

    /// <summary>When its money is taken: where that is not at once, what is held confirms it.</summary>
    public CaptureMode CaptureMode { get; init; } = CaptureMode.Automatic;

    /// <summary>When an imported order was delivered, as far as its history says; null: it was placed here, and its parcels tell.</summary>
    public DateTimeOffset? ImportedDelivery { get; init; }

    public OrderState State { get; private set; } = OrderState.Open;

    public PaymentState PaymentState { get; private set; } = PaymentState.Pending;

    public FulfilmentState FulfilmentState { get; private set; } = FulfilmentState.Unfulfilled;

    public OrderCancellation? Cancellation { get; private set; }

    /// <summary>0 until it is placed; then counts its changes from 1.</summary>
    public long Version { get; private set; }

    public Headline Headline => Headlines.Of(State, PaymentState, FulfilmentState, Cancellation?.Reason, CaptureMode);

    private string Name => "orders/" + Id;

    private OrderParcel? HandedOver => _parcels.Find(p => ParcelStates.IsWithCarrier(p.State));

    /// <summary>The order as it was stored.</summary>
    public static Order Restore(
        OrderId id, string storeId, string? externalId, DateTimeOffset? promisedDeliveryTime, IReadOnlyList<HeldLine> lines, IEnumerable<OrderParcel> parcels,
        OrderState state, PaymentState paymentState, FulfilmentState fulfilmentState, OrderCancellation? cancellation, long version,
        CaptureMode captureMode = CaptureMode.Automatic, DateTimeOffset? importedDelivery = null)
    {
        var order = new Order(id, storeId, externalId, promisedDeliveryTime, lines)
        {
            CaptureMode = captureMode,
            ImportedDelivery = importedDelivery,
            State = state,
            PaymentState = paymentState,
            FulfilmentState = fulfilmentState,
            Cancellation = cancellation,
            Version = version,
        };
        order._parcels.AddRange(parcels);
        return order;
    }

    /// <summary>Accepts the order: version 1.</summary>
    public OrderChange Place(Money total, IReadOnlyList<PaymentPartFact> parts, Moment moment, string? customerId = null)
    {
        if (Version != 0)
            throw Refused("It was placed already.");
        return Made(moment, "", version => new OrderPlaced(Id.ToString(), StoreId, version, moment.Time, ExternalId, total, parts, customerId, FactName.Of(CaptureMode)));
    }

    /// <summary>Cancels; null if it is cancelled already. Goods that are with a carrier cannot be cancelled any more.</summary>
    public OrderChange? Cancel(CancelReason reason, string note, Moment moment)
    {
        if (State == OrderState.Cancelled)
            return null;
        if (State == OrderState.Completed)
            throw Refused("It is completed: it was paid for and delivered.");
        if (HandedOver is { } gone)
            throw Refused($"Parcel {gone.ShipmentId} was handed over to the carrier.");

        var pending = Pending is not null;
        var waiting = ReleasePending();
        State = OrderState.Cancelled;
        Cancellation = new OrderCancellation(reason, note, moment.Time);
        var name = FactName.Of(reason);
        return Made(
            moment,
            note.Length == 0 ? name : $"{name}: {note}",
            version => new OrderCancelled(Id.ToString(), StoreId, version, moment.Time, name),
            stock: [.. Release(line => line.Held), .. waiting]) with
        { ChangesPending = pending };
    }

    /// <summary>
    /// Contact or address were changed: the named fields. Null if none was. What a carrier has goes where it goes, and what is
    /// over is history.
    /// </summary>
    public OrderChange? Edit(IReadOnlyList<string> fields, Moment moment)
    {
        if (fields.Count == 0)
            return null;
        if (State != OrderState.Open)
            throw Refused(State == OrderState.Cancelled ? "It is cancelled." : "It is completed: it was paid for and delivered.");
        if (HandedOver is { } gone)
            throw Refused($"Parcel {gone.ShipmentId} was handed over to the carrier.");
        return Made(moment, string.Join(", ", fields), version => new OrderEdited(Id.ToString(), StoreId, version, moment.Time, fields));
    }

    /// <summary>Cancels an order whose payment never came; null if it came, or the order ended otherwise.</summary>
    public OrderChange? Expire(Moment moment) =>
        State == OrderState.Open && PaymentState == PaymentState.Pending && HandedOver is null
            ? Cancel(CancelReason.PaymentExpired, "", moment)
            : null;

    /// <summary>
    /// The payment moved. Paid (or, where it is taken later, held) confirms an open order; a decline cancels it, and so does
    /// giving everything back before anything left; a cancelled one stays cancelled.
    /// </summary>
    public OrderChange? Pay(PaymentEvent happened, Moment moment)
    {
        var next = PaymentStates.After(PaymentState, happened)
            ?? throw Refused($"Its payment is {FactName.Of(PaymentState)}, which {happened} cannot follow.");
        if (next == PaymentState)
            return null;

        var confirmed = IsConfirmedBy(PaymentState);
        PaymentState = next;
        if (State != OrderState.Open)
            return Progressed(moment, "payment " + FactName.Of(next));
        if (next == PaymentState.Failed && HandedOver is null)
            return Cancel(CancelReason.PaymentDeclined, "", moment);
        // What is paid back in full before it left is not sent any more; a part given back changes nothing for the goods.
        if (next == PaymentState.Refunded && ImportedDelivery is null && !_parcels.Any(p => ParcelStates.IsWithCarrier(p.State)))
            return Cancel(CancelReason.Refunded, "", moment);
        if (confirmed || !IsConfirmedBy(next))
            return CompleteIfDone(moment) ?? Progressed(moment, "payment " + FactName.Of(next));
        return CompleteIfDone(moment)
            ?? Made(moment, "", version => new OrderConfirmed(Id.ToString(), StoreId, version, moment.Time, ExternalId, promisedDeliveryTime));
    }

    /// <summary>Money that was promised back did not go back: the payment is what it was, and the timeline says so.</summary>
    public OrderChange RefundFailed(Money amount, string reason, Moment moment) => Progressed(moment, $"refund of {amount} failed: {reason}");

    // Money that is held is enough where it is taken later, and what went back since was there before.
    private bool IsConfirmedBy(PaymentState state) => CaptureMode == CaptureMode.Automatic
        ? state == PaymentState.Paid
        : state is PaymentState.Authorised or PaymentState.Paid or PaymentState.PartlyRefunded;

    /// <summary>A parcel was planned with these pieces; null if it is known.</summary>
    public OrderChange? PlanParcel(string shipmentId, IReadOnlyList<ShipmentLineFact> content, Moment moment)
    {
        if (_parcels.Any(p => p.ShipmentId == shipmentId))
            return null;
        if (content.FirstOrDefault(c => c.Quantity < 1 || Lines.All(line => line.LineNumber != c.LineNumber)) is { } wrong)
            throw Refused($"Parcel {shipmentId} has {wrong.Quantity} pieces of line {wrong.LineNumber}, which the order does not have.");

        var parcel = new OrderParcel(shipmentId, _parcels.Count + 1, "", "", ParcelState.Planned, content);
        _parcels.Add(parcel);
        return ParcelChanged(parcel, $"shipments/{shipmentId} PLANNED", moment);
    }

    /// <summary>A parcel got its label; null if it has the same.</summary>
    public OrderChange? LabelParcel(string shipmentId, string carrier, string trackingNumber, Moment moment)
    {
        var parcel = Parcel(shipmentId);
        return parcel.Carrier == carrier && parcel.TrackingNumber == trackingNumber
            ? null
            : ParcelChanged(Replace(parcel, parcel with { Carrier = carrier, TrackingNumber = trackingNumber }), $"shipments/{shipmentId} labelled by {carrier}", moment);
    }

    /// <summary>A parcel's label is void, and it gets another; null if it had none.</summary>
    public OrderChange? UnlabelParcel(string shipmentId, Moment moment)
    {
        var parcel = Parcel(shipmentId);
        return parcel.TrackingNumber.Length == 0
            ? null
            : ParcelChanged(Replace(parcel, parcel with { Carrier = "", TrackingNumber = "" }), $"shipments/{shipmentId} gets another label: where or how it goes was changed", moment);
    }

    /// <summary>A parcel came further; null if the order need not know. Its pieces leave the stock when the carrier first has it.</summary>
    /// <param name="at">When, by the carrier's clock; null, or later than now: now.</param>
    public OrderChange? MoveParcel(string shipmentId, ParcelState next, Moment moment, DateTimeOffset? at = null)
    {
        var parcel = Parcel(shipmentId);
        // Of a parcel whose pieces are sent again, the one thing that matters is that it arrived.
        if (parcel.State == next || (parcel.State == ParcelState.Replaced && next != ParcelState.Delivered))
            return null;
        if (!ParcelStates.CanBecome(parcel.State, next))
            throw Refused($"Parcel {shipmentId} is {FactName.Of(parcel.State)} and cannot become {FactName.Of(next)}.");

        var stock = ParcelStates.IsWithCarrier(next) && !ParcelStates.HasLeft(parcel.State) ? Leave(parcel) : [];
        DateTimeOffset? delivered = next != ParcelState.Delivered ? null : at < moment.Time ? at : moment.Time;
        var moved = Replace(parcel, parcel with { State = next, DeliveredAt = delivered });
        return ParcelChanged(moved, $"shipments/{shipmentId} {FactName.Of(next)}", moment, next == ParcelState.Cancelled || parcel.State == ParcelState.Replaced ? ReleaseWhatCannotGo() : stock);
    }

    /// <summary>
    /// Something happened to a return: it is told and remembered as a change of its order. Pieces that came back with it count on
    /// the fulfilment axis from now on; the parcels stay what they were.
    /// </summary>
    /// <param name="cameBack">Pieces by line; null: none.</param>
    public OrderChange ChangeReturn(string detail, Func<long, IReturnFact> fact, Moment moment, IReadOnlyDictionary<int, int>? cameBack = null)
    {
        foreach (var line in Lines)
            line.Returned += cameBack?.GetValueOrDefault(line.LineNumber) ?? 0;
        if (cameBack is { Count: > 0 })
            FulfilmentState = FulfilmentStates.Of(Lines, _parcels);
        return Made(moment, detail, fact);
    }

    private OrderChange ParcelChanged(OrderParcel parcel, string detail, Moment moment, IReadOnlyList<StockMove>? stock = null)
    {
        FulfilmentState = FulfilmentStates.Of(Lines, _parcels);
        var change = CompleteIfDone(moment, detail) ?? Progressed(moment, detail);
        return change with { Parcel = parcel, Stock = stock ?? [] };
    }

    private OrderChange? CompleteIfDone(Moment moment, string detail = "")
    {
        // Nothing more is to come of money that went back, in part or (on the way to the door) in whole.
        // What came back was delivered before.
        var delivered = FulfilmentState == FulfilmentState.Delivered || FulfilmentStates.Of(Lines, _parcels, withReturns: false) == FulfilmentState.Delivered;
        if (State != OrderState.Open || !delivered || Pending is not null
            || PaymentState is not (PaymentState.Paid or PaymentState.PartlyRefunded or PaymentState.Refunded))
        {
            return null;
        }

        State = OrderState.Completed;
        return Made(moment, detail, version => new OrderCompleted(Id.ToString(), StoreId, version, moment.Time));
    }

    private OrderChange Progressed(Moment moment, string detail) =>
        Made(moment, detail, version => new OrderProgressed(
            Id.ToString(), StoreId, version, moment.Time, FactName.Of(PaymentState), FactName.Of(FulfilmentState)));

    // The one place where a version is made: so each has one fact and one entry on the timeline.
    private OrderChange Made(Moment moment, string detail, Func<long, IOrderFact> fact, IReadOnlyList<StockMove>? stock = null) =>
        new(fact(++Version), moment, detail) { Stock = stock ?? [] };

    // What a carrier has is not on the shelf any more, whether it was still held or not: a parcel may leave at the moment at which its
    // order is cancelled, its lines are cut, or its pieces were packed anew.
    private List<StockMove> Leave(OrderParcel parcel)
    {
        var moves = new List<StockMove>();
        foreach (var line in Lines)
        {
            var pieces = parcel.PiecesOf(line.LineNumber);
            var held = Math.Min(line.Held, pieces);
            var unheld = line.IsCounted ? pieces - held : 0;
            if (held + unheld == 0)
                continue;
            line.EndHold(held);
            moves.Add(new StockMove(line.LineNumber, line.Sku, Shipped: held, Released: 0, ShippedUnheld: unheld));
        }

        return moves;
    }

    private List<StockMove> Release(Func<HeldLine, int> pieces)
    {
        var moves = new List<StockMove>();
        foreach (var line in Lines)
        {
            var released = pieces(line);
            if (released == 0)
                continue;
            line.EndHold(released);
            moves.Add(new StockMove(line.LineNumber, line.Sku, Shipped: 0, Released: released));
        }

        return moves;
    }

    private OrderParcel Parcel(string shipmentId) =>
        _parcels.Find(p => p.ShipmentId == shipmentId) ?? throw Refused($"It has no parcel {shipmentId}.");

    private OrderParcel Replace(OrderParcel parcel, OrderParcel with)
    {
        _parcels[_parcels.IndexOf(parcel)] = with;
        return with;
    }

    private Failure Refused(string why) => new(ErrorReason.OrderState, $"Order {Id} does not allow it. {why}")
    {
        Preconditions = [("ORDER_STATE", Name, why)],
        Metadata = new Dictionary<string, string>
        {
            ["state"] = FactName.Of(State),
            ["payment_state"] = FactName.Of(PaymentState),
            ["fulfilment_state"] = FactName.Of(FulfilmentState),
        },
    };
}

/// <summary>When something happened to an order, and who did it: a principal, for example "service/payments".</summary>
public readonly record struct Moment(DateTimeOffset Time, string Actor);

/// <summary>What one transition made: the fact that tells it, and what is to be stored with it.</summary>
public sealed record OrderChange(IOrderFact Fact, Moment Moment, string Detail)
{
    /// <summary>The entry's name on the timeline.</summary>
    public string Event => Fact.GetType().Name;

    /// <summary>The parcel that changed, if one did.</summary>
    public OrderParcel? Parcel { get; init; }

    /// <summary>What it does to the stock.</summary>
    public IReadOnlyList<StockMove> Stock { get; init; } = [];

    /// <summary>Pieces that it reserves.</summary>
    public IReadOnlyList<StockHold> Holds { get; init; } = [];

    /// <summary>What it does to the lines and what they cost.</summary>
    public ChangingLines.LinesChange? Lines { get; init; }

    /// <summary>A change of lines begins or ends to wait for its money.</summary>
    public bool ChangesPending { get; init; }

    /// <summary>A further change that follows from it.</summary>
    public OrderChange? Then { get; init; }
}

/// <summary>
/// Pieces of a line that are no longer held: shipped ones left the shelf, released ones are for sale again; and pieces that left
/// the shelf though nothing held them.
/// </summary>
public sealed record StockMove(int LineNumber, string Sku, int Shipped, int Released, int ShippedUnheld = 0);

/// <summary>Why and when an order was cancelled.</summary>
public sealed record OrderCancellation(CancelReason Reason, string Note, DateTimeOffset Time);

/// <summary>A line, as far as its goods matter.</summary>
public sealed class HeldLine(int lineNumber, string sku, int quantity, int held, int returned = 0, bool counted = false)
{
    private bool _counted = counted;

    public int LineNumber => lineNumber;

    public string Sku => sku;

    public int Quantity { get; internal set; } = quantity;

    /// <summary>Pieces that are reserved in the stock for this line; 0 where stock is not counted.</summary>
    public int Held { get; internal set; } = held;

    /// <summary>Whether its pieces were ever taken from a counted stock: what leaves, leaves the stock.</summary>
    public bool IsCounted => _counted || Held > 0;

    /// <summary>Pieces that came back from the shopper.</summary>
    public int Returned { get; internal set; } = returned;

    internal void EndHold(int pieces)
    {
        _counted = IsCounted;
        Held -= pieces;
    }
}

/// <summary>A parcel, as Shipments told of it. The carrier and the number are empty until it has a label.</summary>
public sealed record OrderParcel(
    string ShipmentId, int Position, string Carrier, string TrackingNumber, ParcelState State, IReadOnlyList<ShipmentLineFact> Content,
    DateTimeOffset? DeliveredAt = null)
{
    public int PiecesOf(int lineNumber)
    {
        var pieces = 0;
        foreach (var content in Content)
            pieces += content.LineNumber == lineNumber ? content.Quantity : 0;
        return pieces;
    }
}

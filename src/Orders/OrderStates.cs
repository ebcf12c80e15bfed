using System.Text;
using Commerce.Orders.V1;
using Commerce.Types.V1;

namespace Commerce.Orders;

/// <summary>What Payments tells that moves the payment axis.</summary>
public enum PaymentEvent
{
    /// <summary>Some part waits for the shopper or the provider.</summary>
    Pending,

    /// <summary>The provider holds all of it.</summary>
    Authorised,

    /// <summary>All of it was taken.</summary>
    Captured,

    /// <summary>A part was declined.</summary>
    Declined,

    /// <summary>Nothing was taken, and every hold was released.</summary>
    Voided,

    /// <summary>A part of what was taken was given back.</summary>
    PartlyRefunded,

    /// <summary>All that was taken was given back.</summary>
    Refunded,
}

/// <summary>The payment axis.</summary>
public static class PaymentStates
{
    /// <summary>
    /// The state after an event, null where the event cannot happen. An event that tells what the state already includes
    /// (authorised, when it is paid) leaves it as it is.
    /// </summary>
    public static PaymentState? After(PaymentState state, PaymentEvent happened) => (state, happened) switch
    {
        (PaymentState.Pending, PaymentEvent.Pending) => PaymentState.Pending,
        (PaymentState.Pending, PaymentEvent.Authorised) => PaymentState.Authorised,
        (PaymentState.Pending, PaymentEvent.Captured) => PaymentState.Paid,
        (PaymentState.Pending, PaymentEvent.Declined) => PaymentState.Failed,
        (PaymentState.Pending, PaymentEvent.Voided) => PaymentState.Refunded,
        // An order cancelled while its money was being taken: Payments tells the end, and not what it undid on the way.
        (PaymentState.Pending or PaymentState.Authorised, PaymentEvent.PartlyRefunded) => PaymentState.PartlyRefunded,
        (PaymentState.Pending or PaymentState.Authorised, PaymentEvent.Refunded) => PaymentState.Refunded,

        (PaymentState.Authorised, PaymentEvent.Pending or PaymentEvent.Authorised) => PaymentState.Authorised,
        (PaymentState.Authorised, PaymentEvent.Captured) => PaymentState.Paid,
        (PaymentState.Authorised, PaymentEvent.Declined) => PaymentState.Failed,
        (PaymentState.Authorised, PaymentEvent.Voided) => PaymentState.Refunded,

        (PaymentState.Paid, PaymentEvent.Pending or PaymentEvent.Authorised or PaymentEvent.Captured) => PaymentState.Paid,
        (PaymentState.Paid, PaymentEvent.PartlyRefunded) => PaymentState.PartlyRefunded,
        (PaymentState.Paid, PaymentEvent.Refunded) => PaymentState.Refunded,

        (PaymentState.PartlyRefunded, PaymentEvent.Pending or PaymentEvent.Authorised or PaymentEvent.Captured) => PaymentState.PartlyRefunded,
        (PaymentState.PartlyRefunded, PaymentEvent.PartlyRefunded) => PaymentState.PartlyRefunded,
        (PaymentState.PartlyRefunded, PaymentEvent.Refunded) => PaymentState.Refunded,

        (PaymentState.Refunded, not PaymentEvent.Declined) => PaymentState.Refunded,

        (PaymentState.Failed, PaymentEvent.Pending or PaymentEvent.Authorised) => PaymentState.Failed,
        (PaymentState.Failed, PaymentEvent.Declined or PaymentEvent.Voided) => PaymentState.Failed,
        _ => null,
    };
}

/// <summary>A parcel's way, as far as the order needs it.</summary>
public static class ParcelStates
{
    /// <summary>Whether the carrier has it, or had it.</summary>
    public static bool IsWithCarrier(ParcelState state) =>
        state is ParcelState.Shipped or ParcelState.Delivered or ParcelState.Returned;

    /// <summary>Whether it left the shop, wherever it is now.</summary>
    public static bool HasLeft(ParcelState state) => IsWithCarrier(state) || state == ParcelState.Replaced;

    /// <summary>
    /// Shipments derives the status from all scans, so a later scan may say otherwise than an earlier one, and a carrier may
    /// move a parcel whose label was void; what has left can only not be planned again, nor be said never to have left.
    /// </summary>
    public static bool CanBecome(ParcelState from, ParcelState to) => (from, to) switch
    {
        (ParcelState.Planned, ParcelState.Cancelled) => true,
        (ParcelState.Planned or ParcelState.Cancelled, ParcelState.Shipped or ParcelState.Delivered or ParcelState.Returned) => true,
        (ParcelState.Shipped, ParcelState.Delivered or ParcelState.Returned) => true,
        (ParcelState.Delivered, ParcelState.Shipped or ParcelState.Returned) => true,
        (ParcelState.Returned, ParcelState.Shipped or ParcelState.Delivered) => true,
        // Given up for lost, and then it turned up.
        (ParcelState.Replaced, ParcelState.Delivered) => true,
        _ => false,
    };
}

/// <summary>The fulfilment axis: a pure function of the lines and the parcels, counted in pieces.</summary>
public static class FulfilmentStates
{
    /// <summary>
    /// Pieces and not parcels are counted, because parcels become known one by one: the first of two being delivered is not
    /// all of the order.
    /// </summary>
    /// <param name="withReturns">False: as if nothing had come back from the shopper.</param>
    public static FulfilmentState Of(IReadOnlyList<HeldLine> lines, IReadOnlyList<OrderParcel> parcels, bool withReturns = true)
    {
        long ordered = 0, shipped = 0, delivered = 0, returned = 0;
        foreach (var line in lines)
        {
            ordered += line.Quantity;
            long lineShipped = 0, lineDelivered = 0, lineReturned = 0;
            foreach (var parcel in parcels)
            {
                var pieces = parcel.PiecesOf(line.LineNumber);
                lineShipped += ParcelStates.IsWithCarrier(parcel.State) ? pieces : 0;
                lineDelivered += parcel.State == ParcelState.Delivered ? pieces : 0;
                lineReturned += parcel.State == ParcelState.Returned ? pieces : 0;
            }

            // A second parcel for the same pieces (a replacement) does not stand for pieces of another line.
            var cameBack = withReturns ? line.Returned : 0;
            shipped += Math.Min(lineShipped, line.Quantity);
            delivered += Math.Max(0, Math.Min(lineDelivered, line.Quantity) - cameBack);
            returned += Math.Min(lineReturned + cameBack, line.Quantity);
        }

        return (shipped, delivered, returned) switch
        {
            _ when delivered == ordered => FulfilmentState.Delivered,
            _ when returned == ordered => FulfilmentState.Returned,
            (_, _, > 0) => FulfilmentState.PartlyReturned,
            (_, > 0, _) => FulfilmentState.PartlyDelivered,
            _ when shipped == ordered => FulfilmentState.Shipped,
            ( > 0, _, _) => FulfilmentState.PartlyShipped,
            _ => FulfilmentState.Unfulfilled,
        };
    }
}

/// <summary>The one thing to tell a person.</summary>
public static class Headlines
{
    public static Headline Of(
        OrderState state, PaymentState payment, FulfilmentState fulfilment, CancelReason? reason, CaptureMode captureMode = CaptureMode.Automatic) =>
        (state, fulfilment) switch
        {
            (OrderState.Cancelled, _) => reason == CancelReason.PaymentDeclined ? Headline.PaymentDeclined : Headline.Cancelled,
            (_, FulfilmentState.Returned) => Headline.Returned,
            (_, FulfilmentState.PartlyReturned) => Headline.PartlyReturned,
            (_, FulfilmentState.Delivered) => Headline.Delivered,
            (_, FulfilmentState.PartlyDelivered) => Headline.PartlyDelivered,
            (_, FulfilmentState.Shipped) => Headline.Shipped,
            (_, FulfilmentState.PartlyShipped) => Headline.PartlyShipped,
            _ when payment == PaymentState.Authorised && captureMode != CaptureMode.Automatic => Headline.Preparing,
            _ => payment is PaymentState.Pending or PaymentState.Authorised or PaymentState.Failed ? Headline.AwaitingPayment : Headline.Preparing,
        };
}

/// <summary>Enum values as facts write them: "PartlyShipped" is "PARTLY_SHIPPED".</summary>
public static class FactName
{
    /// <summary>The proto's name of the value without its prefix.</summary>
    public static string Of<TEnum>(TEnum value)
        where TEnum : struct, Enum => Names<TEnum>.Values[value];

    private static class Names<TEnum>
        where TEnum : struct, Enum
    {
        public static readonly Dictionary<TEnum, string> Values = Enum.GetValues<TEnum>().ToDictionary(v => v, v => UpperSnake(v.ToString()));
    }

    private static string UpperSnake(string pascal)
    {
        var text = new StringBuilder();
        foreach (var c in pascal)
        {
            if (char.IsAsciiLetterUpper(c) && text.Length > 0)
                text.Append('_');
            text.Append(char.ToUpperInvariant(c));
        }

        return text.ToString();
    }
}

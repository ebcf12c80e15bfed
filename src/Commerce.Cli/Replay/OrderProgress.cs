using Commerce.Orders.V1;

namespace Commerce.Cli.Replay;

/// <summary>Whether an order has come to where the data says it ended. Anything else is not there yet, or wrong.</summary>
internal static class OrderProgress
{
    public static bool HasReached(Order order, Ending ending) => ending switch
    {
        Ending.Delivered => order.State == OrderState.Completed && order.FulfilmentState == FulfilmentState.Delivered && order.PaymentState == PaymentState.Paid,
        Ending.Shipped => order.State == OrderState.Open && order.FulfilmentState == FulfilmentState.Shipped && order.PaymentState == PaymentState.Paid,
        Ending.Paid => order.State == OrderState.Open && order.PaymentState == PaymentState.Paid && order.FulfilmentState == FulfilmentState.Unfulfilled
            && order.Parcels.Count > 0 && order.Parcels.All(parcel => parcel.TrackingNumber.Length > 0),
        Ending.AwaitingPayment => order.State == OrderState.Open && order.PaymentState == PaymentState.Pending,
        // What cost nothing was never paid, and nothing goes back.
        Ending.Cancelled => order.State == OrderState.Cancelled && (order.PaymentState == PaymentState.Refunded || order.Total is { Units: 0, Nanos: 0 }),
        _ => false,
    };
}

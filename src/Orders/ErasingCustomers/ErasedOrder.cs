using Commerce.Facts;
using Commerce.Orders.ReturningItems;
using Commerce.Orders.V1;
using Commerce.ServiceDefaults;
using Commerce.Types.V1;
using Return = Commerce.Orders.ReturningItems.Return;

namespace Commerce.Orders;

public sealed partial class Order
{
    /// <summary>Nobody is to be found in it any more.</summary>
    public bool IsErased { get; private set; }

    /// <summary>As it was stored.</summary>
    public Order RestoreErased(bool erased)
    {
        IsErased = erased;
        return this;
    }

    /// <exception cref="Failure">ORDER_ERASED.</exception>
    public void RequireCustomer()
    {
        if (IsErased)
            throw new Failure(ErrorReason.OrderErased, $"The customer of order {Id} was erased: nobody is left to whom anything could be sent.");
    }

    /// <summary>What is waited for before its customer can be erased; null: nothing, it is over.</summary>
    public string? UnderWay(IReadOnlyList<Return> returns)
    {
        if (ImportedDelivery is null)
        {
            if (_parcels.Find(parcel => parcel.State is ParcelState.Planned or ParcelState.Shipped) is { } parcel)
                return $"Parcel {parcel.ShipmentId} is {FactName.Of(parcel.State)}; wait until it is delivered{(parcel.State == ParcelState.Planned ? ", or cancel the order" : "")}.";
            var waits = State switch
            {
                OrderState.Completed => false,
                OrderState.Cancelled => PaymentState is not (PaymentState.Refunded or PaymentState.Failed),
                // All of it came back to the shop: there is nothing that could complete it any more.
                _ => PaymentState is not (PaymentState.Refunded or PaymentState.Failed),
            };
            if (waits)
            {
                return State == OrderState.Cancelled
                    ? $"It is cancelled, and its payment is {FactName.Of(PaymentState)}; wait until the money went back."
                    : $"It is {FactName.Of(State)}, its payment {FactName.Of(PaymentState)}; wait until it is completed, or cancel it.";
            }
        }

        if (Pending is not null)
            return "A change of its lines waits for its money.";
        if (returns.FirstOrDefault(one => one.IsUnderWay) is { } live)
            return $"Return {ReturnNames.NumberOf(Id, live.Number)} is {FactName.Of(live.State)}; wait until it is settled, or reject or cancel it.";
        return null;
    }

    /// <summary>Its customer is erased.</summary>
    public OrderChange Erase(string erasureId, Moment moment)
    {
        IsErased = true;
        return Made(moment, "", version => new OrderErased(Id.ToString(), StoreId, version, moment.Time, erasureId));
    }
}

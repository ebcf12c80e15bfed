using System.Globalization;
using Commerce.Orders.FindingOrders;
using Commerce.ServiceDefaults;
using Commerce.Types.V1;

namespace Commerce.Orders.ReturningItems;

/// <summary>The names of returns.</summary>
public static class ReturnNames
{
    public static string Of(OrderId orderId, int number) => string.Create(CultureInfo.InvariantCulture, $"orders/{orderId}/returns/{number}");

    /// <summary>What a person says, for example "ORD-7K3M9QX-T2F8CRW-R1".</summary>
    public static string NumberOf(OrderId orderId, int number) => string.Create(CultureInfo.InvariantCulture, $"{orderId}-R{number}");

    /// <summary>The order and the number in "orders/{order_id}/returns/{number}"; "R1" is forgiven for "1".</summary>
    /// <exception cref="Failure">INVALID_FIELD, ORDER_ID_MISTYPED.</exception>
    public static async Task<(OrderId OrderId, int Number)> Resolve(this FindOrders find, string field, string name, CancellationToken cancellationToken)
    {
        if (name.Split('/') is not ["orders", var order, "returns", var text]
            || !int.TryParse(text.TrimStart('R', 'r'), NumberStyles.None, CultureInfo.InvariantCulture, out var number))
        {
            throw Failure.Invalid(new FieldError(field, "Give \"orders/{order_id}/returns/{number}\", for example \"orders/ORD-7K3M9QX-T2F8CRW/returns/1\"."));
        }

        return (await find.Resolve("orders/" + order, cancellationToken), number);
    }

    /// <exception cref="Failure">Always to be thrown: RETURN_NOT_FOUND.</exception>
    public static Failure NotFound(OrderId orderId, int number) =>
        new(ErrorReason.ReturnNotFound, $"There is no return {NumberOf(orderId, number)}.");
}

using System.Globalization;
using Commerce.ServiceDefaults;
using Commerce.Types.V1;

namespace Commerce.Payments.FindingPayments;

/// <summary>The names of payments and refunds.</summary>
internal static class PaymentNames
{
    private const string Prefix = "payments/";

    public static string Of(string orderId) => Prefix + orderId;

    public static string Of(Payment payment, Refund refund) =>
        string.Create(CultureInfo.InvariantCulture, $"{Prefix}{payment.OrderId}/refunds/{refund.Number}");

    /// <summary>The Order ID, in canonical form, of "payments/{order_id}".</summary>
    /// <exception cref="Failure">INVALID_FIELD, ORDER_ID_MISTYPED.</exception>
    public static string OrderId(string field, string name) =>
        name.StartsWith(Prefix, StringComparison.Ordinal)
            ? OrderId(field, name[Prefix.Length..], "Give \"payments/{order_id}\", for example \"payments/ORD-7K3M9QX-T2F8CRW\".")
            : throw Failure.Invalid(new FieldError(field, "Give \"payments/{order_id}\", for example \"payments/ORD-7K3M9QX-T2F8CRW\"."));

    /// <summary>The Order ID and the number of "payments/{order_id}/refunds/{refund_id}".</summary>
    /// <exception cref="Failure">INVALID_FIELD, ORDER_ID_MISTYPED.</exception>
    public static (string OrderId, int Number) Refund(string field, string name)
    {
        const string form = "Give \"payments/{order_id}/refunds/{refund_id}\", for example \"payments/ORD-7K3M9QX-T2F8CRW/refunds/1\".";
        return name.Split('/') is ["payments", var orderId, "refunds", var number]
            && int.TryParse(number, NumberStyles.None, CultureInfo.InvariantCulture, out var refund)
                ? (OrderId(field, orderId, form), refund)
                : throw Failure.Invalid(new FieldError(field, form));
    }

    /// <summary>The Order ID in canonical form.</summary>
    /// <exception cref="Failure">INVALID_FIELD, ORDER_ID_MISTYPED.</exception>
    public static string OrderId(string field, string typed, string form)
    {
        var reading = Commerce.OrderId.Read(typed);
        return reading.Kind switch
        {
            OrderIdReadingKind.Valid => reading.Id.ToString(),
            OrderIdReadingKind.Mistyped => throw new Failure(
                ErrorReason.OrderIdMistyped,
                "The Order ID's check symbols do not agree with it; compare it with the confirmation.",
                new FieldError(field, "Contains a mistyped Order ID.")),
            _ => throw Failure.Invalid(new FieldError(field, form)),
        };
    }

    public static Failure NotFound(string orderId) =>
        new(ErrorReason.PaymentNotFound, $"There is no payment of {orderId}. The payment of an order just placed appears moments after it.");
}

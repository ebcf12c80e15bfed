namespace Commerce.Facts;

/// <summary>One queue: who hears, whose facts, and which.</summary>
public sealed record Subscription(string Subscriber, string Source, params IReadOnlyList<Type> Facts)
{
    /// <summary>The queue's name on the broker, for example "payments.orders": Payments hears Orders.</summary>
    public string Queue => $"{Subscriber}.{Source}";
}

/// <summary>
/// Every subscriber of every fact. A relay declares these queues before it publishes, so that a fact told while its
/// subscriber has never run yet waits for it instead of being dropped by the broker.
/// </summary>
public static class Subscriptions
{
    private static readonly Type[] OrderFacts =
        [
            typeof(OrderPlaced), typeof(OrderConfirmed), typeof(OrderCancelled), typeof(OrderProgressed), typeof(OrderEdited), typeof(OrderCompleted),
            typeof(OrderImported), typeof(OrderLinesChanged), typeof(OrderChangeProposed), typeof(OrderChangeWithdrawn),
            typeof(ParcelReplaced), typeof(ReturnRequested), typeof(ReturnApproved), typeof(ReturnRejected), typeof(ReturnReceived), typeof(ReturnCancelled), typeof(ReturnProgressed),
            typeof(OrderErased),
        ];

    private static readonly Type[] StockFacts = [typeof(StockLow), typeof(StockOut), typeof(StockReplenished)];

    private static readonly Type[] PaymentFacts =
        [
            typeof(PaymentPending), typeof(PaymentAuthorised), typeof(PaymentCaptured), typeof(PaymentDeclined), typeof(PaymentVoided), typeof(PaymentRefunded),
            typeof(PaymentRefundFailed), typeof(PaymentChargeCaptured), typeof(PaymentChargeDeclined),
        ];

    private static readonly Type[] ShipmentFacts =
        [
            typeof(ShipmentCreated), typeof(LabelBought), typeof(TrackingNumberChanged), typeof(ParcelTracked), typeof(ShipmentExceptionChanged), typeof(ShipmentReaddressed),
            typeof(ShipmentCancelled), typeof(DeliveryChangeTold),
        ];

    public static IReadOnlyList<Subscription> All { get; } =
    [
        new("payments", "orders", typeof(OrderPlaced), typeof(OrderCancelled), typeof(OrderLinesChanged), typeof(OrderChangeProposed), typeof(OrderChangeWithdrawn), typeof(OrderErased)),
        new("payments", "shipments", typeof(ShipmentCreated), typeof(ParcelTracked)),
        new("shipments", "orders", typeof(OrderConfirmed), typeof(OrderEdited), typeof(OrderLinesChanged), typeof(ParcelReplaced), typeof(OrderCancelled), typeof(ReturnApproved), typeof(ReturnReceived), typeof(ReturnCancelled), typeof(OrderErased)),
        new("notifications", "orders", [.. OrderFacts, .. StockFacts]),
        new("gateway", "orders", OrderFacts),
        new("orders", "payments", [.. PaymentFacts, typeof(PersonalDataErased)]),
        new("gateway", "payments", [.. PaymentFacts, typeof(DocumentIssued), typeof(PersonalDataErased)]),
        new("orders", "shipments", [.. ShipmentFacts, typeof(PersonalDataErased)]),
        new("notifications", "shipments", ShipmentFacts),
        new("notifications", "payments", typeof(PaymentPending), typeof(PaymentRefunded)),
        new("gateway", "shipments", [.. ShipmentFacts, typeof(PersonalDataErased)]),
        new("gateway", "notifications", typeof(NotificationSettled)),
    ];
}

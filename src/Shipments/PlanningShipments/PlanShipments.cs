using Commerce.Messaging;
using Commerce.Orders.V1;
using Commerce.Shipments.BuyingLabels;
using Commerce.Shipments.ReaddressingShipments;
using Commerce.Shipments.RecuttingShipments;
using Commerce.Shipments.Storage;
using Commerce.Types.V1;
using Microsoft.Extensions.Options;
using Npgsql;

namespace Commerce.Shipments.PlanningShipments;

/// <summary>Makes the parcels of a confirmed order, at least one for each place that its lines leave from. A second run makes nothing twice.</summary>
internal sealed class PlanShipments(
    OrderService.OrderServiceClient orders, StoreService.StoreServiceClient stores, IOptions<ShipmentsOptions> options, TimeProvider time) : IRecover
{
    public const string PointKind = "plan-shipments";

    public string Kind => PointKind;

    public async Task<RecoveryOutcome> Recover(RecoveryPoint point, int attempt, CancellationToken cancellationToken)
    {
        ShipmentsTelemetry.TagOrder(point.Key);
        var payload = OrderVersion.Of(point);
        var order = await orders.GetOrderAsync(new GetOrderRequest { Name = $"orders/{point.Key}", MinVersion = payload.Version }, cancellationToken: cancellationToken);
        if (order.State == OrderState.Cancelled)
            return new RecoveryOutcome.Done();

        var ownPlace = await OwnPlace(order, stores, cancellationToken);
        var planned = ShipmentPlan.Of(order, ownPlace, options.Value, time.GetUtcNow());
        return new RecoveryOutcome.Done(context => Store(order, planned, context));
    }

    /// <summary>Where an order's lines leave from that name no place; asked only where there are such.</summary>
    public static async Task<Place> OwnPlace(Order order, StoreService.StoreServiceClient stores, CancellationToken cancellationToken) =>
        order.Lines.All(line => line.ShipFrom is not null)
            ? new Place()
            : (await stores.GetStoreAsync(new GetStoreRequest { Name = $"stores/{order.StoreId}" }, cancellationToken: cancellationToken)).ShipFrom ?? new Place();

    /// <summary>Stores a planned parcel, tells of it, and has its label bought.</summary>
    public static void Add(Shipment planned, RecoveryContext context)
    {
        context.Batch.BatchCommands.Add(ShipmentStore.Insert(planned));
        context.Tell(planned.Created());
        context.Intend(BuyLabel.PointOf(planned));
        ShipmentsTelemetry.Planned.Add(1);
    }

    private static async Task Store(Order order, IReadOnlyList<Shipment> planned, RecoveryContext context)
    {
        var (cancelled, editedTo) = await Heard(order.OrderId, context);
        if (cancelled)
            return;
        var known = await ShipmentStore.LockOrder(context.Connection, context.Transaction, order.OrderId, context.CancellationToken);
        // A place's parcels are stored together or not at all; with other limits than then they would be cut otherwise now.
        var done = known.Select(one => one.LocationId).ToHashSet(StringComparer.Ordinal);
        foreach (var shipment in planned.Where(one => !done.Contains(one.LocationId)))
            Add(shipment, context);

        // Address or lines were changed after they were read here, and whoever heard of that found no parcels yet.
        if (editedTo > order.Version)
        {
            context.Intend(ReaddressShipments.PointOf(order.OrderId, editedTo, after: "plan"));
            context.Intend(RecutShipments.PointOf(order.OrderId, editedTo, after: "plan"));
        }
    }

    /// <summary>
    /// Under the lock that cancellation and edit take: either they are seen here, or they find the parcels.
    /// </summary>
    public static async Task<(bool Cancelled, long EditedTo)> Heard(string orderId, RecoveryContext context)
    {
        await using var batch = new NpgsqlBatch(context.Connection, context.Transaction);
        batch.BatchCommands.Add(ShipmentStore.OrderLock(orderId));
        batch.BatchCommands.Add(new NpgsqlBatchCommand("SELECT 1 FROM cancelled_orders WHERE order_id = $1")
        {
            Parameters = { new NpgsqlParameter<string> { TypedValue = orderId } },
        });
        batch.BatchCommands.Add(new NpgsqlBatchCommand("SELECT version FROM edited_orders WHERE order_id = $1")
        {
            Parameters = { new NpgsqlParameter<string> { TypedValue = orderId } },
        });
        await using var reader = await batch.ExecuteReaderAsync(context.CancellationToken);
        await reader.NextResultAsync(context.CancellationToken);
        var cancelled = await reader.ReadAsync(context.CancellationToken);
        await reader.NextResultAsync(context.CancellationToken);
        return (cancelled, await reader.ReadAsync(context.CancellationToken) ? reader.GetInt64(0) : 0);
    }
}

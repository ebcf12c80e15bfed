using System.Globalization;
using Commerce.Facts;
using Commerce.Messaging;
using Commerce.Orders.V1;
using Commerce.Shipments.PlanningShipments;
using Commerce.Shipments.Storage;
using Microsoft.Extensions.Options;
using Npgsql;

namespace Commerce.Shipments.Returning;

/// <summary>Makes the parcels that bring an approved return back, at least one for each place that its goods came from. A second run makes nothing twice.</summary>
internal sealed class PlanReturn(
    OrderService.OrderServiceClient orders, ReturnService.ReturnServiceClient returns, StoreService.StoreServiceClient stores,
    IOptions<ShipmentsOptions> options, TimeProvider time) : IRecover
{
    public const string PointKind = "plan-return";

    public string Kind => PointKind;

    public static RecoveryPoint PointOf(ReturnApproved fact) =>
        new(PointKind, string.Create(CultureInfo.InvariantCulture, $"{fact.OrderId}/{fact.ReturnNumber}"));

    public async Task<RecoveryOutcome> Recover(RecoveryPoint point, int attempt, CancellationToken cancellationToken)
    {
        var (orderId, number) = point.Key.Split('/') is [var order, var text]
            ? (order, int.Parse(text, CultureInfo.InvariantCulture))
            : throw new InvalidOperationException($"The recovery point {point.Kind} \"{point.Key}\" names no return.");
        ShipmentsTelemetry.TagOrder(orderId);
        var one = await returns.GetReturnAsync(
            new GetReturnRequest { Name = string.Create(CultureInfo.InvariantCulture, $"orders/{orderId}/returns/{number}") }, cancellationToken: cancellationToken);
        if (!one.LabelWanted || one.State is ReturnState.Cancelled or ReturnState.Rejected or ReturnState.Received)
            return new RecoveryOutcome.Done();

        var of = await orders.GetOrderAsync(new GetOrderRequest { Name = $"orders/{orderId}" }, cancellationToken: cancellationToken);
        var store = await stores.GetStoreAsync(new GetStoreRequest { Name = $"stores/{of.StoreId}" }, cancellationToken: cancellationToken);
        var planned = ReturnPlan.Of(of, one, number, store, options.Value, time.GetUtcNow());
        return new RecoveryOutcome.Done(context => Store(orderId, number, planned, context));
    }

    private static async Task Store(string orderId, int number, IReadOnlyList<Shipment> planned, RecoveryContext context)
    {
        // Under the lock that cancelling takes: either it is seen here, or it finds the parcels.
        if (await IsCancelled(orderId, number, context))
            return;
        var known = await ShipmentStore.LockReturn(context.Connection, context.Transaction, orderId, number, context.CancellationToken);
        if (known.Count > 0)
            return;
        foreach (var shipment in planned)
            PlanShipments.Add(shipment, context);
    }

    private static async Task<bool> IsCancelled(string orderId, int number, RecoveryContext context)
    {
        await using var batch = new NpgsqlBatch(context.Connection, context.Transaction);
        batch.BatchCommands.Add(ShipmentStore.OrderLock(orderId));
        batch.BatchCommands.Add(new NpgsqlBatchCommand("SELECT 1 FROM cancelled_returns WHERE order_id = $1 AND return_number = $2")
        {
            Parameters = { new NpgsqlParameter<string> { TypedValue = orderId }, new NpgsqlParameter<int> { TypedValue = number } },
        });
        await using var reader = await batch.ExecuteReaderAsync(context.CancellationToken);
        await reader.NextResultAsync(context.CancellationToken);
        return await reader.ReadAsync(context.CancellationToken);
    }
}

using Commerce.Messaging;
using Commerce.Orders.Checking;
using Commerce.Orders.FindingOrders;
using Commerce.Orders.Storage;
using Commerce.Orders.V1;
using Commerce.ServiceDefaults;
using Commerce.Types.V1;
using Npgsql;

namespace Commerce.Orders.CancellingOrder;

/// <summary>Cancels an order on somebody's wish.</summary>
public sealed class CancelOrder(NpgsqlDataSource database, FindOrders find, OrderReader orders, OrderStore store, Requests requests, TimeProvider clock)
{
    /// <exception cref="Failure">INVALID_FIELD, ORDER_ID_MISTYPED, ORDER_NOT_FOUND, ORDER_STATE, ETAG_MISMATCH, REQUEST_ID_REUSED.</exception>
    public async Task<V1.Order> Cancel(CancelOrderRequest request, RequestKey key, CancellationToken cancellationToken)
    {
        Check(request);
        var id = await find.Resolve(request.Name, cancellationToken);
        try
        {
            await Change(id, request, key, cancellationToken);
        }
        catch (Failure failure) when (failure.Reason is ErrorReason.OrderState or ErrorReason.EtagMismatch)
        {
            // The same request again, after the first moved the order on: it has its answer already.
            if (await requests.Find(key, cancellationToken) is null)
                throw;
        }
        catch (PostgresException exception) when (exception.ConstraintName == Requests.Constraint)
        {
            await requests.Find(key, cancellationToken);
        }

        return await orders.Find(id.Value, cancellationToken) ?? throw FindOrders.NotFound(id);
    }

    private async Task Change(OrderId id, CancelOrderRequest request, RequestKey key, CancellationToken cancellationToken)
    {
        await using var connection = await database.OpenConnectionAsync(cancellationToken);
        await using var transaction = await connection.BeginTransactionAsync(cancellationToken);
        var order = await OrderStore.Lock(connection, transaction, id, cancellationToken) ?? throw FindOrders.NotFound(id);
        if (request.Etag.Length > 0 && request.Etag != OrderMessage.EtagOf(order.Version))
        {
            throw new Failure(
                ErrorReason.EtagMismatch,
                $"Order {id} changed since its etag {request.Etag} was read; read it again.",
                new FieldError("etag", "Not the order's etag any more."));
        }

        var reason = request.Reason == CancelReason.Unspecified ? CancelReason.Shopper : request.Reason;
        var change = order.Cancel(reason, request.Note, new Moment(clock.Now(), key.Caller));
        await using var batch = new NpgsqlBatch(connection, transaction);
        batch.With(requests.Record(key, OrderMessage.NameOf(id), order.Version));
        if (change is not null)
            store.Save(batch, order, change);
        await batch.ExecuteNonQueryAsync(cancellationToken);
        await transaction.CommitAsync(cancellationToken);
        if (change is not null)
            store.Committed();
    }

    private static void Check(CancelOrderRequest request)
    {
        var errors = new FieldErrors();
        errors.RequestId(request.RequestId, required: true);
        errors.Optional("note", request.Note, 500);
        if (request.Reason is CancelReason.PaymentDeclined or CancelReason.PaymentExpired or CancelReason.Refunded)
            errors.Add("reason", "Is set by the suite alone; give another reason.");
        else if (!Enum.IsDefined(request.Reason))
            errors.Add("reason", "Is not a reason that is known here.");
        if (request.Etag.Length > 40)
            errors.Add("etag", "Is not an order's etag.");
        errors.ThrowIfAny();
    }
}

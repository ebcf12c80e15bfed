using Commerce.Messaging;
using Commerce.Orders.FindingOrders;
using Commerce.Orders.Storage;
using Commerce.ServiceDefaults;
using Commerce.Types.V1;
using Npgsql;

namespace Commerce.Orders;

/// <summary>A locked order, and the batch that is executed with what is decided about it.</summary>
public sealed record OrderDecision(Order Order, NpgsqlConnection Connection, NpgsqlTransaction Transaction, NpgsqlBatch Batch, Moment Moment);

/// <summary>
/// What every call does that changes an order: lock it, see that it is the one that the caller knew, let the aggregate decide,
/// and store the decision with the request, once however often it is asked.
/// </summary>
public sealed class RequestedChanges(NpgsqlDataSource database, OrderReader orders, OrderStore store, Requests requests, TimeProvider clock)
{
    /// <exception cref="Failure">ORDER_NOT_FOUND, ORDER_ERASED, ETAG_MISMATCH, REQUEST_ID_REUSED, and what the decision refuses with.</exception>
    public async Task<V1.Order> Once(
        OrderId id, string etag, RequestKey key, Func<OrderDecision, Task<OrderChange?>> decide, CancellationToken cancellationToken)
    {
        try
        {
            await Change(id, etag, key, decide, cancellationToken);
        }
        catch (Failure failure) when (failure.Reason is ErrorReason.OrderState or ErrorReason.EtagMismatch or ErrorReason.OrderErased)
        {
            // The same request again, after the first moved the order on: it has its answer already.
            if (await requests.Find(key, cancellationToken) is null)
                throw;
        }
        catch (PostgresException exception) when (Requests.IsRepeated(exception))
        {
            await requests.Find(key, cancellationToken);
        }

        return await orders.Find(id.Value, cancellationToken) ?? throw FindOrders.NotFound(id);
    }

    private async Task Change(OrderId id, string etag, RequestKey key, Func<OrderDecision, Task<OrderChange?>> decide, CancellationToken cancellationToken)
    {
        await using var connection = await database.OpenConnectionAsync(cancellationToken);
        await using var transaction = await connection.BeginTransactionAsync(cancellationToken);
        var order = await OrderStore.Lock(connection, transaction, id, cancellationToken) ?? throw FindOrders.NotFound(id);
        order.RequireCustomer();
        if (etag.Length > 0 && etag != OrderMessage.EtagOf(order.Version))
        {
            throw new Failure(
                ErrorReason.EtagMismatch,
                $"Order {id} changed since its etag {etag} was read; read it again.",
                new FieldError("etag", "Not the order's etag any more."));
        }

        await using var batch = new NpgsqlBatch(connection, transaction);
        var change = await decide(new OrderDecision(order, connection, transaction, batch, new Moment(clock.Now(), key.Caller)));
        batch.With(requests.Record(key, OrderMessage.NameOf(id), order.Version));
        if (change is not null)
            store.Save(batch, order, change);
        await batch.ExecuteNonQueryAsync(cancellationToken);
        await transaction.CommitAsync(cancellationToken);
        if (change is not null)
            store.Committed();
    }
}

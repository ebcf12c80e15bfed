using Commerce.Messaging;
using Commerce.Orders.Checking;
using Commerce.Orders.ReturningItems;
using Commerce.Orders.Storage;
using Commerce.Orders.V1;
using Commerce.Payments.V1;
using Commerce.ServiceDefaults;
using Commerce.Types.V1;
using Grpc.Core;
using Npgsql;

namespace Commerce.Orders.ErasingCustomers;

/// <summary>
/// Takes what is personal from a customer's orders. Here it is one transaction, with the facts by which the other services do the
/// same; so an erasure that was begun is an erasure that ends, whoever is down meanwhile. Whom it is about is kept nowhere: the orders
/// are, and they name nobody any more.
/// </summary>
public sealed class EraseCustomer(
    NpgsqlDataSource database, Customers customers, ErasureStore erasures, OrderStore store, Requests requests, PaymentService.PaymentServiceClient payments, TimeProvider clock)
{
    private const int AskedAtOnce = 8;

    /// <exception cref="Failure">
    /// ORDERS_UNDER_WAY, CUSTOMER_NOT_FOUND, INVALID_FIELD, LIMIT_REACHED, REQUEST_ID_REUSED, DEPENDENCY_UNAVAILABLE.
    /// </exception>
    public async Task<Erasure> Erase(EraseCustomerRequest request, RequestKey key, CancellationToken cancellationToken)
    {
        var errors = new FieldErrors();
        errors.RequestId(request.RequestId, required: true);
        errors.ThrowIfAny();
        if (!request.ValidateOnly && await Earlier(key, cancellationToken) is { } earlier)
            return earlier;
        try
        {
            var ids = await customers.Find(request.StoreId, request.Customer, cancellationToken);
            var waiting = await MoneyUnderWay(ids, cancellationToken);
            return await Erase(request, ids, waiting, key, cancellationToken);
        }
        catch (Failure failure) when (failure.Reason == ErrorReason.CustomerNotFound && !request.ValidateOnly)
        {
            // A twin of this request was first: since then nobody is to be found.
            if (await Earlier(key, cancellationToken) is { } twin)
                return twin;
            throw;
        }
        catch (PostgresException exception) when (Requests.IsRepeated(exception))
        {
            return await Earlier(key, cancellationToken) ?? throw new Failure(ErrorReason.RequestInProgress, "The same request was accepted and can no longer be found; try again.");
        }
    }

    private async Task<Erasure?> Earlier(RequestKey key, CancellationToken cancellationToken) =>
        await requests.Find(key, cancellationToken) is { } answer ? await erasures.Get(answer.Resource, cancellationToken) : null;

    private async Task<Erasure> Erase(
        EraseCustomerRequest request, IReadOnlyList<OrderId> ids, Dictionary<OrderId, string> waiting, RequestKey key, CancellationToken cancellationToken)
    {
        var (id, moment) = (Guid.CreateVersion7(clock.GetUtcNow()), new Moment(clock.Now(), key.Caller));
        await using var connection = await database.OpenConnectionAsync(cancellationToken);
        await using var transaction = await connection.BeginTransactionAsync(cancellationToken);
        await using var batch = new NpgsqlBatch(connection, transaction);
        batch.With(requests.Record(key, ErasureStore.NameOf(id), 1));
        var orders = new List<Order>();
        foreach (var orderId in ids)
        {
            var order = await OrderStore.Lock(connection, transaction, orderId, cancellationToken) ?? throw new InvalidOperationException("Orders are never deleted.");
            var returns = await ReturnStore.Load(connection, transaction, order, cancellationToken);
            if (order.IsErased)
                continue;
            if (order.UnderWay(returns.Returns) is { } why)
                waiting[orderId] = why;
            orders.Add(order);
        }

        if (waiting.Count > 0)
            throw UnderWay(waiting);
        if (orders.Count == 0)
            throw new Failure(ErrorReason.CustomerNotFound, "All that was ordered was erased meanwhile.");
        foreach (var order in orders)
            store.Save(batch, order, order.Erase(id.ToString("N"), moment));
        var items = await PersonalColumns.Erase(batch, [.. orders.Select(order => order.Id.Value)], moment.Time, cancellationToken);
        await ErasureStore.Insert(batch, id, request.StoreId, moment, orders, items, cancellationToken);
        if (request.ValidateOnly)
        {
            await transaction.RollbackAsync(cancellationToken);
            return ErasureStore.Validated(request.StoreId, moment, orders, items);
        }

        await transaction.CommitAsync(cancellationToken);
        store.Committed();
        return await erasures.Get(ErasureStore.NameOf(id), cancellationToken);
    }

    // Money that is on its way to somebody, and documents that are to name them.
    private async Task<Dictionary<OrderId, string>> MoneyUnderWay(IReadOnlyList<OrderId> ids, CancellationToken cancellationToken)
    {
        var waiting = new Dictionary<OrderId, string>();
        foreach (var some in ids.Chunk(AskedAtOnce))
        {
            var asked = await Task.WhenAll(some.Select(async id => (Id: id, Payment: await Payment(id, cancellationToken))));
            foreach (var (id, _) in asked.Where(one => one.Payment is { Settled: false }))
                waiting[id] = "A refund, a capture or a document of it is under way; try again when it is settled.";
        }

        return waiting;
    }

    private async Task<Payment?> Payment(OrderId id, CancellationToken cancellationToken)
    {
        try
        {
            return await payments.GetPaymentAsync(new GetPaymentRequest { Name = $"payments/{id}" }, cancellationToken: cancellationToken);
        }
        catch (RpcException exception) when (exception.StatusCode == StatusCode.NotFound)
        {
            return null;
        }
    }

    private static Failure UnderWay(Dictionary<OrderId, string> waiting) => new(
        ErrorReason.OrdersUnderWay, FieldErrors.Text($"{waiting.Count} orders of the customer are under way, so nothing was erased; try again when they are over."))
    {
        Preconditions = [.. waiting.Take(FieldErrors.MostNamed).Select(one => ("ORDER_UNDER_WAY", OrderMessage.NameOf(one.Key), one.Value))],
    };
}

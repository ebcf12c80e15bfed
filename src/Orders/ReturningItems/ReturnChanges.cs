using Commerce.Facts;
using Commerce.Messaging;
using Commerce.Orders.FindingOrders;
using Commerce.Orders.Storage;
using Commerce.ServiceDefaults;
using Commerce.Types.V1;
using Npgsql;

namespace Commerce.Orders.ReturningItems;

/// <summary>A locked order with its returns, and the batch that is executed with what is decided about one of them.</summary>
public sealed record ReturnDecision(ReturnsOfOrder Returns, NpgsqlBatch Batch, Moment Moment)
{
    private readonly List<OrderChange> _changes = [];

    public Order Order => Returns.Order;

    /// <summary>The changes of the order that were decided, in their order.</summary>
    public IReadOnlyList<OrderChange> Changes => _changes;

    /// <summary>What goes into the batch last: stock, whose rows are what orders wait for.</summary>
    public Action<NpgsqlBatch> AtLast { get; set; } = _ => { };

    /// <summary>Tells, and puts on the timeline, what happened to a return, and stores it.</summary>
    /// <param name="one">The return.</param>
    /// <param name="what">In words without personal data.</param>
    /// <param name="fact">The fact, with the order's version that is given.</param>
    /// <param name="cameBack">Pieces by line that came back with it.</param>
    public void Tell(Return one, string what, Func<long, IReturnFact> fact, IReadOnlyDictionary<int, int>? cameBack = null)
    {
        _changes.Add(Order.ChangeReturn(one.Say(what), fact, Moment, cameBack));
        ReturnStore.Save(Batch, one);
        if (cameBack is { Count: > 0 })
            ReturnStore.SaveCameBack(Batch, Order, [.. cameBack.Keys]);
    }

    /// <summary>The money of an imported order went back elsewhere: nobody else tells the order of it.</summary>
    public void GaveBackElsewhere(long minor)
    {
        var refunded = Math.Min(Returns.TakenMinor, Returns.RefundedMinor + minor);
        Batch.With(Sql.Command("UPDATE orders SET refunded_minor = $2 WHERE order_id = $1").With(Order.Id.Value).With(refunded));
        if (Order.Pay(refunded == Returns.TakenMinor ? PaymentEvent.Refunded : PaymentEvent.PartlyRefunded, Moment) is { } change)
            _changes.Add(change);
    }

    /// <summary>As above, for what has no fact of its own.</summary>
    public void TellProgress(Return one, string what) => Tell(one, what, version => new ReturnProgressed(
        one.OrderId.ToString(), one.StoreId, version, Moment.Time, one.Number, FactName.Of(one.State),
        FactName.Of(one.RefundStateOf(ReturnMessage.RefundMinor(one, Returns.LeftMinor)))));
}

/// <summary>
/// What every call does that changes a return: lock its order, let the aggregates decide, and store the decision with the
/// request, once however often it is asked. Two calls about one order wait for each other, so that no two of them can both have
/// its last piece.
/// </summary>
public sealed class ReturnChanges(
    NpgsqlDataSource database, FindOrders find, OrderStore store, ReturnStore returns, Requests requests, RecoveryPoints points, TimeProvider clock)
{
    /// <param name="orderId">The order.</param>
    /// <param name="key">The request.</param>
    /// <param name="decide">Decides, and answers with the return that it is about.</param>
    /// <param name="cancellationToken">Cancels.</param>
    /// <exception cref="Failure">ORDER_NOT_FOUND, REQUEST_ID_REUSED, and what the decision refuses with.</exception>
    public async Task<V1.Return> Once(OrderId orderId, RequestKey key, Func<ReturnDecision, Return> decide, CancellationToken cancellationToken)
    {
        int number;
        try
        {
            number = await Change(orderId, key, decide, cancellationToken);
        }
        catch (Failure failure) when (failure.Reason != ErrorReason.RequestIdReused)
        {
            // The same request again, after the first one took the pieces or moved the return on: it has its answer already.
            if (await Earlier(key, cancellationToken) is not { } earlier)
                throw;
            number = earlier;
        }
        catch (PostgresException exception) when (Requests.IsRepeated(exception))
        {
            number = await Earlier(key, cancellationToken)
                ?? throw new Failure(ErrorReason.RequestInProgress, "The same request was accepted and can no longer be found; try again.");
        }

        return ReturnMessage.Of(await returns.Find(orderId, number, cancellationToken) ?? throw ReturnNames.NotFound(orderId, number));
    }

    /// <summary>As above, about a return by its name.</summary>
    /// <exception cref="Failure">INVALID_FIELD, ORDER_ID_MISTYPED, RETURN_NOT_FOUND, ETAG_MISMATCH, and as above.</exception>
    public async Task<V1.Return> Once(string name, string etag, RequestKey key, Action<ReturnDecision, Return> decide, CancellationToken cancellationToken)
    {
        var (orderId, number) = await find.Resolve("name", name, cancellationToken);
        return await Once(
            orderId,
            key,
            decision =>
            {
                var one = decision.Returns.Return(number);
                if (etag.Length > 0 && etag != OrderMessage.EtagOf(one.Version))
                {
                    throw new Failure(
                        ErrorReason.EtagMismatch,
                        $"Return {ReturnNames.NumberOf(orderId, number)} changed since its etag {etag} was read; read it again.",
                        new FieldError("etag", "Not the return's etag any more."));
                }

                decide(decision, one);
                return one;
            },
            cancellationToken);
    }

    /// <summary>
    /// As above for what nobody asked for but was heard, or found out, in a transaction that is open already: a step without a fact
    /// of its own.
    /// </summary>
    /// <param name="order">The order, locked in that transaction.</param>
    /// <param name="number">The return's number.</param>
    /// <param name="actor">Who did it.</param>
    /// <param name="batch">Of the transaction; what changes is added to it.</param>
    /// <param name="change">The step; answers what it was in words without personal data, null where nothing is left to do.</param>
    /// <param name="cancellationToken">Cancels.</param>
    /// <returns>The return; null where nothing changed.</returns>
    public async Task<Return?> Progress(
        Order order, int number, string actor, NpgsqlBatch batch, Func<Return, DateTimeOffset, string?> change, CancellationToken cancellationToken)
    {
        var known = await ReturnStore.Load(batch.Connection!, batch.Transaction!, order, cancellationToken);
        var decision = new ReturnDecision(known, batch, new Moment(clock.Now(), actor));
        var one = known.Return(number);
        if (change(one, decision.Moment.Time) is not { } what)
            return null;
        decision.TellProgress(one, what);
        foreach (var told in decision.Changes)
            store.Save(batch, order, told);
        return one;
    }

    private async Task<int> Change(OrderId orderId, RequestKey key, Func<ReturnDecision, Return> decide, CancellationToken cancellationToken)
    {
        await using var connection = await database.OpenConnectionAsync(cancellationToken);
        await using var transaction = await connection.BeginTransactionAsync(cancellationToken);
        var order = await OrderStore.Lock(connection, transaction, orderId, cancellationToken) ?? throw FindOrders.NotFound(orderId);
        order.RequireCustomer();
        var known = await ReturnStore.Load(connection, transaction, order, cancellationToken);
        await using var batch = new NpgsqlBatch(connection, transaction);
        var decision = new ReturnDecision(known, batch, new Moment(clock.Now(), key.Caller));
        var one = decide(decision);
        batch.With(requests.Record(key, ReturnNames.Of(orderId, one.Number), one.Version));
        foreach (var change in decision.Changes)
            store.Save(batch, order, change);
        decision.AtLast(batch);
        await batch.ExecuteNonQueryAsync(cancellationToken);
        await transaction.CommitAsync(cancellationToken);
        if (decision.Changes.Count > 0)
        {
            store.Committed();
            points.Wake();
        }

        return one.Number;
    }

    private async Task<int?> Earlier(RequestKey key, CancellationToken cancellationToken) =>
        await requests.Find(key, cancellationToken) is { } answer && answer.Resource.Split('/') is ["orders", _, "returns", var number]
            ? int.Parse(number, System.Globalization.CultureInfo.InvariantCulture)
            : null;
}

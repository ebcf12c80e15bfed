using Commerce.Orders.Storage;
using Commerce.ServiceDefaults;
using Microsoft.Extensions.Options;
using Npgsql;

namespace Commerce.Orders.PlacingOrder;

/// <summary>Writes new orders; those that come together share a transaction.</summary>
public sealed class OrderWriter(NpgsqlDataSource database, OrderStore store, IOptions<OrdersOptions> options)
{
    private const int MostTogether = 32;

    private readonly SharedTransactions<NewOrder> _transactions = new(options.Value.PlacingTransactions, MostTogether, _ => 1, async orders =>
    {
        await using var batch = database.CreateBatch();
        store.Insert(batch, orders);
        await batch.ExecuteNonQueryAsync(CancellationToken.None);
    });

    /// <summary>How many orders wait for a transaction.</summary>
    internal int Waiting => _transactions.Waiting;

    /// <summary>Completes after the commit.</summary>
    /// <exception cref="PostgresException">Why it could not be written.</exception>
    public Task Write(NewOrder order, CancellationToken cancellationToken) => _transactions.Write(order, cancellationToken);
}

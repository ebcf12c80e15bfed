using System.Text.Json;
using Commerce.Orders.PlacingOrder;
using Commerce.Orders.Storage;
using Npgsql;

namespace Commerce.Orders.FindingOrders;

/// <summary>
/// Makes up for the terms of orders that the version before wrote, in steps that hold nobody up. Looks again now and then,
/// since while a version is rolled out the one before goes on placing orders.
/// </summary>
public sealed partial class IndexOrders(NpgsqlDataSource database, ArticleWords articles, TimeProvider clock, ILogger<IndexOrders> logger) : BackgroundService
{
    private const int Step = 200;

    private static readonly TimeSpan Interval = TimeSpan.FromMinutes(1);

    protected override async Task ExecuteAsync(CancellationToken stoppingToken)
    {
        while (!stoppingToken.IsCancellationRequested)
        {
            try
            {
                while (await Index(stoppingToken) == Step)
                {
                }
            }
            catch (Exception exception) when (!stoppingToken.IsCancellationRequested)
            {
                LogFailed(exception, exception.Message);
            }

            await Task.Delay(Interval, clock, stoppingToken);
        }
    }

    /// <summary>How many orders got their terms now.</summary>
    public async Task<int> Index(CancellationToken cancellationToken)
    {
        await using var connection = await database.OpenConnectionAsync(cancellationToken);
        await using var transaction = await connection.BeginTransactionAsync(cancellationToken);
        var found = new List<(string StoreId, long OrderId, DateTimeOffset CreateTime, IReadOnlyList<string> Terms)>();
        var titles = new List<(string StoreId, string Sku, string Title)>();
        await using (var command = new NpgsqlCommand(
            """
            SELECT o.order_id, o.store_id, o.create_time, o.customer_name, o.to_recipients, o.to_organization, o.customer_phone, o.to_postal_code,
                   o.adjustments, o.cancel_note,
                   ARRAY(SELECT l.sku FROM order_lines l WHERE l.order_id = o.order_id ORDER BY l.line_number),
                   ARRAY(SELECT l.title FROM order_lines l WHERE l.order_id = o.order_id ORDER BY l.line_number)
            FROM orders o WHERE o.terms_version IS NULL ORDER BY o.order_id LIMIT $1 FOR UPDATE SKIP LOCKED
            """,
            connection,
            transaction))
        {
            await using var reader = await command.With(Step).ExecuteReaderAsync(cancellationToken);
            while (await reader.ReadAsync(cancellationToken))
            {
                var notes = JsonSerializer.Deserialize<AdjustmentRow[]>(reader.GetString(8), OrderJson.Options)!.Select(a => a.Label).Append(reader.TextOrNull(9));
                var skus = reader.GetFieldValue<string[]>(10);
                var storeId = reader.GetString(1);
                found.Add((storeId, reader.GetInt64(0), reader.GetFieldValue<DateTimeOffset>(2), OrderTerms.Of(
                    reader.GetString(3), reader.GetFieldValue<string[]>(4), reader.GetString(5), reader.GetString(6), reader.GetString(7), skus, notes)));
                titles.AddRange(skus.Zip(reader.GetFieldValue<string[]>(11), (sku, title) => (storeId, sku, title)));
            }
        }

        if (found.Count == 0)
            return 0;
        await using var batch = new NpgsqlBatch(connection, transaction);
        OrderTerms.Add(batch, [.. found.SelectMany(order => order.Terms, (order, term) => (order.StoreId, term, order.CreateTime, order.OrderId))]);
        articles.Add(batch, titles);
        batch.With(Sql.Command("UPDATE orders SET terms_version = 1 WHERE order_id = ANY ($1)").With(found.Column(order => order.OrderId)));
        await batch.ExecuteNonQueryAsync(cancellationToken);
        await transaction.CommitAsync(cancellationToken);
        articles.Kept(titles);
        return found.Count;
    }

    [LoggerMessage(LogLevel.Warning, "Orders of the version before could not be made findable, and are later: {Error}")]
    private partial void LogFailed(Exception exception, string error);
}

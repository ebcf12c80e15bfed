using System.Runtime.CompilerServices;
using Commerce.Orders.Checking;
using Commerce.Orders.Storage;
using Commerce.Orders.Stores;
using Commerce.Orders.V1;
using Commerce.ServiceDefaults;
using Commerce.Types.V1;
using Microsoft.Extensions.Options;
using Npgsql;

namespace Commerce.Orders.Stock;

/// <summary>
/// Tells what is on the shelves of a store as it changes. The database is asked, because whatever changes a stock, and in which
/// process, changes it there; a watcher costs one query of an index each time.
/// </summary>
public sealed class WatchStock(NpgsqlDataSource database, StoreBook stores, IOptions<OrdersOptions> options, IHostApplicationLifetime lifetime, TimeProvider time)
{
    private const int MostSkus = 100;
    private const int MostAtOnce = 500;

    private static readonly TimeSpan RetryLater = TimeSpan.FromSeconds(10);

    private int _open;

    /// <summary>Opens a watch; to be disposed. Fails here, before a stream begins.</summary>
    /// <exception cref="Failure">INVALID_FIELD, STORE_NOT_FOUND, LIMIT_REACHED.</exception>
    public async Task<Watch> Open(WatchStockRequest request, CancellationToken cancellationToken)
    {
        var storeId = Names.Store("parent", request.Parent);
        var errors = new FieldErrors();
        if (request.AfterVersion < 0)
            errors.Add("after_version", "Give 0 or the version of an answer.");
        errors.Count("skus", request.Skus.Count, 0, MostSkus, "SKUs");
        for (var i = 0; i < request.Skus.Count && i < MostSkus; i++)
            errors.Sku($"skus[{i}]", request.Skus[i]);
        errors.ThrowIfAny();
        await stores.Get(storeId, cancellationToken);
        if (Interlocked.Increment(ref _open) > options.Value.StockWatches)
        {
            Interlocked.Decrement(ref _open);
            throw new Failure(ErrorReason.LimitReached, FieldErrors.Text($"{options.Value.StockWatches} watches of stock are open here, the most that may be."))
            {
                RetryAfter = RetryLater,
            };
        }

        return new Watch(this, storeId, request.AfterVersion, request.Skus.Count == 0 ? null : [.. request.Skus]);
    }

    /// <summary>One watcher.</summary>
    public sealed class Watch(WatchStock owner, string storeId, long afterVersion, string[]? skus) : IDisposable
    {
        // What was told of what moved lately: as long as another transaction is open it is found again.
        private Dictionary<string, V1.Stock> _told = new(StringComparer.Ordinal);
        private int _disposed;

        /// <summary>Answers without end, until it is cancelled or the process stops.</summary>
        public async IAsyncEnumerable<WatchStockResponse> Read([EnumeratorCancellation] CancellationToken cancellationToken)
        {
            using var over = CancellationTokenSource.CreateLinkedTokenSource(cancellationToken, owner.StoppingToken);
            var (version, newest) = (afterVersion, await owner.Horizon(over.Token));
            // A database that was restored counts its transactions anew: what was seen there says nothing here.
            if (version == 0 || version > newest)
            {
                version = newest;
                await foreach (var page in owner.All(storeId, skus, over.Token))
                {
                    foreach (var stock in page)
                        _told[stock.Sku] = stock;
                    yield return new WatchStockResponse { Stock = { page } };
                }

                yield return new WatchStockResponse { Version = version };
            }

            var quietSince = owner.Now();
            while (true)
            {
                List<V1.Stock> news;
                try
                {
                    var (horizon, found) = await owner.Since(storeId, skus, version, over.Token);
                    news = [.. found.Where(stock => !_told.TryGetValue(stock.Sku, out var told) || !told.Equals(stock))];
                    _told = found.ToDictionary(stock => stock.Sku, StringComparer.Ordinal);
                    version = horizon;
                    if (news.Count == 0 && !owner.IsQuiet(quietSince))
                    {
                        await owner.Pause(over.Token);
                        continue;
                    }
                }
                catch (OperationCanceledException) when (owner.StoppingToken.IsCancellationRequested && !cancellationToken.IsCancellationRequested)
                {
                    yield break;
                }

                quietSince = owner.Now();
                var pages = news.Chunk(MostAtOnce).ToList();
                // Whoever breaks off between the pages has them again.
                for (var i = 0; i < pages.Count - 1; i++)
                    yield return new WatchStockResponse { Stock = { pages[i] }, Version = afterVersion };
                afterVersion = version;
                yield return new WatchStockResponse { Stock = { pages.LastOrDefault() ?? [] }, Version = version };
            }
        }

        public void Dispose()
        {
            if (Interlocked.Exchange(ref _disposed, 1) == 0)
                Interlocked.Decrement(ref owner._open);
        }
    }

    private CancellationToken StoppingToken => lifetime.ApplicationStopping;

    private long Now() => time.GetTimestamp();

    private bool IsQuiet(long since) => time.GetElapsedTime(since) > options.Value.StockWatchHeartbeat;

    private Task Pause(CancellationToken cancellationToken) => Task.Delay(options.Value.StockWatchPause, time, cancellationToken);

    // Every transaction before it has ended, and whatever it did is seen by who asks afterwards.
    private async Task<long> Horizon(CancellationToken cancellationToken)
    {
        await using var command = database.CreateCommand("SELECT pg_snapshot_xmin(pg_current_snapshot())::text::bigint");
        return (long)(await command.ExecuteScalarAsync(cancellationToken))!;
    }

    private async IAsyncEnumerable<List<V1.Stock>> All(string storeId, string[]? skus, [EnumeratorCancellation] CancellationToken cancellationToken)
    {
        var after = "";
        while (true)
        {
            await using var command = database.CreateCommand(
                $"SELECT sku, on_hand, reserved, low_at FROM stock WHERE store_id = $1 AND sku > $2 {(skus is null ? "" : "AND sku = ANY ($4) ")}ORDER BY sku LIMIT $3")
                .With(storeId).With(after).With(MostAtOnce);
            if (skus is not null)
                command.With(skus);
            var page = new List<V1.Stock>();
            await using (var reader = await command.ExecuteReaderAsync(cancellationToken))
            {
                while (await reader.ReadAsync(cancellationToken))
                    page.Add(StockBook.Read(storeId, reader));
            }

            if (page.Count > 0)
                yield return page;
            if (page.Count < MostAtOnce)
                yield break;
            after = page[^1].Sku;
        }
    }

    // The horizon is read before the stock: so what it does not reach yet is found again, and nothing is missed.
    private async Task<(long Horizon, List<V1.Stock> Found)> Since(string storeId, string[]? skus, long version, CancellationToken cancellationToken)
    {
        await using var batch = database.CreateBatch()
            .With(Sql.Command("SELECT pg_snapshot_xmin(pg_current_snapshot())::text::bigint"));
        var moved = Sql.Command(
            $"""
            SELECT sku, on_hand, reserved, low_at FROM stock WHERE store_id = $1 AND sku IN (
              SELECT sku FROM stock_movements WHERE store_id = $1 AND xid >= $2 UNION SELECT sku FROM stock_marks WHERE store_id = $1 AND xid >= $2)
            {(skus is null ? "" : "AND sku = ANY ($3) ")}ORDER BY sku
            """).With(storeId).With(version);
        batch.With(skus is null ? moved : moved.With(skus));
        await using var reader = await batch.ExecuteReaderAsync(cancellationToken);
        await reader.ReadAsync(cancellationToken);
        var horizon = reader.GetInt64(0);
        await reader.NextResultAsync(cancellationToken);
        var found = new List<V1.Stock>();
        while (await reader.ReadAsync(cancellationToken))
            found.Add(StockBook.Read(storeId, reader));
        return (horizon, found);
    }
}

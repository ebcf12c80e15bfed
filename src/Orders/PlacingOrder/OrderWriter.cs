using Commerce.Orders.Storage;
using Microsoft.Extensions.Options;
using Npgsql;

namespace Commerce.Orders.PlacingOrder;

/// <summary>
/// Writes new orders, each as if it were alone. Only some transactions write at a time: beyond a few, more of them make each
/// other slower. Orders that come meanwhile are written by the next one, together; so an order that comes alone waits for
/// nobody, and the more come, the less each costs. Where one of them cannot be written, none is, and each gets a
/// transaction of its own: so none fails, and none learns anything, because of another.
/// </summary>
public sealed class OrderWriter(NpgsqlDataSource database, OrderStore store, IOptions<OrdersOptions> options)
{
    // Keeps a transaction, and the locks that it holds, short.
    private const int MostTogether = 32;

    private readonly Lock _lock = new();
    private readonly Queue<Entry> _waiting = [];
    private int _writing;

    /// <summary>How many orders wait for a transaction.</summary>
    internal int Waiting
    {
        get
        {
            lock (_lock)
                return _waiting.Count;
        }
    }

    /// <summary>Completes after the commit.</summary>
    /// <exception cref="PostgresException">Why it could not be written.</exception>
    public async Task Write(NewOrder order, CancellationToken cancellationToken)
    {
        var mine = new Entry(order);
        var now = false;
        lock (_lock)
        {
            if (_writing < options.Value.PlacingTransactions)
            {
                _writing++;
                now = true;
            }
            else
            {
                _waiting.Enqueue(mine);
            }
        }

        if (now)
            _ = WriteAll([mine]);
        // Whoever gives up leaves the queue; what is being written already may be committed all the same.
        await using var gaveUp = cancellationToken.Register(() => mine.Done.TrySetCanceled(cancellationToken));
        await mine.Done.Task;
    }

    /// <summary>Writes what is there, and what came meanwhile, until nobody waits.</summary>
    private async Task WriteAll(List<Entry> group)
    {
        while (group.Count > 0)
        {
            var writing = group;
            // The spans of a shared transaction go with the trace of the first.
            if (writing[0].Context is { } context)
            {
                var done = Task.CompletedTask;
                ExecutionContext.Run(context, _ => done = WriteGroup(writing), null);
                await done;
            }
            else
            {
                await WriteGroup(writing);
            }

            group = Next();
        }
    }

    private List<Entry> Next()
    {
        var next = new List<Entry>();
        lock (_lock)
        {
            while (next.Count < MostTogether && _waiting.TryDequeue(out var waiting))
            {
                if (!waiting.Done.Task.IsCompleted)
                    next.Add(waiting);
            }

            if (next.Count == 0)
                _writing--;
        }

        return next;
    }

    /// <summary>Never fails: how it ended is told to those who wait.</summary>
    private async Task WriteGroup(List<Entry> group)
    {
        try
        {
            await using var batch = database.CreateBatch();
            store.Insert(batch, [.. group.Select(waiting => waiting.Order)]);
            // Nobody's deadline ends what is others' too; the connection's own does.
            await batch.ExecuteNonQueryAsync(CancellationToken.None);
        }
        catch (PostgresException) when (group.Count > 1)
        {
            await Task.WhenAll(group.Select(waiting => WriteGroup([waiting])));
            return;
        }
        catch (Exception exception)
        {
            foreach (var waiting in group)
                waiting.Done.TrySetException(exception);
            return;
        }

        foreach (var waiting in group)
            waiting.Done.TrySetResult();
    }

    private sealed class Entry(NewOrder order)
    {
        public NewOrder Order { get; } = order;

        public ExecutionContext? Context { get; } = ExecutionContext.Capture();

        // Whoever waits goes on by itself, and not in the middle of the others' transaction.
        public TaskCompletionSource Done { get; } = new(TaskCreationOptions.RunContinuationsAsynchronously);
    }
}

using Npgsql;

namespace Commerce.ServiceDefaults;

/// <summary>
/// Writes each change as if it were alone. Only some transactions write at a time: beyond a few, more of them make each
/// other slower. Changes that come meanwhile are written by the next one, together; so one that comes alone waits for
/// nobody, and the more come, the less each costs. Where one of them cannot be written, none is, and each gets a
/// transaction of its own: so none fails, and none learns anything, because of another.
/// </summary>
/// <typeparam name="TChange">What is written.</typeparam>
/// <param name="transactions">How many write at a time.</param>
/// <param name="mostTogether">Keeps a transaction, and the locks that it holds, short: at most so much is written together, unless one alone is more.</param>
/// <param name="sizeOf">How much of that one change is.</param>
/// <param name="write">Writes some in one transaction, all or none; under nobody's deadline, for it is others' too.</param>
public sealed class SharedTransactions<TChange>(int transactions, int mostTogether, Func<TChange, int> sizeOf, Func<IReadOnlyList<TChange>, Task> write)
{
    private readonly Lock _lock = new();
    private readonly Queue<Entry> _waiting = [];
    private int _writing;

    /// <summary>How many changes wait for a transaction.</summary>
    public int Waiting
    {
        get
        {
            lock (_lock)
                return _waiting.Count;
        }
    }

    /// <summary>Completes after the commit.</summary>
    /// <exception cref="PostgresException">Why it could not be written.</exception>
    public async Task Write(TChange change, CancellationToken cancellationToken)
    {
        var mine = new Entry(change);
        var now = false;
        lock (_lock)
        {
            if (_writing < transactions)
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
            var size = 0;
            while (_waiting.TryPeek(out var waiting) && (next.Count == 0 || size + sizeOf(waiting.Change) <= mostTogether))
            {
                _waiting.Dequeue();
                if (waiting.Done.Task.IsCompleted)
                    continue;
                next.Add(waiting);
                size += sizeOf(waiting.Change);
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
            await write([.. group.Select(waiting => waiting.Change)]);
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

    private sealed class Entry(TChange change)
    {
        public TChange Change { get; } = change;

        public ExecutionContext? Context { get; } = ExecutionContext.Capture();

        // Whoever waits goes on by itself, and not in the middle of the others' transaction.
        public TaskCompletionSource Done { get; } = new(TaskCreationOptions.RunContinuationsAsynchronously);
    }
}

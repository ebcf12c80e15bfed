namespace Commerce.Sandbox.Books;

/// <summary>What can fall due.</summary>
internal enum Errand
{
    Scan,
    Payment,
    ShipmentsWebhook,
    PaymentsWebhook,
}

/// <summary>A row of the books that wants attention at a time (unix milliseconds).</summary>
internal readonly record struct Entry(Errand Errand, long Seq, long DueAt);

/// <summary>
/// All that will fall due, soonest first. It only reminds: the books hold the truth, and an entry whose row has moved on is ignored.
/// </summary>
internal sealed class Agenda : IDisposable
{
    private readonly Lock _lock = new();
    private readonly PriorityQueue<Entry, long> _entries = new();
    private readonly SemaphoreSlim _wake = new(0);
    private readonly TimeProvider _time;
    private readonly ITimer _timer;
    private long _armedFor = long.MaxValue;

    public Agenda(TimeProvider time)
    {
        _time = time;
        _timer = time.CreateTimer(_ => _wake.Release(), null, Timeout.InfiniteTimeSpan, Timeout.InfiniteTimeSpan);
    }

    public int Count
    {
        get
        {
            lock (_lock) return _entries.Count;
        }
    }

    public void Add(IReadOnlyList<Entry> entries)
    {
        if (entries.Count == 0) return;
        lock (_lock)
        {
            foreach (var entry in entries) _entries.Enqueue(entry, entry.DueAt);
            Arm();
        }
    }

    public void Clear()
    {
        lock (_lock) _entries.Clear();
    }

    /// <summary>Waits until something is due and takes up to <paramref name="max"/> of it.</summary>
    public async Task<List<Entry>> TakeDueAsync(int max, CancellationToken stop)
    {
        while (true)
        {
            lock (_lock)
            {
                var now = _time.GetUtcNow().ToUnixTimeMilliseconds();
                var due = new List<Entry>();
                while (due.Count < max && _entries.TryPeek(out _, out var at) && at <= now) due.Add(_entries.Dequeue());
                if (due.Count > 0) return due;
                _armedFor = long.MaxValue;
                Arm();
            }

            await _wake.WaitAsync(stop);
        }
    }

    public void Dispose()
    {
        _timer.Dispose();
        _wake.Dispose();
    }

    private void Arm()
    {
        if (!_entries.TryPeek(out _, out var next) || next >= _armedFor) return;
        _armedFor = next;
        var wait = Math.Clamp(next - _time.GetUtcNow().ToUnixTimeMilliseconds(), 0, (long)TimeSpan.FromDays(1).TotalMilliseconds);
        _timer.Change(TimeSpan.FromMilliseconds(wait), Timeout.InfiniteTimeSpan);
    }
}

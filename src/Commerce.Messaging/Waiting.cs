namespace Commerce.Messaging;

/// <summary>Waits of the workers: for a signal, but never longer than until the next sweep.</summary>
internal static class Waiting
{
    /// <summary>Completes when <paramref name="signal"/> does or <paramref name="atMost"/> has passed; the signal's task goes on.</summary>
    public static async Task ForAny(Task signal, TimeSpan atMost, TimeProvider time, CancellationToken cancellationToken)
    {
        if (atMost <= TimeSpan.Zero || signal.IsCompleted)
            return;
        using var done = CancellationTokenSource.CreateLinkedTokenSource(cancellationToken);
        await Task.WhenAny(signal, Task.Delay(atMost, time, done.Token));
        await done.CancelAsync();
        cancellationToken.ThrowIfCancellationRequested();
    }
}

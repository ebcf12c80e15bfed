using Commerce.Gateway.Lookup;
using Commerce.Gateway.Views;
using Commerce.ServiceDefaults;

namespace Commerce.Gateway.Watching;

/// <summary>Opens watches of codes, for gRPC and server-sent events alike.</summary>
internal sealed class Watches(CodeLookup lookup, WatchHub hub, IHostApplicationLifetime lifetime)
{
    /// <summary>Finds the code and begins to watch it.</summary>
    /// <exception cref="Failure">As <see cref="CodeLookup.Find"/>, and LIMIT_REACHED.</exception>
    public async Task<Watch> Open(Question question, long afterVersion, CancellationToken cancellationToken)
    {
        hub.TakePlace();
        Found found;
        try
        {
            found = await lookup.Find(question, cancellationToken);
        }
        catch
        {
            hub.LeavePlace();
            throw;
        }

        var watcher = hub.Join(found.View.Id, question.Selection);
        // A change between the look-up and the joining was told to nobody here.
        hub.Changed(found.View.Id);
        return new Watch(found, question, watcher, afterVersion, lifetime.ApplicationStopping);
    }
}

/// <summary>An open watch, of one reader.</summary>
internal sealed class Watch(Found found, Question question, Watcher watcher, long afterVersion, CancellationToken stopping) : IDisposable
{
    // What it holds is held as long as the watch is open: of the view found only what its answers need.
    private readonly Located _located = found.Located;
    private OrderView? _first = found.View;
    private long _last = afterVersion;

    /// <summary>
    /// The view now, if it is newer than the version last seen, and then whenever it is newer than what came last. Null when
    /// the process ends: the caller resumes elsewhere with the last version.
    /// </summary>
    public async Task<ViewBytes?> Next(CancellationToken cancellationToken)
    {
        if (_first is { } first)
        {
            _first = null;
            if (IsNewer(first))
                return first.Shared(_located, question.Selection, question.Audience.Class);
        }

        using var ends = CancellationTokenSource.CreateLinkedTokenSource(cancellationToken, stopping);
        try
        {
            while (true)
            {
                var view = await watcher.Next(ends.Token);
                if (IsNewer(view))
                    return view.Shared(_located, question.Selection, question.Audience.Class);
            }
        }
        catch (OperationCanceledException) when (!cancellationToken.IsCancellationRequested)
        {
            return null;
        }
    }

    public void Dispose() => watcher.Dispose();

    private bool IsNewer(OrderView view)
    {
        var version = view.VersionOf(question.Selection);
        if (version <= _last)
            return false;
        _last = version;
        return true;
    }
}

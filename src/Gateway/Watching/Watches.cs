using Commerce.Gateway.Lookup;
using Commerce.Gateway.V1;
using Commerce.ServiceDefaults;

namespace Commerce.Gateway.Watching;

/// <summary>Opens watches of codes, for gRPC and server-sent events alike.</summary>
internal sealed class Watches(CodeLookup lookup, WatchHub hub, IHostApplicationLifetime lifetime)
{
    /// <summary>Finds the code and begins to watch it.</summary>
    /// <exception cref="Failure">As <see cref="CodeLookup.Find"/>, and LIMIT_REACHED.</exception>
    public async Task<Watch> Open(string code, long afterVersion, CancellationToken cancellationToken)
    {
        if (afterVersion < 0)
            throw Failure.Invalid(new FieldError("after_version", "Must be 0 (no view seen yet) or the version of the last view."));

        var found = await lookup.Find(code, 0, cancellationToken);
        var watcher = hub.Join(found.Order);
        // A change between the look-up and the joining was told to nobody here.
        hub.Changed(found.Order);
        return new Watch(found, watcher, afterVersion, lifetime.ApplicationStopping);
    }
}

/// <summary>An open watch, of one reader.</summary>
internal sealed class Watch(Found found, Watcher watcher, long afterVersion, CancellationToken stopping) : IDisposable
{
    private readonly Principal? _reader = Principal.Current;
    private long _last = afterVersion;
    private bool _begun;

    /// <summary>
    /// The view now, if it is newer than the version last seen, and then whenever it is newer than what came last. Null when
    /// the process ends: the caller resumes elsewhere with the last version.
    /// </summary>
    public async Task<LookupView?> Next(CancellationToken cancellationToken)
    {
        if (!_begun)
        {
            _begun = true;
            if (IsNewer(found.View.Version))
                return found.View.ToMessage(found.TrackingNumber, _reader);
        }

        using var ends = CancellationTokenSource.CreateLinkedTokenSource(cancellationToken, stopping);
        try
        {
            while (true)
            {
                var view = await watcher.Next(ends.Token);
                if (IsNewer(view.Version))
                    return view.ToMessage(found.TrackingNumber, _reader);
            }
        }
        catch (OperationCanceledException) when (!cancellationToken.IsCancellationRequested)
        {
            return null;
        }
    }

    public void Dispose() => watcher.Dispose();

    private bool IsNewer(long version)
    {
        if (version <= _last)
            return false;
        _last = version;
        return true;
    }
}

using Aspire.Hosting.ApplicationModel;
using Commerce.NativeHosting.Engine;

namespace Commerce.NativeHosting.Servers;

/// <summary>How one kind of resource is prepared, started, asked for its health.</summary>
internal abstract class Runnable(Resource resource)
{
    public Resource Resource => resource;

    public abstract string Kind { get; }

    /// <summary>Fails before anything starts when something needed is not on this machine.</summary>
    /// <exception cref="EngineException">What is missing and how to get it.</exception>
    public abstract void Check();

    /// <summary>Before each start: folders, configuration, what a kill has left behind.</summary>
    public abstract Task<ChildSpec> PrepareAsync(CancellationToken cancellationToken);

    /// <summary>Whether it answers now; throws or returns false when not.</summary>
    public abstract Task<bool> IsHealthyAsync(CancellationToken cancellationToken);

    /// <summary>After each start, once it answers.</summary>
    public virtual Task CompleteAsync(CancellationToken cancellationToken) => Task.CompletedTask;
}

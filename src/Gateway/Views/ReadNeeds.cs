namespace Commerce.Gateway.Views;

/// <summary>What a reader needs of a view.</summary>
/// <param name="Selection">The parts.</param>
internal sealed record ReadNeeds(Selection Selection)
{
    /// <summary>The order has at least this version of its own.</summary>
    public long MinOrderVersion { get; init; }

    /// <summary>The selection has at least this version.</summary>
    public long MinVersion { get; init; }

    /// <summary>A part has at least a version of one of its keys.</summary>
    public IReadOnlyList<(PartKind Kind, string Key, long Version)> MinVersions { get; init; } = [];

    /// <summary>Another part whose index is needed.</summary>
    public PartKind? Head { get; init; }

    /// <summary>Any version will do.</summary>
    public bool TakesAny => MinOrderVersion == 0 && MinVersion == 0 && MinVersions.Count == 0;

    /// <summary>Redis was asked for it, and has nothing of it.</summary>
    public bool IsUnknown { get; init; }

    /// <summary>Bounds how many of several readers ask the services at the same time.</summary>
    public SemaphoreSlim? Gate { get; init; }
}

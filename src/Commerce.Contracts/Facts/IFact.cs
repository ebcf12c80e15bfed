namespace Commerce.Facts;

/// <summary>
/// Something that happened, told to whoever subscribes. A fact carries ids and amounts, never personal data.
/// Facts evolve by addition; a breaking change is a new name.
/// </summary>
public interface IFact
{
    /// <summary>The aggregate that it happened to: facts of one key are published in the order of their versions.</summary>
    string Key { get; }

    /// <summary>The aggregate's version that it made; 1, 2, 3 … without a gap, one fact a version.</summary>
    long Version { get; }

    /// <summary>When it happened.</summary>
    DateTimeOffset OccurredAt { get; }
}

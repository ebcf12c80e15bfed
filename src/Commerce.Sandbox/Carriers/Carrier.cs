namespace Commerce.Sandbox.Carriers;

/// <summary>What can happen to a parcel, before a carrier puts its own code and words to it.</summary>
internal enum Step
{
    LabelCreated,
    PickedUp,
    Departed,
    Arrived,
    Customs,
    Held,
    OutForDelivery,
    Attempted,
    Delivered,
    Returning,
}

/// <summary>A carrier's code and words for a step.</summary>
internal sealed record Wording(string Code, string Description);

/// <summary>How a carrier tells its news.</summary>
internal sealed record Habits
{
    /// <summary>Keeps a departure to itself and reports it together with the next scan.</summary>
    public bool BunchesDepartures { get; init; }

    /// <summary>Share of the scans reported only after the one that follows them.</summary>
    public double Overtaken { get; init; }

    /// <summary>Share of the scans reported twice, each time as news.</summary>
    public double Repeated { get; init; }

    /// <summary>Share of the parcels that nobody takes at the first attempt.</summary>
    public double FailedAttempt { get; init; }

    /// <summary>Delivers on another day when asked.</summary>
    public bool Reschedules { get; init; } = true;

    /// <summary>Leaves a parcel that nobody signs for with a photograph.</summary>
    public bool TakesPhotographs { get; init; } = true;

    /// <summary>How long its news takes to be told, milliseconds.</summary>
    public double TellsAfterMs { get; init; }

    /// <summary>Share of the parcels held for a day on their way.</summary>
    public double Held { get; init; }
}

/// <summary>
/// A service level. Prices are US cents before currency; <c>Days</c> is the transit per zone, null where it does not go;
/// <c>MaxGrams</c> is its own limit where it is not the carrier's.
/// </summary>
internal sealed record ServiceLevel(string Code, string Name, string NumberCode, int Base, int PerKilogram, double ZoneStep, (int Min, int Max)?[] Days, int? MaxGrams = null);

/// <summary>A carrier of the Sandbox.</summary>
internal sealed record Carrier(string Id, string Name, int MaxGrams, Habits Habits, ServiceLevel[] Services, IReadOnlyDictionary<Step, Wording> Words);

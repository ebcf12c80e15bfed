namespace Commerce.Promising;

/// <summary>
/// What is known of a parcel when its journey, or a stage of it, begins. What is not known is left empty or null: it costs
/// precision and nothing else.
/// </summary>
/// <param name="Id">Tells it from the others.</param>
/// <param name="StartedAt">When the clock starts: the purchase, or the hand-over. The offset is that of the place where it arrives.</param>
public sealed record Consignment(string Id, DateTimeOffset StartedAt)
{
    /// <summary>When the shopper was told that it would arrive, at the latest.</summary>
    public DateTimeOffset? PromisedAt { get; init; }

    /// <summary>Whoever packs it: a seller, a warehouse.</summary>
    public string Sender { get; init; } = "";

    /// <summary>Carrier and service, where they are known already.</summary>
    public string Carrier { get; init; } = "";

    /// <summary>Where it leaves from: country (ISO 3166-1), region (state, province), postal code.</summary>
    public Locality From { get; init; } = Locality.Unknown;

    /// <summary>Where it goes.</summary>
    public Locality To { get; init; } = Locality.Unknown;

    /// <summary>Great-circle distance in kilometres.</summary>
    public double? DistanceKm { get; init; }

    public double? WeightGrams { get; init; }

    public double? VolumeLitres { get; init; }

    /// <summary>What the goods cost, in whole units of their currency.</summary>
    public double? Price { get; init; }

    /// <summary>What the shopper pays for carriage, in the same currency.</summary>
    public double? Freight { get; init; }

    public int? Pieces { get; init; }

    /// <summary>How many senders pack for the same order.</summary>
    public int? Senders { get; init; }

    /// <summary>The kind of goods.</summary>
    public string Category { get; init; } = "";

    /// <summary>The kind of payment: some take days to be confirmed.</summary>
    public string Payment { get; init; } = "";
}

/// <summary>A place as carriers see it. Parts that are not known are empty.</summary>
public sealed record Locality(string Country, string Region, string PostalCode)
{
    /// <summary>A place of which nothing is known.</summary>
    public static Locality Unknown { get; } = new("", "", "");

    internal string RegionKey => Region.Length > 0 ? $"{Country}/{Region}" : Country;

    internal string Zone(int digits)
    {
        var code = PostalCode.Replace(" ", "", StringComparison.Ordinal);
        return code.Length >= digits ? $"{Country}:{code[..digits]}" : "";
    }
}

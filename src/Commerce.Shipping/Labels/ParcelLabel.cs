namespace Commerce.Shipping.Labels;

/// <summary>
/// What a parcel's label says; the one model behind every format. Texts may come from anybody: they are cleaned and shortened
/// where they are drawn. The same label is drawn as the same bytes each time.
/// </summary>
/// <param name="Carrier">The carrier's code, for example "ups": it decides how the barcode is made.</param>
/// <param name="CarrierName">As people read it, for example "UPS".</param>
/// <param name="TrackingNumber">The carrier's number, as <see cref="Commerce.TrackingNumber.Normalise(string?)"/> gives it.</param>
/// <param name="OrderReference">What the shop knows it by.</param>
/// <param name="WeightGrams">Of the parcel, in grams.</param>
/// <param name="Piece">Which of the parcels of its order it is, from 1.</param>
/// <param name="Pieces">How many parcels its order has.</param>
public sealed record ParcelLabel(
    LabelAddress From,
    LabelAddress To,
    string Carrier,
    string CarrierName,
    string Service,
    string TrackingNumber,
    string OrderReference,
    int WeightGrams,
    int Piece,
    int Pieces)
{
    /// <summary>What the driver has to know, each in a box of its own: "SIGNATURE REQUIRED", "Leave at: porch".</summary>
    public IReadOnlyList<string> Instructions { get; init; } = [];

    /// <summary>Of a parcel that crosses a customs border: the declaration, drawn on a page of its own; null otherwise.</summary>
    public CustomsDeclaration? Customs { get; init; }

    /// <summary>It comes back to the shop.</summary>
    public bool IsReturn { get; init; }

    /// <summary>The day of the label.</summary>
    public DateOnly Date { get; init; }
}

/// <summary>Who and where. <paramref name="Country"/> is an ISO 3166-1 alpha-2 code. Personal data.</summary>
public sealed record LabelAddress(string Name, IReadOnlyList<string> Lines, string PostalCode, string Locality, string Region, string Country);

/// <summary>What a customs office is told of a parcel, as the forms CN 22 and CN 23 of the UPU ask for it.</summary>
/// <param name="Contents">What kind of thing it is.</param>
/// <param name="Reference">The sender's or importer's number (VAT, EORI, IOSS); empty if there is none.</param>
public sealed record CustomsDeclaration(CustomsContents Contents, IReadOnlyList<CustomsLine> Lines, string Reference = "");

/// <summary>The boxes of the form.</summary>
public enum CustomsContents
{
    SaleOfGoods,
    Gift,
    Documents,
    Sample,
    ReturnedGoods,
    Other,
}

/// <summary>One position. <paramref name="Value"/> and <paramref name="WeightGrams"/> are those of all its pieces together.</summary>
/// <param name="HsCode">Harmonised System code, 6 to 10 digits; empty if nobody gave it.</param>
/// <param name="Origin">Where it was made, ISO 3166-1 alpha-2; empty if nobody gave it.</param>
public sealed record CustomsLine(string Description, int Quantity, Money Value, int WeightGrams, string HsCode, string Origin);

using Commerce.Facts;
using Commerce.Orders.PlacingOrder;
using Commerce.Types.V1;

namespace Commerce.Orders.ChangingLines;

/// <summary>
/// Pieces of one line that come (positive) or go (negative). Kept as JSON while it waits for its money, so it says all that a
/// line has which may not exist yet.
/// </summary>
/// <param name="New">The line begins with it.</param>
/// <param name="Held">Pieces that are reserved for it; 0 where stock is not counted, or pieces go.</param>
public sealed record LineDelta(int LineNumber, string Sku, string Title, int Pieces, long UnitPriceMinor, bool PriceAgreed, bool New, int Held)
{
    /// <summary>Grams and millimetres of one piece.</summary>
    public int[] Size { get; init; } = [0, 0, 0, 0];

    /// <summary>Where a new line leaves from: location, locality, administrative area, postal code, region.</summary>
    public string[] ShipFrom { get; init; } = ["", "", "", "", ""];

    /// <summary>A line of its own.</summary>
    public static LineDelta Of(DraftLine line) =>
        new(line.LineNumber, line.Sku, line.Title, line.Quantity, line.UnitPriceMinor, line.PriceAgreed, New: true, line.Held)
        {
            Size = [line.Dimensions.WeightGrams, line.Dimensions.LengthMm, line.Dimensions.WidthMm, line.Dimensions.HeightMm],
            ShipFrom = PlaceOf(line.ShipFrom),
        };

    /// <summary>Pieces of a line that is there.</summary>
    public static LineDelta Of(PricedLine line, int pieces, int held) =>
        new(line.LineNumber, line.Sku, line.Title, pieces, line.UnitPriceMinor, line.PriceAgreed, New: false, held);

    public LineChangeFact ToFact(string currency) => new(LineNumber, Sku, Pieces, new Money(UnitPriceMinor, currency));

    /// <summary>In words without personal data, for the timeline.</summary>
    public string Text => Checking.FieldErrors.Text($"{Pieces:+#;-#} {Sku}{(New ? "" : $" of line {LineNumber}")}");

    private static string[] PlaceOf(Place place) => [place.LocationId, place.Locality, place.AdministrativeArea, place.PostalCode, place.RegionCode];
}

/// <summary>What comes and goes, and what the order costs before and after it.</summary>
public sealed record LinesChange(IReadOnlyList<LineDelta> Deltas, OrderSums Before, OrderSums After)
{
    /// <summary>What the order costs more; negative: less.</summary>
    public Money Difference => new(After.TotalMinor - Before.TotalMinor, Before.Currency);

    public string Text => string.Join(", ", Deltas.Take(Checking.FieldErrors.MostNamed).Select(delta => delta.Text));
}

/// <summary>A change that waits until its difference is captured. Its pieces are reserved.</summary>
public sealed record WaitingChange(int Number, IReadOnlyList<LineDelta> Deltas, PaymentPartRow Payment, DateTimeOffset Time);

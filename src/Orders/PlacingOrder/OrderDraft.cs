using Commerce.Facts;
using Commerce.Orders.V1;
using Commerce.Types.V1;
using Google.Type;

namespace Commerce.Orders.PlacingOrder;

/// <summary>An order that is right in itself: every field checked, every line priced, the sums made. Amounts in minor units of one currency.</summary>
public sealed record OrderDraft
{
    public required Store Store { get; init; }

    public required string? ExternalId { get; init; }

    public required string Currency { get; init; }

    /// <summary>The shop's own id of the customer; null if it gave none.</summary>
    public string? CustomerId { get; init; }

    /// <summary>When its money is taken.</summary>
    public CaptureMode CaptureMode { get; init; } = CaptureMode.Automatic;

    public required Contact Customer { get; init; }

    public required PostalAddress ShippingAddress { get; init; }

    public required Commerce.Types.V1.DeliveryWishes? DeliveryWishes { get; init; }

    public required IReadOnlyList<DraftLine> Lines { get; init; }

    public required IReadOnlyList<AdjustmentRow> Adjustments { get; init; }

    public required IReadOnlyList<PaymentPartRow> PaymentParts { get; init; }

    public required DateTimeOffset? PromisedDeliveryTime { get; init; }

    public required long SubtotalMinor { get; init; }

    public required long ShippingMinor { get; init; }

    public required long TotalMinor { get; init; }

    public Commerce.Money Amount(long minor) => new(minor, Currency);

    public IReadOnlyList<PaymentPartFact> PaymentPartFacts() =>
        [.. PaymentParts.Select((part, i) => new PaymentPartFact(i + 1, FactName.Of(part.Method), part.Token, Amount(part.AmountMinor), part.Instalments))];
}

/// <summary>A line as it will be stored.</summary>
/// <param name="ProductVersion">The version of the product that it was priced from; 0: the SKU is in no catalogue.</param>
/// <param name="Held">Pieces to reserve; 0 where stock is not counted.</param>
public sealed record DraftLine(
    int LineNumber, string Sku, string Title, int Quantity, long UnitPriceMinor, bool PriceAgreed, Dimensions Dimensions, Place ShipFrom, long ProductVersion, int Held)
{
    /// <summary>Pieces that were cancelled or taken off since.</summary>
    public int Cancelled { get; init; }

    /// <summary>Pieces that came back from the shopper.</summary>
    public int Returned { get; init; }
}

/// <summary>A fee or discount, as it is stored (JSON).</summary>
public sealed record AdjustmentRow(string Label, long AmountMinor);

/// <summary>A part of the payment, as it is stored (JSON).</summary>
public sealed record PaymentPartRow(PaymentMethod Method, string Token, long AmountMinor, int Instalments);

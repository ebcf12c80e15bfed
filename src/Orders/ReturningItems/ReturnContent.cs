using Commerce.Orders.PlacingOrder;
using Commerce.Orders.V1;

namespace Commerce.Orders.ReturningItems;

/// <summary>What is in a return, as it is stored (JSON). Amounts in minor units of the order's currency.</summary>
public sealed record ReturnContent
{
    public required string Currency { get; init; }

    public required IReadOnlyList<ReturnLineRow> Lines { get; init; }

    public required string Note { get; init; }

    public required IReadOnlyList<string> Photos { get; init; }

    /// <summary>Who asked for it: a principal.</summary>
    public required string RequestedBy { get; init; }

    /// <summary>The store's policy when it was asked for, as JSON of the proto's message.</summary>
    public required string Policy { get; init; }

    public required bool WindowOverridden { get; init; }

    public required bool ShopperPays { get; init; }

    /// <summary>What the shopper pays for the way back; null: what the labels cost, which <see cref="Parcels"/> tell.</summary>
    public required long? PostageMinor { get; init; }

    /// <summary>The shipping charge that goes back too, should it all come.</summary>
    public required long ProposedShippingMinor { get; init; }

    /// <summary>The shipping charge that goes back too, now that the last piece of the order came with it.</summary>
    public long ShippingMinor { get; init; }

    public string DecisionNote { get; init; } = "";

    /// <summary>What is wanted for the goods.</summary>
    public ReturnOutcome Outcome { get; init; } = ReturnOutcome.Refund;

    /// <summary>What is sent instead; null unless it is an exchange.</summary>
    public ReplacementContent? Replacement { get; init; }

    public bool LabelWanted { get; init; }

    public IReadOnlyList<ReturnRefundRow> Refunds { get; init; } = [];

    public IReadOnlyList<ReturnParcelRow> Parcels { get; init; } = [];
}

/// <summary>Pieces of a line.</summary>
/// <param name="ProposedMinor">What was paid for all of them.</param>
/// <param name="GoodsMinor">What was paid for those that came, less what is kept of damaged ones.</param>
/// <param name="WorthMinor">What was paid for those that came.</param>
public sealed record ReturnLineRow(
    int LineNumber, string Sku, string Title, int Quantity, ReturnReason Reason, string Note, long ProposedMinor,
    int AsNew = 0, int Damaged = 0, int Missing = 0, long GoodsMinor = 0, long WorthMinor = 0)
{
    /// <summary>Pieces that nobody said anything about yet.</summary>
    public int Open => Quantity - AsNew - Damaged - Missing;
}

/// <summary>A refund that is asked of Payments.</summary>
/// <param name="Attempt">Counts the amounts that were asked for: another amount is another request.</param>
/// <param name="Refund">Payments' name of it; empty until it was promised.</param>
/// <param name="ToCredit">It goes to the customer's credit with the store.</param>
/// <param name="Outside">What it was given back under outside the suite; empty: by Payments.</param>
public sealed record ReturnRefundRow(
    int Number, long AmountMinor, int Attempt, string Refund, ReturnRefund.Types.State State, long GivenMinor, string Failure, DateTimeOffset CreatedAt,
    bool ToCredit = false, string Outside = "");

/// <summary>A parcel on its way back.</summary>
public sealed record ReturnParcelRow(
    string ShipmentId, string Carrier, string TrackingNumber, ReturnParcel.Types.State State, long PriceMinor);

/// <summary>What is sent instead of what comes back.</summary>
/// <param name="Part">How what it costs more is paid; its amount is not known before.</param>
/// <param name="OrderId">The order by which it is sent; empty until it is placed.</param>
/// <param name="Failure">Why it could not be ordered; empty otherwise.</param>
public sealed record ReplacementContent(IReadOnlyList<ReplacementRow> Lines, PaymentPartRow? Part, string OrderId = "", string Failure = "")
{
    public long TotalMinor => Lines.Sum(line => line.Quantity * line.UnitPriceMinor);
}

/// <summary>An article that is sent instead.</summary>
public sealed record ReplacementRow(string Sku, string Title, int Quantity, long UnitPriceMinor);

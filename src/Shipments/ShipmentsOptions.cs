using System.ComponentModel.DataAnnotations;

namespace Commerce.Shipments;

/// <summary>Section "Shipments"; validated on start.</summary>
public sealed class ShipmentsOptions
{
    /// <summary>The carriers that are asked for rates, by code.</summary>
    [MinLength(1)]
    public string[] Carriers { get; set; } = [];

    /// <summary>No scan for so long, and the carrier is asked; still nothing, and the parcel shows an exception.</summary>
    [Range(typeof(TimeSpan), "00:00:00.1", "60.00:00:00")]
    public TimeSpan SilenceAfter { get; set; } = TimeSpan.FromDays(2);

    /// <summary>Attempts at a label before the parcel shows an exception; trying goes on, more slowly.</summary>
    [Range(1, 100)]
    public int LabelAttemptsBeforeException { get; set; } = 4;

    /// <summary>A scan's time may lie so far ahead of ours before it is taken for a wrong clock.</summary>
    [Range(typeof(TimeSpan), "00:00:00", "2.00:00:00")]
    public TimeSpan FutureTolerance { get; set; } = TimeSpan.FromHours(26);

    /// <summary>A piece whose weight nobody knows is taken to weigh this, in grams.</summary>
    [Range(1, 1_000_000)]
    public int DefaultPieceGrams { get; set; } = 500;
}

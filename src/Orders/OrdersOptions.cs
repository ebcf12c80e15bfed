using System.ComponentModel.DataAnnotations;

namespace Commerce.Orders;

/// <summary>Settings of Orders (section "Orders"), checked on start.</summary>
public sealed class OrdersOptions
{
    public const string Section = "Orders";

    /// <summary>An order that is still unpaid after this long is cancelled.</summary>
    [Range(typeof(TimeSpan), "00:01:00", "365.00:00:00", ErrorMessage = "Orders:PaymentExpiry must be between one minute and 365 days.")]
    public TimeSpan PaymentExpiry { get; init; } = TimeSpan.FromDays(3);

    /// <summary>How many products are kept in memory for pricing.</summary>
    [Range(0, 10_000_000, ErrorMessage = "Orders:CachedProducts must be between 0 and 10,000,000.")]
    public int CachedProducts { get; init; } = 50_000;

    /// <summary>How many transactions write new orders at a time; orders that come meanwhile are written together by the next.</summary>
    [Range(1, 50, ErrorMessage = "Orders:PlacingTransactions must be between 1 and 50.")]
    public int PlacingTransactions { get; init; } = 4;
}

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

    /// <summary>How many watches of stock may be open in this process.</summary>
    [Range(0, 100_000, ErrorMessage = "Orders:StockWatches must be between 0 and 100,000.")]
    public int StockWatches { get; init; } = 200;

    /// <summary>How long a watch of stock rests before it looks again.</summary>
    [Range(typeof(TimeSpan), "00:00:00.01", "00:01:00", ErrorMessage = "Orders:StockWatchPause must be between 10 milliseconds and one minute.")]
    public TimeSpan StockWatchPause { get; init; } = TimeSpan.FromMilliseconds(250);

    /// <summary>How long a watch is silent before it says that it is alive; shorter than whoever passes it on waits.</summary>
    [Range(typeof(TimeSpan), "00:00:00.1", "00:00:30", ErrorMessage = "Orders:StockWatchHeartbeat must be between 100 milliseconds and 30 seconds.")]
    public TimeSpan StockWatchHeartbeat { get; init; } = TimeSpan.FromSeconds(15);

    /// <summary>The time between two passes of the standing check of orders, parcels and stock.</summary>
    [Range(typeof(TimeSpan), "00:00:00.1", "1.00:00:00", ErrorMessage = "Orders:CheckEvery must be between 100 milliseconds and one day.")]
    public TimeSpan CheckEvery { get; init; } = TimeSpan.FromMinutes(10);

    /// <summary>Orders or stocks that the check looks at in one statement.</summary>
    [Range(1, 10_000, ErrorMessage = "Orders:CheckSlice must be between 1 and 10,000.")]
    public int CheckSlice { get; init; } = 500;

    /// <summary>The check's pause between two slices, so that it never weighs on the work.</summary>
    [Range(typeof(TimeSpan), "00:00:00", "00:01:00", ErrorMessage = "Orders:CheckPause must be between 0 and one minute.")]
    public TimeSpan CheckPause { get; init; } = TimeSpan.FromMilliseconds(200);

    /// <summary>How many transactions write new orders at a time; orders that come meanwhile are written together by the next.</summary>
    [Range(1, 50, ErrorMessage = "Orders:PlacingTransactions must be between 1 and 50.")]
    public int PlacingTransactions { get; init; } = 4;
}

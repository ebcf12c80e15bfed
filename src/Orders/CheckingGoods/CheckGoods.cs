using Microsoft.Extensions.Options;

namespace Commerce.Orders.CheckingGoods;

/// <summary>
/// Goes through orders, parcels and stock again and again, slice by slice and with a pause between, so that it never weighs on the
/// work; what differs is an error in the log and a number that an alarm can watch. It changes nothing.
/// </summary>
public sealed partial class CheckGoods(GoodsCheck check, IOptions<OrdersOptions> options, TimeProvider time, ILogger<CheckGoods> logger) : BackgroundService
{
    private const int MostLogged = 20;

    protected override async Task ExecuteAsync(CancellationToken stoppingToken)
    {
        OrdersTelemetry.GoodsCheckedAt = time.GetUtcNow();
        while (!stoppingToken.IsCancellationRequested)
        {
            try
            {
                await Pass(stoppingToken);
            }
            // Shipments is away, say: the age of the last pass tells for how long.
            catch (Exception exception) when (!stoppingToken.IsCancellationRequested)
            {
                LogFailed(exception.Message);
            }

            await Task.Delay(options.Value.CheckEvery, time, stoppingToken).ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
        }
    }

    /// <summary>Looks at everything once, and answers how much differs.</summary>
    internal async Task<long> Pass(CancellationToken cancellationToken)
    {
        long differing = 0;
        for (var kind = 0; kind < GoodsCheck.Kinds; kind++)
        {
            var after = "";
            while (true)
            {
                var (last, differences) = await check.Slice(kind, after, options.Value.CheckSlice, cancellationToken);
                foreach (var difference in differences)
                {
                    if (differing++ < MostLogged)
                        LogDiffers(difference.About, difference.What);
                }

                // Shown as soon as it is found; what is put right is gone with the end of the pass.
                OrdersTelemetry.GoodsDifferences = Math.Max(OrdersTelemetry.GoodsDifferences, differing);
                if (last is null)
                    break;
                after = last;
                await Task.Delay(options.Value.CheckPause, time, cancellationToken);
            }
        }

        OrdersTelemetry.GoodsDifferences = differing;
        OrdersTelemetry.GoodsCheckedAt = time.GetUtcNow();
        return differing;
    }

    [LoggerMessage(Level = LogLevel.Error, Message = "The goods differ about {About}: {What}. Somebody has to look.")]
    private partial void LogDiffers(string about, string what);

    [LoggerMessage(Level = LogLevel.Warning, Message = "The goods could not be checked: {Why}")]
    private partial void LogFailed(string why);
}

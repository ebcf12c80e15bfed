using Microsoft.Extensions.Options;
using Npgsql;

namespace Commerce.Shipments.IngestingScans;

/// <summary>Forgets scans whose number no parcel has come to bear for long, so that strangers' parcels do not fill the database.</summary>
internal sealed partial class UnclaimedScanSweeper(NpgsqlDataSource database, IOptions<ShipmentsOptions> options, TimeProvider time, ILogger<UnclaimedScanSweeper> logger) : BackgroundService
{
    private static readonly TimeSpan Pause = TimeSpan.FromHours(1);

    public async Task<int> Sweep(CancellationToken cancellationToken)
    {
        await using var command = database.CreateCommand("DELETE FROM unclaimed_scans WHERE received_at < $1");
        command.Parameters.Add(new NpgsqlParameter<DateTimeOffset> { TypedValue = time.GetUtcNow() - options.Value.UnclaimedScansKept });
        return await command.ExecuteNonQueryAsync(cancellationToken);
    }

    protected override async Task ExecuteAsync(CancellationToken stoppingToken)
    {
        using var timer = new PeriodicTimer(Pause, time);
        while (await timer.WaitForNextTickAsync(stoppingToken))
        {
            try
            {
                LogSwept(await Sweep(stoppingToken));
            }
            catch (NpgsqlException exception)
            {
                // The next hour does it as well.
                LogFailed(exception.GetType().Name);
            }
        }
    }

    [LoggerMessage(LogLevel.Debug, "{Count} scans that no parcel claimed were forgotten.")]
    private partial void LogSwept(int count);

    [LoggerMessage(LogLevel.Warning, "Scans that no parcel claimed could not be swept: {Error}.")]
    private partial void LogFailed(string error);
}

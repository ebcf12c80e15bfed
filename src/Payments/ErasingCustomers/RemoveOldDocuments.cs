using Npgsql;

namespace Commerce.Payments.ErasingCustomers;

/// <summary>Takes who bought from documents of erased customers that need not be kept any more: once a day, and after the start.</summary>
public sealed partial class RemoveOldDocuments(NpgsqlDataSource database, TimeProvider time, ILogger<RemoveOldDocuments> logger) : BackgroundService
{
    private const int AtOnce = 500;

    private static readonly TimeSpan Every = TimeSpan.FromHours(24);
    private static readonly TimeSpan AfterFailure = TimeSpan.FromMinutes(5);

    /// <summary>One pass; answers of how many orders.</summary>
    public async Task<long> Pass(CancellationToken cancellationToken)
    {
        var all = 0L;
        long some;
        do
        {
            await using var command = database.CreateCommand("SELECT remove_old_documents($1)");
            command.Parameters.Add(new NpgsqlParameter<int> { TypedValue = AtOnce });
            all += some = (long)(await command.ExecuteScalarAsync(cancellationToken))!;
        }
        while (some == AtOnce);
        return all;
    }

    protected override async Task ExecuteAsync(CancellationToken stoppingToken)
    {
        while (!stoppingToken.IsCancellationRequested)
        {
            var pause = Every;
            try
            {
                if (await Pass(stoppingToken) is > 0 and var orders)
                    LogRemoved(orders);
            }
            // The database may be away; what is over stays over.
            catch (NpgsqlException exception)
            {
                LogFailed(exception.GetType().Name);
                pause = AfterFailure;
            }

            await Task.Delay(pause, time, stoppingToken);
        }
    }

    [LoggerMessage(LogLevel.Information, "Who bought is gone from the documents of {Orders} orders: the law wants them no more.")]
    private partial void LogRemoved(long orders);

    [LoggerMessage(LogLevel.Warning, "Documents that need not be kept any more could not be looked for: {Error}.")]
    private partial void LogFailed(string error);
}

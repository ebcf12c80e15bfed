using Microsoft.AspNetCore.Connections;
using Microsoft.Extensions.Logging;

namespace Commerce.ServiceDefaults;

/// <summary>
/// Ends what the server would go on counting for ever: a connection that its client has left while a call on it does not end. Of floods of
/// calls that are reset at once the server itself loses the end of a stream now and then (dotnet/aspnetcore#51307, seen in two to five of a
/// hundred), waits for it with no bound, and so loses a place for a connection each time, and waits at its own end as well.
/// </summary>
internal sealed partial class AbandonedConnections(ConnectionDelegate next, TimeSpan after, ILogger logger)
{
    public async Task Serve(ConnectionContext connection)
    {
        var serving = next(connection);
        var left = new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously);
        using (connection.ConnectionClosed.UnsafeRegister(static state => ((TaskCompletionSource)state!).TrySetResult(), left))
            await Task.WhenAny(serving, left.Task);
        try
        {
            await serving.WaitAsync(after, TimeProvider.System);
        }
        catch (TimeoutException) when (!serving.IsCompleted)
        {
            // Whatever still runs has been told that nobody waits for it.
            _ = serving.ContinueWith(static late => late.Exception, CancellationToken.None, TaskContinuationOptions.OnlyOnFaulted, TaskScheduler.Default);
            Abandoned(logger, after);
        }
    }

    [LoggerMessage(Level = LogLevel.Warning, Message = "A connection was given up: its client left it {After} ago, and a call on it has not ended.")]
    private static partial void Abandoned(ILogger logger, TimeSpan after);
}

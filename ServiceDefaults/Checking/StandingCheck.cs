using Microsoft.Extensions.Hosting;
using Microsoft.Extensions.Logging;

namespace Commerce.ServiceDefaults;

/// <summary>Something that does not agree: about what (an Order ID, say), and how it differs.</summary>
public sealed record Difference(string About, string What);

/// <summary>How fast a check goes.</summary>
/// <param name="Every">The time between two passes.</param>
/// <param name="Slice">Rows that one slice looks at.</param>
/// <param name="Pause">The pause between two slices.</param>
public readonly record struct CheckPace(TimeSpan Every, int Slice, TimeSpan Pause);

/// <summary>
/// Goes through what a service keeps again and again, slice by slice and with a pause between, so that it never weighs on the work;
/// what differs is an error in the log and a number that an alarm can watch. It changes nothing.
/// </summary>
/// <param name="subject">What is checked, in the log's words: "books".</param>
public abstract partial class StandingCheck(string subject, TimeProvider time, ILogger logger) : BackgroundService
{
    private const int MostLogged = 20;

    /// <summary>How many kinds of things are looked at, one after the other.</summary>
    protected abstract int Kinds { get; }

    /// <summary>How fast it goes.</summary>
    protected abstract CheckPace Pace { get; }

    /// <summary>How much differs, as an alarm sees it.</summary>
    protected abstract long Differing { get; set; }

    /// <summary>When it last went through all of it, as an alarm sees it; at first, when it began.</summary>
    protected abstract DateTimeOffset CheckedAt { set; }

    /// <summary>Looks at the next slice of a kind after a key: the last key of it, null if there was nothing more, and what differs.</summary>
    protected abstract Task<(string? Last, IReadOnlyList<Difference> Differences)> Slice(int kind, string after, int size, CancellationToken cancellationToken);

    /// <inheritdoc/>
    protected override async Task ExecuteAsync(CancellationToken stoppingToken)
    {
        CheckedAt = time.GetUtcNow();
        while (!stoppingToken.IsCancellationRequested)
        {
            try
            {
                await Pass(stoppingToken);
            }
            catch (OperationCanceledException) when (stoppingToken.IsCancellationRequested)
            {
                break;
            }
            // The database or another service is away, say: the age of the last pass tells for how long.
            catch (Exception exception)
            {
                LogFailed(subject, exception.Message);
            }

            await Task.Delay(Pace.Every, time, stoppingToken).ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
        }
    }

    /// <summary>Looks at everything once, and answers how much differs.</summary>
    public async Task<long> Pass(CancellationToken cancellationToken)
    {
        long differing = 0;
        for (var kind = 0; kind < Kinds; kind++)
        {
            var after = "";
            while (true)
            {
                var (last, differences) = await Slice(kind, after, Pace.Slice, cancellationToken);
                foreach (var difference in differences)
                {
                    if (differing++ < MostLogged)
                        LogDiffers(subject, difference.About, difference.What);
                }

                // Shown as soon as it is found; what is put right is gone with the end of the pass.
                Differing = Math.Max(Differing, differing);
                if (last is null)
                    break;
                after = last;
                await Task.Delay(Pace.Pause, time, cancellationToken);
            }
        }

        Differing = differing;
        CheckedAt = time.GetUtcNow();
        return differing;
    }

    [LoggerMessage(Level = LogLevel.Error, Message = "The {Subject} differ about {About}: {What}. Somebody has to look.")]
    private partial void LogDiffers(string subject, string about, string what);

    [LoggerMessage(Level = LogLevel.Warning, Message = "The {Subject} could not be checked: {Why}")]
    private partial void LogFailed(string subject, string why);
}

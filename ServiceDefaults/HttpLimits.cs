using System.ComponentModel.DataAnnotations;

namespace Commerce.ServiceDefaults;

/// <summary>
/// What somebody who speaks HTTP slowly, endlessly or to nobody's use may cost a process: section "Http" of the configuration. What is
/// the same for everybody stands in <see cref="Limits"/>.
/// </summary>
public sealed class HttpLimits
{
    public const string Section = "Http";

    /// <summary>Most connections at the same time; one more is closed at once.</summary>
    [Range(1, 10_000_000)]
    public int Connections { get; set; } = 50_000;

    /// <summary>How long the headers of a request may take.</summary>
    [Range(typeof(TimeSpan), "00:00:00.100", "00:05:00")]
    public TimeSpan HeadersWithin { get; set; } = TimeSpan.FromSeconds(15);

    /// <summary>How long a connection may stay open on which nothing is asked.</summary>
    [Range(typeof(TimeSpan), "00:00:00.100", "01:00:00")]
    public TimeSpan KeepAlive { get; set; } = TimeSpan.FromSeconds(130);

    /// <summary>How long calls may go on whose connection their client has left, before the connection is given up.</summary>
    [Range(typeof(TimeSpan), "00:00:00.100", "01:00:00")]
    public TimeSpan AbandonAfter { get; set; } = Limits.DefaultDeadline;

    /// <summary>How slow a request's body may come, or an answer be read, in bytes a second.</summary>
    [Range(1, 1_000_000)]
    public int LeastBytesPerSecond { get; set; } = 240;

    /// <summary>How long it may be slower.</summary>
    [Range(typeof(TimeSpan), "00:00:01.001", "00:05:00")]
    public TimeSpan SlowFor { get; set; } = TimeSpan.FromSeconds(5);

    /// <summary>How long a stream of a client may bring no whole message.</summary>
    [Range(typeof(TimeSpan), "00:00:00.050", "1.00:00:00")]
    public TimeSpan StreamIdle { get; set; } = TimeSpan.FromMinutes(1);
}

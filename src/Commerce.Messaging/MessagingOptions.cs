using System.ComponentModel.DataAnnotations;

namespace Commerce.Messaging;

/// <summary>How hard messaging works and how long it is patient; configuration section "Messaging".</summary>
public sealed class MessagingOptions
{
    public const string Section = "Messaging";

    /// <summary>How often the relay, the recovery worker and the worker of failed facts look without having been woken.</summary>
    public TimeSpan Sweep { get; set; } = TimeSpan.FromSeconds(1);

    /// <summary>How often a standby tries to become the active relay.</summary>
    public TimeSpan StandbyPoll { get; set; } = TimeSpan.FromSeconds(1);

    /// <summary>Facts that the relay holds between the claim and the deletion.</summary>
    [Range(1, 100_000)]
    public int RelayClaim { get; set; } = 1024;

    /// <summary>Facts that the relay has on their way to the broker at one time.</summary>
    [Range(1, 10_000)]
    public int RelayInFlight { get; set; } = 256;

    /// <summary>After this long without a confirm the relay takes the broker for away and publishes again.</summary>
    public TimeSpan PublishTimeout { get; set; } = TimeSpan.FromSeconds(30);

    /// <summary>
    /// After this long of hearing nothing from a broker that answers, the process ends, to be started anew. MassTransit pauses
    /// for up to half a minute between its own attempts, and must not be interrupted in them.
    /// </summary>
    public TimeSpan DeafAfter { get; set; } = TimeSpan.FromSeconds(60);

    /// <summary>Facts that one queue's consumer handles at one time; each holds a database connection.</summary>
    [Range(1, 1000)]
    public int ConsumerConcurrency { get; set; } = 16;

    /// <summary>Facts that the broker sends ahead of their handling, for each queue.</summary>
    [Range(1, 10_000)]
    public int ConsumerPrefetch { get; set; } = 64;

    /// <summary>How often a fact is tried again in memory before it is set aside in Postgres.</summary>
    [Range(0, 100)]
    public int QuickRetries { get; set; } = 2;

    /// <summary>How often a fact that was set aside is tried again before it goes to the error queue.</summary>
    [Range(0, 1000)]
    public int LongRetries { get; set; } = 8;

    /// <summary>The first wait of a fact that was set aside; each further one is four times as long, up to <see cref="LongRetryMaximum"/>.</summary>
    public TimeSpan LongRetryFirst { get; set; } = TimeSpan.FromSeconds(1);

    public TimeSpan LongRetryMaximum { get; set; } = TimeSpan.FromMinutes(15);

    /// <summary>Recovery points of one kind that this process carries out at one time.</summary>
    [Range(1, 1000)]
    public int RecoveryConcurrency { get; set; } = 16;

    /// <summary>A recovery point whose process died is due again after this long.</summary>
    public TimeSpan RecoveryLease { get; set; } = TimeSpan.FromSeconds(30);

    /// <summary>The longest wait after an attempt at a recovery point that failed.</summary>
    public TimeSpan RecoveryBackOffMaximum { get; set; } = TimeSpan.FromSeconds(60);

    /// <summary>How long answers of idempotent requests are kept: at least 72 hours.</summary>
    public TimeSpan KeepRequests { get; set; } = TimeSpan.FromHours(96);

    /// <summary>How long the inbox remembers a message that it handled.</summary>
    public TimeSpan KeepInbox { get; set; } = TimeSpan.FromDays(7);
}

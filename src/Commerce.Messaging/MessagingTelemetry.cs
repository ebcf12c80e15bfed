using System.Diagnostics;
using System.Diagnostics.Metrics;

namespace Commerce.Messaging;

/// <summary>Source, meter and instruments of messaging.</summary>
internal static class MessagingTelemetry
{
    public const string Name = "Commerce.Messaging";

    public static readonly ActivitySource Source = new(Name);
    public static readonly Meter Meter = new(Name);

    public static readonly Counter<long> Published = Meter.CreateCounter<long>("commerce.messaging.published", "{fact}", "Facts that the broker confirmed.");
    public static readonly Counter<long> PublishFailures = Meter.CreateCounter<long>("commerce.messaging.publish_failures", "{failure}", "Facts that the broker did not take; their rows stay.");
    public static readonly Counter<long> Consumed = Meter.CreateCounter<long>("commerce.messaging.consumed", "{fact}", "Facts that took effect, by consumer.");
    public static readonly Counter<long> Duplicates = Meter.CreateCounter<long>("commerce.messaging.duplicates", "{fact}", "Redeliveries that the inbox knew.");
    public static readonly Counter<long> Parked = Meter.CreateCounter<long>("commerce.messaging.parked", "{fact}", "Facts that came before the one that they follow.");
    public static readonly Counter<long> RecoveryAttempts = Meter.CreateCounter<long>("commerce.messaging.recovery_attempts", "{attempt}", "Attempts at recovery points, by kind and outcome.");
}

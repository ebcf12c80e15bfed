using System.Diagnostics.Metrics;

namespace Commerce.Notifications;

/// <summary>Meter and instruments, as declared in docs/telemetry.md.</summary>
internal static class NotificationsTelemetry
{
    public const string Name = "Commerce.Notifications";

    public static readonly Meter Meter = new(Name);

    public static readonly Counter<long> Sent = Meter.CreateCounter<long>("commerce.notifications.sent", "{notification}", "Messages that their channel took, by kind.");
    public static readonly Counter<long> Failed = Meter.CreateCounter<long>("commerce.notifications.failed", "{notification}", "Messages given up, by kind.");
    public static readonly Counter<long> Suppressed = Meter.CreateCounter<long>("commerce.notifications.suppressed", "{notification}", "Messages with nobody to send to, or overtaken by events, by kind.");
}

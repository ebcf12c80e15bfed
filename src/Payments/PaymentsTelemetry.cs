using System.Diagnostics;
using System.Diagnostics.Metrics;

namespace Commerce.Payments;

/// <summary>Source, meter and instruments, as declared in docs/telemetry.md.</summary>
internal static class PaymentsTelemetry
{
    public const string Name = "Commerce.Payments";

    public static readonly ActivitySource Source = new(Name);
    public static readonly Meter Meter = new(Name);

    public static readonly Counter<long> ProviderCalls = Meter.CreateCounter<long>("commerce.payments.provider_calls", "{call}", "Calls to payment providers, by provider, operation and outcome (ok, refused, unavailable).");
    public static readonly Histogram<double> ProviderDuration = Meter.CreateHistogram<double>("commerce.payments.provider_duration", "s", "How long payment providers took, by provider and operation.");
    public static readonly Counter<long> Retries = Meter.CreateCounter<long>("commerce.payments.retries", "{attempt}", "Attempts that ended without an outcome and are made again.");
    public static readonly Counter<long> Outcomes = Meter.CreateCounter<long>("commerce.payments.outcomes", "{payment}", "Facts told about payments, by state.");
    public static readonly Counter<long> Webhooks = Meter.CreateCounter<long>("commerce.payments.webhooks", "{webhook}", "Webhooks received, by provider and result (news, known, ignored, rejected).");
    public static readonly Counter<long> Faults = Meter.CreateCounter<long>("commerce.payments.provider_faults", "{fault}", "Answers of providers that contradict our books; somebody has to look.");

    public static void TagOrder(string orderId) => Activity.Current?.SetTag("commerce.order.id", orderId);
}

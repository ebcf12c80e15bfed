using System.Diagnostics;
using System.Diagnostics.Metrics;

namespace Commerce.Shipments;

/// <summary>Source, meter and instruments, as declared in docs/telemetry.md.</summary>
internal static class ShipmentsTelemetry
{
    public const string Name = "Commerce.Shipments";

    public static readonly ActivitySource Source = new(Name);
    public static readonly Meter Meter = new(Name);

    public static readonly Counter<long> Planned = Meter.CreateCounter<long>("commerce.shipments.planned", "{shipment}", "Parcels planned.");
    public static readonly Counter<long> Labels = Meter.CreateCounter<long>("commerce.shipments.labels", "{label}", "Labels bought, by carrier.");
    public static readonly Counter<long> Refusals = Meter.CreateCounter<long>("commerce.shipments.label_refusals", "{refusal}", "Labels that a carrier refused, by carrier.");
    public static readonly Counter<long> Scans = Meter.CreateCounter<long>("commerce.shipments.scans", "{scan}", "Scans kept, by carrier and source.");
    public static readonly Counter<long> DuplicateScans = Meter.CreateCounter<long>("commerce.shipments.duplicate_scans", "{scan}", "Scans that were known already.");
    public static readonly Counter<long> RejectedScans = Meter.CreateCounter<long>("commerce.shipments.rejected_scans", "{scan}", "Events of which no scan could be made.");
    public static readonly Counter<long> Exceptions = Meter.CreateCounter<long>("commerce.shipments.exceptions", "{exception}", "Exceptions raised, by kind.");

    public static readonly Counter<long> RatesUnanswered = Meter.CreateCounter<long>("commerce.shipments.rates_unanswered", "{request}", "Carriers that gave no rates when asked, by carrier.");

    public static readonly Counter<long> SilenceThresholds = Meter.CreateCounter<long>("commerce.shipments.silence_thresholds", "{threshold}", "Thresholds of silence asked for, by what told them.");
    public static readonly Counter<long> PathsRead = Meter.CreateCounter<long>("commerce.shipments.paths_read", "{parcel}", "Parcels whose waits, stays and legs were counted anew.");

    public static void TagOrder(string orderId) => TagOrder(Activity.Current, orderId);

    public static void TagOrder(Activity? activity, string orderId) => activity?.SetTag("commerce.order.id", orderId);
}

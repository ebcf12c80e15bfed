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

    private static long _bookDifferences;
    private static long _booksCheckedAt;

    static PaymentsTelemetry()
    {
        Meter.CreateObservableGauge("commerce.payments.book_differences", () => BookDifferences, "{difference}", "Sums of payments, ledger, store credit, orders, invoices and parcels that differ, as the last pass of the standing check found them.");
        Meter.CreateObservableGauge("commerce.payments.books_checked.age", () => Math.Max(0, (TimeProvider.System.GetUtcNow() - BooksCheckedAt).TotalSeconds), "s", "How long ago the standing check last went through all books.");
    }

    /// <summary>What the standing check found.</summary>
    public static long BookDifferences
    {
        get => Interlocked.Read(ref _bookDifferences);
        set => Interlocked.Exchange(ref _bookDifferences, value);
    }

    /// <summary>When it last went through all books; at first, when it began.</summary>
    public static DateTimeOffset BooksCheckedAt
    {
        get => new(Interlocked.Read(ref _booksCheckedAt), TimeSpan.Zero);
        set => Interlocked.Exchange(ref _booksCheckedAt, value.UtcTicks);
    }

    public static void TagOrder(string orderId) => Activity.Current?.SetTag("commerce.order.id", orderId);
}

using Commerce.ServiceDefaults;
using Microsoft.Extensions.Options;

namespace Commerce.Payments.CheckingBooks;

/// <summary>The standing check of the books.</summary>
public sealed class CheckBooks(BookCheck check, IOptions<PaymentsOptions> options, TimeProvider time, ILogger<CheckBooks> logger) : StandingCheck("books", time, logger)
{
    protected override int Kinds => BookCheck.Kinds;

    protected override CheckPace Pace => new(options.Value.CheckEvery, options.Value.CheckSlice, options.Value.CheckPause);

    protected override long Differing
    {
        get => PaymentsTelemetry.BookDifferences;
        set => PaymentsTelemetry.BookDifferences = value;
    }

    protected override DateTimeOffset CheckedAt
    {
        set => PaymentsTelemetry.BooksCheckedAt = value;
    }

    protected override Task<(string? Last, IReadOnlyList<Difference> Differences)> Slice(int kind, string after, int size, CancellationToken cancellationToken) =>
        check.Slice(kind, after, size, cancellationToken);
}

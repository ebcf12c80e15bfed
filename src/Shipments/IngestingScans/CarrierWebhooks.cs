using Commerce.ServiceDefaults;
using Commerce.Shipments.Carriers;
using Commerce.Tracking.Payloads;
using Commerce.Types.V1;
using Microsoft.Extensions.Options;

namespace Commerce.Shipments.IngestingScans;

/// <summary>
/// POST /webhooks/carriers/{carrier}: what a carrier or an aggregator sends, in its own shape and signed in its own way. Answered only after it
/// is stored, so that a sender that hears no "yes" sends it again. One bad scan costs no other: it is named in the answer.
/// </summary>
internal static class CarrierWebhooks
{
    /// <summary>Ten thousand scans of a talkative carrier.</summary>
    public const int LargestBody = 8 * 1024 * 1024;

    private const string Source = "webhook";
    private const int MostNamed = 1000;

    public static void MapCarrierWebhooks(this WebApplication app) =>
        app.MapPost("/webhooks/carriers/{carrier}", Receive);

    private static async Task<IResult> Receive(
        string carrier, HttpRequest request, CarrierDirectory carriers, IOptions<WebhookOptions> options, PayloadReader payloads, ScanIngestion ingestion, RecentDeliveries deliveries, TimeProvider time,
        CancellationToken cancellationToken)
    {
        if (carriers.Find(carrier) is null && !payloads.Shapes.Contains(carrier))
            throw new Failure(ErrorReason.CarrierNotFound, $"There is no carrier or aggregator of this code; there are {string.Join(", ", payloads.Shapes.Order())} and the configured carriers.");
        var body = await ReadBody(request, cancellationToken);
        var proof = WebhookSender.Require(request.Headers, body, options.Value.Of(carrier), time.GetUtcNow());
        if (proof is not null && deliveries.Has(proof))
            throw new Failure(ErrorReason.WebhookReplayed, "This very delivery was accepted before; sign it again when sending it again.");
        var reading = Read(payloads, body, carrier, carriers);
        var result = await ingestion.Ingest(Source, reading.Scans, cancellationToken);
        ShipmentsTelemetry.RejectedScans.Add(reading.Rejected.Count);
        if (proof is not null)
            deliveries.Add(proof);
        return Results.Ok(new { ReadAs = reading.Shape, result.Kept, result.Known, result.Unclaimed, Rejected = reading.Rejected.Take(MostNamed), reading.Problems });
    }

    private static PayloadReading Read(PayloadReader payloads, byte[] body, string carrier, CarrierDirectory carriers)
    {
        PayloadReading reading;
        try
        {
            reading = payloads.Read(body, carrier, carriers.Find(carrier)?.Code ?? "");
        }
        catch (PayloadException exception)
        {
            throw new Failure(ErrorReason.MalformedRequest, exception.Message);
        }

        // A tracker that has no scans yet, or tells of an error, is a payload; something that nobody knows is none.
        if (reading.Scans.Count == 0 && reading.Rejected.Count == 0 && reading.Shape == PayloadReader.Unknown)
            throw Failure.Invalid(new FieldError("body", $"It holds no scans in any shape that is known: {string.Join(' ', reading.Problems.Select(problem => problem.Message))}"));
        return reading;
    }

    private static async Task<byte[]> ReadBody(HttpRequest request, CancellationToken cancellationToken)
    {
        if (request.ContentLength > LargestBody)
            throw TooLarge();
        using var body = new MemoryStream((int)(request.ContentLength ?? 0));
        var buffer = new byte[16 * 1024];
        int read;
        while ((read = await request.Body.ReadAsync(buffer, cancellationToken)) > 0)
        {
            if (body.Length + read > LargestBody)
                throw TooLarge();
            body.Write(buffer.AsSpan(0, read));
        }

        return body.ToArray();
    }

    private static Failure TooLarge() => new(ErrorReason.RequestTooLarge, $"The body is larger than {LargestBody} bytes; send the scans in several calls.");
}

using System.Text.Json;
using Commerce.ServiceDefaults;
using Commerce.Shipments.Carriers;
using Commerce.Types.V1;
using Microsoft.Extensions.Options;

namespace Commerce.Shipments.IngestingScans;

/// <summary>
/// POST /webhooks/carriers/{carrier}: signed events. Answered only after they are stored, so that a carrier that hears no
/// "yes" sends them again. One bad event costs no other: it is named in the answer.
/// </summary>
internal static class CarrierWebhooks
{
    private const int LargestBody = 1024 * 1024;
    private const int MostEvents = 1000;

    public static void MapCarrierWebhooks(this WebApplication app) =>
        app.MapPost("/webhooks/carriers/{carrier}", Receive);

    private static async Task<IResult> Receive(
        string carrier, HttpRequest request, CarrierDirectory carriers, IOptions<WebhookOptions> options, ScanIngestion ingestion, TimeProvider time, CancellationToken cancellationToken)
    {
        if (carriers.Find(carrier) is null)
            throw new Failure(ErrorReason.CarrierNotFound, "There is no carrier of this code; see the configured carriers.");
        var body = await ReadBody(request, cancellationToken);
        WebhookSignature.Require(request.Headers, body, time.GetUtcNow(), options.Value.Secrets);
        var (events, rejected) = Parse(body);
        var result = await ingestion.Ingest(carrier, "webhook", events, cancellationToken);
        ShipmentsTelemetry.RejectedScans.Add(rejected.Count, new KeyValuePair<string, object?>("commerce.carrier", carrier));
        return Results.Ok(new { result.Kept, result.Known, result.Unclaimed, Rejected = rejected });
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

    private static Failure TooLarge() => new(ErrorReason.RequestTooLarge, $"The body is larger than {LargestBody} bytes; send the events in several calls.");

    private static (IReadOnlyList<CarrierEvent> Events, IReadOnlyList<object> Rejected) Parse(byte[] body)
    {
        JsonDocument document;
        try
        {
            document = JsonDocument.Parse(body, new JsonDocumentOptions { MaxDepth = 16 });
        }
        catch (JsonException exception)
        {
            throw new Failure(ErrorReason.MalformedRequest, $"The body is not JSON (line {exception.LineNumber}, byte {exception.BytePositionInLine}).");
        }

        using (document)
        {
            if (document.RootElement.ValueKind != JsonValueKind.Object || !document.RootElement.TryGetProperty("events", out var list) || list.ValueKind != JsonValueKind.Array)
                throw Failure.Invalid(new FieldError("events", "An array of events is required."));
            if (list.GetArrayLength() > MostEvents)
                throw Failure.Invalid(new FieldError("events", $"At most {MostEvents} events at once; send the rest in further calls."));
            var events = new List<CarrierEvent>();
            var rejected = new List<object>();
            foreach (var (index, json) in list.EnumerateArray().Index())
            {
                if (CarrierEvent.Read(json) is { } one)
                    events.Add(one);
                else
                    rejected.Add(new { Index = index, Reason = "tracking_number is missing or not one (4 to 50 letters and digits)." });
            }

            return (events, rejected);
        }
    }
}

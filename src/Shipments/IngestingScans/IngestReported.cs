using Commerce.ServiceDefaults;
using Commerce.Shipments.Storage;
using Commerce.Shipments.V1;
using Commerce.Tracking.Payloads;
using Commerce.Tracking.Vocabularies;
using Google.Protobuf.Collections;
using Grpc.Core;
using ReportedScan = Commerce.Tracking.Payloads.ReportedScan;

namespace Commerce.Shipments.IngestingScans;

/// <summary>Scans that callers bring over gRPC: in one call, and in a stream of which each message is kept before the next is read.</summary>
internal sealed class IngestReported(ScanIngestion ingestion, PayloadReader payloads)
{
    private const int MostScans = 500;
    private const int LongestReporter = 40;
    private const int LongestText = 1000;
    private const string Source = "api";

    public async Task<IngestScansResponse> Ingest(IngestScansRequest request, CancellationToken cancellationToken)
    {
        var response = new IngestScansResponse();
        await Ingest(request.Reporter, request.Scans, response, first: 0, cancellationToken);
        return response;
    }

    public async Task<IngestScansResponse> Ingest(IAsyncStreamReader<StreamScansRequest> requests, CancellationToken cancellationToken)
    {
        var response = new IngestScansResponse();
        var read = 0;
        while (await requests.MoveNext(cancellationToken))
        {
            await Ingest(requests.Current.Reporter, requests.Current.Scans, response, read, cancellationToken);
            read += requests.Current.Scans.Count;
        }

        return response;
    }

    private async Task Ingest(string reporter, RepeatedField<V1.ReportedScan> reported, IngestScansResponse response, int first, CancellationToken cancellationToken)
    {
        if (reported.Count is 0 or > MostScans)
            throw Failure.Invalid(new FieldError("scans", $"Has {reported.Count} scans; 1 to {MostScans} are allowed: send the rest in further messages."));
        if (reporter.Length > LongestReporter)
            throw Failure.Invalid(new FieldError("reporter", "Give a carrier's or an aggregator's code, for example \"ups\" or \"easypost\"."));
        var (scans, places) = (new List<ReportedScan>(), new List<int>());
        foreach (var (index, given) in reported.Index())
        {
            if (Why(given) is { } why)
                response.Rejected.Add(new V1.RejectedScan { Index = first + index, Reason = why });
            else
            {
                scans.Add(Of(given, reporter));
                places.Add(first + index);
            }
        }

        var result = await ingestion.Ingest(Source, scans, cancellationToken, Principal.Current);
        if (result.Refused.Count > 0)
        {
            var refused = scans.Zip(places).Where(one => result.Refused.Contains(new CarrierNumber(one.First.Carrier, one.First.TrackingNumber)))
                .Select(one => new V1.RejectedScan { Index = one.Second, Reason = "No parcel of yours bears this number with this carrier." });
            var all = response.Rejected.Concat(refused).OrderBy(one => one.Index).ToList();
            response.Rejected.Clear();
            response.Rejected.Add(all);
        }

        response.KeptCount += result.Kept;
        response.KnownCount += result.Known;
        response.UnclaimedCount += result.Unclaimed;
        ShipmentsTelemetry.RejectedScans.Add(reported.Count - scans.Count);
    }

    private static string? Why(V1.ReportedScan scan)
    {
        if (TrackingNumber.Normalise(scan.TrackingNumber) is null)
            return "tracking_number is missing or not one (4 to 50 letters and digits).";
        if (CarrierNames.Of(scan.Carrier).Length == 0)
            return "carrier is missing: give its code, for example \"ups\".";
        if (!Enum.IsDefined(scan.Status))
            return "status is not one of TrackingStatus; leave it out if the carrier's code or words should decide.";
        if (scan.ReasonCode.Length > 0 && !Reasons.Codes.Contains(scan.ReasonCode))
            return "reason_code is not one that is known, for example \"REFUSED\" or \"WEATHER\"; leave it out.";
        return scan.Description.Length > LongestText || scan.CarrierCode.Length > LongestText || scan.LocalTime.Length > LongestText ? $"A text has more than {LongestText} characters." : null;
    }

    private ReportedScan Of(V1.ReportedScan given, string reporter)
    {
        var carrier = CarrierNames.Of(given.Carrier);
        var (code, words) = (TextField.Of(given.CarrierCode, 60), TextField.Of(given.Description));
        var place = given.Place is { } at
            ? new PlaceRecord("", TextField.Of(at.Locality, 100), TextField.Of(at.AdministrativeArea, 100), TextField.Of(at.PostalCode, 20), at.RegionCode is [var a, var b] && char.IsAsciiLetter(a) && char.IsAsciiLetter(b) ? at.RegionCode.ToUpperInvariant() : "")
            : PlaceRecord.Nowhere;
        var aggregator = payloads.IsAggregator(reporter) ? reporter : "";
        var status = aggregator.Length > 0 ? TextField.Of(given.ReporterStatus, 120) : "";
        return new ReportedScan(carrier, TrackingNumber.Normalise(given.TrackingNumber)!, code, words, ReportedTime.Read(given.LocalTime, place), place, MeaningOf(given, aggregator, status, carrier, code, words))
        {
            Aggregator = aggregator,
            AggregatorStatus = status,
            CoarseCode = given.CoarseCode,
        };
    }

    private static Meaning MeaningOf(V1.ReportedScan given, string aggregator, string status, string carrier, string code, string words)
    {
        if (given.Status != TrackingStatus.Unspecified)
            return Reasons.Meaning(given.Status, given.ReasonCode);
        var parts = status.Split('/', 2);
        return status.Length > 0
            ? Vocabulary.Of(aggregator).MeaningOf(parts[0], parts.Length > 1 ? parts[1] : "", words)
            : Vocabulary.Of(CarrierNames.VocabularyOf(carrier)).MeaningOf(code, "", words);
    }
}

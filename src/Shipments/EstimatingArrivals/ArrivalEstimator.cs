using Commerce.Promising;
using Basis = Commerce.Shipments.V1.ArrivalEstimate.Types.Basis;
using Code = Commerce.Shipments.V1.DelayCause.Types.Code;
using Stage = Commerce.Shipments.V1.ArrivalEstimate.Types.Stage;

namespace Commerce.Shipments.EstimatingArrivals;

/// <summary>
/// Says when parcels will arrive: from memory, in microseconds, so that each answer has an estimate as of that answer. There is one model for
/// each stage; the clock of a stage starts at planning, at the hand-over, and when it is out for delivery. What they know comes from
/// <see cref="DeliveryLearner"/>.
/// </summary>
internal sealed class ArrivalEstimator(TimeProvider time)
{
    // So many deliveries, each counting less the older it is, and a level is believed.
    private const double Enough = 8;

    // A shop promises what it keeps nine times of ten; a carrier's estimate is as often early as late.
    private const double PromiseKept = 0.9;
    private const double StatementKept = 0.5;

    private readonly Lock _lock = new();
    private readonly DeliveryModel[] _models = [new(8), new(5), new(0.4)];

    /// <summary>Null once the journey is over, for a return, and where nothing tells.</summary>
    public ArrivalRecord? Of(TrackedParcel parcel, IEnumerable<Sighting> scans)
    {
        if (parcel.IsOver || parcel.ReturnNumber > 0)
            return null;
        var now = time.GetUtcNow();
        var (stage, startedAt) = StageOf(parcel, scans, now);
        var zone = RecipientClock.ZoneOf(parcel.Lane.ToCountry, parcel.Lane.ToRegion);
        var consignment = ConsignmentOf(parcel, RecipientClock.At(startedAt, zone));
        Evidence evidence;
        Forecast forecast;
        lock (_lock)
        {
            var model = ModelOf(stage);
            evidence = model.EvidenceFor(consignment, now);
            forecast = model.Forecast(consignment, now);
        }

        var (basis, count) = BasisOf(consignment, evidence, parcel);
        if (basis == Basis.Unspecified)
            return null;
        if (basis == Basis.CarrierStatement)
            forecast = DeliveryModel.Stated(consignment, parcel.EstimatedAt!.Value, StatementKept);
        else if (basis == Basis.ShopPromise)
            forecast = DeliveryModel.Stated(consignment, parcel.PromisedAt!.Value, PromiseKept);

        var windows = Forecasts.Coverages.Select(coverage => forecast.Window(coverage, now))
            .Select(window => window with { From = RecipientClock.At(window.From, zone), Until = RecipientClock.At(window.Until, zone) }).ToList();
        return new ArrivalRecord(
            RecipientClock.At(forecast.Median(now), zone), windows, basis, count, stage, startedAt, zone, now, forecast.DelayRisk(now), CausesOf(parcel, forecast, now));
    }

    /// <summary>Learns from further deliveries.</summary>
    public void Learn(IReadOnlyCollection<LearnedDelivery> deliveries)
    {
        foreach (var stage in (Stage[])[Stage.Planned, Stage.WithCarrier, Stage.OutForDelivery])
        {
            var journeys = deliveries.Select(one => one.JourneyFrom(stage)).OfType<Journey>().ToList();
            lock (_lock)
                ModelOf(stage).Learn(journeys);
        }
    }

    /// <summary>Fits the corrections anew, without keeping answers waiting.</summary>
    public void Refit()
    {
        foreach (var model in _models)
        {
            Func<Action> fit;
            lock (_lock)
                fit = model.PrepareRefit(time.GetUtcNow());
            var use = fit();
            lock (_lock)
                use();
        }
    }

    /// <summary>By whom it is carried, as history knows it; empty before that was chosen.</summary>
    public static string CarrierKey(string? carrier, string? service) => carrier is null ? "" : $"{carrier}/{service}";

    public static string SenderKey(string storeId, string locationId) => $"{storeId}/{locationId}";

    private DeliveryModel ModelOf(Stage stage) => _models[(int)stage - 1];

    private static (Stage Stage, DateTimeOffset StartedAt) StageOf(TrackedParcel parcel, IEnumerable<Sighting> scans, DateTimeOffset now)
    {
        DateTimeOffset? handedOver = null, outForDelivery = null;
        foreach (var scan in scans)
        {
            if (TrackingStatusRules.IsWithCarrier(scan.Status) && !(handedOver <= scan.OccurredAt))
                handedOver = scan.OccurredAt;
            // The last time counts: a failed attempt begins anew.
            if (scan.Status == V1.TrackingStatus.OutForDelivery && !(outForDelivery >= scan.OccurredAt))
                outForDelivery = scan.OccurredAt;
        }

        if (outForDelivery is not null && parcel.Tracking.Status == V1.TrackingStatus.OutForDelivery)
            return (Stage.OutForDelivery, Sane(outForDelivery.Value));
        return handedOver is not null ? (Stage.WithCarrier, Sane(handedOver.Value)) : (Stage.Planned, Sane(parcel.CreatedAt));

        // A carrier's clock can be wrong: nothing begins before it was planned, or in the future.
        DateTimeOffset Sane(DateTimeOffset at) => at < parcel.CreatedAt ? (parcel.CreatedAt < now ? parcel.CreatedAt : now) : at > now ? now : at;
    }

    private static Consignment ConsignmentOf(TrackedParcel parcel, DateTimeOffset startedAt) => new(parcel.PublicId, startedAt)
    {
        PromisedAt = parcel.PromisedAt,
        Sender = SenderKey(parcel.StoreId, parcel.LocationId),
        Carrier = CarrierKey(parcel.Carrier, parcel.Service),
        From = new Locality(parcel.Lane.FromCountry, parcel.Lane.FromRegion, ""),
        To = new Locality(parcel.Lane.ToCountry, parcel.Lane.ToRegion, LearnedDelivery.ZoneOf(parcel.Lane.ToPostalCode)),
        WeightGrams = parcel.WeightGrams,
    };

    private static (Basis Basis, double Evidence) BasisOf(Consignment consignment, Evidence evidence, TrackedParcel parcel)
    {
        var known = consignment.To.Country.Length > 0;
        return (known, evidence) switch
        {
            (true, { Lane: >= Enough }) => (Basis.Lane, evidence.Lane),
            (true, { Region: >= Enough }) => (Basis.Region, evidence.Region),
            (true, { Country: >= Enough }) => (Basis.Country, evidence.Country),
            (_, { Carrier: >= Enough }) when consignment.Carrier.Length > 0 => (Basis.Carrier, evidence.Carrier),
            _ when parcel.EstimatedAt is not null => (Basis.CarrierStatement, 0),
            _ when parcel.PromisedAt is not null => (Basis.ShopPromise, 0),
            _ => (Basis.Unspecified, 0),
        };
    }

    private static List<(Code Code, double LogOdds)> CausesOf(TrackedParcel parcel, Forecast forecast, DateTimeOffset now)
    {
        var causes = new List<(Code, double)>();
        if (parcel.PromisedAt <= now)
            causes.Add((Code.PromisePassed, 0));
        if (parcel.Exception is not null)
            causes.Add((Code.Exception, 0));
        if (now > forecast.Window(0.8, forecast.Consignment.StartedAt).Until)
            causes.Add((Code.Overdue, 0));
        // The library's codes have the same names and are numbered from 0.
        causes.AddRange(forecast.Causes.Select(cause => ((Code)((int)cause.Code + 1), cause.LogOdds)));
        return causes;
    }
}

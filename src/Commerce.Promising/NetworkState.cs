using Commerce.Promising.Learning;

namespace Commerce.Promising;

/// <summary>A parcel that has begun and of which the end is not known.</summary>
internal sealed class OpenParcel(Consignment consignment, double[] features, Forecast forecast)
{
    public Consignment Consignment { get; } = consignment;

    public double[] Features { get; } = features;

    public Forecast Forecast { get; } = forecast;

    public DateTimeOffset? HandedOverAt { get; set; }

    public double[] RiskFeatures { get; init; } = [];

    public double Location { get; init; }

    public double Scale { get; init; }

    /// <summary>The log odds to be late by the forecast's distribution alone.</summary>
    public double LateOffset { get; init; }
}

/// <summary>
/// How the network does at the moment, as far as is known at the moment: means that decay, level by level, each finer one as
/// what it adds to the coarser. Parcels still under way tell too: of how many should have arrived by now, how many have.
/// </summary>
internal sealed class NetworkState
{
    // Before anything was delivered: a typical parcel, which a handful of deliveries outweighs.
    private const double FirstDays = 8;
    private const double FirstHandlingDays = 2;
    private const double FirstTransitDays = 6;
    private const double FirstLate = 0.08;
    private const double FirstUse = -0.7;
    private const double TypicalDeviation = 0.5;

    // By then almost all have arrived or never will: what is lost would look like a jam for ever.
    private const double LostAfterDays = 40;
    private const double LongInTransitDays = 10;

    private readonly DecayedMean _now = new(7), _long = new(30), _handling = new(10), _transit = new(10), _late = new(10), _due = new(7), _use = new(15);
    private readonly DecayedMean _starts = new(5), _startsLong = new(30);
    private readonly DecayedMean _came = new(7), _expected = new(7), _cameMonth = new(20), _expectedMonth = new(20);
    private readonly DecayedMeans _region = new(30), _regionNow = new(10), _lane = new(60), _zone3 = new(120), _zone2 = new(90), _sender = new(60), _category = new(90), _payment = new(60), _carrier = new(30), _carrierLane = new(60);
    private readonly DecayedMeans _handlingRegion = new(20), _handlingSender = new(45), _transitRegion = new(20), _transitLane = new(45);
    private readonly DecayedMeans _lateRegion = new(20), _lateLane = new(60), _lateZone = new(90), _lateSender = new(90), _dueRegion = new(14);
    private readonly DecayedMeans _useRegion = new(25), _useZone = new(120), _useSender = new(90);
    private readonly DecayedMeans _cameRegion = new(14), _expectedRegion = new(14), _senderStarts = new(10), _senderStartsLong = new(60);

    // Levels of evidence, for whoever asks on what a forecast rests.
    private readonly DecayedMeans _evidence = new(60);

    private readonly Dictionary<string, OpenParcel> _inTransit = new(StringComparer.Ordinal);
    private readonly Dictionary<string, List<DateTimeOffset>> _waiting = new(StringComparer.Ordinal);
    private readonly Dictionary<string, (double Sum, int Count)> _ages = new(StringComparer.Ordinal);
    private (double Sum, int Old, int Count) _age;

    public static double Logarithm(TimeSpan span) => Math.Log(Math.Clamp(span.TotalDays, 0.02, 400));

    public static string LaneOf(Consignment c) => c.From.RegionKey + ">" + c.To.RegionKey;

    private static string CarrierLaneOf(Consignment c) => c.Carrier.Length > 0 ? c.Carrier + "|" + LaneOf(c) : "";

    public double[] FeaturesOf(Consignment c, DateTimeOffset at)
    {
        var lane = LaneOf(c);
        var (region, zone3, zone2) = (c.To.RegionKey, c.To.Zone(3), c.To.Zone(2));
        var x = new double[Features.Count];
        var network = _long.Shrunk(at, Math.Log(FirstDays), 3);
        var networkNow = _now.Shrunk(at, network, 5);
        var regional = _region.Shrunk(region, at, 0, 5);
        var lanes = _lane.Shrunk(lane, at, regional, 5);
        var zone = _zone3.Shrunk(zone3, at, 0, 5);
        var sender = _sender.Shrunk(c.Sender, at, 0, 4);
        var carrier = _carrierLane.Shrunk(CarrierLaneOf(c), at, _carrier.Shrunk(c.Carrier, at, 0, 5), 8);
        x[Features.Prior] = networkNow + lanes + zone + sender + carrier;
        x[Features.NetworkLong] = network;
        x[Features.NetworkNow] = networkNow - network;
        x[Features.Region] = regional;
        x[Features.RegionNow] = _regionNow.Shrunk(region, at, regional, 5);
        x[Features.Lane] = lanes;
        x[Features.Zone3] = zone;
        x[Features.Zone2] = _zone2.Shrunk(zone2, at, 0, 8);
        x[Features.Sender] = sender;
        x[Features.Carrier] = carrier;
        x[Features.Category] = _category.Shrunk(c.Category, at, 0, 10);
        x[Features.Payment] = _payment.Shrunk(c.Payment, at, 0, 10);

        var handling = _handling.Shrunk(at, Math.Log(FirstHandlingDays), 3);
        var handlingRegion = _handlingRegion.Shrunk(c.From.RegionKey, at, handling, 5);
        var handlingSender = _handlingSender.Shrunk(c.Sender, at, handlingRegion, 2);
        var transit = _transit.Shrunk(at, Math.Log(FirstTransitDays), 3);
        var transitRegion = _transitRegion.Shrunk(region, at, transit, 4);
        var transitLane = _transitLane.Shrunk(lane, at, transitRegion, 4);
        x[Features.HandlingNetwork] = handling;
        x[Features.HandlingRegion] = handlingRegion;
        x[Features.HandlingSender] = handlingSender;
        x[Features.TransitNetwork] = transit;
        x[Features.TransitRegion] = transitRegion;
        x[Features.TransitLane] = transitLane;
        x[Features.Stages] = Math.Log(Math.Exp(handlingSender) + Math.Exp(transitLane));

        var late = _late.Shrunk(at, FirstLate, 5);
        var lateRegion = _lateRegion.Shrunk(region, at, late, 8);
        x[Features.LateNetwork] = late;
        x[Features.LateRegion] = lateRegion;
        x[Features.LateLane] = _lateLane.Shrunk(lane, at, lateRegion, 8);
        x[Features.LateZone] = _lateZone.Shrunk(zone3, at, lateRegion, 8);
        x[Features.LateSender] = _lateSender.Shrunk(c.Sender, at, late, 6);
        var due = _due.Shrunk(at, FirstLate, 5);
        x[Features.DueNetwork] = due;
        x[Features.DueRegion] = _dueRegion.Shrunk(region, at, due, 8);
        var use = _use.Shrunk(at, FirstUse, 5);
        var useRegion = _useRegion.Shrunk(region, at, use, 5);
        x[Features.UseNetwork] = use;
        x[Features.UseRegion] = useRegion;
        x[Features.UseZone] = _useZone.Shrunk(zone3, at, useRegion, 5);
        x[Features.UseSender] = _useSender.Shrunk(c.Sender, at, use, 4);

        x[Features.PaceNow] = Pace(_came.SumAt(at), _expected.SumAt(at), 8);
        x[Features.PaceMonth] = Pace(_cameMonth.SumAt(at), _expectedMonth.SumAt(at), 8);
        x[Features.PaceRegion] = Pace(_cameRegion.SumAt(region, at), _expectedRegion.SumAt(region, at), 4);
        var mean = _age.Count > 0 ? _age.Sum / _age.Count : LongInTransitDays / 2;
        var ages = _ages.GetValueOrDefault(region);
        x[Features.OldShare] = _age.Count > 0 ? (double)_age.Old / _age.Count : 0;
        x[Features.TransitAge] = mean;
        x[Features.TransitAgeRegion] = (ages.Sum + (3 * mean)) / (ages.Count + 3);
        x[Features.Volume] = Math.Log((_starts.WeightAt(at) + 5) / ((_startsLong.WeightAt(at) / 6) + 5));
        x[Features.SenderVolume] = Math.Log((_senderStarts.WeightAt(c.Sender, at) + 1) / ((_senderStartsLong.WeightAt(c.Sender, at) / 6) + 1));
        x[Features.SenderOpen] = Math.Log(1 + WaitingAt(c.Sender, at));

        var promise = c.PromisedAt is { } until ? Math.Log(Math.Clamp((until - at).TotalDays, 0.5, 200)) : x[Features.Prior] - FirstUse;
        x[Features.LogPromise] = promise;
        x[Features.Slack] = x[Features.Prior] - promise;
        // What is not known is as usual: it must not look like nothing.
        x[Features.Distance] = c.DistanceKm ?? 500;
        x[Features.LogDistance] = Math.Log(1 + Math.Max(0, c.DistanceKm ?? 500));
        x[Features.SameRegion] = c.From.RegionKey == c.To.RegionKey ? 1 : 0;
        x[Features.Freight] = Math.Log(1 + Math.Max(0, c.Freight ?? 18));
        x[Features.Price] = Math.Log(1 + Math.Max(0, c.Price ?? 90));
        x[Features.FreightShare] = Math.Clamp((c.Freight ?? 18) / Math.Max(1, c.Price ?? 90), 0, 3);
        x[Features.Weight] = Math.Log(1 + Math.Max(0, c.WeightGrams ?? 700));
        x[Features.Size] = Math.Log(1 + Math.Max(0, c.VolumeLitres ?? 7));
        x[Features.Pieces] = Math.Log(1 + (c.Pieces ?? 1));
        x[Features.Senders] = Math.Log(1 + (c.Senders ?? 1));
        Calendar(x, c);
        for (var i = 0; i < x.Length; i++)
        {
            if (!double.IsFinite(x[i]))
                x[i] = 0;
        }

        return x;
    }

    /// <summary>How many recent deliveries tell of a parcel at each level, the finest first.</summary>
    public (double Lane, double Region, double Country, double Carrier) EvidenceFor(Consignment c, DateTimeOffset at) => (
        _evidence.WeightAt("L" + c.Carrier + LaneOf(c), at),
        _evidence.WeightAt("R" + c.Carrier + c.To.RegionKey, at),
        _evidence.WeightAt("N" + c.Carrier + c.To.Country, at),
        _evidence.WeightAt("C" + c.Carrier, at));

    public void Started(OpenParcel parcel)
    {
        var (c, at) = (parcel.Consignment, parcel.Consignment.StartedAt);
        _starts.Add(at, 1);
        _startsLong.Add(at, 1);
        _senderStarts.Add(c.Sender, at, 1);
        _senderStartsLong.Add(c.Sender, at, 1);
        if (c.Sender.Length == 0)
            return;
        if (!_waiting.TryGetValue(c.Sender, out var waiting))
            _waiting[c.Sender] = waiting = [];
        // What was never handed over would make a sender look busy for ever.
        waiting.RemoveAll(since => (at - since).TotalDays > 20);
        waiting.Add(at);
    }

    public void HandedOver(OpenParcel parcel, DateTimeOffset at)
    {
        var c = parcel.Consignment;
        parcel.HandedOverAt = at;
        var days = Math.Log(Math.Clamp((at - c.StartedAt).TotalDays, 0.2, 400));
        _handling.Add(at, days);
        _handlingSender.Add(c.Sender, at, days);
        _handlingRegion.Add(c.From.RegionKey, at, days);
        _inTransit[c.Id] = parcel;
        if (_waiting.TryGetValue(c.Sender, out var waiting))
            waiting.Remove(c.StartedAt);
    }

    /// <summary>The promise of a parcel passes.</summary>
    public void FellDue(OpenParcel parcel, bool delivered, DateTimeOffset at)
    {
        // One that no carrier has may have been cancelled: it tells nothing of the network.
        if (!delivered && parcel.HandedOverAt is null)
            return;
        _due.Add(at, delivered ? 0 : 1);
        _dueRegion.Add(parcel.Consignment.To.RegionKey, at, delivered ? 0 : 1);
    }

    public void Delivered(OpenParcel parcel, DateTimeOffset at)
    {
        var c = parcel.Consignment;
        var days = Logarithm(at - c.StartedAt);
        var (lane, region, zone3, zone2) = (LaneOf(c), c.To.RegionKey, c.To.Zone(3), c.To.Zone(2));
        if (_inTransit.Remove(c.Id))
        {
            _came.Add(at, 1);
            _cameMonth.Add(at, 1);
            _cameRegion.Add(region, at, 1);
        }

        var beyond = days - _long.Shrunk(at, Math.Log(FirstDays), 3);
        _now.Add(at, days);
        _long.Add(at, days);
        _region.Add(region, at, beyond);
        _regionNow.Add(region, at, beyond);
        _lane.Add(lane, at, beyond);
        // The finer levels learn what the lane leaves over; so whatever is usual on the lane is not counted twice.
        var left = beyond - _lane.Shrunk(lane, at, 0, 5);
        _zone3.Add(zone3, at, left);
        _zone2.Add(zone2, at, left);
        _sender.Add(c.Sender, at, left);
        _category.Add(c.Category, at, left);
        _payment.Add(c.Payment, at, left);
        _carrier.Add(c.Carrier, at, left);
        _carrierLane.Add(CarrierLaneOf(c), at, left);
        if (c.PromisedAt is { } promise)
        {
            var late = at > promise ? 1 : 0;
            _late.Add(at, late);
            _lateRegion.Add(region, at, late);
            _lateLane.Add(lane, at, late);
            _lateSender.Add(c.Sender, at, late);
            _lateZone.Add(zone3, at, late);
            var use = days - Math.Log(Math.Max(1, (promise - c.StartedAt).TotalDays));
            _use.Add(at, use);
            _useRegion.Add(region, at, use);
            _useSender.Add(c.Sender, at, use);
            _useZone.Add(zone3, at, use);
        }

        if (parcel.HandedOverAt is { } handedOver && at > handedOver)
        {
            var transit = Math.Log(Math.Max(0.25, (at - handedOver).TotalDays));
            _transit.Add(at, transit);
            _transitRegion.Add(region, at, transit);
            _transitLane.Add(lane, at, transit);
        }

        _evidence.Add("L" + c.Carrier + lane, at, 1);
        _evidence.Add("R" + c.Carrier + region, at, 1);
        _evidence.Add("N" + c.Carrier + c.To.Country, at, 1);
        _evidence.Add("C" + c.Carrier, at, 1);
    }

    /// <summary>A day ends: how many of those in transit should have come in it, and for how long the others have been under way.</summary>
    public void DayPassed(DateTimeOffset midnight)
    {
        _ages.Clear();
        _age = default;
        List<string>? lost = null;
        foreach (var (id, parcel) in _inTransit)
        {
            var c = parcel.Consignment;
            var age = (midnight - parcel.HandedOverAt!.Value).TotalDays;
            if (age > LostAfterDays)
            {
                (lost ??= []).Add(id);
                continue;
            }

            var region = c.To.RegionKey;
            var ages = _ages.GetValueOrDefault(region);
            _ages[region] = (ages.Sum + age, ages.Count + 1);
            _age = (_age.Sum + age, _age.Old + (age > LongInTransitDays ? 1 : 0), _age.Count + 1);

            var prior = parcel.Features[Features.Prior];
            var days = (midnight - c.StartedAt).TotalDays;
            // Far beyond its time the hazard falls again: it is lost rather than late.
            if (days > Math.Exp(prior + 1.2))
                continue;
            var due = Hazard(days, prior) - Hazard(days - 1, prior);
            _expected.Add(midnight, due);
            _expectedMonth.Add(midnight, due);
            _expectedRegion.Add(region, midnight, due);
        }

        foreach (var id in lost ?? [])
            _inTransit.Remove(id);
    }

    private static double Hazard(double days, double prior) =>
        days <= 0 ? 0 : -Math.Log(Math.Max(1e-9, 1 - DecayedHistogram.Normal((Math.Log(days) - prior) / TypicalDeviation)));

    private static double Pace(double came, double expected, double strength) => Math.Log((came + strength) / (expected + strength));

    private int WaitingAt(string sender, DateTimeOffset at) =>
        _waiting.TryGetValue(sender, out var waiting) ? waiting.Count(since => (at - since).TotalDays <= 20) : 0;

    private static void Calendar(double[] x, Consignment c)
    {
        var day = DateOnly.FromDateTime(c.StartedAt.DateTime);
        var country = c.To.Country;
        x[Features.Hour] = c.StartedAt.Hour;
        x[Features.Weekday] = (int)day.DayOfWeek;
        for (; x[Features.NextBusinessDay] < 6 && !BusinessCalendar.IsBusinessDay(day.AddDays((int)x[Features.NextBusinessDay]), country); x[Features.NextBusinessDay]++)
        {
        }

        for (var ahead = 0; ahead <= 14; ahead++)
        {
            if (ahead > 0 && BusinessCalendar.IsBusinessDay(day.AddDays(ahead), country))
                x[Features.BusinessDays]++;
            if (ahead <= 12 && BusinessCalendar.IsHoliday(day.AddDays(ahead), country))
                x[Features.Holidays]++;
        }
    }
}

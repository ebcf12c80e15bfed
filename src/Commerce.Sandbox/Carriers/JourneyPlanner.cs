using System.Globalization;
using Commerce.Sandbox.Control;

namespace Commerce.Sandbox.Carriers;

/// <summary>Plans a parcel's whole journey when its label is bought. Chance decides by seed and reference, so a run can be repeated.</summary>
internal sealed class JourneyPlanner(KnobBoard knobs, Chance chance)
{
    /// <summary>Share of the parcels that arrive up to two days after the promise.</summary>
    private const double Late = 0.04;

    public List<PlannedScan> Plan(Carrier carrier, string reference, string labelId, Place from, Address recipient, DeliveryWish? wish, RateView rate, DateTimeOffset bought, KeptScenario? scenario)
    {
        if (scenario?.Silent == true) return [];
        var to = recipient.Place;
        var random = new Random((int)(chance.Roll("journey", $"{carrier.Id}|{reference}") * int.MaxValue));
        var steps = Steps(carrier, from, to, rate, random, scenario?.EndsAt);
        var known = steps.Where(s => carrier.Words.ContainsKey(s.Step)).ToList();
        if (scenario?.EndsAt is null && chance.Hits(knobs.Current.Of(carrier).SilenceRate, "silence", $"{carrier.Id}|{reference}"))
        {
            known = known.GetRange(0, random.Next(known.Count));
        }

        return [.. known.Select((s, i) => Scan(s, i, last: i == known.Count - 1))];

        PlannedScan Scan((Step Step, double Day, Place Place) s, int index, bool last)
        {
            var habits = carrier.Habits;
            var due = bought.AddSeconds(s.Day * knobs.Current.DaySeconds);
            return new PlannedScan(
                string.Create(CultureInfo.InvariantCulture, $"{labelId.Replace("lbl_", "scan_", StringComparison.Ordinal)}_{index + 1}"),
                due.ToUnixTimeMilliseconds(),
                s.Step,
                s.Place,
                (int)Geography.OffsetOf(s.Place).TotalMinutes,
                WithNext: habits.BunchesDepartures && s.Step == Step.Departed && !last,
                Overtaken: !last && random.NextDouble() < habits.Overtaken,
                Repeated: random.NextDouble() < habits.Repeated,
                Proof: s.Step == Step.Delivered ? ProofOf(carrier, labelId, recipient, wish) : null);
        }
    }

    /// <summary>
    /// The journey as it goes on after its recipient wished something else: what happened stays, and the last mile goes elsewhere or
    /// waits for another day.
    /// </summary>
    public List<PlannedScan> Replan(Carrier carrier, Label label, Address recipient, DeliveryWish? wish, bool elsewhere, DateTimeOffset now)
    {
        var journey = label.Journey.ToList();
        var lastMile = journey.FindIndex(label.Position, scan => scan.Step == Step.OutForDelivery);
        if (lastMile < 0) return journey;
        var delay = 0L;
        if (wish?.Date is { } day)
        {
            var days = Math.Max(0, day.DayNumber - DateOnly.FromDateTime(now.UtcDateTime).DayNumber);
            // A day of the carrier is as long as the knob says. It comes no earlier than it can.
            delay = Math.Max(0, now.AddSeconds(days * knobs.Current.DaySeconds).ToUnixTimeMilliseconds() - journey[lastMile].DueAt);
        }

        for (var i = lastMile; i < journey.Count; i++)
        {
            var place = elsewhere ? recipient.Place : journey[i].Place;
            journey[i] = journey[i] with
            {
                DueAt = journey[i].DueAt + delay,
                Place = place,
                OffsetMinutes = (int)Geography.OffsetOf(place).TotalMinutes,
                Proof = journey[i].Step == Step.Delivered ? ProofOf(carrier, label.Id, recipient, wish) : null,
            };
        }

        return journey;
    }

    private Proof ProofOf(Carrier carrier, string labelId, Address recipient, DeliveryWish? wish)
    {
        var signed = wish?.SignatureRequired == true || !carrier.Habits.TakesPhotographs ? recipient.Name : null;
        return new Proof(
            wish?.Neighbour is { Length: > 0 } neighbour ? neighbour : signed,
            signed is null ? labelId.Replace("lbl_", "photo_", StringComparison.Ordinal) : null,
            // Somewhere on dry land, the same for the same place.
            Math.Round(-35 + (chance.Roll("latitude", $"{recipient.CountryCode}|{recipient.PostalCode}") * 90), 5),
            Math.Round(-120 + (chance.Roll("longitude", $"{recipient.CountryCode}|{recipient.PostalCode}") * 240), 5),
            wish switch
            {
                { PickupPoint: { Length: > 0 } point } => $"pick-up point {point}",
                { LeaveAt: { Length: > 0 } place } => place,
                _ => signed is null ? "front door" : null,
            });
    }

    private static List<(Step Step, double Day, Place Place)> Steps(Carrier carrier, Place from, Place to, RateView rate, Random random, JourneyEnd? end)
    {
        var zone = Geography.ZoneOf(from, to);
        var days = rate.TransitDaysMin + ((rate.TransitDaysMax - rate.TransitDaysMin) * random.NextDouble());
        if (end is null && random.NextDouble() < Late) days = rate.TransitDaysMax + 0.5 + (1.5 * random.NextDouble());

        var steps = new List<(Step Step, double Day, Place Place)>
        {
            (Step.LabelCreated, 0, from),
            (Step.PickedUp, Math.Min(0.5, 0.15 * days), from),
            (Step.Departed, Math.Min(0.7, 0.25 * days), from),
        };
        var stops = Geography.Hubs(from, to, zone, random).ToList();
        var start = steps[^1].Day;
        var arrival = 0.8 * days;
        var leg = (arrival - start) / (stops.Count + 1);
        for (var i = 0; i < stops.Count; i++)
        {
            var at = start + (leg * (i + 0.8));
            steps.Add((Step.Arrived, at, stops[i]));
            if (i > 0 && zone >= Zone.Continental) steps.Add((Step.Customs, at + (leg * 0.1), stops[i]));
            steps.Add((Step.Departed, start + (leg * (i + 1)), stops[i]));
        }

        steps.Add((Step.Arrived, arrival, to));
        if (random.NextDouble() < carrier.Habits.Held)
        {
            steps.Add((Step.Held, arrival + 0.05, to));
            days += 1;
        }

        steps.Add((Step.OutForDelivery, days - (0.1 * rate.TransitDaysMin), to));
        var fails = random.NextDouble() < carrier.Habits.FailedAttempt;
        if (end is JourneyEnd.RETURN_TO_SENDER or JourneyEnd.DELIVERY_FAILED)
        {
            steps.Add((Step.Attempted, days, to));
            steps.Add((Step.Returning, days + 1, to));
        }
        else
        {
            if (fails)
            {
                steps.Add((Step.Attempted, days, to));
                steps.Add((Step.OutForDelivery, days + 0.7, to));
                days += 1;
            }

            steps.Add((Step.Delivered, days, to));
        }

        return end is { } where ? steps.GetRange(0, LastIndex(steps, where) + 1) : steps;
    }

    private static int LastIndex(List<(Step Step, double Day, Place Place)> steps, JourneyEnd end) => end switch
    {
        JourneyEnd.PRE_TRANSIT => 0,
        JourneyEnd.PICKED_UP => steps.FindIndex(s => s.Step == Step.PickedUp),
        // A parcel on hold is not in transit: the journey rests at the arrival before it.
        JourneyEnd.IN_TRANSIT => steps.FindLastIndex(s => s.Step == Step.Arrived),
        JourneyEnd.OUT_FOR_DELIVERY => steps.FindIndex(s => s.Step == Step.OutForDelivery),
        JourneyEnd.DELIVERY_FAILED => steps.FindIndex(s => s.Step == Step.Attempted),
        _ => steps.Count - 1,
    };
}

using System.Globalization;
using Kind = Commerce.Shipments.V1.RateSurcharge.Types.Kind;

namespace Commerce.Shipping.Rates;

internal sealed record PricedZone(string Id, string Title, AreaPart[] Parts, int OverKm, int UpToKm);

internal sealed record PricedBreak(int OverGrams, int UpToGrams, long Minor);

internal sealed record PricedZoneRate(int DaysMin, int DaysMax, PricedBreak[] Breaks, int EachGrams, long EachMinor);

internal sealed record PricedService(
    string Service, string Title, int Divisor, int StepGrams, int MaxGrams, int MaxLengthMm, int MaxGirthMm, long MinimumMinor, TimeOnly? CutOff, bool BusinessDays,
    IReadOnlyDictionary<string, PricedZoneRate> Zones);

internal sealed record PricedSurcharge(
    Kind Kind, string Title, IReadOnlySet<string> Services, long? Minor, decimal? Percent, long MinimumMinor, bool OnSurcharges, AreaPart[] Areas, int OverLengthMm, int OverGirthMm, int OverGrams);

/// <summary>A rate card that was read and found right: it prices parcels.</summary>
public sealed class PricedCard
{
    internal PricedCard(
        string carrier, string id, long version, string currency, DateOnly from, DateOnly? until, TimeZoneInfo zone, AreaPart[] origins, PricedZone[] zones, PricedService[] services, PricedSurcharge[] surcharges)
    {
        (Carrier, Id, Version, Currency, ValidFrom, ValidUntil, TimeZone) = (carrier, id, version, currency, from, until, zone);
        (Origins, Zones, Services, Surcharges) = (origins, zones, services, surcharges);
    }

    public string Carrier { get; }

    public string Id { get; }

    public long Version { get; }

    public string Currency { get; }

    public DateOnly ValidFrom { get; }

    public DateOnly? ValidUntil { get; }

    public TimeZoneInfo TimeZone { get; }

    internal AreaPart[] Origins { get; }

    internal PricedZone[] Zones { get; }

    internal PricedService[] Services { get; }

    internal PricedSurcharge[] Surcharges { get; }

    /// <summary>Whether it has a zone for the place, however far: what a carrier serves that gave no list.</summary>
    public bool Reaches(RatePlace place) => Zones.Any(zone => zone.Parts.Any(part => part.Fits(place) >= 0));

    /// <summary>Whether it counts on that day.</summary>
    public bool CountsAt(DateTimeOffset at) => DateOnly.FromDateTime(TimeZoneInfo.ConvertTime(at, TimeZone).DateTime) is var day && day >= ValidFrom && !(day > ValidUntil);

    /// <summary>What its services ask for the parcel; nothing for those that do not take it, and why not in <paramref name="why"/>.</summary>
    public IReadOnlyList<Quote> Price(RateRequest request, out IReadOnlyList<string> why)
    {
        var reasons = new List<string>();
        why = reasons;
        var local = TimeZoneInfo.ConvertTime(request.At, TimeZone);
        var today = DateOnly.FromDateTime(local.DateTime);
        if (today < ValidFrom || today > ValidUntil)
            return Nothing(string.Create(CultureInfo.InvariantCulture, $"it counts {(today < ValidFrom ? $"from {ValidFrom:yyyy-MM-dd}" : $"until {ValidUntil:yyyy-MM-dd}")}"));
        if (Origins.Length > 0 && !Origins.Any(part => part.Fits(request.From) >= 0))
            return Nothing("it is for parcels that leave from elsewhere");
        if (ZoneOf(request) is not { } zone)
            return Nothing(Reaches(request.To) ? "the distance is not known, or in no zone" : "it has no zone for the destination");
        var quotes = new List<Quote>();
        foreach (var service in Services)
        {
            var (quote, reason) = Price(request, service, zone, local);
            if (quote is not null)
                quotes.Add(quote);
            else
                reasons.Add($"{service.Service}: {reason}");
        }

        return quotes;

        IReadOnlyList<Quote> Nothing(string reason)
        {
            reasons.Add(reason);
            return [];
        }
    }

    private PricedZone? ZoneOf(RateRequest request)
    {
        var distance = request.From.Position is { } from && request.To.Position is { } to ? from.KilometresTo(to) : (double?)null;
        // The reader saw to it that no place is in two zones; what names a place goes before the rest of its country, and that before the
        // rest of the world, whatever the distance: the rest is what no zone names.
        var fits = Zones.Select(zone => (Zone: zone, Fit: zone.Parts.Max(part => part.Fits(request.To)))).Where(one => one.Fit >= 0).ToList();
        return fits.Count == 0 ? null : fits.Where(one => one.Fit == fits.Max(other => other.Fit) && Within(one.Zone)).Select(one => one.Zone).FirstOrDefault();

        bool Within(PricedZone zone) => zone is { OverKm: 0, UpToKm: 0 } || (distance is { } km && (km > zone.OverKm || zone.OverKm == 0) && (zone.UpToKm == 0 || km <= zone.UpToKm));
    }

    private (Quote? Quote, string? Why) Price(RateRequest request, PricedService service, PricedZone zone, DateTimeOffset local)
    {
        if (!service.Zones.TryGetValue(zone.Id, out var rate))
            return (null, $"has no prices for zone {zone.Id}");
        var parcel = request.Parcel;
        if (service.MaxGrams > 0 && parcel.WeightGrams > service.MaxGrams)
            return (null, $"takes at most {service.MaxGrams} g");
        if (service.MaxLengthMm > 0 && parcel.LongestMm > service.MaxLengthMm)
            return (null, $"takes at most {service.MaxLengthMm} mm of length");
        if (service.MaxGirthMm > 0 && parcel.LengthAndGirthMm > service.MaxGirthMm)
            return (null, $"takes at most {service.MaxGirthMm} mm of length and girth");
        var volumetric = parcel.VolumetricGrams(service.Divisor);
        var counted = Math.Max(Math.Max(parcel.WeightGrams, volumetric), 1);
        var billable = service.StepGrams > 0 ? (counted + service.StepGrams - 1) / service.StepGrams * service.StepGrams : counted;
        var last = rate.Breaks[^1];
        Int128 table;
        string how;
        if (rate.Breaks.FirstOrDefault(one => billable > one.OverGrams && billable <= one.UpToGrams) is { } found)
            (table, how) = (found.Minor, $"over {found.OverGrams} to {found.UpToGrams} g");
        else if (rate.EachGrams == 0)
            return (null, $"takes at most {last.UpToGrams} g to zone {zone.Id}, and this counts as {billable} g");
        else
        {
            var further = (billable - last.UpToGrams + rate.EachGrams - 1) / rate.EachGrams;
            (table, how) = (last.Minor + ((Int128)further * rate.EachMinor), $"up to {last.UpToGrams} g, and {further} × {rate.EachGrams} g");
        }

        if (request.Collect is { } collect)
        {
            if (!Surcharges.Any(one => one.Kind == Kind.CashOnDelivery && Concerns(one, service, request)))
                return (null, "has no cash on delivery");
            if (collect.Currency != Currency)
                return (null, $"collects {Currency} alone");
        }

        var freight = Int128.Max(table, service.MinimumMinor);
        var lines = new List<QuoteLine>();
        if (!Add("freight", "Freight", freight, string.Create(CultureInfo.InvariantCulture, $"zone {zone.Id}, {billable} g ({how}{(freight > table ? ", the least" : "")})")))
            return (null, "costs more than can be said");
        // Fixed ones first: a percentage may be taken of them.
        Int128 fixedOnes = 0;
        foreach (var one in Surcharges.Where(one => one.Percent is null && Concerns(one, service, request)))
        {
            fixedOnes += one.Minor!.Value;
            Add(NameOf(one.Kind), one.Title, one.Minor.Value, "");
        }

        foreach (var one in Surcharges.Where(one => one.Percent is not null && Concerns(one, service, request)))
        {
            var of = one.Kind == Kind.CashOnDelivery ? request.Collect!.Value.Minor : one.OnSurcharges ? freight + fixedOnes : freight;
            // A percentage of 64 bits stays within a decimal; half a smallest unit goes up.
            var share = Math.Round((decimal)of * one.Percent!.Value / 100, MidpointRounding.AwayFromZero) + (one.Minor ?? 0);
            var amount = Math.Max(share, one.MinimumMinor);
            if (amount > long.MaxValue || !Add(NameOf(one.Kind), one.Title, (Int128)amount, string.Create(CultureInfo.InvariantCulture, $"{one.Percent} % of {new Money((long)Int128.Min(of, long.MaxValue), Currency)}{(one.Minor > 0 ? $" and {new Money(one.Minor.Value, Currency)}" : "")}{(amount > share ? ", the least" : "")}")))
                return (null, "costs more than can be said");
        }

        Int128 total = 0;
        foreach (var line in lines)
            total += line.Amount.Minor;
        if (total > long.MaxValue)
            return (null, "costs more than can be said");
        var (earliest, latest) = (Arrival(service, rate.DaysMin, local), Arrival(service, rate.DaysMax, local));
        var day = DateOnly.FromDateTime(local.DateTime);
        return (
            new Quote(Carrier, service.Service, new Money((long)total, Currency), Later(StartOf(earliest), request.At), StartOf(latest.AddDays(1)))
            {
                Title = service.Title,
                TransitDaysMin = earliest.DayNumber - day.DayNumber,
                TransitDaysMax = latest.DayNumber - day.DayNumber,
                SameDay = latest == day,
                Zone = zone.Id,
                BillableGrams = billable,
                VolumetricGrams = volumetric,
                Lines = lines,
                CardId = Id,
                CardVersion = Version,
            },
            null);

        bool Add(string kind, string title, Int128 minor, string explanation)
        {
            if (minor > long.MaxValue)
                return false;
            lines.Add(new QuoteLine(kind, title, new Money((long)minor, Currency), explanation));
            return true;
        }
    }

    private static bool Concerns(PricedSurcharge one, PricedService service, RateRequest request) =>
        (one.Services.Count == 0 || one.Services.Contains(service.Service))
        && (one.Areas.Length == 0 || one.Areas.Any(part => part.Fits(request.To) >= 0))
        && one.Kind switch
        {
            Kind.CashOnDelivery => request.Collect is not null,
            Kind.Signature => request.Signature,
            Kind.Residential => request.Residential,
            Kind.Oversize => (one.OverLengthMm > 0 && request.Parcel.LongestMm > one.OverLengthMm)
                || (one.OverGirthMm > 0 && request.Parcel.LengthAndGirthMm > one.OverGirthMm)
                || (one.OverGrams > 0 && request.Parcel.WeightGrams > one.OverGrams),
            _ => true,
        };

    // The day it leaves: today before the cut-off, otherwise the next; and so many days on.
    private static DateOnly Arrival(PricedService service, int days, DateTimeOffset local)
    {
        var day = DateOnly.FromDateTime(local.DateTime);
        if (service.CutOff is { } cutOff && TimeOnly.FromDateTime(local.DateTime) > cutOff)
            day = day.AddDays(1);
        if (!service.BusinessDays)
            return day.AddDays(days);
        while (IsWeekend(day))
            day = day.AddDays(1);
        for (; days > 0; days--)
        {
            do
                day = day.AddDays(1);
            while (IsWeekend(day));
        }

        return day;

        static bool IsWeekend(DateOnly day) => day.DayOfWeek is DayOfWeek.Saturday or DayOfWeek.Sunday;
    }

    private static DateTimeOffset Later(DateTimeOffset a, DateTimeOffset b) => a > b ? a : b;

    private DateTimeOffset StartOf(DateOnly day)
    {
        var midnight = day.ToDateTime(TimeOnly.MinValue);
        return new DateTimeOffset(midnight, TimeZone.GetUtcOffset(midnight)).ToUniversalTime();
    }

    internal static string NameOf(Kind kind) => kind switch
    {
        Kind.Fuel => "fuel",
        Kind.RemoteArea => "remote_area",
        Kind.CashOnDelivery => "cash_on_delivery",
        Kind.Signature => "signature",
        Kind.Oversize => "oversize",
        Kind.Residential => "residential",
        _ => "other",
    };
}

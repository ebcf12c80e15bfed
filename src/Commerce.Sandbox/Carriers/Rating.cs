using Commerce.Sandbox.Http;

namespace Commerce.Sandbox.Carriers;

/// <summary>What a carrier asks for a parcel and how long it takes.</summary>
internal static class Rating
{
    /// <summary>Minor units for one US cent; a currency that is not here counts as one to one.</summary>
    private static readonly Dictionary<string, double> PerCent = new(StringComparer.Ordinal)
    {
        ["USD"] = 1,
        ["EUR"] = 0.92,
        ["GBP"] = 0.79,
        ["CHF"] = 0.88,
        ["BRL"] = 3.2,
        ["CAD"] = 1.36,
        ["AUD"] = 1.5,
        ["MXN"] = 17,
        ["INR"] = 60,
        ["JPY"] = 1.5,
        ["KRW"] = 13,
        ["CLP"] = 9.5,
        ["SEK"] = 10.4,
        ["PLN"] = 4,
        ["CNY"] = 7.1,
        ["ARS"] = 900,
        ["COP"] = 4000,
    };

    public static List<RateView> Quote(Carrier carrier, Place from, Place to, Parcel parcel, string currency)
    {
        var zone = Geography.ZoneOf(from, to);
        return
        [
            .. from service in carrier.Services
               let days = service.Days[(int)zone]
               where days is not null && parcel.BillableGrams <= (service.MaxGrams ?? carrier.MaxGrams)
               select new RateView(service.Code, service.Name, Price(service, zone, parcel, currency), days.Value.Min, days.Value.Max),
        ];
    }

    private static Amount Price(ServiceLevel service, Zone zone, Parcel parcel, string currency)
    {
        var halfKilograms = (parcel.BillableGrams + 499) / 500;
        var cents = (service.Base + (service.PerKilogram * halfKilograms / 2.0)) * (1 + (service.ZoneStep * (int)zone));
        return new Amount(currency, (long)Math.Ceiling(cents * PerCent.GetValueOrDefault(currency, 1)));
    }
}

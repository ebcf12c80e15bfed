using Commerce.ServiceDefaults;
using Commerce.Shipments.Carriers;
using Commerce.Shipments.ReferenceData;
using Commerce.Shipments.V1;
using Commerce.Shipping.Postal;
using Commerce.Shipping.Rates;
using Commerce.Types.V1;
using Google.Type;
using Basis = Commerce.Shipments.V1.CarrierServiceability.Types.Basis;
using Match = Commerce.Shipments.V1.Serviceability.Types.Match;

namespace Commerce.Shipments.Serviceability;

/// <summary>Says what is at a postal code and who goes there, from memory.</summary>
internal sealed class CheckServiceability(ReferenceBook book, CarrierDirectory carriers, TimeProvider time)
{
    /// <exception cref="Failure">INVALID_FIELD, CARRIER_NOT_FOUND, POSTAL_CODE_NOT_FOUND.</exception>
    public async Task<V1.Serviceability> Check(GetServiceabilityRequest request, CancellationToken cancellationToken)
    {
        var country = request.RegionCode.ToUpperInvariant();
        if (!PostalFormats.IsCountry(country))
            throw Failure.Invalid(new FieldError("region_code", country == "UK" ? "Great Britain is GB." : "Give an ISO 3166 country, for example IN."));
        var asked = request.Carrier.Length > 0 ? [carriers.Get(request.Carrier)] : carriers.All.OrderBy(carrier => carrier.Code, StringComparer.Ordinal).ToArray();
        var reference = await book.Get(cancellationToken);
        if (reference.Postal.Find(country, request.PostalCode) is not { } answer)
        {
            var pattern = PostalFormats.PatternOf(country);
            var wrong = $"Is not a postal code of {country}{(pattern.Length > 0 ? $", which look like {pattern} (# a digit, @ a letter)" : "")}.";
            throw new Failure(ErrorReason.InvalidField, $"postal_code: {wrong}", new FieldError("postal_code", wrong)) { Metadata = Meant(reference.Postal.Meant(country, request.PostalCode)) };
        }

        if (answer.Match == PostalMatch.Unknown && !reference.Lists.Values.Any(list => list.List.Names(answer.Code)))
            throw new Failure(ErrorReason.PostalCodeNotFound, $"There is no postal code {answer.Code.Text} in {country}, as far as is known.") { Metadata = Meant(answer.Near) };
        return Message(answer, asked.Select(carrier => Of(carrier.Code, answer, reference)));
    }

    private static Dictionary<string, string> Meant(string? near) => near is null ? [] : new Dictionary<string, string> { ["meant"] = near };

    private CarrierServiceability Of(string carrier, PostalAnswer answer, ReferenceSnapshot reference)
    {
        if (reference.Lists.TryGetValue(carrier, out var list))
        {
            var services = list.List.Find(answer.Code);
            return new CarrierServiceability
            {
                Carrier = carrier,
                Basis = Basis.List,
                Delivery = services.HasFlag(CarrierServices.Delivery),
                Pickup = services.HasFlag(CarrierServices.Pickup),
                CashOnDelivery = services.HasFlag(CarrierServices.CashOnDelivery),
                SameDay = services.HasFlag(CarrierServices.SameDay),
                ListVersion = list.Version,
            };
        }

        var place = new RatePlace(answer.Code.Country, answer.Entry?.RegionCode ?? "", answer.Code, answer.Entry?.Position);
        var reached = reference.Cards.Of(carrier).Any(card => card.CountsAt(time.GetUtcNow()) && card.Reaches(place));
        return new CarrierServiceability { Carrier = carrier, Basis = reached ? Basis.RateCard : Basis.Unknown, Delivery = reached };
    }

    private static V1.Serviceability Message(PostalAnswer answer, IEnumerable<CarrierServiceability> served)
    {
        var message = new V1.Serviceability
        {
            RegionCode = answer.Code.Country,
            PostalCode = answer.Code.Text,
            Match = answer.Match switch
            {
                PostalMatch.Exact => Match.Exact,
                PostalMatch.Part => Match.Part,
                PostalMatch.Area => Match.Area,
                PostalMatch.NoData => Match.NoData,
                _ => Match.CarrierOnly,
            },
            Carriers = { served },
        };
        if (answer.Entry is not { } entry)
            return message;
        message.Places.Add(entry.Places);
        (message.PlaceCount, message.AdministrativeArea, message.District) = (entry.PlaceCount, entry.Region, entry.District);
        if (entry.Position is { } position)
            message.Position = new LatLng { Latitude = position.Latitude, Longitude = position.Longitude };
        if (entry.PostDelivers is { } delivers)
            message.PostDelivers = delivers;
        return message;
    }
}

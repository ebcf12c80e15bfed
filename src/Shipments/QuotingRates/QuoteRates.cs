using Commerce.ServiceDefaults;
using Commerce.Shipments.Carriers;
using Commerce.Shipments.RateCards;
using Commerce.Shipments.V1;
using Commerce.Shipping.Postal;
using Commerce.Shipping.Rates;
using Commerce.Types.V1;
using Google.Protobuf.WellKnownTypes;

namespace Commerce.Shipments.QuotingRates;

/// <summary>What carriers would want for a parcel that need not exist.</summary>
internal sealed class QuoteRates(RateShopper shopper, CarrierDirectory carriers, TimeProvider time)
{
    private const int HeaviestGrams = 1_000_000;
    private const int LongestMm = 10_000;
    private const int LongestText = 100;
    private static readonly TimeSpan Farthest = TimeSpan.FromDays(366);

    /// <exception cref="Failure">INVALID_FIELD, CARRIER_NOT_FOUND.</exception>
    public async Task<QuoteRatesResponse> Quote(QuoteRatesRequest request, CancellationToken cancellationToken)
    {
        var question = Read(request);
        foreach (var carrier in request.Carriers)
            carriers.Get(carrier);
        var offers = await shopper.Ask(question, [], cancellationToken, request.Carriers.Count > 0 ? request.Carriers.ToHashSet(StringComparer.Ordinal) : null);
        return new QuoteRatesResponse
        {
            Quotes = { offers.Quotes.Select(Message) },
            UnansweredCarriers = { offers.Unanswered.Order(StringComparer.Ordinal) },
            Exclusions = { offers.Exclusions.OrderBy(one => one.Carrier, StringComparer.Ordinal).Select(one => new RateExclusion { Carrier = one.Carrier, Reason = one.Reason }) },
        };
    }

    private ParcelQuestion Read(QuoteRatesRequest request)
    {
        var (errors, now) = (new List<FieldError>(), time.GetUtcNow());
        var (from, to) = (PlaceOf("ship_from", request.ShipFrom, errors), PlaceOf("ship_to", request.ShipTo, errors));
        var size = request.Dimensions ?? new Dimensions();
        if (size.WeightGrams is < 1 or > HeaviestGrams)
            errors.Add(new FieldError("dimensions.weight_grams", $"Give the weight in grams, 1 to {HeaviestGrams}."));
        foreach (var (name, side) in new[] { ("length_mm", size.LengthMm), ("width_mm", size.WidthMm), ("height_mm", size.HeightMm) })
        {
            if (side is < 0 or > LongestMm)
                errors.Add(new FieldError($"dimensions.{name}", $"Give millimetres up to {LongestMm}, or 0 if it is not known."));
        }

        var value = request.Value is null ? (Money?)null : Amount("value", request.Value, errors);
        var collect = request.CashOnDelivery is null ? (Money?)null : Amount("cash_on_delivery", request.CashOnDelivery, errors);
        var promisedAt = Time("promised_delivery_time", request.PromisedDeliveryTime, now, errors);
        var readyAt = Time("ready_time", request.ReadyTime, now, errors) ?? now;
        if (errors.Count > 0)
            throw Failure.Invalid(errors);
        return new ParcelQuestion(
            request.StoreId, from, to, new ParcelSize(size.WeightGrams, size.LengthMm, size.WidthMm, size.HeightMm), value ?? collect, collect,
            request.Signature, request.Residential, PickedUp: true, promisedAt, readyAt);
    }

    private static PlaceRecord PlaceOf(string field, Place? place, List<FieldError> errors)
    {
        place ??= new Place();
        var country = place.RegionCode.ToUpperInvariant();
        if (!PostalFormats.IsCountry(country))
            errors.Add(new FieldError($"{field}.region_code", "Give an ISO 3166 country, for example IN."));
        else if (place.PostalCode.Length > 0 && PostalFormats.Normalise(country, place.PostalCode) is null)
            errors.Add(new FieldError($"{field}.postal_code", $"Is not a postal code of {country}{(PostalFormats.PatternOf(country) is { Length: > 0 } pattern ? $", which look like {pattern} (# a digit, @ a letter)" : "")}."));
        if (place.Locality.Length > LongestText || place.AdministrativeArea.Length > LongestText)
            errors.Add(new FieldError(field, $"Has a text of more than {LongestText} characters."));
        return new PlaceRecord(place.LocationId, place.Locality, place.AdministrativeArea, place.PostalCode, country);
    }

    private static Money Amount(string field, Google.Type.Money given, List<FieldError> errors)
    {
        if (!given.TryToMoney(out var amount, out var error))
            errors.Add(new FieldError(field, error));
        else if (amount.Minor < 0)
            errors.Add(new FieldError(field, "Is negative."));
        return amount;
    }

    private static DateTimeOffset? Time(string field, Timestamp? given, DateTimeOffset now, List<FieldError> errors)
    {
        if (given is null)
            return null;
        // Out of the years 1 to 9999 a Timestamp is none.
        if (given.Seconds < (now - Farthest).ToUnixTimeSeconds() || given.Seconds > (now + Farthest).ToUnixTimeSeconds() || given.Nanos is < 0 or > 999_999_999)
        {
            errors.Add(new FieldError(field, "Give a time within a year of now."));
            return null;
        }

        return given.ToDateTimeOffset();
    }

    private static RateQuote Message(RankedQuote ranked)
    {
        var quote = ranked.Quote;
        return new RateQuote
        {
            Carrier = quote.Carrier,
            Service = quote.Service,
            Title = quote.Title,
            Price = quote.Price.ToProto(),
            TransitDaysMin = quote.TransitDaysMin,
            TransitDaysMax = quote.TransitDaysMax,
            EarliestDeliveryTime = Timestamp.FromDateTimeOffset(quote.EarliestAt),
            LatestDeliveryTime = Timestamp.FromDateTimeOffset(quote.LatestAt),
            SameDay = quote.SameDay,
            InTime = ranked.InTime,
            Source = quote.CardId.Length > 0 ? RateQuote.Types.Source.RateCard : RateQuote.Types.Source.Carrier,
            RateCard = quote.CardId.Length > 0 ? RateCardName.Of(quote.Carrier, quote.CardId) : "",
            RateCardVersion = quote.CardVersion,
            Zone = quote.Zone,
            BillableGrams = quote.BillableGrams,
            VolumetricGrams = quote.VolumetricGrams,
            Lines = { quote.Lines.Select(line => new RateLine { Kind = line.Kind, Title = line.Title, Amount = line.Amount.ToProto(), Explanation = line.Explanation }) },
            Reliability = new RateReliability { InTimeShare = ranked.Reliability.Share, Delivered = ranked.Reliability.Delivered, Basis = ranked.Reliability.Basis },
            PriceInTime = ranked.PriceInTime.ToProto(),
            Reason = ranked.Reason,
        };
    }
}

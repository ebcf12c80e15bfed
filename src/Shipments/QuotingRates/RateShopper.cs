using Commerce.Shipments.Carriers;
using Commerce.Shipments.MeasuringCarriers;
using Commerce.Shipments.ReferenceData;
using Commerce.Shipping.Postal;
using Commerce.Shipping.Rates;

namespace Commerce.Shipments.QuotingRates;

/// <summary>What all carriers offer for a parcel.</summary>
/// <param name="Quotes">Best first.</param>
/// <param name="Unanswered">The carriers that did not answer, or not in time, or with something that is no answer.</param>
/// <param name="Exclusions">Offers that were not made, and why.</param>
internal sealed record Offers(IReadOnlyList<RankedQuote> Quotes, IReadOnlyList<string> Unanswered, IReadOnlyList<(string Carrier, string Reason)> Exclusions);

/// <summary>
/// The one way to offers: of the carriers whose lists serve both ends, what their rate cards ask and what they answer themselves. A rate
/// card goes before the carrier's own answer for the same service.
/// </summary>
internal sealed class RateShopper(CarrierDirectory carriers, CarrierRates carrierRates, ReferenceBook book, ShippingRulesStore shippingRules, CarrierRecord record)
{
    /// <param name="question">The parcel.</param>
    /// <param name="refused"><see cref="Quote.Name"/> of every refusal of it so far.</param>
    /// <param name="cancellationToken">Cancels.</param>
    /// <param name="only">Only these carriers; null: all.</param>
    public async Task<Offers> Ask(ParcelQuestion question, IReadOnlyList<string> refused, CancellationToken cancellationToken, IReadOnlyCollection<string>? only = null)
    {
        var reference = await book.Get(cancellationToken);
        var rules = question.StoreId.Length == 0 ? ShippingRules.Default : await shippingRules.Of(question.StoreId, cancellationToken);
        var request = new RateRequest(
            reference.PlaceOf(question.From), reference.PlaceOf(question.To),
            new ParcelMeasures(question.Size.WeightGrams, question.Size.LengthMm, question.Size.WidthMm, question.Size.HeightMm),
            question.Collect, question.Signature, question.Residential, question.ReadyAt);

        var (serving, exclusions) = (new List<ICarrier>(), new List<(string Carrier, string Reason)>());
        foreach (var carrier in carriers.All.Where(carrier => only is null || only.Contains(carrier.Code)))
        {
            if (WhyNot(carrier.Code, reference, rules, question, request) is { } reason)
                exclusions.Add((carrier.Code, reason));
            else
                serving.Add(carrier);
        }

        var priced = serving.ToDictionary(carrier => carrier.Code, carrier => reference.Cards.Price(carrier.Code, request), StringComparer.Ordinal);
        // Carriers answer in the currency of the goods; where nobody says which, in that of the cards, so that all can be compared.
        var value = question.Value ?? new Money(0, priced.Values.SelectMany(one => one.Quotes).Select(quote => quote.Price.Currency).Order(StringComparer.Ordinal).FirstOrDefault("USD"));
        // No carrier can be asked yet what it wants for collecting money; its rate card may say.
        var asked = question.Collect is null ? serving : [];
        var answers = await carrierRates.Ask(asked, new RateQuestion(question.From, question.To, question.Size, value), cancellationToken);
        exclusions.AddRange(priced.SelectMany(one => one.Value.Why, (one, why) => (one.Key, why)));
        var quotes = serving.SelectMany(carrier => Of(carrier.Code, priced[carrier.Code].Quotes, answers.GetValueOrDefault(carrier.Code), reference, question, request, exclusions)).ToList();
        exclusions.AddRange(quotes.Where(quote => rules.Forbids(quote.Carrier, quote.Service)).Select(quote => (quote.Carrier, $"{quote.Service}: the store never uses it")));
        var ranked = QuoteRanking.Rank(quotes, question.PromisedAt, rules, refused, await record.On(LaneEnd(question.From), LaneEnd(question.To), cancellationToken));
        return new Offers(ranked, [.. answers.Where(answer => answer.Value is null).Select(answer => answer.Key)], exclusions);
    }

    private static string LaneEnd(PlaceRecord place) => ParcelOutcome.LaneEnd(place.Country, place.Region);

    // What a list never speaks of it does not deny.
    private static string? WhyNot(string carrier, ReferenceSnapshot reference, ShippingRules rules, ParcelQuestion question, RateRequest request)
    {
        if (rules.Never.Contains(carrier))
            return "the store never uses it";
        if (!reference.Lists.TryGetValue(carrier, out var versioned))
            return null;
        var (list, to) = (versioned.List, At(versioned.List, request.To));
        if (!to.HasFlag(CarrierServices.Delivery))
            return $"its list does not deliver to {Shown(question.To, request.To)}";
        if (question.Collect is not null && list.Distinguishes.HasFlag(CarrierServices.CashOnDelivery) && !to.HasFlag(CarrierServices.CashOnDelivery))
            return $"its list does not collect money at {Shown(question.To, request.To)}";
        if (question.PickedUp && list.Distinguishes.HasFlag(CarrierServices.Pickup) && !At(list, request.From).HasFlag(CarrierServices.Pickup))
            return $"its list does not pick up at {Shown(question.From, request.From)}";
        return null;

        static string Shown(PlaceRecord place, RatePlace read) => $"{place.Country} {read.Code?.Text ?? "without a postal code of the country"}";
    }

    private static List<Quote> Of(
        string carrier, IReadOnlyList<Quote> priced, IReadOnlyList<Rate>? answer, ReferenceSnapshot reference, ParcelQuestion question, RateRequest request, List<(string Carrier, string Reason)> exclusions)
    {
        var quotes = priced.ToList();
        quotes.AddRange((answer ?? []).Where(rate => !priced.Any(quote => quote.Service == rate.Service)).Select(rate => QuoteOf(rate, question)));
        if (reference.Lists.TryGetValue(carrier, out var versioned) && versioned.List.Distinguishes.HasFlag(CarrierServices.SameDay)
            && !At(versioned.List, request.To).HasFlag(CarrierServices.SameDay) && quotes.RemoveAll(quote => quote.SameDay) > 0)
            exclusions.Add((carrier, "its list does not deliver there on the day"));
        return quotes;
    }

    private static CarrierServices At(CarrierList list, RatePlace place) => place.Code is null ? CarrierServices.None : list.Find(place.Code);

    private static Quote QuoteOf(Rate rate, ParcelQuestion question)
    {
        var least = Math.Clamp(rate.TransitDaysMin, 0, rate.TransitDaysMax);
        return new Quote(rate.Carrier, rate.Service, rate.Price, question.ReadyAt.AddDays(least), question.ReadyAt.AddDays(rate.TransitDaysMax))
        {
            TransitDaysMin = least,
            TransitDaysMax = rate.TransitDaysMax,
            SameDay = rate.TransitDaysMax == 0,
            Lines = [new QuoteLine("freight", "Freight", rate.Price, "as the carrier answers")],
        };
    }
}

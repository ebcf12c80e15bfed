using System.Net;
using System.Text;
using Commerce.Shipments.V1;
using Commerce.Types.V1;
using Google.Protobuf;
using Grpc.Core;
using Goal = Commerce.Shipments.V1.ShippingRules.Types.Goal;

namespace Commerce.Shipments.Tests;

/// <summary>Rate cards, what carriers want, and who is chosen, over the service's own surface.</summary>
public sealed class RatesTests(ShipmentsApp fixture) : IClassFixture<ShipmentsApp>, IAsyncDisposable
{
    private const string Rules = "shippingRules/main";

    private readonly ShipmentsApp _app = fixture.Required;

    // Rules and rate cards are shared by the tests of this class, which run one after the other.
    public async ValueTask DisposeAsync()
    {
        await Want(Goal.CheapestInTime, [], []);
        foreach (var carrier in (string[])["ups", "dhl"])
            await Upload(carrier, "test", Card("1.00", "2001-01-01", "2001-12-31"));
        (_app.Ups.Down, _app.Dhl.Down) = (false, false);
    }

    [Fact]
    public async Task Offers_of_cards_and_carriers_stand_side_by_side_the_best_first_with_what_they_are_made_of()
    {
        await Upload("dhl", "test", Card("7.50", surcharge: "10"));

        var answer = await Quote();

        Assert.Equal(["dhl/card", "ups/ground", "dhl/ground"], answer.Quotes.Select(Name));
        var card = answer.Quotes[0];
        Assert.Equal((RateQuote.Types.Source.RateCard, "carriers/dhl/rateCards/test", "br", 1000), (card.Source, card.RateCard, card.Zone, card.BillableGrams));
        Assert.Equal([("freight", 7.5m), ("fuel", 0.75m)], card.Lines.Select(line => (line.Kind, Amount(line.Amount))));
        Assert.Equal(8.25m, Amount(card.Price));
        Assert.True(Amount(card.PriceInTime) > 8.25m);
        Assert.Equal("the least for each parcel in time", card.Reason);
        Assert.Equal((RateQuote.Types.Source.Carrier, 10m), (answer.Quotes[1].Source, Amount(answer.Quotes[1].Price)));
    }

    [Fact]
    public async Task A_card_goes_before_the_carriers_own_answer_and_a_carrier_that_is_down_still_has_its_card()
    {
        await Upload("ups", "test", Card("9.00", service: "ground"));
        Assert.Equal(9m, Amount(Assert.Single((await Quote()).Quotes, quote => Name(quote) == "ups/ground").Price));

        _app.Ups.Down = true;
        var answer = await Quote();
        Assert.Equal(["ups/ground", "dhl/ground"], answer.Quotes.Select(Name));
        Assert.Equal(["ups"], answer.UnansweredCarriers);
    }

    [Fact]
    public async Task A_carrier_whose_list_does_not_serve_an_end_makes_no_offer_and_says_so()
    {
        await UploadList("dhl", "country_code,postal_code,delivery,pickup\nBR,01*,yes,yes\nBR,2*,yes,no\n");
        try
        {
            Assert.Contains((await Quote("20040-002")).Quotes, quote => quote.Carrier == "dhl");
            var north = await Quote("69000-000");
            Assert.DoesNotContain(north.Quotes, quote => quote.Carrier == "dhl");
            Assert.Equal("its list does not deliver to BR 69000-000", Assert.Single(north.Exclusions, one => one.Carrier == "dhl").Reason);
            var back = await _app.Shipments.QuoteRatesAsync(Request("01310-100", from: "20040-002"));
            Assert.Equal("its list does not pick up at BR 20040-002", Assert.Single(back.Exclusions, one => one.Carrier == "dhl").Reason);
        }
        finally
        {
            await UploadList("dhl", "country_code,postal_code\nBR,*\n");
        }
    }

    [Fact]
    public async Task Money_is_collected_by_those_whose_cards_have_it_and_by_no_other()
    {
        var card = Card("20.00");
        card.Surcharges.Add(new RateSurcharge { Kind = RateSurcharge.Types.Kind.CashOnDelivery, Percent = "2", Minimum = "3" });
        await Upload("dhl", "test", card);
        var request = Request("20040-002");
        request.CashOnDelivery = new Google.Type.Money { CurrencyCode = "BRL", Units = 500 };

        var answer = await _app.Shipments.QuoteRatesAsync(request);

        Assert.Equal(30m, Amount(Assert.Single(answer.Quotes).Price));
    }

    [Fact]
    public async Task A_stores_rules_decide_about_quotes_and_about_the_label_that_is_bought()
    {
        await Want(Goal.CheapestInTime, ["dhl"], []);
        Assert.Equal("dhl/ground", Name((await Quote(store: "main")).Quotes[0]));
        Assert.Equal("ups/ground", Name((await Quote()).Quotes[0]));
        Assert.Equal("dhl", Assert.Single(await _app.Ship(_app.Orders.Add("a"))).Carrier);

        await Want(Goal.CheapestInTime, [], ["ups"]);
        Assert.Equal(["dhl/ground"], (await Quote(store: "main")).Quotes.Select(Name));
        Assert.Contains((await Quote(store: "main")).Exclusions, one => one is { Carrier: "ups", Reason: "the store never uses it" });
        Assert.Equal("dhl", Assert.Single(await _app.Ship(_app.Orders.Add("a"))).Carrier);
    }

    [Fact]
    public async Task A_label_is_bought_by_the_card_that_is_cheapest()
    {
        await Upload("dhl", "test", Card("0.10", service: "card"));

        var parcel = Assert.Single(await _app.Ship(_app.Orders.Add("a")));

        Assert.Equal(("dhl", "card"), (parcel.Carrier, parcel.Service));
    }

    [Fact]
    public async Task A_card_whose_zones_overlap_is_refused_with_the_names_of_both_and_the_one_before_goes_on_to_count()
    {
        await Upload("dhl", "test", Card("7.50"));
        var card = Card("1.00");
        card.Zones.Add(new RateZone { ZoneId = "south", Areas = { new RateArea { RegionCode = "BR", PostalCodes = { "8*" } } } });

        var refused = await Assert.ThrowsAsync<RpcException>(() => Upload("dhl", "test", card));

        Assert.Equal(StatusCode.InvalidArgument, refused.StatusCode);
        var violations = refused.GetRpcStatus()!.GetDetail<Google.Rpc.BadRequest>()!.FieldViolations;
        Assert.Contains(violations, one => one.Field == "rate_card.zones[1].areas" && one.Description.StartsWith("Zones br and south overlap", StringComparison.Ordinal));
        Assert.Contains(violations, one => one.Field == "rate_card.zones[1]");
        Assert.Equal(7.5m, Amount((await Quote()).Quotes[0].Price));
    }

    [Fact]
    public async Task Every_version_of_a_card_stays_and_the_same_request_makes_one()
    {
        var request = new UploadRateCardRequest { RateCard = Card("3.00"), RequestId = Guid.NewGuid().ToString() };
        request.RateCard.Name = "carriers/ups/rateCards/versions";
        var first = await _app.Carriers.UploadRateCardAsync(request);
        Assert.Equal(first, await _app.Carriers.UploadRateCardAsync(request));
        var many = await Task.WhenAll(Enumerable.Range(0, 5).Select(_ => Upload("ups", "versions", Card("4.00"))));

        Assert.Equal([1, 2, 3, 4, 5], many.Select(one => one.Version - first.Version).Order());
        Assert.Equal("3.00", (await Get(1)).Services[0].ZoneRates[0].Breaks[0].Price);
        Assert.Equal("4.00", (await Get(0)).Services[0].ZoneRates[0].Breaks[0].Price);
        var listed = Assert.Single((await _app.Carriers.ListRateCardsAsync(new ListRateCardsRequest { Parent = "carriers/ups" })).RateCards, one => one.Name == first.Name);
        Assert.Equal((6, 0), (listed.Version, listed.Zones.Count));
        Assert.Equal(StatusCode.NotFound, (await Assert.ThrowsAsync<RpcException>(() => Get(7))).StatusCode);
        var check = request.Clone();
        (check.ValidateOnly, check.RequestId) = (true, "");
        Assert.Equal(0, (await _app.Carriers.UploadRateCardAsync(check)).Version);
        await Upload("ups", "versions", Card("4.00", "2001-01-01", "2001-12-31"));

        async Task<RateCard> Get(long version) => await _app.Carriers.GetRateCardAsync(new GetRateCardRequest { Name = first.Name, Version = version });
    }

    [Fact]
    public async Task What_is_wrong_with_a_question_is_told_by_field()
    {
        var request = new QuoteRatesRequest { ShipFrom = new Place { RegionCode = "BR", PostalCode = "SW1A 1AA" }, ShipTo = new Place { RegionCode = "UK" }, Dimensions = new Dimensions { LengthMm = -1 } };
        var refused = await Assert.ThrowsAsync<RpcException>(async () => await _app.Shipments.QuoteRatesAsync(request));

        Assert.Equal(
            ["ship_from.postal_code", "ship_to.region_code", "dimensions.weight_grams", "dimensions.length_mm"],
            refused.GetRpcStatus()!.GetDetail<Google.Rpc.BadRequest>()!.FieldViolations.Select(one => one.Field));
    }

    [Fact]
    public async Task Rules_name_carriers_that_there_are_and_two_who_change_them_do_not_overwrite_each_other()
    {
        var rules = await _app.Carriers.GetShippingRulesAsync(new GetShippingRulesRequest { Name = "shippingRules/etag" });
        rules.Preferred.Add("dhl/express");
        var changed = await Update(rules);
        Assert.NotEqual(rules.Etag, changed.Etag);

        Assert.Equal(StatusCode.Aborted, (await Assert.ThrowsAsync<RpcException>(() => Update(rules))).StatusCode);
        changed.Never.Add("teleport");
        Assert.Equal(StatusCode.InvalidArgument, (await Assert.ThrowsAsync<RpcException>(() => Update(changed))).StatusCode);
        changed.Never[0] = "dhl/express";
        Assert.Equal(StatusCode.InvalidArgument, (await Assert.ThrowsAsync<RpcException>(() => Update(changed))).StatusCode);
    }

    [Fact]
    public async Task Rest_answers_the_same()
    {
        using var card = new StringContent(JsonFormatter.Default.Format(Card("7.50")), Encoding.UTF8, "application/json");
        var stored = await _app.Http.PutAsync($"/v1/carriers/dhl/rateCards/test?requestId={Guid.NewGuid()}", card);
        Assert.Equal(HttpStatusCode.OK, stored.StatusCode);
        Assert.Equal(HttpStatusCode.OK, (await _app.Http.GetAsync("/v1/carriers/dhl/rateCards/test")).StatusCode);
        Assert.Equal(HttpStatusCode.OK, (await _app.Http.GetAsync("/v1/carriers/-/rateCards")).StatusCode);
        Assert.Equal(HttpStatusCode.OK, (await _app.Http.GetAsync("/v1/carriers")).StatusCode);
        Assert.Equal(HttpStatusCode.OK, (await _app.Http.GetAsync("/v1/" + Rules)).StatusCode);
        using var question = new StringContent(JsonFormatter.Default.Format(Request("20040-002")), Encoding.UTF8, "application/json");
        var quoted = await _app.Http.PostAsync("/v1/rates:quote", question);
        Assert.Equal(HttpStatusCode.OK, quoted.StatusCode);
        Assert.Contains("\"card\"", await quoted.Content.ReadAsStringAsync(), StringComparison.Ordinal);
    }

    private static string Name(RateQuote quote) => $"{quote.Carrier}/{quote.Service}";

    private static decimal Amount(Google.Type.Money money) => money.Units + (money.Nanos / 1_000_000_000m);

    private static RateCard Card(string price, string from = "2020-01-01", string until = "", string service = "card", string surcharge = "")
    {
        var card = new RateCard
        {
            CurrencyCode = "BRL",
            ValidFrom = from,
            ValidUntil = until,
            Zones = { new RateZone { ZoneId = "br", Areas = { new RateArea { RegionCode = "BR" } } } },
            Services = { new RatedService { Service = service, ZoneRates = { new ZoneRate { ZoneId = "br", TransitDaysMin = 1, TransitDaysMax = 3, Breaks = { new WeightBreak { UpToGrams = 30_000, Price = price } } } } } },
        };
        if (surcharge.Length > 0)
            card.Surcharges.Add(new RateSurcharge { Kind = RateSurcharge.Types.Kind.Fuel, Percent = surcharge });
        return card;
    }

    private static QuoteRatesRequest Request(string to, string from = "01310-100", string store = "") => new()
    {
        StoreId = store,
        ShipFrom = new Place { RegionCode = "BR", PostalCode = from },
        ShipTo = new Place { RegionCode = "BR", PostalCode = to },
        Dimensions = new Dimensions { WeightGrams = 1000 },
    };

    private async Task<QuoteRatesResponse> Quote(string to = "20040-002", string store = "") => await _app.Shipments.QuoteRatesAsync(Request(to, store: store));

    private async Task<RateCard> Upload(string carrier, string id, RateCard card)
    {
        card.Name = $"carriers/{carrier}/rateCards/{id}";
        return await _app.Carriers.UploadRateCardAsync(new UploadRateCardRequest { RateCard = card, RequestId = Guid.NewGuid().ToString() });
    }

    private async Task UploadList(string carrier, string csv)
    {
        using var call = _app.Carriers.UploadServiceability();
        await call.RequestStream.WriteAsync(new UploadServiceabilityRequest { Carrier = carrier, Csv = ByteString.CopyFromUtf8(csv) });
        await call.RequestStream.CompleteAsync();
        Assert.True((await call).Version > 0);
    }

    private Task<ShippingRules> Want(Goal goal, string[] preferred, string[] never) => Update(new ShippingRules { Name = Rules, Goal = goal, Preferred = { preferred }, Never = { never } });

    private async Task<ShippingRules> Update(ShippingRules rules) =>
        await _app.Carriers.UpdateShippingRulesAsync(new UpdateShippingRulesRequest { ShippingRules = rules, RequestId = Guid.NewGuid().ToString() });
}

using Commerce.Shipments.Carriers;
using Commerce.Tracking.Payloads;

namespace Commerce.Shipments.Tests.Contract;

/// <summary>What is peculiar to EasyPost.</summary>
public sealed class EasyPostTests(EasyPostWorld world) : IClassFixture<EasyPostWorld>
{
    [Fact]
    public async Task The_recorded_rates_are_read_as_they_are()
    {
        await world.Ready;
        var rates = await world.Carrier.Rates(SandboxBehind.QuestionOf(SandboxBehind.ToSaoPaulo("US")), CancellationToken.None);
        Assert.Equal(
            [("USPS.Priority", 939L, 2), ("USPS.Express", 4115L, 2)],
            rates.Select(rate => (rate.Service, rate.Price.Minor, rate.TransitDaysMax)));
    }

    [Fact]
    public async Task A_purchase_whose_answer_was_lost_is_not_made_twice()
    {
        await world.Ready;
        var before = world.EasyPost.Purchases;
        var parcel = SandboxBehind.ToSaoPaulo("US");
        ICarrierWorld handles = world;
        handles.LoseAnswers(true);
        await Assert.ThrowsAsync<HttpRequestException>(() => world.Carrier.BuyLabel(parcel, "USPS.Priority", parcel.PublicId, CancellationToken.None));
        handles.LoseAnswers(false);
        await world.Carrier.BuyLabel(parcel, "USPS.Priority", parcel.PublicId, CancellationToken.None);
        Assert.Equal(before + 1, world.EasyPost.Purchases);
    }

    [Fact]
    public async Task Weight_goes_in_ounces_size_in_inches_and_customs_with_it()
    {
        await world.Ready;
        var parcel = SandboxBehind.ToSaoPaulo("US");
        parcel.ShipTo = parcel.ShipTo with { Country = "CA", Wishes = WishesRecord.None with { Signature = true } };
        parcel.Customs = new CustomsRecord(V1.CustomsDeclaration.Types.Contents.Gift, [new CustomsLineRecord("Lamp", 2, 1999, "USD", 500, "940521", "PT")], "");
        await world.Carrier.BuyLabel(parcel, "USPS.Priority", parcel.PublicId, CancellationToken.None);
        var asked = world.EasyPost.Asked.Last(one => one["to_address"]!["country"]!.GetValue<string>() == "CA");
        Assert.Equal((17.64m, 7.87m), (asked["parcel"]!["weight"]!.GetValue<decimal>(), asked["parcel"]!["length"]!.GetValue<decimal>()));
        Assert.Equal("SIGNATURE", asked["options"]!["delivery_confirmation"]!.GetValue<string>());
        Assert.Equal("gift", asked["customs_info"]!["contents_type"]!.GetValue<string>());
        var item = asked["customs_info"]!["customs_items"]!.AsArray().Single()!;
        Assert.Equal(("19.99", "940521", "PT"), (item["value"]!.GetValue<string>(), item["hs_tariff_number"]!.GetValue<string>(), item["origin_country"]!.GetValue<string>()));
    }

    [Fact]
    public async Task A_wrong_key_is_a_fault_and_no_refusal()
    {
        await world.Ready;
        var carrier = new EasyPostCarrier(new EasyPostOptions { BaseAddress = world.EasyPost.Url, ApiKey = "wrong" }, new OneAddress(() => world.EasyPost.Url), new PayloadReader());
        var fault = await Assert.ThrowsAsync<CarrierFaultException>(() => carrier.BuyLabel(SandboxBehind.ToSaoPaulo("US"), "USPS.Priority", "k", CancellationToken.None));
        Assert.StartsWith("answered 401", fault.Message, StringComparison.Ordinal);
    }

    [Fact]
    public async Task A_label_bears_the_carrier_that_carries_it()
    {
        await world.Ready;
        var parcel = SandboxBehind.ToSaoPaulo("US");
        var label = await world.Carrier.BuyLabel(parcel, "USPS.Priority", parcel.PublicId, CancellationToken.None);
        Assert.Equal("usps", label.Carrier);
        Assert.All(await world.Carrier.Track(label.TrackingNumber, CancellationToken.None), scan => Assert.Equal(("usps", "easypost"), (scan.Carrier, scan.Aggregator)));
    }

    [Theory]
    [InlineData("submitted", false)]
    [InlineData("refunded", false)]
    [InlineData("rejected", true)]
    public async Task A_refund_asked_for_again_is_told_by_the_state_of_the_first(string status, bool handedOver)
    {
        await world.Ready;
        var parcel = SandboxBehind.ToSaoPaulo("US");
        var label = await world.Carrier.BuyLabel(parcel, "USPS.Priority", parcel.PublicId, CancellationToken.None);
        Assert.Equal(VoidOutcome.Voided, await world.Carrier.VoidLabel(label.Id, "k", CancellationToken.None));
        world.EasyPost.Refunded(label.Id, status);
        Assert.Equal(handedOver ? VoidOutcome.HandedOver : VoidOutcome.Voided, await world.Carrier.VoidLabel(label.Id, "k", CancellationToken.None));
    }
}

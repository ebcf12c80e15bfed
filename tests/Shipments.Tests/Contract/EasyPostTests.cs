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
    [InlineData("submitted", VoidOutcome.RefundPending, RefundDecision.Open)]
    [InlineData("refunded", VoidOutcome.Voided, RefundDecision.Refunded)]
    [InlineData("rejected", VoidOutcome.RefundPending, RefundDecision.Rejected)]
    internal async Task A_refund_is_told_by_its_state_and_a_rejected_one_can_be_asked_for_again(string status, VoidOutcome again, RefundDecision decision)
    {
        var label = await Bought();
        Assert.Equal(VoidOutcome.RefundPending, await world.Carrier.VoidLabel(label.Id, "k", CancellationToken.None));
        world.EasyPost.Refunded(label.Id, status);
        Assert.Equal(decision, await world.Carrier.FindRefund(label.Id, CancellationToken.None));
        Assert.Equal(again, await world.Carrier.VoidLabel(label.Id, "k", CancellationToken.None));
    }

    [Fact]
    public async Task A_rejected_refund_of_a_parcel_on_its_way_says_that_the_carrier_has_it()
    {
        var label = await Bought();
        world.EasyPost.HandOver(label.Id);
        world.EasyPost.Refunded(label.Id, "rejected");
        Assert.Equal(VoidOutcome.HandedOver, await world.Carrier.VoidLabel(label.Id, "k", CancellationToken.None));
    }

    [Theory]
    [InlineData("pre_transit", VoidOutcome.Voided)]
    [InlineData("in_transit", VoidOutcome.HandedOver)]
    internal async Task A_label_that_is_charged_when_it_is_scanned_has_no_refund_and_is_void_as_long_as_nobody_scanned_it(string tracked, VoidOutcome outcome)
    {
        var label = await Bought();
        world.EasyPost.RefundsAnswer(label.Id, "not_applicable", tracked);
        Assert.Equal(outcome, await world.Carrier.VoidLabel(label.Id, "k", CancellationToken.None));
        Assert.Equal(RefundDecision.Refunded, await world.Carrier.FindRefund(label.Id, CancellationToken.None));
    }

    private async Task<Label> Bought()
    {
        await world.Ready;
        var parcel = SandboxBehind.ToSaoPaulo("US");
        return await world.Carrier.BuyLabel(parcel, "USPS.Priority", parcel.PublicId, CancellationToken.None);
    }
}

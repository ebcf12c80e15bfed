using Commerce.Shipments.Carriers;
using Commerce.Testing;

namespace Commerce.Shipments.Tests.Contract;

public sealed class SandboxContractTests(SandboxWorld world) : CarrierContractTests, IClassFixture<SandboxWorld>
{
    private protected override ICarrierWorld World => world;
}

public sealed class HttpContractTests(HttpWorld world) : CarrierContractTests, IClassFixture<HttpWorld>
{
    private protected override ICarrierWorld World => world;
}

public sealed class EasyPostContractTests(EasyPostWorld world) : CarrierContractTests, IClassFixture<EasyPostWorld>
{
    private protected override ICarrierWorld World => world;
}

/// <summary>What every carrier must do, whoever it is: nothing else is relied on.</summary>
public abstract class CarrierContractTests
{
    // Whether its price comes back may be decided later.
    private static readonly VoidOutcome[] Void = [VoidOutcome.Voided, VoidOutcome.RefundPending];

    private static readonly CancellationToken Stop = CancellationToken.None;

    private protected abstract ICarrierWorld World { get; }

    private ICarrier Carrier => World.Carrier;

    [Fact]
    public async Task It_offers_rates_that_can_be_compared_and_bought()
    {
        await World.Ready;
        var rates = await Carrier.Rates(SandboxBehind.QuestionOf(World.Parcel()), Stop);
        Assert.NotEmpty(rates);
        Assert.All(rates, rate =>
        {
            Assert.Equal(Carrier.Code, rate.Carrier);
            Assert.True(rate.Price.Minor > 0 && Currencies.Exists(rate.Price.Currency) && rate.Service.Length > 0);
            Assert.InRange(rate.TransitDaysMin, 0, rate.TransitDaysMax);
        });
        var parcel = World.Parcel();
        var cheapest = rates.MinBy(rate => rate.Price.Minor)!;
        var label = await Carrier.BuyLabel(parcel, cheapest.Service, $"{parcel.PublicId}/1", Stop);
        Assert.Equal(cheapest.Price, label.Price);
        Assert.Equal(TrackingNumber.Normalise(label.TrackingNumber), label.TrackingNumber);
    }

    [Fact]
    public async Task One_key_is_one_label_and_another_key_another()
    {
        await World.Ready;
        var parcel = World.Parcel();
        var label = await Buy(parcel, "1");
        Assert.Equal(label, await Buy(parcel, "1"));
        Assert.NotEqual(label.Id, (await Buy(World.Parcel(), "2")).Id);
    }

    [Fact]
    public async Task An_answer_that_was_lost_is_had_by_asking_again()
    {
        await World.Ready;
        var parcel = World.Parcel();
        World.LoseAnswers(true);
        await Assert.ThrowsAnyAsync<Exception>(() => Buy(parcel, "1"));
        World.LoseAnswers(false);
        var label = await Buy(parcel, "1");
        Assert.Equal(label, await Buy(parcel, "1"));
    }

    [Fact]
    public async Task What_it_does_not_offer_is_refused_in_words()
    {
        await World.Ready;
        var parcel = World.Parcel();
        var refused = await Assert.ThrowsAsync<LabelRefusedException>(() => Carrier.BuyLabel(parcel, "Nobody.Teleport", $"{parcel.PublicId}/1", Stop));
        Assert.InRange(refused.Message.Length, 1, 400);
    }

    [Fact]
    public async Task A_label_is_voided_also_twice_and_one_that_never_was_is_void()
    {
        await World.Ready;
        var label = await Buy(World.Parcel(), "1");
        Assert.Contains(await Carrier.VoidLabel(label.Id, $"{label.Id}/void", Stop), Void);
        Assert.Contains(await Carrier.VoidLabel(label.Id, $"{label.Id}/void", Stop), Void);
        Assert.Contains(await Carrier.VoidLabel(label.Id, $"{label.Id}/again", Stop), Void);
        Assert.Equal(VoidOutcome.Voided, await Carrier.VoidLabel("nothing", "nothing/void", Stop));
    }

    [Fact]
    public async Task What_the_carrier_has_cannot_be_voided_and_is_tracked()
    {
        await World.Ready;
        var label = await World.BuyHandedOver();
        Assert.Equal(VoidOutcome.HandedOver, await Carrier.VoidLabel(label.Id, $"{label.Id}/void", Stop));
        var events = await Eventually.Value(() => Carrier.Track(label.TrackingNumber, Stop), seen => seen.Count > 0);
        Assert.All(events, one =>
        {
            Assert.Equal(label.TrackingNumber, one.TrackingNumber);
            Assert.NotEqual("", one.Time.Text);
        });
        var scans = events.Select(one => one.ToScan("poll", TimeProvider.System.GetUtcNow(), TimeSpan.FromDays(400))).ToList();
        Assert.Contains(scans, scan => TrackingStatusRules.IsWithCarrier(scan.Status));
    }

    [Fact]
    public async Task A_number_that_it_does_not_know_has_no_events()
    {
        await World.Ready;
        Assert.Empty(await Carrier.Track("NOBODYSNUMBER1", Stop));
    }

    private Task<Label> Buy(Shipment parcel, string key) => Carrier.BuyLabel(parcel, World.Service, $"{parcel.PublicId}/{key}", Stop);
}

using Commerce.Shipments.V1;

namespace Commerce.Shipments.Tests;

/// <summary>A label of one carrier, sold by another: an aggregator.</summary>
public sealed class SoldByAggregatorTests(ShipmentsApp fixture) : IClassFixture<ShipmentsApp>
{
    private readonly ShipmentsApp _app = fixture.Required;

    [Fact]
    public async Task The_parcel_is_its_carrier_s_and_says_who_sold_the_label()
    {
        var parcel = await Sold("usps");
        Assert.Equal(("usps", "ups"), (parcel.Carrier, parcel.SoldBy));

        // The aggregator names the carrier: it is this parcel all the same.
        var response = await Ingest("usps", parcel.TrackingNumber);
        Assert.Equal((1, 0), (response.KeptCount, response.UnclaimedCount));
        Assert.Equal(TrackingStatus.InTransit, (await _app.Parcel(parcel)).Status);
    }

    [Fact]
    public async Task Whoever_sold_it_is_asked_where_it_is()
    {
        var parcel = await Sold("usps");
        _app.Ups.SellsFor = "usps";
        _app.Ups.Events[parcel.TrackingNumber] = ShipmentsApp.Event(parcel.TrackingNumber, "M", 1);
        var polled = await _app.Parcel(parcel, one => one.Scans.Count > 0);
        _app.Ups.SellsFor = "";
        Assert.Equal("poll", Assert.Single(polled.Scans).Source);
    }

    [Fact]
    public async Task A_parcel_that_still_bears_the_aggregator_s_name_hears_of_news_that_name_the_carrier()
    {
        var parcel = await Sold("easypost");
        Assert.Equal("easypost", parcel.Carrier);

        var response = await Ingest("usps", parcel.TrackingNumber);
        Assert.Equal((1, 0), (response.KeptCount, response.UnclaimedCount));
        Assert.Equal((0, 1), ((await Ingest("usps", parcel.TrackingNumber)).KeptCount, (await _app.Parcel(parcel)).Scans.Count));
    }

    [Fact]
    public async Task Somebody_else_s_scan_of_the_same_number_stays_with_its_carrier()
    {
        var parcel = await Sold("usps");
        var response = await _app.Tracking.IngestScansAsync(new IngestScansRequest { Scans = { Scan("fedex", parcel.TrackingNumber) } });
        Assert.Equal(1, response.UnclaimedCount);
    }

    private async Task<V1.Shipment> Sold(string carrier)
    {
        var order = _app.Orders.Add("a");
        _app.Ups.SellsFor = carrier;
        try
        {
            return Assert.Single(await _app.Ship(order));
        }
        finally
        {
            _app.Ups.SellsFor = "";
        }
    }

    private async Task<IngestScansResponse> Ingest(string carrier, string number) =>
        await _app.Tracking.IngestScansAsync(new IngestScansRequest { Reporter = "easypost", Scans = { Scan(carrier, number) } });

    private static ReportedScan Scan(string carrier, string number) => new()
    {
        Carrier = carrier,
        TrackingNumber = number,
        ReporterStatus = "in_transit",
        Description = "Departed USPS Facility",
        LocalTime = "2026-11-24T10:00:00-05:00",
    };
}

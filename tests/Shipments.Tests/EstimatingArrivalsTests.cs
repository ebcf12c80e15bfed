using System.Text.Json;
using Commerce.Facts;
using Commerce.Messaging;
using Commerce.Shipments.EstimatingArrivals;
using Commerce.Shipments.V1;
using Microsoft.Extensions.Logging.Abstractions;
using Microsoft.Extensions.Options;
using Npgsql;
using Basis = Commerce.Shipments.V1.ArrivalEstimate.Types.Basis;
using Stage = Commerce.Shipments.V1.ArrivalEstimate.Types.Stage;

namespace Commerce.Shipments.Tests;

/// <summary>When a parcel will arrive, from planning to the door, on a real database.</summary>
public sealed class EstimatingArrivalsTests(ShipmentsApp fixture) : IClassFixture<ShipmentsApp>
{
    private readonly ShipmentsApp _app = fixture.Required;

    [Fact]
    public async Task An_estimate_is_there_from_planning_on_learns_the_lane_and_ends_at_the_door()
    {
        // Nobody delivered anything yet, and its carrier said nothing: what the shop said.
        var first = Assert.Single(await _app.Ship(_app.Orders.Add("a")));
        Assert.Equal(Basis.ShopPromise, first.ArrivalEstimate.Basis);
        Assert.Equal("America/Sao_Paulo", first.ArrivalEstimate.TimeZone);
        Assert.Equal([0.5, 0.8, 0.95], first.ArrivalEstimate.Windows.Select(window => window.Coverage));

        // Sixty parcels take four days on this lane, three of them with the carrier and six hours on the van.
        await Deliver(60);
        await _app.Service<DeliveryLearner>().Learn(TestContext.Current.CancellationToken);
        await _app.Service<DeliveryLearner>().Learn(TestContext.Current.CancellationToken);
        Assert.Equal(60, await _app.Count("SELECT count(*) FROM delivery_history"));

        var planned = await _app.Parcel(first);
        Assert.Equal((Basis.Lane, Stage.Planned), (planned.ArrivalEstimate.Basis, planned.ArrivalEstimate.Stage));
        Assert.InRange(DaysLeft(planned), 3.2, 5.2);
        Assert.InRange(planned.DelayRisk.Probability, 0, 0.3);
        Nested(planned.ArrivalEstimate);

        // What the lane does not tell, the country does, and what that does not, the carrier.
        Assert.Equal(Basis.Country, (await Shipped("BR", "RJ")).ArrivalEstimate.Basis);
        Assert.Equal(Basis.Carrier, (await Shipped("PT", "11")).ArrivalEstimate.Basis);

        using var pickedUp = await _app.Webhook("ups", ShipmentsApp.Event(first.TrackingNumber, "P", 1));
        var travelling = await _app.Parcel(first, one => one.Scans.Count == 1);
        Assert.Equal(Stage.WithCarrier, travelling.ArrivalEstimate.Stage);
        Assert.Equal("SHOP_PROMISE", (await Told("LabelBought", first.ShipmentId))!.Basis);
        var told = (await Told("ParcelTracked", first.ShipmentId))!;
        Assert.Equal(("LANE", 3), (told.Basis, told.Windows.Count));
        Assert.Equal([0.5, 0.8, 0.95], told.Windows.Select(window => window.Coverage));
        Assert.InRange((told.ExpectedAt - travelling.ArrivalEstimate.ExpectedTime.ToDateTimeOffset()).Duration(), TimeSpan.Zero, TimeSpan.FromHours(1));
        Assert.Equal(TimeSpan.FromHours(-3), told.ExpectedAt.Offset);
        Assert.InRange(told.DelayRisk!.Value, 0, 1);
        Assert.InRange(DaysLeft(travelling), 2.2, 4.2);

        using var onTheVan = await _app.Webhook("ups", ShipmentsApp.Event(first.TrackingNumber, "O", 30));
        var out_ = await _app.Parcel(first, one => one.Status == TrackingStatus.OutForDelivery);
        Assert.Equal(Stage.OutForDelivery, out_.ArrivalEstimate.Stage);
        Assert.InRange(DaysLeft(out_), 0, 0.6);

        using var delivered = await _app.Webhook("ups", ShipmentsApp.Event(first.TrackingNumber, "D", 40));
        var over = await _app.Parcel(first, one => one.Status == TrackingStatus.Delivered);
        Assert.Null(over.ArrivalEstimate);
        Assert.Null(over.DelayRisk);
        Assert.Null(await Told("ParcelTracked", first.ShipmentId));

        // A process that starts anew knows as much, from the database alone.
        var estimator = new ArrivalEstimator(TimeProvider.System);
        using var learner = new DeliveryLearner(_app.Database, estimator, Options.Create(new ShipmentsOptions()), TimeProvider.System, NullLogger<DeliveryLearner>.Instance);
        Assert.True(await learner.Learn(TestContext.Current.CancellationToken) >= 60);
        var again = estimator.Of((await _app.Service<Storage.ShipmentStore>().Find(Guid.Parse((await Shipped("BR", "SP")).ShipmentId), TestContext.Current.CancellationToken))!, []);
        Assert.Equal(Basis.Lane, again!.Basis);
        Assert.InRange((again.Expected - again.AsOf).TotalDays, 3.2, 5.2);
    }

    [Fact]
    public async Task Before_anybody_carries_it_the_promise_tells()
    {
        (_app.Ups.Serves, _app.Dhl.Serves) = (false, false);
        try
        {
            var order = _app.Orders.Change(_app.Orders.Add("a"), one => one.ShippingAddress.RegionCode = "UY");
            await _app.Confirm(order);
            var parcel = Assert.Single(await _app.Parcels(order, all => all.Count == 1));
            Assert.Equal(Basis.ShopPromise, parcel.ArrivalEstimate.Basis);
            Assert.InRange(parcel.DelayRisk.Probability, 0.02, 0.2);
            Assert.True(parcel.ArrivalEstimate.ExpectedTime < parcel.PromisedDeliveryTime);
            var hindered = await _app.Parcel(parcel, one => one.Exception is not null);
            Assert.Contains(hindered.DelayRisk.Causes, cause => cause.Code == DelayCause.Types.Code.Exception);
        }
        finally
        {
            (_app.Ups.Serves, _app.Dhl.Serves) = (true, true);
        }
    }

    // The last of its kind.
    private async Task<ArrivalFact?> Told(string fact, string shipmentId)
    {
        await using var command = _app.Database.CreateCommand("SELECT body FROM told WHERE key = $1 AND fact = $2 ORDER BY id DESC LIMIT 1");
        command.Parameters.Add(new NpgsqlParameter<string> { TypedValue = shipmentId });
        command.Parameters.Add(new NpgsqlParameter<string> { TypedValue = fact });
        var body = (string)(await command.ExecuteScalarAsync(TestContext.Current.CancellationToken))!;
        using var json = JsonDocument.Parse(body);
        return json.RootElement.GetProperty("arrival").Deserialize<ArrivalFact>(FactJson.Options);
    }

    private async Task<V1.Shipment> Shipped(string country, string region) => Assert.Single(await _app.Ship(_app.Orders.Change(_app.Orders.Add("a"), order =>
    {
        order.ShippingAddress.RegionCode = country;
        order.ShippingAddress.AdministrativeArea = region;
    })));

    private async Task Deliver(int count)
    {
        await using var batch = _app.Database.CreateBatch();
        batch.BatchCommands.Add(new Npgsql.NpgsqlBatchCommand(
            $$"""
            INSERT INTO shipments (id, store_id, order_id, order_reference, location_id, position, ship_from, ship_to, lines, weight_grams, length_mm, width_mm, height_mm,
              value_minor, currency, promised_at, carrier, service, tracking_number, status, status_at, version, created_at, updated_at, delivered_at)
            SELECT gen_random_uuid(), 'main', 'ORD-H' || i, 'x', 'a', 0,
              '{"locationId":"a","locality":"Cajamar","region":"SP","postalCode":"07750","country":"BR"}', '{"name":"","lines":[],"locality":"","region":"SP","postalCode":"01310-100","country":"BR"}',
              '[]', 600, 1, 1, 1, 100, 'BRL', started + interval '10 days', 'ups', 'ground', 'HIST' || i, 6, started, 3, started, started, started + interval '4 days' + (i % 7 - 3) * interval '4 hours'
            FROM (SELECT i, now() - interval '5 days' - i * interval '2 hours' AS started FROM generate_series(1, {{count}}) AS i) AS made
            """));
        batch.BatchCommands.Add(new Npgsql.NpgsqlBatchCommand(
            """
            INSERT INTO scans (shipment_id, scan_id, status, reason_party, reason_code, inferred, carrier_code, description, occurred_at, local_time, place, source, received_at)
            SELECT s.id, gen_random_uuid(), one.status, 0, '', false, '', '', one.at, '', '{}', 'webhook', one.at
            FROM shipments s, LATERAL (VALUES (2, s.created_at + interval '1 day'), (4, s.delivered_at - interval '6 hours'), (6, s.delivered_at)) AS one (status, at)
            WHERE s.tracking_number LIKE 'HIST%'
            """));
        await batch.ExecuteNonQueryAsync(TestContext.Current.CancellationToken);
    }

    private static double DaysLeft(V1.Shipment shipment) =>
        (shipment.ArrivalEstimate.ExpectedTime.ToDateTimeOffset() - shipment.ArrivalEstimate.AsOfTime.ToDateTimeOffset()).TotalDays;

    private static void Nested(ArrivalEstimate arrival)
    {
        foreach (var (inner, outer) in arrival.Windows.Zip(arrival.Windows.Skip(1)))
            Assert.True(outer.FromTime <= inner.FromTime && inner.UntilTime <= outer.UntilTime);
        Assert.All(arrival.Windows, window => Assert.True(window.FromTime >= arrival.AsOfTime));
    }
}

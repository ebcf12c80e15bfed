using System.Collections.Concurrent;
using Commerce.Shipments.V1;
using Grpc.Core;
using Kind = Commerce.Shipments.V1.ShipmentException.Types.Kind;

namespace Commerce.Shipments.Tests;

public sealed class BuyingLabelsTests(ShipmentsApp fixture) : IClassFixture<ShipmentsApp>, IAsyncDisposable
{
    private readonly ShipmentsApp _app = fixture.Required;

    public ValueTask DisposeAsync()
    {
        // The carriers are shared by the tests of this class, which run one after the other.
        foreach (var carrier in (FakeCarrier[])[_app.Ups, _app.Dhl])
        {
            (carrier.Down, carrier.Refuses, carrier.Serves) = (false, false, true);
            (carrier.BeforeLabel, carrier.AfterLabel) = (() => Task.CompletedTask, _ => Task.CompletedTask);
        }

        return ValueTask.CompletedTask;
    }

    [Fact]
    public async Task An_order_becomes_one_parcel_a_place_each_with_a_label_of_the_cheapest_carrier()
    {
        var order = _app.Orders.Add("seller-1", "", "seller-1", "seller-2");

        var parcels = await _app.Ship(order);

        Assert.Equal(["seller-1", "", "seller-2"], parcels.Select(one => one.ShipFrom.LocationId));
        Assert.Equal([[1, 3], [2], [4]], parcels.Select(one => one.Lines.Select(line => line.LineNumber).ToArray()));
        Assert.Equal("Curitiba", parcels[1].ShipFrom.Locality);
        Assert.Equal(1200, parcels[0].Dimensions.WeightGrams);
        Assert.All(parcels, one =>
        {
            Assert.Equal("ups", one.Carrier);
            Assert.Equal("ground", one.Service);
            Assert.Equal("Ana Souza", Assert.Single(one.ShipTo.Recipients));
            Assert.Equal(TrackingStatus.PreTransit, one.Status);
            Assert.Equal(2, one.Version);
        });
        Assert.Equal([("ShipmentCreated", 1), ("LabelBought", 2)], await _app.Facts(parcels[0].ShipmentId));
    }

    [Fact]
    public async Task A_fact_that_comes_twice_under_two_ids_plans_nothing_twice()
    {
        var order = _app.Orders.Add("a", "b");
        await Task.WhenAll(_app.Confirm(order), _app.Confirm(order), _app.Confirm(order, Guid.NewGuid()));

        var parcels = await _app.Ship(order);

        Assert.Equal(2, parcels.Count);
        Assert.All(parcels, one => Assert.Single(_app.Ups.Labels, label => label.TrackingNumber == one.TrackingNumber));
        Assert.Equal(2, _app.Ups.Labels.Count(label => parcels.Any(one => label.Id.Contains(one.ShipmentId, StringComparison.Ordinal))));
    }

    [Fact]
    public async Task A_carrier_that_makes_the_label_and_does_not_answer_has_made_one()
    {
        var order = _app.Orders.Add("a");
        // Of each label, because those of orders before may still be under way.
        var answers = new ConcurrentDictionary<string, int>();
        _app.Ups.AfterLabel = label => answers.AddOrUpdate(label.Id, 1, (_, before) => before + 1) <= 2
            ? throw new TaskCanceledException("timed out", new TimeoutException())
            : Task.CompletedTask;

        var parcel = Assert.Single(await _app.Ship(order));

        var bought = Assert.Single(_app.Ups.Labels, label => label.Id.Contains(parcel.ShipmentId, StringComparison.Ordinal));
        Assert.Equal(3, answers[bought.Id]);
        Assert.DoesNotContain(_app.Dhl.Labels, label => label.Id.Contains(parcel.ShipmentId, StringComparison.Ordinal));
    }

    [Fact]
    public async Task What_one_carrier_refuses_another_takes()
    {
        _app.Ups.Refuses = true;

        var parcel = Assert.Single(await _app.Ship(_app.Orders.Add("a")));

        Assert.Equal("dhl", parcel.Carrier);
        Assert.Null(parcel.Exception);
    }

    [Fact]
    public async Task What_all_refuse_is_shown_and_goes_on_when_one_takes_it()
    {
        (_app.Ups.Refuses, _app.Dhl.Refuses) = (true, true);
        var order = _app.Orders.Add("a");
        await _app.Confirm(order);

        var stuck = Assert.Single(await _app.Parcels(order, all => all.Any(one => one.Exception is not null)));
        Assert.Equal(Kind.LabelRefused, stuck.Exception.Kind);
        Assert.Contains("not today", stuck.Exception.Message, StringComparison.Ordinal);
        Assert.Contains(stuck.ShipmentId, (await _app.Shipments.ListShipmentsAsync(new ListShipmentsRequest { StoreId = "main", OnlyExceptions = true })).Shipments.Select(one => one.ShipmentId));

        _app.Ups.Refuses = false;
        var shipped = Assert.Single(await _app.Ship(order));
        Assert.Null(shipped.Exception);
        Assert.Equal([("ShipmentCreated", 1), ("ShipmentExceptionChanged", 2), ("LabelBought", 3)], await _app.Facts(shipped.ShipmentId));
    }

    [Fact]
    public async Task Carriers_that_are_away_are_waited_for()
    {
        (_app.Ups.Down, _app.Dhl.Down) = (true, true);
        var order = _app.Orders.Add("a");
        await _app.Confirm(order);

        var stuck = Assert.Single(await _app.Parcels(order, all => all.Any(one => one.Exception is not null)));
        Assert.Equal(Kind.CarrierUnavailable, stuck.Exception.Kind);

        (_app.Ups.Down, _app.Dhl.Down) = (false, false);
        Assert.Null(Assert.Single(await _app.Ship(order)).Exception);
    }

    [Fact]
    public async Task A_carrier_that_gives_no_rates_is_left_out()
    {
        _app.Ups.Down = true;

        Assert.Equal("dhl", Assert.Single(await _app.Ship(_app.Orders.Add("a"))).Carrier);
    }

    [Fact]
    public async Task A_parcel_that_nobody_takes_says_so()
    {
        (_app.Ups.Serves, _app.Dhl.Serves) = (false, false);
        var order = _app.Orders.Add("a");
        await _app.Confirm(order);

        Assert.Equal(Kind.NoRate, Assert.Single(await _app.Parcels(order, all => all.Any(one => one.Exception is not null))).Exception.Kind);
    }

    [Fact]
    public async Task A_scan_that_comes_before_the_label_is_known_waits_for_it()
    {
        var order = _app.Orders.Add("a");
        _app.Ups.AfterLabel = async label =>
        {
            using var told = await _app.Webhook("ups", ShipmentsApp.Event(label.TrackingNumber, "P", 1), ShipmentsApp.Event(label.TrackingNumber, "I", 2));
            told.EnsureSuccessStatusCode();
        };

        var parcel = Assert.Single(await _app.Ship(order));

        Assert.Equal(TrackingStatus.InTransit, parcel.Status);
        Assert.Equal(2, parcel.Scans.Count);
        Assert.Equal([("ShipmentCreated", 1), ("LabelBought", 2), ("ParcelTracked", 3)], await _app.Facts(parcel.ShipmentId));
        Assert.Equal(0, await _app.Count($"SELECT count(*) FROM unclaimed_scans WHERE tracking_number = '{parcel.TrackingNumber}'"));
    }

    [Fact]
    public async Task A_parcel_is_found_by_its_names_and_what_is_not_there_is_said()
    {
        var order = _app.Orders.Add("a", "b", "c");
        var parcels = await _app.Ship(order);
        var number = parcels[0].TrackingNumber;

        Assert.Equal(parcels[0].Name, (await _app.Tracking.GetTrackingAsync(new GetTrackingRequest { TrackingNumber = $" {number[..4].ToLowerInvariant()}-{number[4..]} " })).Name);
        var batch = await _app.Tracking.BatchGetTrackingAsync(new BatchGetTrackingRequest { TrackingNumbers = { parcels[2].TrackingNumber, "NOBODYS1", number, "?" } });
        Assert.Equal([parcels[2].Name, parcels[0].Name], batch.Shipments.Select(one => one.Name));
        Assert.Equal(["NOBODYS1", "?"], batch.NotFound);
        Assert.Equal(StatusCode.NotFound, (await Assert.ThrowsAsync<RpcException>(async () => await _app.Tracking.GetTrackingAsync(new GetTrackingRequest { TrackingNumber = "NOBODYS1" }))).StatusCode);
        Assert.Equal(StatusCode.Unavailable, (await Assert.ThrowsAsync<RpcException>(async () => await _app.Shipments.GetShipmentAsync(new GetShipmentRequest { Name = parcels[0].Name, MinVersion = 99 }))).StatusCode);
        using var rest = await _app.Http.GetAsync($"/v1/tracking/{number}");
        Assert.Contains(parcels[0].ShipmentId, await rest.Content.ReadAsStringAsync(), StringComparison.Ordinal);
    }

    [Theory]
    [InlineData(true)]
    [InlineData(false)]
    public async Task Pages_hold_each_parcel_once(bool ofOrder)
    {
        var order = _app.Orders.Add("a", "b", "c", "d", "e");
        order.StoreId = $"store-{Guid.NewGuid():N}";
        var parcels = await _app.Ship(order);

        var seen = new List<string>();
        var request = ofOrder ? new ListShipmentsRequest { OrderId = order.OrderId, PageSize = 2 } : new ListShipmentsRequest { StoreId = order.StoreId, PageSize = 2 };
        do
        {
            var page = await _app.Shipments.ListShipmentsAsync(request);
            Assert.InRange(page.Shipments.Count, 1, 2);
            seen.AddRange(page.Shipments.Select(one => one.Name));
            request.PageToken = page.NextPageToken;
        }
        while (request.PageToken.Length > 0);

        Assert.Equal(parcels.Select(one => one.Name).Order(), seen.Order());
    }

    [Fact]
    public async Task A_question_that_cannot_be_answered_names_the_field()
    {
        foreach (var request in (ListShipmentsRequest[])[new(), new() { OrderId = "ORD-1" }, new() { StoreId = "main", PageSize = 501 }, new() { StoreId = "main", PageToken = "?" }])
        {
            var refused = await Assert.ThrowsAsync<RpcException>(async () => await _app.Shipments.ListShipmentsAsync(request));
            Assert.Equal(StatusCode.InvalidArgument, refused.StatusCode);
        }

        foreach (var name in (string[])["", "shipments/", "shipments/1", "orders/x"])
            Assert.Equal(StatusCode.InvalidArgument, (await Assert.ThrowsAsync<RpcException>(async () => await _app.Shipments.GetShipmentAsync(new GetShipmentRequest { Name = name }))).StatusCode);
    }
}

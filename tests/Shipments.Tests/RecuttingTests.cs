using Commerce.Shipments.V1;
using Commerce.Testing;
using Kind = Commerce.Shipments.V1.ShipmentException.Types.Kind;

namespace Commerce.Shipments.Tests;

/// <summary>An order's lines change while its parcels are planned, bought, labelled or gone.</summary>
public sealed class RecuttingTests(ShipmentsApp fixture) : IClassFixture<ShipmentsApp>, IDisposable
{
    private readonly ShipmentsApp _app = fixture.Required;

    public void Dispose()
    {
        (_app.Ups.HasParcels, _app.Ups.Serves, _app.Dhl.Serves) = (false, true, true);
        _app.Ups.BeforeLabel = () => Task.CompletedTask;
    }

    [Fact]
    public async Task Pieces_that_are_cancelled_are_not_sent_and_the_label_for_them_is_void()
    {
        var order = _app.Orders.Add("a", "a");
        var before = Assert.Single(await _app.Ship(order));
        await _app.ChangeLines(_app.Orders.Change(order, o => o.Lines[0].Quantity = 1));

        var parcels = await _app.Parcels(order, all => all.Count == 2 && all.Count(Goes) == 1 && all.Single(Goes).TrackingNumber.Length > 0);
        Assert.Equal([(1, 1), (2, 2)], Content(parcels.Single(Goes)));
        Assert.Equal(before.ShipmentId, parcels.Single(one => !Goes(one)).ShipmentId);
        Assert.Single(_app.Ups.Voided, label => label.Contains(before.ShipmentId, StringComparison.Ordinal));
    }

    [Fact]
    public async Task A_parcel_without_a_label_is_packed_anew_at_once()
    {
        (_app.Ups.Serves, _app.Dhl.Serves) = (false, false);
        var order = _app.Orders.Add("a", "b");
        await _app.Confirm(order);
        await _app.Parcels(order, all => all.Count == 2);
        await _app.ChangeLines(_app.Orders.Change(order, o => o.Lines[1].Quantity = 0));
        var parcels = await _app.Parcels(order, all => all.Count(Goes) == 1);
        Assert.Equal([(1, 2)], Content(parcels.Single(Goes)));
        (_app.Ups.Serves, _app.Dhl.Serves) = (true, true);
        await _app.Parcel(parcels.Single(Goes), one => one.TrackingNumber.Length > 0);
        Assert.Equal(2, (await _app.Parcels(order)).Count);
    }

    [Fact]
    public async Task A_label_that_is_being_bought_meanwhile_is_bought_to_its_end_and_nothing_is_packed_twice()
    {
        var (asked, go) = (new TaskCompletionSource(), new TaskCompletionSource());
        _app.Ups.BeforeLabel = () =>
        {
            asked.TrySetResult();
            return go.Task;
        };
        var order = _app.Orders.Add("a");
        await _app.Confirm(order);
        await asked.Task.WaitAsync(TimeSpan.FromSeconds(30), TestContext.Current.CancellationToken);
        await _app.ChangeLines(_app.Orders.Change(order, o => o.Lines[0].Quantity = 1));
        await Eventually.True(async () => await _app.Count($"SELECT count(*) FROM shipments WHERE order_id = '{order.OrderId}' AND recut") == 1);
        Assert.Single(await _app.Parcels(order));
        _app.Ups.BeforeLabel = () => Task.CompletedTask;
        go.SetResult();

        var parcels = await _app.Parcels(order, all => all.Count == 2 && all.Single(Goes).TrackingNumber.Length > 0);
        Assert.Equal([(1, 1)], Content(parcels.Single(Goes)));
    }

    [Fact]
    public async Task What_the_carrier_has_goes_as_it_is_and_shows_why()
    {
        _app.Ups.HasParcels = true;
        var order = _app.Orders.Add("a");
        var parcel = Assert.Single(await _app.Ship(order));
        await _app.ChangeLines(_app.Orders.Change(order, o => o.Lines[0].Quantity = 1));
        var stopped = await _app.Parcel(parcel, one => one.Exception is not null);
        Assert.Equal((Kind.CancelledInTransit, parcel.TrackingNumber), (stopped.Exception.Kind, stopped.TrackingNumber));
        Assert.Single(await _app.Parcels(order));
    }

    [Fact]
    public async Task Pieces_that_are_added_get_a_parcel_of_their_own()
    {
        var order = _app.Orders.Add("a");
        var first = Assert.Single(await _app.Ship(order));
        var changed = _app.Orders.Change(order, o =>
        {
            o.Lines[0].Quantity = 3;
            var added = o.Lines[0].Clone();
            (added.LineNumber, added.Sku, added.Quantity) = (2, "sku-2", 4);
            o.Lines.Add(added);
        });
        await _app.ChangeLines(changed);
        // Heard twice, it adds nothing twice.
        await _app.ChangeLines(changed);
        var parcels = await _app.Parcels(order, all => all.Count == 2 && all.All(one => one.TrackingNumber.Length > 0));
        Assert.Equal([(1, 1), (2, 4)], Content(parcels.Single(one => one.ShipmentId != first.ShipmentId)));
        await Eventually.True(async () => await _app.Count("SELECT count(*) FROM messaging.recovery_points WHERE kind = 'recut-shipments'") == 0);
        Assert.Equal(2, (await _app.Parcels(order)).Count);
    }

    [Fact]
    public async Task A_change_that_is_heard_before_the_parcels_are_planned_counts()
    {
        var order = _app.Orders.Add("a");
        var changed = _app.Orders.Change(order, o => o.Lines[0].Quantity = 1);
        await _app.ChangeLines(changed);
        await Eventually.True(async () => await _app.Count($"SELECT count(*) FROM edited_orders WHERE order_id = '{order.OrderId}'") == 1);
        await Eventually.True(async () => await _app.Count("SELECT count(*) FROM messaging.recovery_points WHERE kind = 'recut-shipments'") == 0);
        // Planning reads an order that has not heard of the change yet.
        _app.Orders.Forget(changed, order);
        await _app.Confirm(order);
        await _app.Parcels(order, all => all.Count == 1);
        _app.Orders.Forget(order, changed);
        var parcels = await _app.Parcels(order, all => all.Count(Goes) == 1 && all.Single(Goes) is { TrackingNumber.Length: > 0 } one && Content(one) is [(1, 1)]);
        Assert.Equal(2, parcels.Count);
    }

    [Fact]
    public async Task Several_changes_at_once_end_with_what_the_order_says()
    {
        var order = _app.Orders.Add("a", "b", "a");
        await _app.Ship(order);
        var last = order;
        for (var i = 0; i < 4; i++)
        {
            var (line, pieces) = (i % 3, i + 1);
            last = _app.Orders.Change(last, o => o.Lines[line].Quantity = pieces);
            await _app.ChangeLines(last);
        }

        await _app.Parcels(order, all =>
            all.Where(Goes).SelectMany(Content).GroupBy(c => c.Line).OrderBy(g => g.Key).Select(g => g.Sum(c => c.Pieces)).SequenceEqual(last.Lines.Select(l => l.Quantity))
            && all.Where(Goes).All(one => one.TrackingNumber.Length > 0));
    }

    private static bool Goes(V1.Shipment shipment) => shipment.Status != TrackingStatus.Cancelled;

    private static List<(int Line, int Pieces)> Content(V1.Shipment shipment) => [.. shipment.Lines.Select(line => (line.LineNumber, line.Quantity))];
}

using Commerce.Facts;
using Commerce.Orders.CheckingGoods;
using Commerce.Orders.V1;
using Commerce.Shipments.V1;
using Google.Protobuf.WellKnownTypes;
using Grpc.Core;
using Microsoft.Extensions.Logging.Abstractions;
using Microsoft.Extensions.Options;
using Microsoft.Extensions.Time.Testing;

namespace Commerce.Orders.Tests;

/// <summary>The standing check of orders, parcels and stock.</summary>
public class GoodsCheckTests(OrdersService service) : OrdersServiceTests(service)
{
    [Fact]
    public async Task Goods_that_are_right_have_no_difference_and_what_went_round_the_facts_is_found()
    {
        var shipments = new FakeShipments();
        await Service.Stocked(20, "check-a", "check-b");
        var delivered = await Service.Delivered(Request.Line("check-a", 2), Request.Line("check-b", 1));
        var open = await Service.Orders.PlaceOrderAsync(Request.Order(Request.Line("check-a", 3)));
        var cancelled = await Service.Orders.PlaceOrderAsync(Request.Order(Request.Line("check-b", 3)));
        await Service.Orders.CancelOrderAsync(new CancelOrderRequest { Name = cancelled.Name, RequestId = "check-cancel" });
        await Service.Received(await Service.Approved(delivered, (1, 1)), false, (1, 1, ReturnCondition.Damaged));
        delivered = await Service.OrderWith(delivered.OrderId);
        var parcel = Shipment(delivered);
        shipments.Of(delivered.OrderId).Add(parcel);
        Assert.Equal(0, await Pass(shipments));
        Assert.Equal(0, OrdersTelemetry.GoodsDifferences);

        // A hand in the database, a fact that was lost: each shows, and is gone when it is put right.
        await Found(shipments, "UPDATE order_lines SET held = held - 1 WHERE sku = 'check-a' AND held = 3", "UPDATE order_lines SET held = held + 1 WHERE sku = 'check-a' AND held = 2");
        await Found(shipments, "ALTER TABLE stock DISABLE TRIGGER ALL; UPDATE stock SET on_hand = on_hand + 1 WHERE sku = 'check-b'", "UPDATE stock SET on_hand = on_hand - 1 WHERE sku = 'check-b'; ALTER TABLE stock ENABLE TRIGGER ALL");
        await Found(
            shipments,
            "UPDATE order_parcels SET quantities = '{1,1}' WHERE order_id = (SELECT order_id FROM order_lines WHERE sku = 'check-a' AND quantity = 2) AND cardinality(quantities) = 2",
            "UPDATE order_parcels SET quantities = '{2,1}' WHERE order_id = (SELECT order_id FROM order_lines WHERE sku = 'check-a' AND quantity = 2) AND cardinality(quantities) = 2",
            atLeast: 1);

        parcel.TrackingNumber = "another";
        Assert.Equal(1, await Pass(shipments));
        parcel.TrackingNumber = delivered.Parcels[0].TrackingNumber;
        parcel.Status = TrackingStatus.InTransit;
        Assert.Equal(1, await Pass(shipments));
        parcel.Status = TrackingStatus.Delivered;
        shipments.Of(open.OrderId).Add(new Shipment { ShipmentId = "unknown", UpdateTime = parcel.UpdateTime });
        Assert.Equal(1, await Pass(shipments));
        // What moved a moment ago is on its way.
        shipments.Of(open.OrderId)[0].UpdateTime = Timestamp.FromDateTimeOffset(TimeProvider.System.GetUtcNow().AddDays(1));
        Assert.Equal(0, await Pass(shipments));
        shipments.Of(open.OrderId).Clear();
        shipments.Of(delivered.OrderId).Clear();
        Assert.Equal(1, await Pass(shipments));
    }

    [Fact]
    public void An_order_of_which_something_is_missing_in_the_parcels_is_not_shipped()
    {
        static OrderParcel Parcel(string id, params (int Line, int Pieces)[] content) => new(id, 1, "ups", "T", ParcelState.Shipped, [.. content.Select(c => new ShipmentLineFact(c.Line, c.Pieces))]);
        static IEnumerable<string> Found(FulfilmentState state, params OrderParcel[] parcels) => GoodsCheck.Compare(
            new GoodsCheck.Checked(OrderId.New("ORD", TimeProvider.System), OrderState.Open, state, false, [new HeldLine(1, "a", 2, 0), new HeldLine(2, "b", 1, 0)], parcels));

        Assert.Empty(Found(FulfilmentState.Shipped, Parcel("s1", (1, 2)), Parcel("s2", (2, 1))));
        Assert.Single(Found(FulfilmentState.Shipped, Parcel("s1", (1, 2))));
        Assert.Single(Found(FulfilmentState.PartlyShipped, Parcel("s1", (1, 1), (9, 1))));
        // Pieces that were lost are sent again: that does not stand for those of another line.
        Assert.Empty(Found(FulfilmentState.PartlyShipped, Parcel("s1", (1, 2)), Parcel("s2", (1, 2))));
        Assert.Single(Found(FulfilmentState.Delivered, Parcel("s1", (1, 2), (2, 1))));
    }

    private static Shipment Shipment(V1.Order order) => new()
    {
        ShipmentId = order.Parcels[0].Shipment["shipments/".Length..],
        TrackingNumber = order.Parcels[0].TrackingNumber,
        Status = TrackingStatus.Delivered,
        Lines = { order.Parcels[0].Lines.Select(line => new ShipmentLine { LineNumber = line.LineNumber, Quantity = line.Quantity }) },
        UpdateTime = Timestamp.FromDateTimeOffset(TimeProvider.System.GetUtcNow()),
    };

    private async Task Found(FakeShipments shipments, string harm, string repair, int atLeast = 1)
    {
        await Execute(harm);
        Assert.InRange(await Pass(shipments), atLeast, 2);
        await Execute(repair);
        Assert.Equal(0, await Pass(shipments));
    }

    // An hour later, when all of it is at rest.
    private async Task<long> Pass(FakeShipments shipments)
    {
        var clock = new FakeTimeProvider(TimeProvider.System.GetUtcNow().AddHours(1));
        using var check = new CheckGoods(
            new GoodsCheck(Service.Database, shipments, clock), Options.Create(new OrdersOptions { CheckSlice = 2, CheckPause = TimeSpan.Zero }), clock, NullLogger<CheckGoods>.Instance);
        return await check.Pass(CancellationToken.None);
    }

    private async Task Execute(string sql)
    {
        await using var command = Service.Database.CreateCommand(sql);
        await command.ExecuteNonQueryAsync();
    }

    private sealed class FakeShipments : ShipmentService.ShipmentServiceClient
    {
        private readonly Dictionary<string, List<Shipment>> _shipments = [];

        public List<Shipment> Of(string orderId) => _shipments.TryGetValue(orderId, out var found) ? found : _shipments[orderId] = [];

        public override AsyncUnaryCall<ListShipmentsResponse> ListShipmentsAsync(
            ListShipmentsRequest request, Metadata? headers = null, DateTime? deadline = null, CancellationToken cancellationToken = default) => new(
            Task.FromResult(new ListShipmentsResponse { Shipments = { Of(request.OrderId) } }), Task.FromResult(new Metadata()), () => Status.DefaultSuccess, () => [], () => { });
    }
}

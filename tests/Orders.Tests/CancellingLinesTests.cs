using Commerce.Facts;
using Commerce.Orders.ChangingLines;
using Commerce.Orders.PlacingOrder;
using Commerce.Orders.V1;
using Commerce.Testing;
using CsCheck;
using Grpc.Core;

namespace Commerce.Orders.Tests;

public class CancellingLinesTests(OrdersService service) : OrdersServiceTests(service)
{
    [Fact]
    public async Task A_cancelled_piece_is_sold_at_once_and_the_order_costs_that_much_less()
    {
        await Service.Stocked(3, "piece");
        var order = await Service.Orders.PlaceOrderAsync(Request.Order(Request.Line("piece", 3), Request.Line("free", 1)));
        await Refusal.Is("OUT_OF_STOCK", Service.Orders.PlaceOrderAsync(Request.Order(Request.Line("piece", 1))));

        var request = Cancel(order, (1, 1));
        (request.Reason, request.Note) = (CancelReason.Unavailable, "one was broken");
        var changed = await Service.Orders.CancelOrderAsync(request);
        Assert.Equal((OrderState.Open, Request.Euro(3000), Request.Euro(3000)), (changed.State, changed.Total, changed.Subtotal));
        Assert.Equal((2, 1, Request.Euro(2000)), (changed.Lines[0].Quantity, changed.Lines[0].CancelledQuantity, changed.Lines[0].Amount));
        Assert.Equal(Request.Euro(3000), Assert.Single(changed.PaymentParts).Amount);
        var entry = (await Service.TimelineOf(order))[^1];
        Assert.Equal((nameof(OrderLinesChanged), "UNAVAILABLE: -1 piece of line 1: one was broken"), (entry.Event, entry.Detail));
        Assert.Equal(changed, await Service.Orders.CancelOrderAsync(request));

        await Service.Orders.PlaceOrderAsync(Request.Order(Request.Line("piece", 1)));
        Assert.Equal(0, (await Service.StockOf("piece")).Available);
    }

    [Fact]
    public async Task Cancelling_the_last_piece_of_the_last_line_cancels_the_order()
    {
        await Service.Stocked(3, "last");
        var order = await Service.Orders.PlaceOrderAsync(Request.Order(Request.Line("last", 2), Request.Line("last", 1)));
        await Service.Orders.CancelOrderAsync(Cancel(order, (1, 0)));
        var cancelled = await Service.Orders.CancelOrderAsync(Cancel(order, (2, 1)));
        Assert.Equal((OrderState.Cancelled, CancelReason.Shopper), (cancelled.State, cancelled.Cancellation.Reason));
        Assert.Equal((3L, 0L), ((await Service.StockOf("last")).OnHand, (await Service.StockOf("last")).Reserved));
        Assert.Equal(cancelled, await Service.Orders.CancelOrderAsync(Cancel(order, (2, 1))));
    }

    [Fact]
    public void What_is_given_back_for_a_line_sums_to_the_line_whatever_goes_in_whatever_order() => Gen.Select(
        Gen.Select(Gen.Int[1, 9], Gen.Long[0, 10_000]).Array[1, 6], Gen.Long[0, 60_000], Gen.Long[0, 2_000], Gen.Int.Array[1, 60]).Sample((lines, discount, shipping, picks) =>
    {
        var subtotal = lines.Sum(line => line.Item1 * line.Item2);
        discount = Math.Min(discount, subtotal + shipping);
        var sums = new OrderSums(
            "EUR", subtotal, shipping, subtotal + shipping - discount, [new AdjustmentRow("a", -(discount / 3)), new AdjustmentRow("b", -(discount - (discount / 3)))],
            [new PaymentPartRow(PaymentMethod.Card, "tok", subtotal + shipping - discount, 1)],
            [.. lines.Select((line, i) => new PricedLine(i + 1, "s", "t", line.Item1, line.Item2, false, null))]);
        var shares = sums.Shared().ToDictionary(line => line.LineNumber, line => (line.Quantity * line.UnitPriceMinor) - line.DiscountMinor!.Value);
        var back = new Dictionary<int, long>();
        foreach (var pick in picks)
        {
            var line = sums.Lines[(int)((uint)pick % lines.Length)];
            if (line.Quantity == 0)
                continue;
            var after = sums.After([LineDelta.Of(line, -((int)((uint)pick / 8 % line.Quantity) + 1), 0)]);
            var given = sums.TotalMinor - after.TotalMinor;
            Assert.True(given >= 0 && after.TotalMinor >= 0);
            Assert.Equal(after.TotalMinor, after.PaymentParts.Sum(part => part.AmountMinor));
            Assert.Equal(after.TotalMinor, after.SubtotalMinor + after.ShippingMinor + after.Adjustments.Sum(a => a.AmountMinor));
            back[line.LineNumber] = back.GetValueOrDefault(line.LineNumber) + given;
            sums = after;
        }

        foreach (var line in sums.Lines.Where(line => line.Quantity == 0))
            Assert.Equal(shares[line.LineNumber], back.GetValueOrDefault(line.LineNumber));
    });

    [Fact]
    public async Task Pieces_take_their_share_of_the_discount_with_them_and_shipping_stays()
    {
        var placed = Request.Order(Request.Line("d1", 3), Request.Line("d2", 1));
        placed.Adjustments.Add(new Adjustment { Label = "voucher", Amount = Request.Euro(-1000) });
        placed.ShippingCharge = Request.Euro(500);
        placed.PaymentParts[0].Amount = Request.Euro(3500);
        var order = await Service.Orders.PlaceOrderAsync(placed);
        var less = await Service.Orders.CancelOrderAsync(Cancel(order, (1, 1)));
        Assert.Equal((Request.Euro(2750), Request.Euro(-750)), (less.Total, Assert.Single(less.Adjustments).Amount));
        var one = await Service.Orders.CancelOrderAsync(Cancel(order, (1, 0)));
        Assert.Equal((Request.Euro(1250), Request.Euro(-250), Request.Euro(500)), (one.Total, Assert.Single(one.Adjustments).Amount, one.ShippingCharge));
    }

    [Fact]
    public async Task What_a_carrier_has_cannot_be_cancelled_and_the_rest_can()
    {
        await Service.Stocked(4, "gone");
        var order = await Service.Orders.PlaceOrderAsync(Request.Order(Request.Line("gone", 3), Request.Line("gone", 1)));
        await using var shipments = await Service.Other("shipments");
        await using var payments = await Service.Other("payments");
        var now = TimeProvider.System.GetUtcNow();
        await payments.Tell(new PaymentCaptured(order.OrderId, "main", 1, now, new Money(4000, "EUR")));
        await shipments.Tell(Parcel(order, "p1", (1, 2)), Tracked(order, "p1"));
        await Eventually.True(async () => (await Service.OrderWith(order.OrderId)).FulfilmentState == FulfilmentState.PartlyShipped);

        var (_, info, _, error) = await Refusal.Of(Service.Orders.CancelOrderAsync(Cancel(order, (1, 2))));
        Assert.Equal("ORDER_STATE", info.Reason);
        Assert.Contains("2 of them are with the carrier", error.Status.Detail, StringComparison.Ordinal);
        await Service.Orders.CancelOrderAsync(Cancel(order, (1, 1)));
        // With the rest gone, all that is left of the order is under way.
        var rest = await Service.Orders.CancelOrderAsync(Cancel(order, (2, 0)));
        Assert.Equal((FulfilmentState.Shipped, OrderState.Open), (rest.FulfilmentState, rest.State));
        await Refusal.Is("ORDER_STATE", Service.Orders.CancelOrderAsync(Cancel(order, (1, 0))));
        Assert.Equal((2L, 0L), ((await Service.StockOf("gone")).OnHand, (await Service.StockOf("gone")).Reserved));
    }

    [Fact]
    public async Task An_order_of_which_only_delivered_pieces_are_left_is_completed()
    {
        var order = await Service.Orders.PlaceOrderAsync(Request.Order(Request.Line("done", 1), Request.Line("never", 1)));
        await using var shipments = await Service.Other("shipments");
        await using var payments = await Service.Other("payments");
        await payments.Tell(new PaymentCaptured(order.OrderId, "main", 1, TimeProvider.System.GetUtcNow(), new Money(2000, "EUR")));
        await shipments.Tell(Parcel(order, "d1", (1, 1)), Tracked(order, "d1", "DELIVERED"));
        await Eventually.True(async () => (await Service.OrderWith(order.OrderId)) is { FulfilmentState: FulfilmentState.PartlyDelivered, PaymentState: PaymentState.Paid });
        var done = await Service.Orders.CancelOrderAsync(Cancel(order, (2, 1)));
        Assert.Equal((OrderState.Completed, FulfilmentState.Delivered), (done.State, done.FulfilmentState));
        Assert.Equal([nameof(OrderLinesChanged), nameof(OrderCompleted)], (await Service.TimelineOf(order)).TakeLast(2).Select(entry => entry.Event));
    }

    [Fact]
    public async Task A_cancelled_line_that_races_the_hand_over_leaves_the_stock_right_whoever_wins()
    {
        const int Orders = 12;
        await Service.Stocked(Orders * 2, "race");
        await using var shipments = await Service.Other("shipments");
        var outcomes = await Task.WhenAll(Enumerable.Range(0, Orders).Select(async i =>
        {
            var order = await Service.Orders.PlaceOrderAsync(Request.Order(Request.Line("race", 2)));
            await shipments.Tell(Parcel(order, "r" + i, (1, 2)));
            await Eventually.True(async () => (await Service.OrderWith(order.OrderId)).Parcels.Count == 1);
            var (left, cancelled) = (shipments.Tell(Tracked(order, "r" + i)), TryCancel(order, (1, 1)));
            await left;
            var ok = await cancelled;
            await Eventually.True(async () => (await Service.OrderWith(order.OrderId)).FulfilmentState == FulfilmentState.Shipped);
            Assert.Equal(ok ? 1 : 2, (await Service.OrderWith(order.OrderId)).Lines[0].Quantity);
            return ok;
        }));
        var stock = await Service.StockOf("race");
        // The carrier has all of it; what was cancelled first was released before.
        Assert.Equal((0L, 0L), (stock.OnHand, stock.Reserved));
        Assert.Equal(outcomes.Count(ok => ok), await Service.Count("FROM stock_movements WHERE kind = 3 AND sku = 'race'"));
        Assert.Equal(0, await Service.Count("FROM order_lines WHERE held <> 0 AND sku = 'race'"));
    }

    [Fact]
    public async Task Of_two_who_cancel_the_same_piece_at_once_one_is_told_that_it_is_gone()
    {
        await Service.Stocked(3, "twice");
        var order = await Service.Orders.PlaceOrderAsync(Request.Order(Request.Line("twice", 3)));
        var won = await Task.WhenAll(Enumerable.Range(0, 8).Select(_ => TryCancel(order, (1, 2))));
        Assert.Single(won, ok => ok);
        Assert.Equal(1, (await Service.OrderWith(order.OrderId)).Lines[0].Quantity);
        Assert.Equal(1, (await Service.StockOf("twice")).Reserved);
    }

    [Fact]
    public async Task What_went_back_because_the_order_is_smaller_does_not_make_it_partly_refunded()
    {
        var order = await Service.Orders.PlaceOrderAsync(Request.Order(Request.Line("smaller", 3)));
        await using var payments = await Service.Other("payments");
        var (now, eur) = (TimeProvider.System.GetUtcNow(), "EUR");
        await payments.Tell(new PaymentCaptured(order.OrderId, "main", 1, now, new Money(3000, eur)));
        await Eventually.True(async () => (await Service.OrderWith(order.OrderId)).PaymentState == PaymentState.Paid);
        await Service.Orders.CancelOrderAsync(Cancel(order, (1, 1)));
        await payments.Tell(new PaymentRefunded(order.OrderId, "main", 2, now, new Money(1000, eur), new Money(3000, eur), new Money(1000, eur)));
        await payments.Tell(new PaymentRefunded(order.OrderId, "main", 3, now, new Money(1300, eur), new Money(3000, eur), new Money(1000, eur)));
        await Eventually.True(async () => (await Service.OrderWith(order.OrderId)).PaymentState == PaymentState.PartlyRefunded);
        Assert.Equal(1, await Service.Count("FROM orders WHERE refunded_minor = 300 AND total_minor = 2000 AND order_id = $1", OrderId.TryParse(order.OrderId, out var id) ? id.Value : 0));
        Assert.DoesNotContain((await Service.TimelineOf(order)).SkipLast(1), entry => entry.Detail.Contains("REFUNDED", StringComparison.Ordinal));
    }

    [Fact]
    public async Task What_is_wrong_with_the_lines_is_named_and_nothing_is_done()
    {
        var order = await Service.Orders.PlaceOrderAsync(Request.Order(Request.Line("wrong", 2)));
        var (_, _, fields, _) = await Refusal.Of(Service.Orders.CancelOrderAsync(Cancel(order, (1, -1), (1, 1))));
        Assert.Equal(["lines[0].pieces", "lines[1].line_number"], fields.Keys.Order(StringComparer.Ordinal));
        var (_, _, unknown, _) = await Refusal.Of(Service.Orders.CancelOrderAsync(Cancel(order, (7, 1))));
        Assert.Equal(["lines[0].line_number"], unknown.Keys);
        await Refusal.Is("ORDER_STATE", Service.Orders.CancelOrderAsync(Cancel(order, (1, 3))));
        Assert.Equal(order, await Service.OrderWith(order.OrderId));
    }

    private static CancelOrderRequest Cancel(V1.Order order, params (int Line, int Pieces)[] lines) => new()
    {
        Name = order.Name,
        RequestId = Guid.NewGuid().ToString(),
        Lines = { lines.Select(line => new LinePieces { LineNumber = line.Line, Pieces = line.Pieces }) },
    };

    private async Task<bool> TryCancel(V1.Order order, params (int Line, int Pieces)[] lines)
    {
        try
        {
            await Service.Orders.CancelOrderAsync(Cancel(order, lines));
            return true;
        }
        catch (RpcException exception) when (exception.StatusCode == StatusCode.FailedPrecondition)
        {
            return false;
        }
    }

    private static ShipmentCreated Parcel(V1.Order order, string id, params (int Line, int Pieces)[] lines) => new(
        id + order.OrderId, order.OrderId, "main", 1, TimeProvider.System.GetUtcNow(), [.. lines.Select(line => new ShipmentLineFact(line.Line, line.Pieces))]);

    private static ParcelTracked Tracked(V1.Order order, string id, string status = "IN_TRANSIT") => new(
        id + order.OrderId, order.OrderId, "main", 2, TimeProvider.System.GetUtcNow(), "ups", "1Z", status, "PRE_TRANSIT", [status], TimeProvider.System.GetUtcNow(), 1);
}

using Commerce.Orders.V1;
using Commerce.Payments.V1;
using Commerce.Testing;
using RefundState = Commerce.Payments.V1.Refund.Types.State;

namespace Commerce.Orders.Tests;

/// <summary>Goods that come back for store credit, or for other goods.</summary>
public class ExchangeTests(OrdersService service) : OrdersServiceTests(service)
{
    [Fact]
    public async Task Store_credit_is_what_the_customer_gets_where_they_want_it()
    {
        var order = await Service.Delivered(Of("ada", Request.Line("credit", 2)));
        var one = await Service.Returns.RequestReturnAsync(ReturnsShop.Ask(order, (1, 2)).With(r => r.Outcome = ReturnOutcome.StoreCredit));
        Assert.Equal(ReturnOutcome.StoreCredit, one.Outcome);
        one = await Service.Until(await Service.Received(await Service.Approve(one), true, (1, 2, ReturnCondition.AsNew)), r => r.RefundState == ReturnRefundState.Refunded);
        Assert.True(Assert.Single(one.Refunds).StoreCredit);
        Assert.Equal(RefundDestination.StoreCredit, Assert.Single(Service.Payments.RefundsOf(order.OrderId)).Destination);
    }

    [Fact]
    public async Task Who_bought_without_an_account_exchanges_all_the_same_and_their_credit_is_kept_under_the_order_id()
    {
        await Service.Stocked(5, "guest-m", "guest-l");
        var order = await Service.Delivered(Request.Order(Request.Line("guest-m", 1)));
        var one = await Exchange(order, 1, "guest-l", 1);
        one = await Replaced(await Service.Received(await Service.Approve(one), true, (1, 1, ReturnCondition.AsNew)));
        var instead = await Service.Orders.GetOrderAsync(new GetOrderRequest { Name = one.Replacement.ReplacementOrder });
        Assert.Equal(
            ("", PaymentMethod.StoreCredit, order.OrderId, 1000L),
            (instead.CustomerId, Assert.Single(instead.PaymentParts).Method, instead.PaymentParts[0].Token, Minor(instead.PaymentParts[0].Amount)));
    }

    [Fact]
    public async Task An_order_is_paid_with_the_credit_of_another_one_and_nobody_is_called_like_an_order()
    {
        var holder = OrderId.New("ORD", TimeProvider.System).ToString();
        var placed = await Service.Orders.PlaceOrderAsync(Paid(holder.ToLowerInvariant()));
        Assert.Equal(holder, placed.PaymentParts[0].Token);

        var mistyped = holder[..^1] + (holder[^1] == '0' ? '1' : '0');
        var (_, _, fields, _) = await Refusal.Of(Service.Orders.PlaceOrderAsync(Paid(mistyped)));
        Assert.Equal($"Is mistyped. Did you mean {holder}?", fields["payment_parts[0].token"]);
        (_, _, fields, _) = await Refusal.Of(Service.Orders.PlaceOrderAsync(Paid("tok_ok")));
        Assert.Equal(["payment_parts[0].token"], fields.Keys);
        (_, _, fields, _) = await Refusal.Of(Service.Orders.PlaceOrderAsync(Paid("")));
        Assert.Equal(["customer_id"], fields.Keys);
        (_, _, fields, _) = await Refusal.Of(Service.Orders.PlaceOrderAsync(Paid("").With(r => r.CustomerId = holder)));
        Assert.Equal(["customer_id"], fields.Keys);

        static PlaceOrderRequest Paid(string token) => Request.Order(Request.Line("by-credit", 1)).With(r =>
            (r.PaymentParts[0].Method, r.PaymentParts[0].Token) = (PaymentMethod.StoreCredit, token));
    }

    [Fact]
    public async Task An_exchange_for_the_same_price_orders_the_other_article_paid_with_the_credit_and_names_both_ways()
    {
        await Service.Stocked(5, "size-m", "size-l");
        var order = await Service.Delivered(Of("bea", Request.Line("size-m", 1)));
        var one = await Exchange(order, 1, "size-l", 1);
        Assert.Equal((0L, "Article size-l"), (Minor(one.Replacement.Difference), one.Replacement.Lines[0].Title));
        one = await Replaced(await Service.Received(await Service.Approve(one), true, (1, 1, ReturnCondition.AsNew)));

        var instead = await Service.Orders.GetOrderAsync(new GetOrderRequest { Name = one.Replacement.ReplacementOrder });
        Assert.Equal((one.Name, "bea", order.ShippingAddress, 1000L), (instead.ExchangeOf, instead.CustomerId, instead.ShippingAddress, Minor(instead.Total)));
        Assert.Equal((PaymentMethod.StoreCredit, 1000L), (Assert.Single(instead.PaymentParts).Method, Minor(instead.PaymentParts[0].Amount)));
        Assert.Equal("", order.ExchangeOf);
        Assert.Equal((5L, 5L, 1L), ((await Service.StockOf("size-m")).OnHand, (await Service.StockOf("size-l")).OnHand, (await Service.StockOf("size-l")).Reserved));
        Assert.Contains(await Service.TimelineOf(order), e => e.Detail == $"R1: replaced by {instead.Name}");
    }

    [Fact]
    public async Task What_the_replacement_costs_more_is_asked_of_the_means_that_was_given()
    {
        await Service.Stocked(5, "plain", "fancy");
        var order = await Service.Delivered(Of("cy", Request.Line("plain", 1)));
        var (_, info, fields, _) = await Refusal.Of(Service.Returns.RequestReturnAsync(Asked(order, 1, "fancy", 3)));
        Assert.Equal(("INVALID_FIELD", "replacement.payment_part"), (info.Reason, Assert.Single(fields.Keys)));
        var one = await Exchange(order, 1, "fancy", 3, new PaymentPart { Method = PaymentMethod.Card, Token = "tok_more" });
        Assert.Equal(2000, Minor(one.Replacement.Difference));
        one = await Replaced(await Service.Received(await Service.Approve(one), true, (1, 1, ReturnCondition.AsNew)));
        var instead = await Service.Orders.GetOrderAsync(new GetOrderRequest { Name = one.Replacement.ReplacementOrder });
        Assert.Equal(
            [(PaymentMethod.StoreCredit, "", 1000L), (PaymentMethod.Card, "tok_more", 2000L)], instead.PaymentParts.Select(p => (p.Method, p.Token, Minor(p.Amount))));
    }

    [Fact]
    public async Task What_the_replacement_costs_less_goes_back_to_the_original_means()
    {
        await Service.Stocked(5, "pair", "single");
        var order = await Service.Delivered(Of("dan", Request.Line("pair", 3)));
        var one = await Exchange(order, 3, "single", 1);
        Assert.Equal(-2000, Minor(one.Replacement.Difference));
        one = await Service.Approve(one);
        // Not before everything came.
        one = await Service.Received(one, true, (1, 1, ReturnCondition.AsNew));
        Assert.Empty(one.Refunds);
        await Refusal.Is("RETURN_STATE", Service.Returns.RefundReturnAsync(new RefundReturnRequest { Name = one.Name, RequestId = "early" }));
        one = await Replaced(await Service.Received(one, true, (1, 2, ReturnCondition.AsNew)));
        one = await Service.Until(one, r => r.RefundState == ReturnRefundState.Refunded);
        Assert.Equal([(true, 1000L), (false, 2000L)], one.Refunds.Select(r => (r.StoreCredit, Minor(r.RefundedAmount))));
        Assert.Equal(
            [(1000L, RefundDestination.StoreCredit), (2000L, RefundDestination.OriginalMeans)],
            Service.Payments.RefundsOf(order.OrderId).Select(r => (Minor(r.Amount), r.Destination)).Order());
        Assert.Equal(3000, Minor(one.RefundedAmount));
    }

    [Fact]
    public async Task A_replacement_that_is_sold_out_leaves_the_credit_and_is_ordered_when_it_can_be_had()
    {
        await Service.Stocked(1, "last");
        var order = await Service.Delivered(Of("eve", Request.Line("gone", 1)));
        var one = await Exchange(order, 1, "last", 1);
        await Service.Orders.PlaceOrderAsync(Request.Order(Request.Line("last", 1)));
        one = await Service.Received(await Service.Approve(one), true, (1, 1, ReturnCondition.AsNew));
        one = await Service.Until(one, r => r.Replacement.FailureReason.Length > 0);
        Assert.StartsWith("OUT_OF_STOCK", one.Replacement.FailureReason, StringComparison.Ordinal);
        Assert.Equal((ReturnRefundState.Refunded, true), (one.RefundState, one.Refunds[0].StoreCredit));

        await Service.Stock.AdjustStockAsync(new AdjustStockRequest { Name = "stores/main/products/last/stock", RequestId = "more", Change = 1, Reason = StockAdjustmentReason.Received });
        one = await Replaced(await Service.RefundDue(one));
        Assert.Equal("", one.Replacement.FailureReason);
        Assert.Single(Service.Payments.RefundsOf(order.OrderId));
        await Refusal.Is("RETURN_STATE", Service.Returns.RefundReturnAsync(new RefundReturnRequest { Name = one.Name, RequestId = "again" }));
    }

    [Fact]
    public async Task Damaged_goods_pay_less_of_the_replacement_and_nobody_is_charged_who_did_not_say_so()
    {
        await Service.Stocked(5, "for-two");
        var order = await Service.Delivered(Of("fay", Request.Line("two", 2)));
        var one = await Service.Approve(await Exchange(order, 2, "for-two", 2));
        one = await Service.Received(one, true, (1, 1, ReturnCondition.AsNew), (1, 1, ReturnCondition.Missing));
        one = await Service.Until(one, r => r.Replacement.FailureReason.Length > 0);
        Assert.StartsWith("INSUFFICIENT_CREDIT", one.Replacement.FailureReason, StringComparison.Ordinal);
        Assert.Equal((1000L, ""), (Minor(one.RefundedAmount), one.Replacement.ReplacementOrder));
    }

    [Fact]
    public async Task A_kill_between_credit_and_replacement_makes_one_order()
    {
        await Service.Stocked(5, "killed-m", "killed-l");
        var order = await Service.Delivered(Of("gil", Request.Line("killed-m", 1)));
        Service.Payments.Settles(order.OrderId, RefundState.Pending);
        var one = await Service.Received(await Service.Approve(await Exchange(order, 1, "killed-l", 1)), true, (1, 1, ReturnCondition.AsNew));
        await Eventually.True(() => Service.Payments.RefundsOf(order.OrderId).Count == 1);
        await Service.Restart();
        Service.Payments.Settle(order.OrderId, RefundState.Succeeded);
        // The same point is carried out twice, as after a kill.
        await using (var again = Service.Database.CreateCommand("UPDATE messaging.recovery_points SET due_at = now() - interval '1 second', leased_until = NULL WHERE kind = 'refund-return'"))
            await again.ExecuteNonQueryAsync();
        one = await Replaced(one);
        await using (var twice = Service.Database.CreateCommand("INSERT INTO messaging.recovery_points (kind, key, payload, due_at, created_at) VALUES ('place-replacement', $1, '{}', now(), now())"))
        {
            twice.Parameters.Add(new Npgsql.NpgsqlParameter { Value = $"{order.OrderId}/1/0" });
            await twice.ExecuteNonQueryAsync();
        }

        await Service.Restart();
        await Eventually.True(async () => await Service.Count("FROM messaging.recovery_points WHERE kind = 'place-replacement'") == 0);
        Assert.Equal(1, await Service.Count("FROM orders WHERE exchange_of = $1", one.Name));
    }

    [Fact]
    public async Task Everything_that_is_wrong_with_an_exchange_is_named()
    {
        var order = await Service.Delivered(Of("hal", Request.Line("bad-exchange", 1)));
        var (_, _, none, _) = await Refusal.Of(Service.Returns.RequestReturnAsync(ReturnsShop.Ask(order, (1, 1)).With(r => r.Outcome = ReturnOutcome.Exchange)));
        Assert.Equal(["replacement"], none.Keys);
        var (_, _, useless, _) = await Refusal.Of(Service.Returns.RequestReturnAsync(ReturnsShop.Ask(order, (1, 1)).With(r => r.Replacement = new Replacement())));
        Assert.Equal(["replacement", "replacement.lines"], useless.Keys.Order());
        var (_, _, wrong, _) = await Refusal.Of(Service.Returns.RequestReturnAsync(
            Asked(order, 1, "no such sku", 0, new PaymentPart { Method = PaymentMethod.StoreCredit, Instalments = 99 }).With(r => r.Outcome = (ReturnOutcome)77)));
        Assert.Equal(
            ["outcome", "replacement", "replacement.lines[0].quantity", "replacement.lines[0].sku", "replacement.payment_part.instalments", "replacement.payment_part.method", "replacement.payment_part.token"],
            wrong.Keys.Order(StringComparer.Ordinal));
        var (_, info, unknown, _) = await Refusal.Of(Service.Returns.RequestReturnAsync(Asked(order, 1, "unheard-of", 1)));
        Assert.Equal(("SKU_UNKNOWN", "replacement.lines[0].sku"), (info.Reason, Assert.Single(unknown.Keys)));
    }

    private async Task<V1.Return> Exchange(V1.Order order, int pieces, string sku, int quantity, PaymentPart? part = null) =>
        await Service.Returns.RequestReturnAsync(Asked(order, pieces, sku, quantity, part));

    private Task<V1.Return> Replaced(V1.Return one) => Service.Until(one, r => r.Replacement.ReplacementOrder.Length > 0);

    private static RequestReturnRequest Asked(V1.Order order, int pieces, string sku, int quantity, PaymentPart? part = null) => ReturnsShop.Ask(order, (1, pieces)).With(r =>
    {
        r.Outcome = ReturnOutcome.Exchange;
        r.Replacement = new Replacement { Lines = { new ReplacementLine { Sku = sku, Quantity = quantity } }, PaymentPart = part };
    });

    private static PlaceOrderRequest Of(string customer, params OrderLine[] lines) => Request.Order(lines).With(r => r.CustomerId = customer);

    private static long Minor(Google.Type.Money money) => money.TryToMoney(out var amount, out _) ? amount.Minor : throw new InvalidOperationException();
}

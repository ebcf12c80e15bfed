using Commerce.Orders.V1;
using Google.Protobuf.WellKnownTypes;

namespace Commerce.Orders.Tests;

/// <summary>What a store promises about goods that come back, and what that costs whom.</summary>
public class ReturnPolicyTests(OrdersService service) : OrdersServiceTests(service)
{
    [Fact]
    public async Task A_store_without_a_policy_has_the_defaults_and_UpdateStore_changes_it_for_what_is_asked_from_then_on()
    {
        var store = await Service.StoreWith("policy", "POL", new ReturnPolicy { WindowDays = 60 });
        Assert.Equal((60, 10_000, "\"1\""), (store.ReturnPolicy.WindowDays, store.ReturnPolicy.DamagedRefundBasisPoints, store.Etag));
        var main = await Service.Stores.GetStoreAsync(new GetStoreRequest { Name = "stores/main" });
        Assert.Equal((30, false), (main.ReturnPolicy.WindowDays, main.ReturnPolicy.AutoApprove));

        var order = await Service.Delivered(In(store));
        var before = await Service.Asked(order, (1, 1));
        var update = new UpdateStoreRequest
        {
            Store = new Store { Name = store.Name, Etag = store.Etag, DisplayName = "Renamed", ReturnPolicy = new ReturnPolicy { AutoApprove = true, RestockingFeeBasisPoints = 1500 } },
            UpdateMask = new FieldMask { Paths = { "display_name", "return_policy" } },
            RequestId = "update-1",
        };
        var changed = await Service.Stores.UpdateStoreAsync(update);
        Assert.Equal(("Renamed", 30, 1500, "\"2\"", store.OrderPrefix), (changed.DisplayName, changed.ReturnPolicy.WindowDays, changed.ReturnPolicy.RestockingFeeBasisPoints, changed.Etag, changed.OrderPrefix));
        Assert.Equal(changed, await Service.Stores.UpdateStoreAsync(update));
        Assert.Equal(changed, await Service.Stores.GetStoreAsync(new GetStoreRequest { Name = store.Name }));
        update.RequestId = "update-2";
        await Refusal.Is("ETAG_MISMATCH", Service.Stores.UpdateStoreAsync(update));

        Assert.Equal(0, before.Policy.RestockingFeeBasisPoints);
        var after = await Service.Asked(order, (1, 1));
        Assert.Equal((ReturnState.Approved, 150L, 850L), (after.State, Minor(after.Amounts.RestockingFee), Minor(after.RefundAmount)));
        Assert.Equal(["ReturnRequested", "ReturnRequested", "ReturnApproved"], (await Service.TimelineOf(order)).Select(e => e.Event).Where(e => e.StartsWith("Return", StringComparison.Ordinal)));
    }

    [Fact]
    public async Task Many_who_change_a_store_at_once_change_it_one_after_the_other()
    {
        var store = await Service.StoreWith("many", "MNY", new ReturnPolicy());
        await Task.WhenAll(Enumerable.Range(1, 8).Select(i => Service.SetPolicy(store, new ReturnPolicy { WindowDays = i })));
        Assert.Equal("\"9\"", (await Service.Stores.GetStoreAsync(new GetStoreRequest { Name = store.Name })).Etag);
    }

    [Fact]
    public async Task A_policy_says_what_is_wrong_with_it()
    {
        var store = await Service.StoreWith("bad", "BAD", new ReturnPolicy());
        var (_, info, fields, _) = await Refusal.Of(Service.Stores.UpdateStoreAsync(new UpdateStoreRequest
        {
            Store = new Store
            {
                Name = store.Name,
                ReturnPolicy = new ReturnPolicy
                {
                    WindowDays = -1,
                    RestockingFeeBasisPoints = 10_001,
                    DamagedRefundBasisPoints = -1,
                    ReturnPostage = Request.Amount(100, "USD"),
                    AcceptedReasons = { ReturnReason.Unspecified },
                    ShopperPaysReasons = { ReturnReason.Faulty },
                },
            },
            UpdateMask = new FieldMask { Paths = { "return_policy" } },
            RequestId = "bad",
        }));
        Assert.Equal("INVALID_FIELD", info.Reason);
        Assert.Equal(
            ["accepted_reasons", "damaged_refund_basis_points", "restocking_fee_basis_points", "return_postage", "shopper_pays_reasons", "window_days"],
            fields.Keys.Select(f => f["store.return_policy.".Length..]).Order(StringComparer.Ordinal));
        Assert.Contains("FAULTY", fields["store.return_policy.shopper_pays_reasons"], StringComparison.Ordinal);
        var (_, _, mask, _) = await Refusal.Of(Service.Stores.UpdateStoreAsync(new UpdateStoreRequest { Store = new Store { Name = store.Name }, UpdateMask = new FieldMask { Paths = { "order_prefix" } }, RequestId = "mask" }));
        Assert.Equal(["update_mask"], mask.Keys);
        await Refusal.Is("STORE_NOT_FOUND", Service.Stores.UpdateStoreAsync(new UpdateStoreRequest { Store = new Store { Name = "stores/none" }, UpdateMask = new FieldMask { Paths = { "colour" } }, RequestId = "none" }));
        var (_, _, name, _) = await Refusal.Of(Service.Stores.UpdateStoreAsync(new UpdateStoreRequest { Store = new Store { Name = store.Name }, UpdateMask = new FieldMask { Paths = { "display_name", "ship_from" } }, RequestId = "empty" }));
        Assert.Equal(["store.display_name", "store.ship_from"], name.Keys.Order());
    }

    [Fact]
    public async Task The_shopper_pays_the_way_back_of_what_they_do_not_want_and_never_of_what_is_faulty()
    {
        var store = await Service.StoreWith("payer", "PAY", new ReturnPolicy
        {
            ShopperPaysReasons = { ReturnReason.ChangedMind },
            ReturnPostage = Request.Euro(499),
            RestockingFeeBasisPoints = 1000,
            DamagedRefundBasisPoints = 5000,
        });
        var order = await Service.Delivered(In(store));
        var unwanted = await Service.Asked(order, (1, 1));
        Assert.Equal((true, 499L, 100L, 401L), (unwanted.ShopperPaysPostage, Minor(unwanted.Amounts.ReturnPostage), Minor(unwanted.Amounts.RestockingFee), Minor(unwanted.RefundAmount)));
        var faulty = await Service.Returns.RequestReturnAsync(With(order, ReturnReason.Faulty, 1));
        Assert.Equal((false, 0L, 0L, 1000L), (faulty.ShopperPaysPostage, Minor(faulty.Amounts.ReturnPostage), Minor(faulty.Amounts.RestockingFee), Minor(faulty.RefundAmount)));

        // Damaged: half of it, less the fee of that, less the postage. Faulty: all of it, in whatever condition.
        var damaged = await Service.Received(await Service.Approve(unwanted), false, (1, 1, ReturnCondition.Damaged));
        Assert.Equal((500L, 50L, 0L), (Minor(damaged.Amounts.Goods), Minor(damaged.Amounts.RestockingFee), Minor(damaged.RefundAmount)));
        var received = await Service.Received(await Service.Approve(faulty), true, (1, 1, ReturnCondition.Damaged));
        received = await Service.Until(received, r => r.RefundState == ReturnRefundState.Refunded);
        Assert.Equal(1000, Minor(received.RefundedAmount));
        Assert.Equal(1000, Service.Payments.GivenBack(order.OrderId));
    }

    [Fact]
    public async Task Without_a_fixed_postage_the_shopper_pays_what_the_label_cost()
    {
        var store = await Service.StoreWith("label", "LBL", new ReturnPolicy { ShopperPaysReasons = { ReturnReason.ChangedMind } });
        var order = await Service.Delivered(In(store));
        var one = await Service.Approved(order, (1, 1));
        var (shipment, now) = (Guid.NewGuid().ToString("N"), TimeProvider.System.GetUtcNow());
        await (await Service.Shared("shipments")).Tell(
            new Facts.ShipmentCreated(shipment, order.OrderId, store.StoreId, 1, now, [new Facts.ShipmentLineFact(1, 1)]) { ReturnNumber = 1 },
            new Facts.LabelBought(shipment, order.OrderId, store.StoreId, 2, now, "ups", "ground", "1ZLABEL", new Commerce.Money(380, "EUR"), null) { ReturnNumber = 1 });
        one = await Service.Until(one, r => Minor(r.Amounts.ReturnPostage) == 380);
        Assert.Equal(620, Minor(one.RefundAmount));
    }

    [Fact]
    public async Task Reasons_and_photos_are_as_the_policy_says()
    {
        var store = await Service.StoreWith("strict", "STR", new ReturnPolicy { AcceptedReasons = { ReturnReason.WrongSize }, PhotosNeeded = true });
        var order = await Service.Delivered(In(store));
        var (_, info, fields, _) = await Refusal.Of(Service.Returns.RequestReturnAsync(ReturnsShop.Ask(order, (1, 1))));
        Assert.Equal(("NOT_RETURNABLE", "lines[0].reason"), (info.Reason, Assert.Single(fields.Keys)));
        var faulty = With(order, ReturnReason.Faulty, 1);
        var (_, _, photos, _) = await Refusal.Of(Service.Returns.RequestReturnAsync(faulty));
        Assert.Equal(["photos"], photos.Keys);
        faulty.Photos.Add("https://example.com/broken.jpg");
        Assert.Equal(ReturnState.Requested, (await Service.Returns.RequestReturnAsync(faulty)).State);
    }

    [Fact]
    public async Task Shipping_goes_back_with_the_last_piece_where_the_policy_says_so()
    {
        var store = await Service.StoreWith("freight", "FRT", new ReturnPolicy { RefundShipping = true });
        var request = In(store);
        request.ShippingCharge = Request.Euro(500);
        request.PaymentParts[0].Amount = Request.Euro(3500);
        var order = await Service.Delivered(request);
        var first = await Service.Received(await Service.Approved(order, (1, 1)), true, (1, 1, ReturnCondition.AsNew));
        Assert.Equal((0L, 1000L), (Minor(first.Amounts.Shipping), Minor(first.RefundAmount)));
        var last = await Service.Asked(order, (1, 2));
        Assert.Equal((500L, 2500L), (Minor(last.Amounts.Shipping), Minor(last.RefundAmount)));
        last = await Service.Received(await Service.Approve(last), true, (1, 2, ReturnCondition.AsNew));
        await Service.Until(last, r => r.RefundState == ReturnRefundState.Refunded);
        await Service.Until(first, r => r.RefundState == ReturnRefundState.Refunded);
        Assert.Equal(3500, Service.Payments.GivenBack(order.OrderId));
    }

    [Fact]
    public async Task Returns_of_a_store_are_found_by_state_and_time_page_by_page()
    {
        var store = await Service.StoreWith("lists", "LST", new ReturnPolicy());
        var order = await Service.Delivered(In(store));
        var all = new List<V1.Return>();
        for (var i = 0; i < 3; i++)
            all.Insert(0, await Service.Asked(order, (1, 1)));
        all[1] = await Service.Approve(all[1]);

        var request = new ListReturnsRequest { StoreId = store.StoreId, PageSize = 2 };
        var first = await Service.Returns.ListReturnsAsync(request);
        request.PageToken = first.NextPageToken;
        var second = await Service.Returns.ListReturnsAsync(request);
        Assert.Equal(all, first.Returns.Concat(second.Returns));
        Assert.Equal("", second.NextPageToken);
        Assert.Equal([all[1]], (await Service.Returns.ListReturnsAsync(new ListReturnsRequest { StoreId = store.StoreId, State = ReturnState.Approved })).Returns);
        Assert.Equal([all[0]], (await Service.Returns.ListReturnsAsync(new ListReturnsRequest { StoreId = store.StoreId, CreateTimeFrom = all[0].CreateTime })).Returns);
        Assert.Equal([all[2]], (await Service.Returns.ListReturnsAsync(new ListReturnsRequest { StoreId = store.StoreId, CreateTimeUntil = all[1].CreateTime })).Returns);
        var ofOrder = await Service.Returns.ListReturnsAsync(new ListReturnsRequest { OrderId = order.OrderId, PageSize = 2 });
        var rest = await Service.Returns.ListReturnsAsync(new ListReturnsRequest { OrderId = order.OrderId, PageSize = 2, PageToken = ofOrder.NextPageToken });
        Assert.Equal(all.AsEnumerable().Reverse(), ofOrder.Returns.Concat(rest.Returns));
    }

    private static PlaceOrderRequest In(Store store) => Request.Order(Request.Line("of-" + store.StoreId, 3)).With(r => r.StoreId = store.StoreId);

    private static RequestReturnRequest With(V1.Order order, ReturnReason reason, int pieces)
    {
        var ask = ReturnsShop.Ask(order, (1, pieces));
        ask.Lines[0].Reason = reason;
        return ask;
    }

    private static long Minor(Google.Type.Money money) => money.TryToMoney(out var amount, out _) ? amount.Minor : throw new InvalidOperationException();
}

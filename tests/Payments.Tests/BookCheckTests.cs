using Commerce.Payments.CheckingBooks;
using Commerce.ServiceDefaults;
using Microsoft.Extensions.Logging.Abstractions;
using Microsoft.Extensions.Options;
using Npgsql;

namespace Commerce.Payments.Tests;

public sealed class BookCheckTests(DriverHarness harness) : IClassFixture<DriverHarness>
{
    private readonly FakeProvider _provider = new();

    [Fact]
    public async Task Books_that_are_right_have_no_difference_and_what_went_round_the_schema_is_found()
    {
        // Of everything that posts: parts, holds, partial captures, refunds to both destinations, credit, settlement.
        var payments = new List<DriverHarness.TestPayment>();
        for (var i = 0; i < 5; i++)
        {
            var payment = await harness.Begin(_provider);
            payment.Customer = "c-" + i;
            payment.CaptureMode = i == 4 ? "MANUAL" : null;
            await harness.Grant(payment.Customer, 1000);
            await payment.Place(("ok", 700), ("credit", 300));
            await payment.Settle();
            payments.Add(payment);
        }

        await payments[0].Refund(100);
        await payments[1].Refund(400, destination: V1.RefundDestination.StoreCredit);
        await payments[2].Cancel();
        await payments[4].Capture(650);
        foreach (var payment in payments)
            await payment.Settle();
        await harness.Import("id,type,currency,amount,occurred_at\nf1,fee,BRL,1.00,2026-01-02\nc1,payout,BRL,1.00,2026-01-02\n");
        Assert.Equal(0, await Pass(slice: 2));
        Assert.Equal(0, PaymentsTelemetry.BookDifferences);
        Assert.InRange((TimeProvider.System.GetUtcNow() - PaymentsTelemetry.BooksCheckedAt).TotalMinutes, -1, 1);

        // A hand in the database: each of these shows, and is gone when it is put right.
        await Found($"UPDATE payments SET captured_minor = captured_minor - 1 WHERE order_id = '{payments[3].OrderId}'", $"UPDATE payments SET captured_minor = captured_minor + 1 WHERE order_id = '{payments[3].OrderId}'");
        await Found($"UPDATE payment_parts SET refunded_minor = 5 WHERE order_id = '{payments[3].OrderId}' AND part_number = 1", $"UPDATE payment_parts SET refunded_minor = 0 WHERE order_id = '{payments[3].OrderId}' AND part_number = 1");
        await Found("UPDATE store_credits SET balance_minor = balance_minor + 1 WHERE customer_id = 'c-0'", "UPDATE store_credits SET balance_minor = balance_minor - 1 WHERE customer_id = 'c-0'");
        await Found("UPDATE store_credits SET held_minor = held_minor + 1 WHERE customer_id = 'c-0'", "UPDATE store_credits SET held_minor = held_minor - 1 WHERE customer_id = 'c-0'");
        await Found(
            """
            ALTER TABLE ledger_entries DISABLE TRIGGER ALL;
            INSERT INTO ledger_entries SELECT movement, 9, account, 1, store_id, posted_at FROM ledger_entries WHERE movement = 'settlement/fake/f1' AND line_number = 1
            """,
            "DELETE FROM ledger_entries WHERE line_number = 9; ALTER TABLE ledger_entries ENABLE TRIGGER ALL");
    }

    private async Task Found(string harm, string repair)
    {
        await Execute(harm);
        Assert.Equal(1, await Pass(slice: 3));
        Assert.Equal(1, PaymentsTelemetry.BookDifferences);
        await Execute(repair);
        Assert.Equal(0, await Pass(slice: 1000));
    }

    [Fact]
    public async Task What_Orders_or_Shipments_say_otherwise_of_money_at_rest_is_found()
    {
        var paid = await harness.Begin(_provider);
        paid.CaptureMode = "ON_SHIPMENT";
        await paid.Place(("ok", 2819));
        await paid.Settle();
        await paid.Parcel("shp-1", (1, 12), (2, 2));
        await paid.HandOver("shp-1");
        await paid.Settle();
        var cancelled = await harness.Begin(_provider);
        await cancelled.Place(("ok", 2819));
        await cancelled.Settle();
        var now = TimeProvider.System.GetUtcNow();
        var orders = new FakeOrders.Orders
        {
            Changed = order =>
            {
                order.UpdateTime = Google.Protobuf.WellKnownTypes.Timestamp.FromDateTimeOffset(now);
                order.State = order.OrderId == cancelled.OrderId ? Orders.V1.OrderState.Cancelled : Orders.V1.OrderState.Open;
                order.PaymentState = Orders.V1.PaymentState.Paid;
                order.Parcels.Add(new Orders.V1.Parcel { Shipment = "shipments/shp-1", State = Orders.V1.ParcelState.Planned });
                if (order.OrderId == paid.OrderId)
                    order.Total = new Money(2000, "BRL").ToProto();
            },
        };

        // Facts may still be on their way.
        Assert.Empty(await Differences(orders, now));

        var found = await Differences(orders, now + TimeSpan.FromHours(1));
        Assert.Equal(["by Orders it is paid and comes to 2000, and 2819 is kept", "by Shipments parcel shp-1 was handed over, and by Orders it is Planned"], found[paid.OrderId].Order());
        Assert.Equal(["the order is cancelled, and 2819 of its money is kept"], found[cancelled.OrderId]);

        orders.Changed = order =>
        {
            order.UpdateTime = Google.Protobuf.WellKnownTypes.Timestamp.FromDateTimeOffset(now);
            order.PaymentState = Orders.V1.PaymentState.Paid;
            order.Parcels.Add(new Orders.V1.Parcel { Shipment = "shipments/shp-1", State = Orders.V1.ParcelState.Shipped });
        };
        Assert.Empty((await Differences(orders, now + TimeSpan.FromHours(1)))[paid.OrderId]);

        async Task<ILookup<string, string>> Differences(FakeOrders.Orders said, DateTimeOffset at)
        {
            var check = new OrderCheck(harness.Database, said, new At(at));
            var all = new List<Difference>();
            for (var after = ""; ;)
            {
                var (last, differences) = await check.Slice(after, 2, CancellationToken.None);
                all.AddRange(differences);
                if (last is null)
                    break;
                after = last;
            }

            return all.ToLookup(one => one.About, one => one.What);
        }
    }

    private sealed class At(DateTimeOffset now) : TimeProvider
    {
        public override DateTimeOffset GetUtcNow() => now;
    }

    private Task<long> Pass(int slice) => new CheckBooks(
        new BookCheck(harness.Database, new OrderCheck(harness.Database, new FakeOrders.Orders(), TimeProvider.System)),
        new OptionsWrapper<PaymentsOptions>(new PaymentsOptions { CheckSlice = slice, CheckPause = TimeSpan.Zero }),
        TimeProvider.System,
        NullLogger<CheckBooks>.Instance).Pass(CancellationToken.None);

    private async Task Execute(string sql)
    {
        await using var connection = await harness.Database.OpenConnectionAsync();
        await using var command = new NpgsqlCommand(sql, connection);
        await command.ExecuteNonQueryAsync();
    }
}

using System.Text.Json.Nodes;

namespace Commerce.Payments.Tests;

public sealed class SandboxFlowTests(PaymentsApp app) : IClassFixture<PaymentsApp>
{
    [Theory]
    [InlineData("tok_ok")]
    [InlineData("tok_error_once")]
    [InlineData("tok_timeout_after_success")]
    public async Task An_order_on_the_broker_is_charged_once_and_told_on_the_broker(string token)
    {
        var orderId = await app.Place("main", (token, 12_345));
        Assert.Equal("PaymentCaptured", (await app.Facts(orderId, "PaymentCaptured"))[^1]);

        var charge = Assert.Single(await app.Charges(orderId))!;
        Assert.Equal(12_345, Minor(charge, "captured"));
        Assert.Equal(0, Minor(charge, "refunded"));
    }

    [Fact]
    public async Task A_declined_part_frees_the_other_one()
    {
        var orderId = await app.Place("main", ("tok_ok", 700), ("tok_insufficient_funds", 300));
        Assert.Equal(["PaymentDeclined"], await app.Facts(orderId, "PaymentDeclined"));

        var charges = await app.Charges(orderId);
        Assert.Equal(["authorized", "declined"], charges.Select(c => (string)c!["status"]!).Order());
        Assert.Equal(700, charges.Sum(c => Minor(c!, "voided")));
        Assert.Equal(0, charges.Sum(c => Minor(c!, "captured")));
    }

    [Fact]
    public async Task A_pending_payment_goes_on_with_the_webhook()
    {
        var orderId = await app.Place("main", ("tok_pending", 500));
        Assert.Equal("PaymentCaptured", (await app.Facts(orderId, "PaymentCaptured"))[^1]);
        Assert.Equal(500, Minor(Assert.Single(await app.Charges(orderId))!, "captured"));
    }

    [Fact]
    public async Task A_payment_that_never_comes_is_voided_when_the_order_is_cancelled()
    {
        var orderId = await app.Place("main", ("tok_never", 500));
        await app.Facts(orderId, "PaymentPending");
        await app.Cancel(orderId);
        Assert.Equal(["PaymentPending", "PaymentVoided"], await app.Facts(orderId, "PaymentVoided"));
        Assert.Equal(500, Minor(Assert.Single(await app.Charges(orderId))!, "voided"));
    }

    [Fact]
    public async Task A_captured_payment_is_refunded_when_the_order_is_cancelled()
    {
        var orderId = await app.Place("main", ("tok_ok", 900), ("tok_ok_2", 100));
        await app.Facts(orderId, "PaymentCaptured");
        await app.Cancel(orderId);
        Assert.Equal(["PaymentCaptured", "PaymentRefunded"], await app.Facts(orderId, "PaymentRefunded"));
        Assert.Equal(1000, (await app.Charges(orderId)).Sum(c => Minor(c!, "refunded")));
    }

    [Fact]
    public async Task Orders_through_a_faulty_provider_and_cancelled_at_random_all_end_right()
    {
        await app.Ready;
        await app.Turn("""{"payment_error_rate":0.2,"payment_timeout_after_success_rate":0.03,"webhook_duplicate_rate":0.5,"webhook_reorder_rate":0.5}""");
        try
        {
            var orders = await Task.WhenAll(Enumerable.Range(0, 40).Select(async i =>
            {
                var orderId = await app.Place("main", ("tok_ok", 1000 + i), (i % 8 == 7 ? "tok_declined" : "tok_ok", 500));
                // At some point of its way, none of them the same.
                if (i % 3 == 0)
                    await app.Cancel(orderId);
                return (OrderId: orderId, Cancelled: i % 3 == 0, Declined: i % 8 == 7, Minor: 1500L + i);
            }));

            foreach (var order in orders)
            {
                var payment = await Testing.Eventually.Value(
                    async () => await Find(order.OrderId),
                    p => p is not null && (order.Cancelled || order.Declined
                        ? p.State is V1.Payment.Types.State.Voided or V1.Payment.Types.State.Refunded or V1.Payment.Types.State.Declined
                        : p.State == V1.Payment.Types.State.Captured));
                var charges = await app.Charges(order.OrderId);
                Assert.Equal(charges.Count, charges.Select(c => (string)c!["reference"]!).Distinct().Count());
                var kept = charges.Sum(c => Minor(c!, "captured") - Minor(c!, "refunded"));
                Assert.Equal(order.Cancelled || order.Declined ? 0 : order.Minor, kept);
                Assert.Equal(charges.Sum(c => Minor(c!, "captured")), (payment!.CapturedAmount.Units * 100) + (payment.CapturedAmount.Nanos / 10_000_000));
            }
        }
        finally
        {
            await app.Turn("""{"payment_error_rate":0,"payment_timeout_after_success_rate":0,"webhook_duplicate_rate":0,"webhook_reorder_rate":0}""");
        }
    }

    private async Task<V1.Payment?> Find(string orderId)
    {
        try
        {
            return await app.Grpc.GetPaymentAsync(new V1.GetPaymentRequest { Name = "payments/" + orderId });
        }
        catch (Grpc.Core.RpcException e) when (e.StatusCode == Grpc.Core.StatusCode.NotFound)
        {
            return null;
        }
    }

    private static long Minor(JsonNode charge, string amount) => (long)charge[amount]!["minor"]!;
}

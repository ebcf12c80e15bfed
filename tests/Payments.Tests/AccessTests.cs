using Commerce.ServiceDefaults;
using Commerce.Testing;
using Grpc.Net.Client;

namespace Commerce.Payments.Tests;

/// <summary>Who is let in at the service itself.</summary>
public sealed class AccessTests(PaymentsApp app) : IClassFixture<PaymentsApp>
{
    [Fact]
    public async Task Every_method_refuses_every_credential_that_is_not_good_enough()
    {
        await app.Ready;
        var methods = app.Service<AccessControl>().Methods;
        using var channel = GrpcChannel.ForAddress(app.GrpcAddress);
        var cases = methods.SelectMany(method => WrongCredentials.At("payments", method), (method, wrong) => (method, wrong));
        Assert.NotEmpty(methods);
        var differing = await WrongCredentials.Try(channel.CreateCallInvoker(), cases);
        Assert.True(differing.Count == 0, string.Join("\n", differing));
    }

    [Fact]
    public async Task What_is_a_stores_is_found_and_changed_by_its_own_callers_and_does_not_exist_for_those_of_another()
    {
        var orderId = await app.Place("main", ("tok_ok", 900));
        var held = await app.PlaceHeld("MANUAL", "main", ("tok_ok", 900));
        var invoice = (await Eventually.Value(async () => await app.Invoices.ListInvoicesAsync(new V1.ListInvoicesRequest { OrderId = orderId }), l => l.Invoices.Count == 2)).Invoices[0];
        await app.Facts(held, "PaymentAuthorised");
        var refund = await app.Grpc.RefundPaymentAsync(new V1.RefundPaymentRequest { Name = "payments/" + orderId, RequestId = "apart-1", Amount = new Money(100, "BRL").ToProto() });
        using var channel = GrpcChannel.ForAddress(app.GrpcAddress);

        var wrong = await OtherStores.Try(
            channel.CreateCallInvoker(), "payments", app.Service<AccessControl>().Methods, "main", orderId,
            new V1.GetPaymentRequest { Name = "payments/" + orderId },
            new V1.RefundPaymentRequest { Name = "payments/" + orderId, RequestId = "apart-2", Amount = new Money(100, "BRL").ToProto() },
            new V1.GetRefundRequest { Name = refund.Name },
            new V1.ListRefundsRequest { Parent = "payments/" + orderId },
            new V1.CapturePaymentRequest { Name = "payments/" + held, RequestId = "apart-3", Amount = new Money(100, "BRL").ToProto() },
            new V1.VoidPaymentRequest { Name = "payments/" + held, RequestId = "apart-4" },
            new V1.GetInvoiceRequest { Name = invoice.Name },
            new V1.RenderInvoiceRequest { Name = invoice.Name });

        Assert.True(wrong.Count == 0, string.Join("\n", wrong));
    }
}

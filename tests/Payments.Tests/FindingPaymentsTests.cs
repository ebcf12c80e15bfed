using System.Net;
using System.Net.Http.Json;
using System.Text.Json.Nodes;
using Commerce.Payments.V1;
using Grpc.Core;

namespace Commerce.Payments.Tests;

public sealed class FindingPaymentsTests(PaymentsApp app) : IClassFixture<PaymentsApp>
{
    [Fact]
    public async Task A_payment_is_found_by_its_order_over_gRPC_and_REST_with_all_its_parts()
    {
        var orderId = await app.Place("main", ("tok_ok", 1234), ("tok_ok_2", 66));
        await app.Facts(orderId, "PaymentCaptured");

        var payment = await app.Grpc.GetPaymentAsync(new GetPaymentRequest { Name = "payments/" + orderId.ToLowerInvariant(), MinVersion = 1 });
        Assert.Equal(("payments/" + orderId, 13L, 0, "BRL"), (payment.Name, payment.CapturedAmount.Units, payment.CapturedAmount.Nanos, payment.Amount.CurrencyCode));
        Assert.Equal([1, 2], payment.Parts.Select(p => p.PartNumber));
        Assert.All(payment.Parts, p => Assert.Equal((V1.Payment.Types.State.Captured, "sandbox", 3), (p.State, p.Provider, p.Instalments)));

        var rest = await app.Rest.GetFromJsonAsync<JsonNode>("/v1/payments/" + orderId);
        Assert.Equal("STATE_CAPTURED", (string?)rest!["state"]);
    }

    [Fact]
    public async Task What_cannot_be_found_says_why()
    {
        await app.Ready;
        var unknown = OrderId.New("ORD", TimeProvider.System).ToString();
        Assert.Equal(StatusCode.NotFound, await Refusal(new GetPaymentRequest { Name = "payments/" + unknown }));
        Assert.Equal(StatusCode.Unavailable, await Refusal(new GetPaymentRequest { Name = "payments/" + unknown, MinVersion = 1 }));
        Assert.Equal(StatusCode.InvalidArgument, await Refusal(new GetPaymentRequest { Name = "payments/7" }));
        Assert.Equal(StatusCode.InvalidArgument, await Refusal(new GetPaymentRequest { Name = unknown }));
        var wrong = unknown[..^1] + (unknown[^1] == 'A' ? 'B' : 'A');
        using var mistyped = await app.Rest.GetAsync("/v1/payments/" + wrong);
        Assert.Equal(HttpStatusCode.BadRequest, mistyped.StatusCode);
        Assert.Contains("ORDER_ID_MISTYPED", await mistyped.Content.ReadAsStringAsync(), StringComparison.Ordinal);
    }

    [Fact]
    public async Task Payments_of_a_store_are_paged_newest_first_and_by_state()
    {
        var placed = new List<string>();
        for (var i = 0; i < 5; i++)
        {
            placed.Add(await app.Place("paged", (i == 2 ? "tok_declined" : "tok_ok", 100)));
            await app.Facts(placed[^1], i == 2 ? "PaymentDeclined" : "PaymentCaptured");
        }

        var found = new List<string>();
        var request = new ListPaymentsRequest { StoreId = "paged", PageSize = 2 };
        do
        {
            var page = await app.Grpc.ListPaymentsAsync(request);
            Assert.InRange(page.Payments.Count, 1, 2);
            found.AddRange(page.Payments.Select(p => p.OrderId));
            request.PageToken = page.NextPageToken;
        }
        while (request.PageToken.Length > 0);

        placed.Reverse();
        Assert.Equal(placed, found);
        var declined = await app.Grpc.ListPaymentsAsync(new ListPaymentsRequest { StoreId = "paged", State = V1.Payment.Types.State.Declined });
        Assert.Equal(placed[2], Assert.Single(declined.Payments).OrderId);
    }

    [Fact]
    public async Task A_page_token_of_another_question_and_bad_fields_are_refused()
    {
        await app.Ready;
        Assert.Equal(StatusCode.InvalidArgument, await Refusal(new ListPaymentsRequest()));
        Assert.Equal(StatusCode.InvalidArgument, await Refusal(new ListPaymentsRequest { StoreId = "main", PageSize = 501 }));
        Assert.Equal(StatusCode.InvalidArgument, await Refusal(new ListPaymentsRequest { StoreId = "main", PageToken = "made-up" }));
        Assert.Equal(StatusCode.InvalidArgument, await Refusal(new ListPaymentsRequest { StoreId = "main", State = (V1.Payment.Types.State)99 }));
    }

    private async Task<StatusCode> Refusal(GetPaymentRequest request) =>
        (await Assert.ThrowsAsync<RpcException>(async () => await app.Grpc.GetPaymentAsync(request))).StatusCode;

    private async Task<StatusCode> Refusal(ListPaymentsRequest request) =>
        (await Assert.ThrowsAsync<RpcException>(async () => await app.Grpc.ListPaymentsAsync(request))).StatusCode;
}

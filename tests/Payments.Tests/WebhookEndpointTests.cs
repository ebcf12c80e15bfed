using System.Globalization;
using System.Net;
using System.Net.Http.Json;
using System.Text;
using System.Text.Json.Nodes;
using Commerce.ServiceDefaults;

namespace Commerce.Payments.Tests;

public sealed class WebhookEndpointTests(PaymentsApp app) : IClassFixture<PaymentsApp>
{
    [Fact]
    public async Task Forged_unsigned_and_stale_webhooks_are_refused_and_change_nothing()
    {
        var orderId = await app.Place("main", ("tok_never", 500));
        await app.Facts(orderId, "PaymentPending");
        var paid = await Paid(orderId);
        var now = TimeProvider.System.GetUtcNow();

        Assert.Equal("WEBHOOK_SIGNATURE_INVALID", await Send(paid, now, "another secret"));
        Assert.Equal("WEBHOOK_SIGNATURE_INVALID", await Send(paid, now, null));
        Assert.Equal("WEBHOOK_STALE", await Send(paid, now - TimeSpan.FromMinutes(6), PaymentsApp.Secret));
        Assert.Equal("WEBHOOK_STALE", await Send(paid, now + TimeSpan.FromMinutes(6), PaymentsApp.Secret));
        Assert.Equal(V1.Payment.Types.State.Pending, (await Get(orderId)).State);

        // The same, signed well, is taken in: so it was the signature that kept the others out.
        Assert.Null(await Send(paid, now, PaymentsApp.Secret));
        Assert.NotEqual(V1.Payment.Types.State.Pending, (await Get(orderId)).Parts[0].State);
    }

    [Theory]
    [InlineData("not json")]
    [InlineData("[]")]
    [InlineData("""{"type":"authorization.captured"}""")]
    [InlineData("""{"type":"authorization.captured","data":{"id":"x"}}""")]
    [InlineData("""{"type":7,"data":{"id":"x"}}""")]
    public async Task A_signed_body_that_is_no_webhook_is_refused(string body)
    {
        await app.Ready;
        Assert.Equal("MALFORMED_REQUEST", await Send(body, TimeProvider.System.GetUtcNow(), PaymentsApp.Secret));
    }

    [Fact]
    public async Task A_webhook_that_asks_for_more_than_is_stored_or_lies_about_the_amount_changes_nothing()
    {
        var orderId = await app.Place("main", ("tok_never", 500));
        await app.Facts(orderId, "PaymentPending");
        var lie = (await Paid(orderId)).Replace("\"minor\":500", "\"minor\":501", StringComparison.Ordinal);

        Assert.Null(await Send(lie, TimeProvider.System.GetUtcNow(), PaymentsApp.Secret));
        Assert.Equal(V1.Payment.Types.State.Pending, (await Get(orderId)).Parts[0].State);
    }

    [Fact]
    public async Task A_giant_body_and_an_unknown_provider_are_refused()
    {
        await app.Ready;
        using var giant = await app.Rest.PostAsync("/webhooks/payments/sandbox", new ByteArrayContent(new byte[300 * 1024]));
        Assert.Equal(HttpStatusCode.RequestEntityTooLarge, giant.StatusCode);
        using var unknown = await app.Rest.PostAsync("/webhooks/payments/nobody", new StringContent("{}"));
        Assert.Equal(HttpStatusCode.NotFound, unknown.StatusCode);
    }

    private async Task<V1.Payment> Get(string orderId) => await app.Grpc.GetPaymentAsync(new V1.GetPaymentRequest { Name = "payments/" + orderId });

    private async Task<string> Paid(string orderId)
    {
        var charge = Assert.Single(await app.Charges(orderId))!.DeepClone();
        charge["status"] = "authorized";
        return new JsonObject { ["id"] = "whk_1", ["type"] = "authorization.authorized", ["data"] = charge }.ToJsonString();
    }

    // The reason of the refusal; null if it was accepted.
    private async Task<string?> Send(string body, DateTimeOffset at, string? secret)
    {
        var id = Guid.NewGuid().ToString();
        using var request = new HttpRequestMessage(HttpMethod.Post, "/webhooks/payments/sandbox") { Content = new StringContent(body, Encoding.UTF8, "application/json") };
        if (secret is not null)
        {
            request.Headers.Add(WebhookSignature.IdHeader, id);
            request.Headers.Add(WebhookSignature.TimestampHeader, at.ToUnixTimeSeconds().ToString(CultureInfo.InvariantCulture));
            request.Headers.Add(WebhookSignature.SignatureHeader, WebhookSignature.Sign(id, at, Encoding.UTF8.GetBytes(body), secret));
        }

        using var response = await app.Rest.SendAsync(request);
        if (response.IsSuccessStatusCode)
            return null;
        var problem = await response.Content.ReadFromJsonAsync<JsonNode>();
        return (string?)problem!["reason"] ?? problem.ToJsonString();
    }
}

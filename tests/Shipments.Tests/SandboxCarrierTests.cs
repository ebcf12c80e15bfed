using System.Net;
using System.Text;
using Commerce.Shipments.Carriers;
using Commerce.Shipments.QuotingRates;
using Microsoft.Extensions.Logging.Abstractions;
using Microsoft.Extensions.Options;

namespace Commerce.Shipments.Tests;

/// <summary>What carriers may answer, and what becomes of it.</summary>
public sealed class SandboxCarrierTests
{
    [Theory]
    [InlineData(HttpStatusCode.InternalServerError, "")]
    [InlineData(HttpStatusCode.OK, "")]
    [InlineData(HttpStatusCode.OK, "<html>Bad gateway</html>")]
    [InlineData(HttpStatusCode.OK, "null")]
    [InlineData(HttpStatusCode.OK, "{\"rates\":5}")]
    public async Task A_carrier_that_answers_nonsense_is_left_out_and_the_others_count(HttpStatusCode status, string body)
    {
        var rates = await Ask(status, body);

        Assert.Null(rates["ups"]);
        Assert.Equal("ground", Assert.Single(rates["dhl"]!).Service);
    }

    [Theory]
    [InlineData("{}")]
    [InlineData("{\"rates\":null}")]
    [InlineData("{\"rates\":[null,{},{\"service\":\"x\"},{\"service\":\"x\",\"price\":{}},{\"service\":\"x\",\"price\":{\"currency\":\"???\",\"minor\":1}},{\"service\":\"x\",\"price\":{\"currency\":\"EUR\",\"minor\":-1}}]}")]
    public async Task An_offer_that_cannot_be_is_none(string body)
    {
        var rates = await Ask(HttpStatusCode.OK, body);

        Assert.Empty(rates["ups"]!);
        Assert.Equal("ground", Assert.Single(rates["dhl"]!).Service);
    }

    [Theory]
    [InlineData("{\"detail\":\"no such street\"}", "no such street")]
    [InlineData("<html>", "UnprocessableEntity")]
    [InlineData("{\"detail\":{\"a\":1}}", "{")]
    [InlineData("", "UnprocessableEntity")]
    public async Task A_refusal_is_one_in_whatever_form_it_comes(string body, string why)
    {
        var refused = await Assert.ThrowsAsync<LabelRefusedException>(() => Carrier(HttpStatusCode.UnprocessableEntity, body).BuyLabel(Parcel(), "ground", "key", CancellationToken.None));

        Assert.StartsWith(why, refused.Message, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("{}")]
    [InlineData("{\"id\":\"l\",\"tracking_number\":\"?\",\"price\":{\"currency\":\"EUR\",\"minor\":1}}")]
    [InlineData("{\"id\":\"l\",\"tracking_number\":\"1Z999AA1\"}")]
    [InlineData("[]")]
    public async Task A_label_without_what_makes_it_one_is_no_answer(string body) =>
        await Assert.ThrowsAnyAsync<System.Text.Json.JsonException>(() => Carrier(HttpStatusCode.Created, body).BuyLabel(Parcel(), "ground", "key", CancellationToken.None));

    [Theory]
    [InlineData(HttpStatusCode.NoContent, VoidOutcome.Voided)]
    [InlineData(HttpStatusCode.NotFound, VoidOutcome.Voided)]
    [InlineData(HttpStatusCode.Conflict, VoidOutcome.HandedOver)]
    internal async Task A_void_ends_in_one_of_two_ways(HttpStatusCode status, VoidOutcome expected) =>
        Assert.Equal(expected, await Carrier(status, "").VoidLabel("l", "key", CancellationToken.None));

    private static Task<IReadOnlyDictionary<string, IReadOnlyList<Rate>?>> Ask(HttpStatusCode status, string body) =>
        new CarrierRates(Options.Create(new ShipmentsOptions()), TimeProvider.System, NullLogger<CarrierRates>.Instance).Ask(
            [Carrier(status, body), new FakeCarrier("dhl")],
            new RateQuestion(Parcel().ShipFrom, new PlaceRecord("", "São Paulo", "SP", "01310-100", "BR"), new ParcelSize(500, 0, 0, 0), new Money(100, "BRL")),
            CancellationToken.None);

    private static SandboxCarrier Carrier(HttpStatusCode status, string body) => new("ups", new Clients(status, body));

    private static Shipment Parcel() => new()
    {
        Id = Guid.NewGuid(),
        StoreId = "main",
        OrderId = "ORD",
        OrderReference = "ref",
        LocationId = "",
        Position = 0,
        ShipFrom = new PlaceRecord("", "Cajamar", "SP", "07750", "BR"),
        ShipTo = new AddressRecord("Ana", ["Rua 1"], "São Paulo", "SP", "01310-100", "BR"),
        Lines = [],
        Size = new ParcelSize(500, 0, 0, 0),
        Value = new Money(100, "BRL"),
        CreatedAt = default,
    };

    private sealed class Clients(HttpStatusCode status, string body) : IHttpClientFactory
    {
        public HttpClient CreateClient(string name) => new(new Answer(status, body)) { BaseAddress = new Uri("http://carrier.test") };
    }

    private sealed class Answer(HttpStatusCode status, string body) : HttpMessageHandler
    {
        protected override Task<HttpResponseMessage> SendAsync(HttpRequestMessage request, CancellationToken cancellationToken) =>
            Task.FromResult(new HttpResponseMessage(status) { Content = new StringContent(body, Encoding.UTF8, "application/json") });
    }
}

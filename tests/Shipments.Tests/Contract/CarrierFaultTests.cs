using System.Net;
using System.Text;
using Commerce.Shipments.Carriers;
using Commerce.Shipments.QuotingRates;
using Commerce.Tracking.Payloads;
using Microsoft.Extensions.Logging.Abstractions;
using Microsoft.Extensions.Options;

namespace Commerce.Shipments.Tests.Contract;

/// <summary>A carrier that answers nonsense costs itself alone, and what it said is told in words.</summary>
public sealed class CarrierFaultTests
{
    public static TheoryData<string, int, string, string> Nonsense()
    {
        var data = new TheoryData<string, int, string, string>();
        foreach (var carrier in new[] { "http", "easypost" })
        {
            data.Add(carrier, 500, "<html>Internal error</html>", "text/html");
            data.Add(carrier, 503, "", "text/html");
            data.Add(carrier, 429, "{\"error\":\"slow down\"}", "application/json");
            data.Add(carrier, 200, "<html>Bad gateway</html>", "text/html");
            data.Add(carrier, 200, "", "application/json");
            data.Add(carrier, 200, "null", "application/json");
            data.Add(carrier, 200, "{\"id\":\"x\"", "application/json");
            data.Add(carrier, 200, new string('[', 10_000), "application/json");
            data.Add(carrier, 200, "{\"id\":7}", "application/json");
            data.Add(carrier, 302, "", "text/html");
            data.Add(carrier, 403, "{}", "application/json");
        }

        return data;
    }

    [Theory]
    [MemberData(nameof(Nonsense))]
    public async Task What_is_no_answer_is_a_fault_that_says_what_came(string which, int status, string body, string type)
    {
        var carrier = Carrier(which, new Answer((HttpStatusCode)status, body, type));
        // 200 {"id":7} is an EasyPost shipment without rates: it offers nothing, which is a refusal.
        if (which == "easypost" && body == "{\"id\":7}")
        {
            await Assert.ThrowsAsync<LabelRefusedException>(() => carrier.BuyLabel(Parcel(), "USPS.Priority", "key", CancellationToken.None));
            return;
        }

        var fault = await Assert.ThrowsAsync<CarrierFaultException>(() => carrier.BuyLabel(Parcel(), "USPS.Priority", "key", CancellationToken.None));
        Assert.StartsWith("answered " + status, fault.Message, StringComparison.Ordinal);
        Assert.DoesNotContain("html>", fault.Message, StringComparison.Ordinal);
        Assert.InRange(fault.Message.Length, 1, 200);

        // It costs itself alone.
        var rates = await new CarrierRates(Options.Create(new ShipmentsOptions()), TimeProvider.System, NullLogger<CarrierRates>.Instance)
            .Ask([carrier, new FakeCarrier("dhl")], SandboxBehind.QuestionOf(Parcel()), CancellationToken.None);
        Assert.True(rates[carrier.Code] is null or []);
        Assert.Single(rates["dhl"]!);
    }

    [Theory]
    [InlineData("http", "{\"detail\":\"no such street\"}", "no such street")]
    [InlineData("easypost", "{\"error\":{\"code\":\"ADDRESS.VERIFY.FAILURE\",\"message\":\"no such street\"}}", "no such street")]
    [InlineData("http", "<html>", "UnprocessableEntity")]
    [InlineData("easypost", "", "UnprocessableEntity")]
    [InlineData("easypost", "{\"error\":{\"message\":\"\\ud800\"}}", "UnprocessableEntity")]
    public async Task A_refusal_is_one_in_whatever_form_it_comes(string which, string body, string words)
    {
        var carrier = Carrier(which, new Refusing(body));
        var refused = await Assert.ThrowsAsync<LabelRefusedException>(() => carrier.BuyLabel(Parcel(), "USPS.Priority", "key", CancellationToken.None));
        Assert.Equal(words, refused.Message);
    }

    [Fact]
    public async Task A_carrier_that_says_nothing_for_ever_is_cut_off()
    {
        var carrier = new HttpCarrier(HttpWorld.Description("http://carrier.test"), new Clients(new Silent()) { Timeout = TimeSpan.FromMilliseconds(100) });
        await Assert.ThrowsAnyAsync<OperationCanceledException>(() => carrier.Track("1Z999", CancellationToken.None));
    }

    [Theory]
    [InlineData("ftp://x", "BaseAddress")]
    [InlineData("nowhere", "BaseAddress")]
    public void A_description_that_is_wrong_is_refused_on_start(string address, string named)
    {
        var options = Describe(carrier => carrier.BaseAddress = address);
        Assert.Contains("Shipments:HttpCarriers:0:" + named, Assert.Single(options), StringComparison.Ordinal);
    }

    [Fact]
    public void Everything_that_is_wrong_with_a_description_is_said_at_once()
    {
        var errors = Describe(carrier =>
        {
            carrier.Code = "Acme Parcels";
            carrier.Headers["Bad header"] = "x\r\ny";
            carrier.Rates.Path = "rates";
            carrier.Rates.Body = "{\"zip\":\"{to.postcode}\"}";
            carrier.Label.Body = "{\"zip\":{to.postal_code}";
            carrier.Label.Id = "labels[x].id";
            carrier.Void.Method = "BREW";
        });
        foreach (var part in (string[])["Code", "Headers", "Rates:Path", "{to.postcode}", "Label:Body", "Label:Id", "Void:Method"])
            Assert.Contains(errors, error => error.Contains(part, StringComparison.Ordinal));
        Assert.Empty(Describe(_ => { }));
        Assert.Contains(Describe(carrier => carrier.Code = "ups"), error => error.Contains("two carriers have the code", StringComparison.Ordinal));
    }

    [Fact]
    public async Task What_is_filled_in_stays_where_it_is()
    {
        var seen = new Recording();
        var options = HttpWorld.Description("http://carrier.test");
        options.Track.Path = "/tracking/{tracking_number}";
        var carrier = new HttpCarrier(options, new Clients(seen));
        await carrier.Track("../../admin?x=1#y", CancellationToken.None);
        Assert.Equal("/carriers/fedex/v1/tracking/..%2F..%2Fadmin%3Fx%3D1%23y", seen.Path);
        var parcel = Parcel();
        parcel.ShipTo = parcel.ShipTo with { Name = "\"},\"price\":0,\"x\":{\"y\":\"" };
        await Assert.ThrowsAsync<CarrierFaultException>(() => carrier.BuyLabel(parcel, "ground", "key", CancellationToken.None));
        using var body = System.Text.Json.JsonDocument.Parse(seen.Body);
        Assert.Equal(parcel.ShipTo.Name, body.RootElement.GetProperty("ship_to").GetProperty("name").GetString());
        Assert.False(body.RootElement.TryGetProperty("price", out _));
    }

    [Theory]
    [InlineData("9.39", "usd", 939L)]
    [InlineData("9.391", "USD", 940L)]
    [InlineData("1500", "JPY", 1500L)]
    [InlineData("-1", "USD", null)]
    [InlineData("9,39", "USD", null)]
    [InlineData("1e3", "USD", null)]
    [InlineData("", "USD", null)]
    [InlineData("9", "XXQ", null)]
    [InlineData("99999999999999", "USD", null)]
    public void An_amount_is_read_exactly_or_not_at_all(string text, string currency, long? minor) =>
        Assert.Equal(minor, CarrierAmounts.TryRead(text, currency)?.Minor);

    private static IReadOnlyList<string> Describe(Action<HttpCarrierOptions> change)
    {
        var carrier = HttpWorld.Description("http://carrier.test");
        change(carrier);
        return [.. new HttpCarrierValidation().Validate(null, new ShipmentsOptions { Carriers = ["ups"], HttpCarriers = [carrier] }).Failures ?? []];
    }

    private static ICarrier Carrier(string which, HttpMessageHandler handler) => which == "http"
        ? new HttpCarrier(HttpWorld.Description("http://carrier.test"), new Clients(handler))
        : new EasyPostCarrier(new EasyPostOptions { BaseAddress = "http://easypost.test", ApiKey = "k" }, new Clients(handler), new PayloadReader());

    private static Shipment Parcel() => SandboxBehind.ToSaoPaulo();

    private sealed class Clients(HttpMessageHandler handler) : IHttpClientFactory
    {
        public TimeSpan Timeout { get; set; } = TimeSpan.FromSeconds(10);

        public HttpClient CreateClient(string name) => new(handler, disposeHandler: false) { Timeout = Timeout };
    }

    private sealed class Answer(HttpStatusCode status, string body, string type) : HttpMessageHandler
    {
        protected override Task<HttpResponseMessage> SendAsync(HttpRequestMessage request, CancellationToken cancellationToken) =>
            Task.FromResult(new HttpResponseMessage(status) { Content = new StringContent(body, Encoding.UTF8, type) });
    }

    // Knows nothing, and refuses to make anything.
    private sealed class Refusing(string body) : HttpMessageHandler
    {
        protected override Task<HttpResponseMessage> SendAsync(HttpRequestMessage request, CancellationToken cancellationToken) =>
            Task.FromResult(new HttpResponseMessage(request.Method == HttpMethod.Get ? HttpStatusCode.NotFound : HttpStatusCode.UnprocessableEntity)
            {
                Content = new StringContent(body, Encoding.UTF8, "application/json"),
            });
    }

    private sealed class Silent : HttpMessageHandler
    {
        protected override async Task<HttpResponseMessage> SendAsync(HttpRequestMessage request, CancellationToken cancellationToken)
        {
            await Task.Delay(Timeout.InfiniteTimeSpan, TimeProvider.System, cancellationToken);
            throw new InvalidOperationException("never");
        }
    }

    private sealed class Recording : HttpMessageHandler
    {
        public string Path { get; private set; } = "";

        public string Body { get; private set; } = "";

        protected override async Task<HttpResponseMessage> SendAsync(HttpRequestMessage request, CancellationToken cancellationToken)
        {
            Path = request.RequestUri!.PathAndQuery;
            Body = request.Content is null ? "" : await request.Content.ReadAsStringAsync(cancellationToken);
            return new HttpResponseMessage(HttpStatusCode.OK) { Content = new StringContent("{}", Encoding.UTF8, "application/json") };
        }
    }
}

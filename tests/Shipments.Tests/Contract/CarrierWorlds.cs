using Commerce.Sandbox;
using Commerce.Shipments.Carriers;
using Commerce.Testing;
using Commerce.Tracking.Payloads;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Hosting;
using Microsoft.Extensions.Configuration;
using Microsoft.Extensions.Logging;

namespace Commerce.Shipments.Tests.Contract;

/// <summary>A carrier as we talk to it, and the handles of the world behind it.</summary>
internal interface ICarrierWorld
{
    ICarrier Carrier { get; }

    /// <summary>A service that takes <see cref="Parcel"/>.</summary>
    string Service { get; }

    Task Ready { get; }

    Shipment Parcel();

    /// <summary>Whether answers are lost after the work was done.</summary>
    void LoseAnswers(bool lose);

    /// <summary>A label whose parcel the carrier has.</summary>
    Task<Label> BuyHandedOver();
}

/// <summary>A client of the same address each time, whose answers may get lost.</summary>
internal sealed class OneAddress(Func<string> address) : IHttpClientFactory
{
    public bool Loses { get; set; }

    public HttpClient CreateClient(string name) => new(new Losing(this)) { BaseAddress = new Uri(address()), Timeout = TimeSpan.FromSeconds(30) };

    private sealed class Losing(OneAddress owner) : DelegatingHandler(new SocketsHttpHandler())
    {
        protected override async Task<HttpResponseMessage> SendAsync(HttpRequestMessage request, CancellationToken cancellationToken)
        {
            var answer = await base.SendAsync(request, cancellationToken);
            // What only asks is answered: the call that does something is the one whose answer counts.
            if (!owner.Loses || request.Method == HttpMethod.Get || request.RequestUri!.AbsolutePath.EndsWith("/v2/shipments", StringComparison.Ordinal))
                return answer;
            answer.Dispose();
            throw new HttpRequestException("the connection was reset");
        }
    }
}

/// <summary>The Sandbox, as it runs.</summary>
public abstract class SandboxBehind : IAsyncDisposable
{
    private readonly Lazy<Task> _started;
    private readonly string _directory = Path.Combine(Path.GetTempPath(), $"carriers-{Guid.NewGuid():N}");
    private WebApplication? _sandbox;

    protected SandboxBehind()
    {
        _started = new Lazy<Task>(Start);
        Clients = new OneAddress(() => _sandbox!.Urls.First());
    }

    public Task Ready => _started.Value;

    protected string Url => _sandbox!.Urls.First();

    internal OneAddress Clients { get; }

    public async ValueTask DisposeAsync()
    {
        GC.SuppressFinalize(this);
        if (_sandbox is not null)
            await _sandbox.DisposeAsync();
        if (Directory.Exists(_directory))
            Directory.Delete(_directory, recursive: true);
    }

    internal static Shipment ToSaoPaulo(string country = "BR") => new()
    {
        Id = Guid.NewGuid(),
        StoreId = "main",
        OrderId = "ORD-7K3M9QX-T2F8CRW",
        OrderReference = $"ref-{Guid.NewGuid():N}",
        LocationId = "",
        Position = 0,
        ShipFrom = new PlaceRecord("", "Cajamar", "SP", "07750", country),
        ShipTo = new AddressRecord("Ana \"Nina\" Souza", ["Rua 1", "apto 2"], "São Paulo", "SP", "01310-100", country),
        Lines = [],
        Size = new ParcelSize(500, 200, 100, 50),
        Value = new Money(10000, "BRL"),
        CreatedAt = default,
    };

    internal static RateQuestion QuestionOf(Shipment parcel) => new(
        parcel.ShipFrom, new PlaceRecord("", parcel.ShipTo.Locality, parcel.ShipTo.Region, parcel.ShipTo.PostalCode, parcel.ShipTo.Country), parcel.Size, parcel.Value);

    /// <summary>Its days pass at once for this label; it waits until the carrier has the parcel.</summary>
    private protected async Task<Label> Hasten(ICarrier carrier, string service)
    {
        await DayOf(0.01);
        var parcel = ToSaoPaulo();
        var label = await carrier.BuyLabel(parcel, service, $"{parcel.PublicId}/1", CancellationToken.None);
        await DayOf(86_400);
        await Eventually.True(async () => (await carrier.Track(label.TrackingNumber, CancellationToken.None)).Count > 1);
        return label;
    }

    private async Task DayOf(double seconds)
    {
        using var client = new HttpClient { BaseAddress = new Uri(Url) };
        using var knobs = new StringContent(FormattableString.Invariant($$"""{"day_seconds":{{seconds}}}"""), System.Text.Encoding.UTF8, "application/json");
        using var answer = await client.PatchAsync("/control/knobs", knobs);
        Assert.True(answer.IsSuccessStatusCode);
    }

    private async Task Start()
    {
        var sandbox = WebApplication.CreateBuilder(new WebApplicationOptions { ContentRootPath = Path.GetTempPath() });
        sandbox.Configuration.AddInMemoryCollection(new Dictionary<string, string?>
        {
            ["Sandbox:DataDirectory"] = _directory,
            ["Sandbox:Smtp:Port"] = "0",
            ["Sandbox:Knobs:day_seconds"] = "86400",
            ["Webhooks:Secret"] = "a secret of the tests",
        });
        sandbox.Logging.ClearProviders();
        sandbox.WebHost.UseUrls("http://127.0.0.1:0");
        sandbox.AddSandbox();
        _sandbox = sandbox.Build();
        _sandbox.MapSandbox();
        await _sandbox.StartAsync();
    }
}

/// <summary>A carrier of the Sandbox, by the adapter that was written for it.</summary>
public sealed class SandboxWorld : SandboxBehind, ICarrierWorld
{
    private readonly SandboxCarrier _carrier;

    public SandboxWorld() => _carrier = new SandboxCarrier("ups", Clients, new PayloadReader());

    ICarrier ICarrierWorld.Carrier => _carrier;

    string ICarrierWorld.Service => "ground";

    Shipment ICarrierWorld.Parcel() => ToSaoPaulo();

    void ICarrierWorld.LoseAnswers(bool lose) => Clients.Loses = lose;

    Task<Label> ICarrierWorld.BuyHandedOver() => Hasten(_carrier, "ground");
}

/// <summary>A carrier of the Sandbox, described by configuration as any other that speaks JSON.</summary>
public sealed class HttpWorld : SandboxBehind, ICarrierWorld
{
    private HttpCarrier? _carrier;

    ICarrier ICarrierWorld.Carrier => Carrier;

    string ICarrierWorld.Service => "ground_economy";

    private HttpCarrier Carrier => _carrier ??= new HttpCarrier(Description(Url), Clients);

    Shipment ICarrierWorld.Parcel() => ToSaoPaulo();

    void ICarrierWorld.LoseAnswers(bool lose) => Clients.Loses = lose;

    Task<Label> ICarrierWorld.BuyHandedOver() => Hasten(Carrier, "ground_economy");

    internal static HttpCarrierOptions Description(string url)
    {
        const string ends =
            """
            "ship_from":{"postal_code":"{from.postal_code}","region":"{from.region}","country_code":"{from.country}","city":"{from.city}"},
            "ship_to":{"name":"{to.name}","street_lines":["{to.line1}","{to.line2}"],"city":"{to.city}","region":"{to.region}","postal_code":"{to.postal_code}","country_code":"{to.country}"},
            "parcel":{"weight_grams":{parcel.weight_grams},"length_mm":{parcel.length_mm},"width_mm":{parcel.width_mm},"height_mm":{parcel.height_mm}},
            "value":{"amount":{"currency":"{value.currency}","minor":{value.minor}}}
            """;
        return new HttpCarrierOptions
        {
            Code = "acme",
            Name = "Acme Parcels",
            BaseAddress = url + "/carriers/fedex/v1",
            Headers = { ["X-Api-Key"] = "a key of the tests" },
            Words = "detail",
            Rates = { Path = "/rates", Body = "{" + ends + "}", Price = "price.minor", PriceIsMinor = true, Currency = "price.currency", DaysMin = "transit_days_min", DaysMax = "transit_days_max" },
            Label =
            {
                Path = "/labels", Body = "{\"reference\":\"{reference}\",\"order_reference\":\"{order_reference}\",\"service\":\"{service}\"," + ends + "}",
                Price = "price.minor", PriceIsMinor = true, Currency = "price.currency", EstimatedDelivery = "estimated_delivery_at",
            },
            Void = { Method = "DELETE", Path = "/labels/{label_id}", HandedOverStatuses = [409] },
            Track =
            {
                Method = "GET", Path = "/tracking/{tracking_number}", Time = "occurred_at", City = "location.city", Region = "location.region",
                PostalCode = "location.postal_code", Country = "location.country_code",
            },
        };
    }
}

/// <summary>EasyPost, played by <see cref="FakeEasyPost"/> with answers that were recorded of it.</summary>
public sealed class EasyPostWorld : ICarrierWorld, IAsyncDisposable
{
    private readonly FakeEasyPost _easyPost = new();
    private readonly Lazy<Task> _started;
    private readonly OneAddress _clients;
    private EasyPostCarrier? _carrier;

    public EasyPostWorld()
    {
        _started = new Lazy<Task>(_easyPost.Start);
        _clients = new OneAddress(() => _easyPost.Url);
    }

    public Task Ready => _started.Value;

    ICarrier ICarrierWorld.Carrier => Carrier;

    internal FakeEasyPost EasyPost => _easyPost;

    internal EasyPostCarrier Carrier => _carrier ??= new EasyPostCarrier(
        new EasyPostOptions { BaseAddress = _easyPost.Url, ApiKey = FakeEasyPost.ApiKey, SenderName = "Lumen", SenderStreet = "417 Montgomery Street", SenderPhone = "4153334444" }, _clients, new PayloadReader());

    string ICarrierWorld.Service => "USPS.Priority";

    Shipment ICarrierWorld.Parcel() => SandboxBehind.ToSaoPaulo("US");

    void ICarrierWorld.LoseAnswers(bool lose) => _clients.Loses = lose;

    async Task<Label> ICarrierWorld.BuyHandedOver()
    {
        var parcel = SandboxBehind.ToSaoPaulo("US");
        var label = await Carrier.BuyLabel(parcel, "USPS.Priority", $"{parcel.PublicId}/1", CancellationToken.None);
        _easyPost.HandOver(label.Id);
        return label;
    }

    public ValueTask DisposeAsync() => _easyPost.DisposeAsync();
}

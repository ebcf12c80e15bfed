using System.Collections.Concurrent;
using System.Globalization;
using System.Text;
using System.Text.Json;
using System.Text.Json.Nodes;
using Commerce.Testing;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Hosting;
using Microsoft.AspNetCore.Http;
using Microsoft.Extensions.Logging;

namespace Commerce.Shipments.Tests.Contract;

/// <summary>
/// Plays EasyPost: its answers are those that were recorded of it, with the ids and numbers of each shipment put in, and its
/// rules are those that its documentation names (a purchase or a refund cannot be repeated).
/// </summary>
internal sealed class FakeEasyPost : IAsyncDisposable
{
    public const string ApiKey = "EZTK_of_the_tests";

    private const string Json = "application/json; charset=utf-8";

    private readonly ConcurrentDictionary<string, JsonObject> _shipments = new();
    private readonly ConcurrentDictionary<string, string> _byReference = new();
    private readonly ConcurrentDictionary<string, bool> _handedOver = new();
    private readonly Lock _lock = new();
    private WebApplication? _app;
    private int _count;

    public string Url => _app!.Urls.First();

    /// <summary>What was asked, as it came.</summary>
    public ConcurrentQueue<JsonNode> Asked { get; } = new();

    public int Purchases;

    /// <summary>What became of a refund that was asked for.</summary>
    public void Refunded(string id, string status) => Find(id)!["refund_status"] = status;

    public void HandOver(string id) => _handedOver[id] = true;

    public async Task Start()
    {
        var builder = WebApplication.CreateBuilder(new WebApplicationOptions { ContentRootPath = Path.GetTempPath() });
        builder.Logging.ClearProviders();
        builder.WebHost.UseUrls("http://127.0.0.1:0");
        _app = builder.Build();
        var authorised = _app.MapGroup("/v2").AddEndpointFilter(async (context, next) =>
            context.HttpContext.Request.Headers.Authorization == "Basic " + Convert.ToBase64String(Encoding.UTF8.GetBytes(ApiKey + ":"))
                ? await next(context)
                : Error(401, "APIKEY.INACTIVE", "This api key is no longer active."));
        authorised.MapPost("/shipments", Create);
        authorised.MapGet("/shipments/{id}", (string id) => Find(id) is { } one ? Answer(one) : NotFound());
        authorised.MapPost("/shipments/{id}/buy", Buy);
        authorised.MapPost("/shipments/{id}/refund", Refund);
        authorised.MapGet("/trackers", Trackers);
        await _app.StartAsync();
    }

    public async ValueTask DisposeAsync()
    {
        if (_app is not null)
            await _app.DisposeAsync();
    }

    /// <summary>An answer as it was recorded.</summary>
    public static JsonObject Recorded(string name)
    {
        var candidates = new List<string>();
        if (Environment.GetEnvironmentVariable("COMMERCE_DATA") is { Length: > 0 } given)
            candidates.Add(given);
        for (var folder = new DirectoryInfo(AppContext.BaseDirectory); folder is not null; folder = folder.Parent)
            candidates.Add(Path.Combine(folder.FullName, "shared", "data"));
        var file = candidates.Select(root => Path.Combine(root, "carrier-payloads", "easypost", "responses", name + ".json")).FirstOrDefault(File.Exists)
            ?? throw TestServers.Missing($"The recorded answers are not here ({name}); set COMMERCE_DATA to the folder that holds carrier-payloads.");
        return JsonNode.Parse(File.ReadAllText(file))!.AsObject();
    }

    private async Task<IResult> Create(HttpRequest request)
    {
        var asked = (await JsonNode.ParseAsync(request.Body))!["shipment"]!;
        Asked.Enqueue(asked);
        if (asked["to_address"]?["zip"]?.GetValue<string>() is not { Length: > 0 } || asked["parcel"]?["weight"] is null)
            return Error(422, "SHIPMENT.INVALID_PARAMS", "Unable to create shipment, one or more parameters were invalid.");
        var shipment = Recorded("easypost-examples-built-for-developers-create-shipment-response-0");
        var id = $"shp_{Interlocked.Increment(ref _count).ToString("x32", CultureInfo.InvariantCulture)}";
        (shipment["id"], shipment["tracking_code"], shipment["postage_label"], shipment["tracker"], shipment["selected_rate"]) = (id, null, null, null, null);
        foreach (var rate in shipment["rates"]!.AsArray())
            rate!["shipment_id"] = id;
        shipment["reference"] = asked["reference"]?.DeepClone();
        _shipments[id] = shipment;
        if (asked["reference"]?.GetValue<string>() is { } reference)
            _byReference[reference] = id;
        return Answer(shipment, 201);
    }

    private async Task<IResult> Buy(string id, HttpRequest request)
    {
        var rateId = (await JsonNode.ParseAsync(request.Body))!["rate"]!["id"]!.GetValue<string>();
        lock (_lock)
        {
            if (Find(id) is not { } shipment)
                return NotFound();
            if (shipment["postage_label"] is not null)
                return Error(422, "SHIPMENT.POSTAGE.EXISTS", "Postage already exists for this shipment.");
            if (shipment["rates"]!.AsArray().FirstOrDefault(rate => rate!["id"]!.GetValue<string>() == rateId) is not { } chosen)
                return Error(422, "SHIPMENT.POSTAGE.FAILURE", "No such rate.");
            var recorded = Recorded("easypost-examples-built-for-developers-create-shipment-response-0");
            // USPS's own check digit is of no interest to who buys.
            var number = "94055008978460" + _count.ToString("D8", CultureInfo.InvariantCulture);
            shipment["selected_rate"] = chosen.DeepClone();
            (shipment["postage_label"], shipment["tracker"]) = (recorded["postage_label"]!.DeepClone(), recorded["tracker"]!.DeepClone());
            (shipment["tracking_code"], shipment["tracker"]!["tracking_code"]) = (number, number);
            Purchases++;
            return Answer(shipment);
        }
    }

    private IResult Refund(string id)
    {
        lock (_lock)
        {
            if (Find(id) is not { } shipment)
                return NotFound();
            if (shipment["refund_status"]?.GetValue<string>() is "submitted" or "refunded" or "rejected")
                return Error(422, "SHIPMENT.REFUND.UNAVAILABLE", "A refund was requested already.");
            if (_handedOver.ContainsKey(id))
                return Error(422, "SHIPMENT.REFUND.UNAVAILABLE", "Unable to request refund. The parcel has been shipped.");
            shipment["refund_status"] = "submitted";
            return Answer(shipment);
        }
    }

    private IResult Trackers(HttpRequest request)
    {
        var number = request.Query["tracking_code"].ToString();
        var list = new JsonObject { ["trackers"] = new JsonArray(), ["has_more"] = false };
        if (_shipments.Values.Any(one => one["tracking_code"]?.GetValue<string>() == number))
        {
            var tracker = Recorded("easypost-csharp-tracker-service-retrieve-0");
            tracker["tracking_code"] = number;
            tracker["tracking_details"] = Recorded("easypost-examples-built-for-developers-create-tracker-response-0")["tracking_details"]!.DeepClone();
            list["trackers"]!.AsArray().Add((JsonNode)tracker);
        }

        return Answer(list);
    }

    private JsonObject? Find(string id) => _shipments.GetValueOrDefault(_byReference.GetValueOrDefault(id, id));

    private static IResult Answer(JsonObject body, int status = 200) => Results.Text(body.ToJsonString(), Json, Encoding.UTF8, status);

    private static IResult NotFound() => Error(404, "NOT_FOUND", "The requested resource could not be found.");

    private static IResult Error(int status, string code, string message) =>
        Results.Text(JsonSerializer.Serialize(new { error = new { code, message, errors = Array.Empty<object>() } }), Json, Encoding.UTF8, status);
}

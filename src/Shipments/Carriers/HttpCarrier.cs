using System.Globalization;
using System.Net;
using System.Net.Http.Headers;
using System.Text;
using System.Text.Json;
using System.Text.RegularExpressions;
using Commerce.Tracking.Payloads;

namespace Commerce.Shipments.Carriers;

/// <summary>A carrier known by configuration alone: see <see cref="HttpCarrierOptions"/>.</summary>
internal sealed class HttpCarrier : ICarrier
{
    public const string HttpClient = "http-carriers";

    private readonly HttpCarrierOptions _options;
    private readonly IHttpClientFactory _clients;
    private readonly Uri _base;
    private readonly PayloadReader _payloads;

    /// <param name="options">Checked by <see cref="HttpCarrierValidation"/>.</param>
    public HttpCarrier(HttpCarrierOptions options, IHttpClientFactory clients)
    {
        (_options, _clients, _base) = (options, clients, new Uri(options.BaseAddress));
        var track = options.Track;
        _payloads = new PayloadReader(new PayloadShape
        {
            Name = options.Code,
            Carrier = options.Code,
            Number = ["tracking_number"],
            Events = Paths(track.Items),
            Code = Paths(track.Code),
            Words = Paths(track.Description),
            Time = Paths(track.Time),
            Place = new() { Locality = Paths(track.City), Region = Paths(track.Region), PostalCode = Paths(track.PostalCode), Country = Paths(track.Country) },
        });
    }

    public string Code => _options.Code;

    public string Name => _options.Name;

    public async Task<IReadOnlyList<Rate>> Rates(RateQuestion question, CancellationToken cancellationToken)
    {
        using var answer = await Call(_options.Rates, HttpTemplate.ValuesOf(question), key: null, cancellationToken);
        // It does not go there.
        if (answer.Status is HttpStatusCode.NotFound or HttpStatusCode.UnprocessableEntity)
            return [];
        var options = _options.Rates;
        var rates = new List<Rate>();
        // One offer that is malformed must not cost the others.
        foreach (var item in Items(answer.Success(), options.Items))
        {
            var (service, daysMin, daysMax) = (At(options.Service).Text(item), Days(item, options.DaysMin), Days(item, options.DaysMax));
            if (service.Length is > 0 and <= 60 && daysMax is { } most && CarrierAmounts.TryRead(At(options.Price).Text(item), At(options.Currency).Text(item), options.PriceIsMinor) is { } price)
                rates.Add(new Rate(Code, service, price, Math.Min(daysMin ?? most, most), most));
        }

        return rates;
    }

    public async Task<Label> BuyLabel(Shipment shipment, string service, string idempotencyKey, CancellationToken cancellationToken)
    {
        var options = _options.Label;
        var values = HttpTemplate.ValuesOf(shipment);
        values["service"] = service;
        using var answer = await Call(options, values, idempotencyKey, cancellationToken);
        if (answer.Status is HttpStatusCode.BadRequest or HttpStatusCode.UnprocessableEntity || options.RefusedStatuses.Contains((int)answer.Status))
            throw new LabelRefusedException(answer.Words(At(_options.Words).Of(answer.Json)));
        var json = answer.Success();
        var id = At(options.Id).Text(json);
        return new Label(
            id.Length is > 0 and <= 200 ? id : throw answer.Lacks("the label's id"),
            TrackingNumber.Normalise(At(options.TrackingNumber).Text(json)) ?? throw answer.Lacks("a tracking number"),
            CarrierAmounts.TryRead(At(options.Price).Text(json), At(options.Currency).Text(json), options.PriceIsMinor) ?? throw answer.Lacks("a price"),
            CarrierAmounts.TryTime(options.EstimatedDelivery.Length > 0 ? At(options.EstimatedDelivery).Text(json) : ""));
    }

    public async Task<VoidOutcome> VoidLabel(string labelId, string idempotencyKey, CancellationToken cancellationToken)
    {
        using var answer = await Call(_options.Void, new Dictionary<string, string>(StringComparer.Ordinal) { ["label_id"] = labelId }, idempotencyKey, cancellationToken);
        if (_options.Void.HandedOverStatuses.Contains((int)answer.Status) || answer.Status == HttpStatusCode.Conflict)
            return VoidOutcome.HandedOver;
        // A label that is gone is as void as can be: our earlier call did it.
        return (int)answer.Status is (>= 200 and <= 299) or 404 or 410 ? VoidOutcome.Voided : throw new CarrierFaultException($"answered {(int)answer.Status} to a void", answer.Status);
    }

    public Task<DeliveryChangeOutcome> ChangeDelivery(Shipment shipment, AddressRecord to, bool elsewhere, string idempotencyKey, CancellationToken cancellationToken) =>
        Task.FromResult(DeliveryChangeOutcome.NotOffered(Name));

    public async Task<IReadOnlyList<ReportedScan>> Track(string trackingNumber, CancellationToken cancellationToken)
    {
        using var answer = await Call(_options.Track, new Dictionary<string, string>(StringComparer.Ordinal) { ["tracking_number"] = trackingNumber }, key: null, cancellationToken);
        return answer.Status == HttpStatusCode.NotFound ? [] : answer.Scans(_payloads, Code, Code, trackingNumber);
    }

    private async Task<CarrierAnswer> Call(HttpCallOptions call, IReadOnlyDictionary<string, string> values, string? key, CancellationToken cancellationToken)
    {
        using var client = _clients.CreateClient(HttpClient);
        // A path stays below the base, whatever was filled in: it is escaped.
        using var request = new HttpRequestMessage(HttpMethod.Parse(call.Method), new Uri(_base, _base.AbsolutePath.TrimEnd('/') + HttpTemplate.Of(call.Path).Url(values)));
        foreach (var (name, value) in _options.Headers)
            request.Headers.TryAddWithoutValidation(name, value);
        if (key is not null && _options.IdempotencyHeader.Length > 0)
            request.Headers.TryAddWithoutValidation(_options.IdempotencyHeader, key);
        request.Headers.Accept.Add(new MediaTypeWithQualityHeaderValue("application/json"));
        if (call.Body.Length > 0)
            request.Content = new StringContent(HttpTemplate.Of(call.Body).Json(values), Encoding.UTF8, "application/json");
        return await CarrierAnswer.Of(client, request, cancellationToken);
    }

    private static IEnumerable<JsonElement> Items(JsonElement json, string path)
    {
        const int most = 1000;
        var items = At(path).Of(json);
        return items.ValueKind == JsonValueKind.Array ? items.EnumerateArray().Take(most) : [];
    }

    // Lists need no mention in a shape.
    private static string[] Paths(string path) => path.Length == 0 ? [] : [Regex.Replace(path, @"\[\d+\]", "")];

    private static int? Days(JsonElement item, string path) =>
        int.TryParse(At(path).Text(item), NumberStyles.None, CultureInfo.InvariantCulture, out var days) ? days : null;

    private static JsonPath At(string path) => JsonPath.TryParse(path) ?? throw new InvalidOperationException($"\"{path}\" is no path; options are checked on start.");
}

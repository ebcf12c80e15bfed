using System.ComponentModel.DataAnnotations;
using System.Globalization;
using System.Net;
using System.Net.Http.Headers;
using System.Security.Cryptography;
using System.Text;
using System.Text.Json;
using Commerce.Tracking.Payloads;

namespace Commerce.Shipments.Carriers;

/// <summary>Section "Shipments:EasyPost". Without a key it is not used.</summary>
public sealed class EasyPostOptions
{
    /// <summary>EasyPost's API, or what plays it.</summary>
    [Required]
    public string BaseAddress { get; set; } = "https://api.easypost.com";

    public string ApiKey { get; set; } = "";

    /// <summary>Who sends, and where from: carriers want a street and a telephone number on a label.</summary>
    public string SenderName { get; set; } = "";

    public string SenderStreet { get; set; } = "";

    public string SenderPhone { get; set; } = "";
}

/// <summary>
/// EasyPost's API (v2): many carriers behind one. A service is "USPS.Priority". EasyPost has no key that makes a purchase safe to
/// repeat, but a shipment of it has a reference by which it is found again, and buying it twice is refused: so the key is the
/// reference, and whoever comes back after a crash finds what was made.
/// </summary>
internal sealed class EasyPostCarrier(EasyPostOptions options, IHttpClientFactory clients, PayloadReader payloads) : ICarrier
{
    public const string HttpClient = "easypost";
    public const string OwnCode = "easypost";

    private const decimal GramsAnOunce = 28.349523125m;
    private const decimal MillimetresAnInch = 25.4m;

    public string Code => OwnCode;

    public string Name => "EasyPost";

    public bool SellsForOthers => true;

    public async Task<IReadOnlyList<Rate>> Rates(RateQuestion question, CancellationToken cancellationToken)
    {
        using var answer = await Send(HttpMethod.Post, "/v2/shipments", Body(question, to: null, shipment: null, reference: null), cancellationToken);
        if (answer.Status is HttpStatusCode.UnprocessableEntity or HttpStatusCode.BadRequest)
            return [];
        return [.. RatesOf(answer.Success()).Select(one => one.Rate)];
    }

    public async Task<Label> BuyLabel(Shipment shipment, string service, string idempotencyKey, CancellationToken cancellationToken)
    {
        var reference = ReferenceOf(idempotencyKey);
        using var made = await Made(shipment, reference, cancellationToken);
        var json = made.Success();
        if (LabelOf(json, made) is { } bought)
            return bought;
        var offers = RatesOf(json).ToList();
        if (offers.FirstOrDefault(one => one.Rate.Service == service) is not { Id.Length: > 0 } offer)
            throw new LabelRefusedException($"EasyPost does not offer {service} for this parcel: {made.Words(Get(json, "messages"))}");

        var id = TextOf(json, "id");
        using var answer = await Send(HttpMethod.Post, $"/v2/shipments/{Uri.EscapeDataString(id)}/buy", new { rate = new { id = offer.Id } }, cancellationToken);
        if (answer.Status is HttpStatusCode.UnprocessableEntity or HttpStatusCode.BadRequest or HttpStatusCode.PaymentRequired)
        {
            // A twin of this call, or this one before its answer was lost, bought it.
            if (TextOf(Get(answer.Json, "error"), "code") != "SHIPMENT.POSTAGE.EXISTS")
                throw new LabelRefusedException(answer.Words(Get(Get(answer.Json, "error"), "message")));
            using var again = await Send(HttpMethod.Get, $"/v2/shipments/{Uri.EscapeDataString(id)}", body: null, cancellationToken);
            return LabelOf(again.Success(), again) ?? throw again.Lacks("the label that it says there is");
        }

        return LabelOf(answer.Success(), answer) ?? throw answer.Lacks("the label");
    }

    public async Task<VoidOutcome> VoidLabel(string labelId, string idempotencyKey, CancellationToken cancellationToken)
    {
        var path = $"/v2/shipments/{Uri.EscapeDataString(labelId)}";
        using var answer = await Send(HttpMethod.Post, path + "/refund", new { }, cancellationToken);
        if (answer.Status == HttpStatusCode.NotFound)
            return VoidOutcome.Voided;
        if (answer.Status is not (HttpStatusCode.UnprocessableEntity or HttpStatusCode.BadRequest or HttpStatusCode.Conflict))
            return Refund(answer.Success());
        // It refuses what was refunded before as well as what is on its way: the shipment says which.
        using var shipment = await Send(HttpMethod.Get, path, body: null, cancellationToken);
        return Refund(shipment.Success());

        // Submitted: the carrier decides in days, but the label is void from now on.
        static VoidOutcome Refund(JsonElement json) => TextOf(json, "refund_status") is "submitted" or "refunded" ? VoidOutcome.Voided : VoidOutcome.HandedOver;
    }

    public Task<DeliveryChangeOutcome> ChangeDelivery(Shipment shipment, AddressRecord to, bool elsewhere, string idempotencyKey, CancellationToken cancellationToken) =>
        Task.FromResult(DeliveryChangeOutcome.NotOffered(Name));

    public async Task<IReadOnlyList<ReportedScan>> Track(string trackingNumber, CancellationToken cancellationToken)
    {
        using var answer = await Send(HttpMethod.Get, $"/v2/trackers?tracking_code={Uri.EscapeDataString(trackingNumber)}", body: null, cancellationToken);
        if (answer.Status == HttpStatusCode.NotFound)
            return [];
        return [.. answer.Scans(payloads, "easypost", Code, trackingNumber).Where(scan => scan.TrackingNumber == trackingNumber)];
    }

    /// <summary>The shipment that this key made before, else a new one.</summary>
    private async Task<CarrierAnswer> Made(Shipment shipment, string reference, CancellationToken cancellationToken)
    {
        var known = await Send(HttpMethod.Get, $"/v2/shipments/{reference}", body: null, cancellationToken);
        if (known.Status != HttpStatusCode.NotFound)
            return known;
        known.Dispose();
        var made = await Send(HttpMethod.Post, "/v2/shipments", Body(QuestionOf(shipment), shipment.ShipTo, shipment, reference), cancellationToken);
        if (made.Status is not (HttpStatusCode.UnprocessableEntity or HttpStatusCode.BadRequest))
            return made;
        using (made)
            throw new LabelRefusedException(made.Words(Get(Get(made.Json, "error"), "message")));
    }

    private static Label? LabelOf(JsonElement json, CarrierAnswer answer)
    {
        if (Get(json, "postage_label").ValueKind != JsonValueKind.Object)
            return null;
        var rate = Get(json, "selected_rate");
        return new Label(
            TextOf(json, "id") is { Length: > 0 } id ? id : throw answer.Lacks("the label's id"),
            TrackingNumber.Normalise(TextOf(json, "tracking_code")) ?? throw answer.Lacks("a tracking number"),
            CarrierAmounts.TryRead(TextOf(rate, "rate"), TextOf(rate, "currency")) ?? throw answer.Lacks("a price"),
            CarrierAmounts.TryTime(TextOf(Get(json, "tracker"), "est_delivery_date")) ?? CarrierAmounts.TryTime(TextOf(rate, "delivery_date")))
        {
            Carrier = Commerce.Tracking.Vocabularies.CarrierNames.Of(TextOf(rate, "carrier")),
        };
    }

    private IEnumerable<(string Id, Rate Rate)> RatesOf(JsonElement json)
    {
        foreach (var one in Items(json, "rates"))
        {
            var (carrier, service) = (TextOf(one, "carrier"), TextOf(one, "service"));
            // One that says no days may take any number; the promise is kept by another.
            var days = int.TryParse(TextOf(one, "delivery_days"), NumberStyles.None, CultureInfo.InvariantCulture, out var said) ? said : 30;
            if (carrier.Length > 0 && service.Length > 0 && CarrierAmounts.TryRead(TextOf(one, "rate"), TextOf(one, "currency")) is { } price)
                yield return (TextOf(one, "id"), new Rate(Code, $"{carrier}.{service}", price, days, days));
        }
    }

    private static RateQuestion QuestionOf(Shipment shipment) =>
        new(shipment.ShipFrom, new PlaceRecord("", shipment.ShipTo.Locality, shipment.ShipTo.Region, shipment.ShipTo.PostalCode, shipment.ShipTo.Country), shipment.Size, shipment.Value);

    // Rates are asked for a place; a label is for somebody.
    private object Body(RateQuestion question, AddressRecord? to, Shipment? shipment, string? reference)
    {
        var (from, place, size, _) = question;
        return new
        {
            shipment = new
            {
                reference,
                from_address = new
                {
                    name = options.SenderName,
                    street1 = options.SenderStreet,
                    phone = options.SenderPhone,
                    city = from.Locality,
                    state = from.Region,
                    zip = from.PostalCode,
                    country = from.Country,
                },
                to_address = new
                {
                    name = to?.Name,
                    street1 = to?.Lines.ElementAtOrDefault(0),
                    street2 = to is null ? null : string.Join(", ", to.Lines.Skip(1)),
                    city = place.Locality,
                    state = place.Region,
                    zip = place.PostalCode,
                    country = place.Country,
                },
                parcel = new
                {
                    weight = Math.Round(size.WeightGrams / GramsAnOunce, 2),
                    length = Inches(size.LengthMm),
                    width = Inches(size.WidthMm),
                    height = Inches(size.HeightMm),
                },
                customs_info = shipment is null ? null : CustomsOf(shipment),
                is_return = shipment?.ReturnNumber > 0,
                options = new
                {
                    delivery_confirmation = to?.Wishes?.Signature == true ? "SIGNATURE" : null,
                    print_custom_1 = shipment?.OrderReference,
                    invoice_number = shipment?.OrderReference,
                },
            },
        };

        static decimal? Inches(int millimetres) => millimetres > 0 ? Math.Round(millimetres / MillimetresAnInch, 2) : null;
    }

    private object? CustomsOf(Shipment shipment) => PrintingLabels.CustomsOf.Shipment(shipment) is not { } customs ? null : new
    {
        customs_certify = true,
        customs_signer = options.SenderName,
        contents_type = customs.Contents switch
        {
            V1.CustomsDeclaration.Types.Contents.Gift => "gift",
            V1.CustomsDeclaration.Types.Contents.Documents => "documents",
            V1.CustomsDeclaration.Types.Contents.Sample => "sample",
            V1.CustomsDeclaration.Types.Contents.ReturnedGoods => "returned_goods",
            V1.CustomsDeclaration.Types.Contents.Other => "other",
            _ => "merchandise",
        },
        eel_pfc = "NOEEI 30.37(a)",
        restriction_type = "none",
        customs_items = customs.Lines.Select(line => new
        {
            description = line.Description,
            quantity = line.Quantity,
            value = new Money(line.ValueMinor, line.Currency).ToString().Split(' ')[0],
            currency = line.Currency,
            weight = Math.Round(line.WeightGrams / GramsAnOunce, 2),
            hs_tariff_number = line.HsCode,
            origin_country = line.Origin,
        }),
    };

    private async Task<CarrierAnswer> Send(HttpMethod method, string path, object? body, CancellationToken cancellationToken)
    {
        using var client = clients.CreateClient(HttpClient);
        using var request = new HttpRequestMessage(method, new Uri(new Uri(options.BaseAddress), path));
        // The key is the name, and the password is empty.
        request.Headers.Authorization = new AuthenticationHeaderValue("Basic", Convert.ToBase64String(Encoding.UTF8.GetBytes(options.ApiKey + ":")));
        if (body is not null)
            request.Content = JsonContent.Create(body);
        return await CarrierAnswer.Of(client, request, cancellationToken);
    }

    // The same for the same key, and nothing that a URL would have to escape.
    private static string ReferenceOf(string key) => "c-" + Convert.ToHexStringLower(SHA256.HashData(Encoding.UTF8.GetBytes(key)).AsSpan(0, 16));

    private static IEnumerable<JsonElement> Items(JsonElement json, string name)
    {
        const int most = 1000;
        var items = Get(json, name);
        return items.ValueKind == JsonValueKind.Array ? items.EnumerateArray().Take(most) : [];
    }

    private static JsonElement Get(JsonElement json, string name) => json.ValueKind == JsonValueKind.Object && json.TryGetProperty(name, out var value) ? value : default;

    private static string TextOf(JsonElement json, string name) => CarrierAnswer.TryText(Get(json, name)) ?? "";
}

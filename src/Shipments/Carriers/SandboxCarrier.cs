using System.Net;
using System.Text.Json;
using System.Text.Json.Nodes;
using System.Text.Json.Serialization;
using Commerce.Tracking.Payloads;

namespace Commerce.Shipments.Carriers;

/// <summary>A carrier that the Sandbox plays, over HTTP.</summary>
internal sealed class SandboxCarrier(string code, IHttpClientFactory clients, PayloadReader payloads) : ICarrier
{
    private static readonly JsonSerializerOptions Json = new()
    {
        PropertyNamingPolicy = JsonNamingPolicy.SnakeCaseLower,
        DefaultIgnoreCondition = JsonIgnoreCondition.WhenWritingNull,
    };

    public string Code => code;

    public string Name => code == "fedex" ? "FedEx" : code.ToUpperInvariant();

    public async Task<IReadOnlyList<Rate>> Rates(RateQuestion question, CancellationToken cancellationToken)
    {
        var body = new
        {
            ShipFrom = Endpoint(question.From),
            ShipTo = Endpoint(question.To),
            Parcel = Parcel(question.Size),
            Value = Amount(question.Value),
        };
        using var response = await Send(HttpMethod.Post, "rates", body, key: null, cancellationToken);
        response.EnsureSuccessStatusCode();
        var answer = await Read<RatesAnswer>(response, cancellationToken);
        // One offer that is malformed must not cost the others.
        return
        [
            .. (answer.Rates ?? [])
                .Where(rate => rate is { Service.Length: > 0, Price.Currency: not null })
                .Select(rate => new Rate(code, rate.Service, new Money(rate.Price.Minor, rate.Price.Currency), rate.TransitDaysMin, rate.TransitDaysMax)),
        ];
    }

    public async Task<Label> BuyLabel(Shipment shipment, string service, string idempotencyKey, CancellationToken cancellationToken)
    {
        var body = new
        {
            Reference = shipment.PublicId,
            shipment.OrderReference,
            Service = service,
            ShipFrom = Endpoint(shipment.ShipFrom),
            ShipTo = AddressOf(shipment.ShipTo),
            // What a carrier can do: the gift note is the packer's.
            Delivery = DeliveryOf(shipment.ShipTo.Wishes),
            Parcel = Parcel(shipment.Size),
            Value = Amount(shipment.Value),
        };
        using var response = await Send(HttpMethod.Post, "labels", body, idempotencyKey, cancellationToken);
        if (response.StatusCode is HttpStatusCode.UnprocessableEntity or HttpStatusCode.BadRequest)
            throw new LabelRefusedException(await Why(response, cancellationToken));
        response.EnsureSuccessStatusCode();
        var label = await Read<LabelAnswer>(response, cancellationToken);
        if (label is not { Id.Length: > 0, Price.Currency: not null })
            throw new JsonException("The carrier's label lacks its id or its price.");
        return new Label(
            label.Id,
            TrackingNumber.Normalise(label.TrackingNumber) ?? throw new JsonException("The carrier's tracking number is not one."),
            new Money(label.Price.Minor, label.Price.Currency),
            label.EstimatedDeliveryAt);
    }

    public async Task<VoidOutcome> VoidLabel(string labelId, string idempotencyKey, CancellationToken cancellationToken)
    {
        using var response = await Send(HttpMethod.Delete, $"labels/{Uri.EscapeDataString(labelId)}", body: null, idempotencyKey, cancellationToken);
        if (response.StatusCode == HttpStatusCode.Conflict)
            return VoidOutcome.HandedOver;
        // A label that is gone is as void as can be: our earlier call did it.
        if (response.StatusCode is not (HttpStatusCode.NotFound or HttpStatusCode.Gone))
            response.EnsureSuccessStatusCode();
        return VoidOutcome.Voided;
    }

    public async Task<DeliveryChangeOutcome> ChangeDelivery(Shipment shipment, AddressRecord to, bool elsewhere, string idempotencyKey, CancellationToken cancellationToken)
    {
        var body = new { Delivery = DeliveryOf(to.Wishes), ShipTo = elsewhere ? AddressOf(to) : null };
        using var response = await Send(HttpMethod.Post, $"labels/{Uri.EscapeDataString(shipment.LabelId!)}/delivery", body, idempotencyKey, cancellationToken);
        if (response.StatusCode is HttpStatusCode.UnprocessableEntity or HttpStatusCode.BadRequest or HttpStatusCode.Conflict or HttpStatusCode.NotFound or HttpStatusCode.Gone)
            return new DeliveryChangeOutcome(false, await Why(response, cancellationToken), null);
        response.EnsureSuccessStatusCode();
        return new DeliveryChangeOutcome(true, "", (await Read<DeliveryAnswer>(response, cancellationToken)).EstimatedDeliveryAt);
    }

    public async Task<IReadOnlyList<ReportedScan>> Track(string trackingNumber, CancellationToken cancellationToken)
    {
        using var response = await Send(HttpMethod.Get, $"tracking/{Uri.EscapeDataString(trackingNumber)}", body: null, key: null, cancellationToken);
        if (response.StatusCode == HttpStatusCode.NotFound)
            return [];
        response.EnsureSuccessStatusCode();
        try
        {
            return payloads.Read(await response.Content.ReadAsByteArrayAsync(cancellationToken), "sandbox", code, trackingNumber).Scans;
        }
        catch (PayloadException exception)
        {
            throw new JsonException(exception.Message);
        }
    }

    public async Task<Claim?> FileClaim(Shipment shipment, Money amount, string idempotencyKey, CancellationToken cancellationToken)
    {
        var body = new { shipment.TrackingNumber, Amount = new { amount.Currency, amount.Minor } };
        using var response = await Send(HttpMethod.Post, "claims", body, idempotencyKey, cancellationToken);
        response.EnsureSuccessStatusCode();
        return ClaimOf(await Read<ClaimAnswer>(response, cancellationToken));
    }

    public async Task<Claim?> FindClaim(string claimId, CancellationToken cancellationToken)
    {
        using var response = await Send(HttpMethod.Get, $"claims/{Uri.EscapeDataString(claimId)}", body: null, key: null, cancellationToken);
        response.EnsureSuccessStatusCode();
        return ClaimOf(await Read<ClaimAnswer>(response, cancellationToken));
    }

    private static Claim ClaimOf(ClaimAnswer answer) => answer is { Id.Length: > 0 }
        ? new Claim(
            answer.Id,
            answer.State switch
            {
                "accepted" => ClaimDecision.Accepted,
                "rejected" => ClaimDecision.Rejected,
                _ => ClaimDecision.Open,
            },
            answer.Amount is { Currency: not null } amount ? new Money(amount.Minor, amount.Currency) : null,
            Short(answer.Why ?? ""))
        : throw new JsonException("The carrier's claim lacks its id.");

    private async Task<HttpResponseMessage> Send(HttpMethod method, string path, object? body, string? key, CancellationToken cancellationToken)
    {
        using var client = clients.CreateClient(CarrierRegistration.HttpClient);
        using var request = new HttpRequestMessage(method, $"/carriers/{code}/v1/{path}");
        if (key is not null)
            request.Headers.Add("Idempotency-Key", key);
        if (body is not null)
            request.Content = JsonContent.Create(body, options: Json);
        return await client.SendAsync(request, cancellationToken);
    }

    private static async Task<T> Read<T>(HttpResponseMessage response, CancellationToken cancellationToken) =>
        await response.Content.ReadFromJsonAsync<T>(Json, cancellationToken) ?? throw new JsonException("The carrier's answer is empty.");

    // Shown to staff; whatever a carrier sends, it stays short.
    private static async Task<string> Why(HttpResponseMessage response, CancellationToken cancellationToken)
    {
        var text = response.StatusCode.ToString();
        try
        {
            if ((await Read<JsonObject>(response, cancellationToken)).TryGetPropertyValue("detail", out var detail) && detail is not null)
                text = detail.ToString();
        }
        // A refusal is one, in whatever form it comes.
        catch (Exception exception) when (exception is JsonException or InvalidOperationException)
        {
        }

        return Short(text);
    }

    private static string Short(string text)
    {
        const int Longest = 300;
        text = string.Concat(text.Where(c => !char.IsControl(c)));
        return text.Length <= Longest ? text : text[..Longest];
    }

    private static object AddressOf(AddressRecord address) => new
    {
        address.Name,
        StreetLines = address.Lines,
        City = address.Locality,
        address.Region,
        address.PostalCode,
        CountryCode = address.Country,
    };

    private static object? DeliveryOf(WishesRecord? wishes) => wishes is null ? null : new
    {
        wishes.LeaveAt,
        wishes.Neighbour,
        wishes.PickupPoint,
        wishes.Day,
        wishes.From,
        wishes.Until,
        wishes.Fragile,
        SignatureRequired = wishes.Signature,
    };

    private static object Endpoint(PlaceRecord place) => new { place.PostalCode, place.Region, CountryCode = place.Country, City = place.Locality };

    private static object Parcel(ParcelSize size) => new { size.WeightGrams, size.LengthMm, size.WidthMm, size.HeightMm };

    private static object Amount(Money money) => new { Amount = new { money.Currency, money.Minor } };

    private sealed record AmountAnswer(string Currency, long Minor);

    private sealed record DeliveryAnswer(DateTimeOffset? EstimatedDeliveryAt);

    private sealed record RateAnswer(string Service, AmountAnswer Price, int TransitDaysMin, int TransitDaysMax);

    private sealed record RatesAnswer(IReadOnlyList<RateAnswer>? Rates);

    private sealed record ClaimAnswer(string Id, string? State, AmountAnswer? Amount, string? Why);

    private sealed record LabelAnswer(string Id, string TrackingNumber, AmountAnswer Price, DateTimeOffset? EstimatedDeliveryAt);
}

using System.Globalization;
using System.Text.Json.Serialization;
using Commerce.Sandbox.Http;

namespace Commerce.Sandbox.Carriers;

internal sealed record Address(string? Name, string? Street, string[]? StreetLines, string? City, string? Region, string? PostalCode, string? CountryCode, string? Phone, string? Email)
{
    [JsonIgnore]
    public Place Place => new(City, Region, CountryCode, PostalCode);

    /// <summary>What every call needs to know of a place; a label asks for more and refuses in the carrier's words.</summary>
    public static void Check(Validation check, Address? address, string path)
    {
        check.Require(address is not null, path, "is required");
        if (address is null) return;
        check.Text(address.PostalCode, $"{path}.postal_code", 16);
        check.Require(address.CountryCode is { Length: 2 } c && c.All(char.IsAsciiLetterUpper), $"{path}.country_code", "must be an ISO 3166-1 alpha-2 code in capitals");
        check.Text(address.Region, $"{path}.region", 100, required: false);
        check.Text(address.City, $"{path}.city", 200, required: false);
        check.Text(address.Name, $"{path}.name", 200, required: false);
        check.Text(address.Street, $"{path}.street", 300, required: false);
        check.Text(address.Phone, $"{path}.phone", 50, required: false);
        check.Text(address.Email, $"{path}.email", 320, required: false);
        check.Require(address.StreetLines is null or { Length: <= 5 }, $"{path}.street_lines", "must have at most 5 lines");
        foreach (var line in (address.StreetLines ?? []).Take(5)) check.Text(line, $"{path}.street_lines", 300, required: false);
    }
}

internal sealed record Parcel(long? WeightGrams, long? LengthMm, long? WidthMm, long? HeightMm)
{
    /// <summary>What is charged for: the weight, or the space at 5,000 cm³ a kilogram.</summary>
    public long BillableGrams => Math.Max(WeightGrams ?? 0, (LengthMm ?? 0) * (WidthMm ?? 0) * (HeightMm ?? 0) / 5000);

    public static void Check(Validation check, Parcel? parcel)
    {
        check.Require(parcel is not null, "parcel", "is required");
        if (parcel is null) return;
        check.Range(parcel.WeightGrams, "parcel.weight_grams", 1, 10_000_000);
        foreach (var (side, name) in new[] { (parcel.LengthMm, "length_mm"), (parcel.WidthMm, "width_mm"), (parcel.HeightMm, "height_mm") })
        {
            check.Require(side is null or (>= 0 and <= 20_000), $"parcel.{name}", "must lie between 0 and 20000");
        }
    }
}

/// <summary>The goods' value: an amount, or an object that holds one.</summary>
internal sealed record DeclaredValue(string? Currency, long? Minor, Amount? Amount)
{
    public Amount Money => Amount ?? new Amount(Currency, Minor);
}

internal sealed record RatesRequest(Address? ShipFrom, Address? ShipTo, Parcel? Parcel, DeclaredValue? Value)
{
    public RatesRequest Checked()
    {
        var check = new Validation();
        Address.Check(check, ShipFrom, "ship_from");
        Address.Check(check, ShipTo, "ship_to");
        Parcel.Check(check, Parcel);
        Amount.Check(check, Value?.Money, "value", min: 0);
        check.ThrowIfInvalid();
        return this;
    }
}

/// <summary>How a parcel is to be handed over.</summary>
internal sealed record DeliveryWish(string? LeaveAt, string? Neighbour, string? PickupPoint, string? Day, string? From, string? Until, bool? Fragile, bool? SignatureRequired)
{
    public DateOnly? Date => DateOnly.TryParseExact(Day, "yyyy-MM-dd", CultureInfo.InvariantCulture, DateTimeStyles.None, out var day) ? day : null;

    public static void Check(Validation check, DeliveryWish? wish)
    {
        if (wish is null) return;
        check.Text(wish.LeaveAt, "delivery.leave_at", 300, required: false);
        check.Text(wish.Neighbour, "delivery.neighbour", 300, required: false);
        check.Text(wish.PickupPoint, "delivery.pickup_point", 64, required: false);
        check.Require(string.IsNullOrEmpty(wish.Day) || wish.Date is not null, "delivery.day", "must be a date such as 2026-12-24");
    }
}

internal sealed record DeliveryRequest(DeliveryWish? Delivery, Address? ShipTo)
{
    public DeliveryRequest Checked()
    {
        var check = new Validation();
        check.Require(Delivery is not null || ShipTo is not null, "delivery", "or ship_to is required: what is to change?");
        DeliveryWish.Check(check, Delivery);
        if (ShipTo is not null) Address.Check(check, ShipTo, "ship_to");
        check.ThrowIfInvalid();
        return this;
    }
}

internal sealed record LabelRequest(
    string? Reference, string? Service, Address? ShipFrom, Address? ShipTo, Parcel? Parcel, DeclaredValue? Value, string? OrderReference, DeliveryWish? Delivery = null)
{
    public LabelRequest Checked()
    {
        var check = new Validation();
        check.Text(Reference, "reference", 200);
        check.Text(OrderReference, "order_reference", 200, required: false);
        check.Text(Service, "service", 50);
        Address.Check(check, ShipFrom, "ship_from");
        Address.Check(check, ShipTo, "ship_to");
        Parcel.Check(check, Parcel);
        Amount.Check(check, Value?.Money, "value", min: 0);
        DeliveryWish.Check(check, Delivery);
        check.ThrowIfInvalid();
        return this;
    }
}

internal sealed record RateView(string Service, string ServiceName, Amount Price, int TransitDaysMin, int TransitDaysMax);

internal sealed record LabelView(string Id, string TrackingNumber, string Service, Amount Price, string LabelFormat, string LabelUrl, string CreatedAt, string EstimatedDeliveryAt);

internal sealed record ScanView(string EventId, string TrackingNumber, string Code, string Description, string StatusHint, string OccurredAt, Place Location, Proof? ProofOfDelivery);

/// <summary>What the carrier says of a delivery: who signed, or the photograph's reference, and where it was (made up).</summary>
internal sealed record Proof(string? SignedBy, string? PhotoReference, double Latitude, double Longitude, string? LeftAt);

/// <summary>A scan that will happen, as a label keeps it. <c>DueAt</c> is in unix milliseconds.</summary>
internal sealed record PlannedScan(string Id, long DueAt, Step Step, Place Place, int OffsetMinutes, bool WithNext, bool Overtaken, bool Repeated, Proof? Proof = null)
{
    public ScanView View(Carrier carrier, string trackingNumber)
    {
        var words = carrier.Words[Step];
        var local = DateTimeOffset.FromUnixTimeMilliseconds(DueAt).ToOffset(TimeSpan.FromMinutes(OffsetMinutes));
        // Milliseconds only where a carrier's day is so short that whole seconds would blur the order of scans.
        return new ScanView(Id, trackingNumber, words.Code, words.Description, Hint(), local.ToString("yyyy-MM-dd'T'HH:mm:ss.FFFzzz", CultureInfo.InvariantCulture), Place, Proof);
    }

    private string Hint() => Step switch
    {
        Step.LabelCreated => "PRE_TRANSIT",
        Step.PickedUp => "PICKED_UP",
        Step.Held => "ON_HOLD",
        Step.OutForDelivery => "OUT_FOR_DELIVERY",
        Step.Attempted => "DELIVERY_FAILED",
        Step.Delivered => "DELIVERED",
        Step.Returning => "RETURN_TO_SENDER",
        _ => "IN_TRANSIT",
    };
}

using System.ComponentModel.DataAnnotations;

namespace Commerce.Shipments.Carriers;

/// <summary>
/// A carrier that speaks JSON over HTTP, described by configuration alone (an entry of "Shipments:HttpCarriers"): what to send where, and
/// where in its answers things stand. Texts in braces are filled in: {reference}, {order_reference}, {service}, {label_id},
/// {tracking_number}, {from.city|region|postal_code|country}, {to.name|line1|line2|city|region|postal_code|country},
/// {parcel.weight_grams|weight_kg|length_mm|width_mm|height_mm}, {value.minor|amount|currency}.
/// </summary>
public sealed class HttpCarrierOptions
{
    /// <summary>For example "acme": small letters, digits and dashes.</summary>
    [Required, RegularExpression("^[a-z0-9-]{2,30}$")]
    public string Code { get; set; } = "";

    /// <summary>As people read it on a label.</summary>
    [Required, StringLength(60)]
    public string Name { get; set; } = "";

    /// <summary>An http or https URL.</summary>
    [Required]
    public string BaseAddress { get; set; } = "";

    /// <summary>Sent with every call, for example Authorization.</summary>
    public Dictionary<string, string> Headers { get; set; } = [];

    /// <summary>The header that carries our key with a label and its void; without it a carrier may make two labels after a crash.</summary>
    [StringLength(60)]
    public string IdempotencyHeader { get; set; } = "Idempotency-Key";

    /// <summary>The path of a refusal's words, for example "error.message".</summary>
    public string Words { get; set; } = "message";

    public HttpRatesOptions Rates { get; set; } = new();

    public HttpLabelOptions Label { get; set; } = new();

    public HttpVoidOptions Void { get; set; } = new();

    public HttpTrackOptions Track { get; set; } = new();
}

/// <summary>A call: where and what.</summary>
public class HttpCallOptions
{
    public string Method { get; set; } = "POST";

    /// <summary>Below the base address, for example "/v2/rates".</summary>
    public string Path { get; set; } = "";

    /// <summary>A JSON document with texts in braces; empty: none is sent. What is filled in is escaped.</summary>
    public string Body { get; set; } = "";
}

/// <summary>How rates are asked for; the paths below are within an item.</summary>
public sealed class HttpRatesOptions : HttpCallOptions
{
    public string Items { get; set; } = "rates";

    public string Service { get; set; } = "service";

    /// <summary>A number or a text such as "9.39".</summary>
    public string Price { get; set; } = "price";

    public string Currency { get; set; } = "currency";

    /// <summary>The price counts the currency's smallest unit.</summary>
    public bool PriceIsMinor { get; set; }

    public string DaysMin { get; set; } = "days";

    public string DaysMax { get; set; } = "days";
}

/// <summary>How a label is bought.</summary>
public sealed class HttpLabelOptions : HttpCallOptions
{
    public string Id { get; set; } = "id";

    public string TrackingNumber { get; set; } = "tracking_number";

    public string Price { get; set; } = "price";

    public string Currency { get; set; } = "currency";

    public bool PriceIsMinor { get; set; }

    /// <summary>When it is expected to arrive; empty: it does not say.</summary>
    public string EstimatedDelivery { get; set; } = "";

    /// <summary>The answers that are refusals.</summary>
    public int[] RefusedStatuses { get; set; } = [];
}

/// <summary>How a label is voided.</summary>
public sealed class HttpVoidOptions : HttpCallOptions
{
    /// <summary>The answers that say that the carrier has the parcel already.</summary>
    public int[] HandedOverStatuses { get; set; } = [];
}

/// <summary>How a parcel is asked for; the paths below are within an item.</summary>
public sealed class HttpTrackOptions : HttpCallOptions
{
    public string Items { get; set; } = "events";

    public string Code { get; set; } = "code";

    public string Description { get; set; } = "description";

    public string Time { get; set; } = "time";

    public string City { get; set; } = "city";

    public string Region { get; set; } = "region";

    public string PostalCode { get; set; } = "postal_code";

    public string Country { get; set; } = "country";
}

using System.Net;
using System.Text.Json;
using Commerce.Tracking.Payloads;

namespace Commerce.Shipments.Carriers;

/// <summary>
/// A carrier said something that is no answer: an error of its own, a page instead of data, or nothing. Whether it did what was
/// asked is unknown, so it is asked again; the message says what came, in words for staff and without a word of its content.
/// </summary>
internal sealed class CarrierFaultException(string message, HttpStatusCode status) : HttpRequestException(message, null, status);

/// <summary>What came back from a carrier, read within bounds: its client refuses answers of more than a few megabytes and cuts what takes too long.</summary>
internal sealed class CarrierAnswer : IDisposable
{
    private const int DeepestJson = 32;
    private const int LongestWords = 300;

    private readonly JsonDocument? _json;
    private readonly string _what;

    private CarrierAnswer(HttpStatusCode status, JsonDocument? json, string what) => (Status, _json, _what) = (status, json, what);

    public HttpStatusCode Status { get; }

    /// <summary>What it says; undefined where it says nothing or no JSON.</summary>
    public JsonElement Json => _json?.RootElement ?? default;

    /// <exception cref="CarrierFaultException">It failed by itself (429 and 5xx).</exception>
    public static async Task<CarrierAnswer> Of(HttpClient client, HttpRequestMessage request, CancellationToken cancellationToken)
    {
        using var response = await client.SendAsync(request, cancellationToken);
        var body = await response.Content.ReadAsByteArrayAsync(cancellationToken);
        var what = body.Length == 0 ? "nothing" : response.Content.Headers.ContentType?.MediaType is { } type && IsPlain(type) ? type : "something without a type";
        if (response.StatusCode is HttpStatusCode.TooManyRequests or HttpStatusCode.RequestTimeout or >= HttpStatusCode.InternalServerError)
            throw new CarrierFaultException($"answered {(int)response.StatusCode} with {what}", response.StatusCode);
        try
        {
            return new CarrierAnswer(response.StatusCode, body.Length == 0 ? null : JsonDocument.Parse(body, new JsonDocumentOptions { MaxDepth = DeepestJson }), what);
        }
        catch (JsonException)
        {
            return new CarrierAnswer(response.StatusCode, null, what);
        }
    }

    /// <summary>The answer of a call that went well.</summary>
    /// <exception cref="CarrierFaultException">It did not, or says nothing that can be read.</exception>
    public JsonElement Success()
    {
        if ((int)Status is < 200 or > 299)
            throw new CarrierFaultException($"answered {(int)Status} with {_what}", Status);
        return Json.ValueKind is JsonValueKind.Object or JsonValueKind.Array ? Json : throw new CarrierFaultException($"answered {(int)Status} with {_what} instead of JSON", Status);
    }

    /// <summary>The scans in the answer of a call that went well.</summary>
    /// <exception cref="CarrierFaultException">It did not, or says nothing that can be read.</exception>
    public IReadOnlyList<ReportedScan> Scans(PayloadReader payloads, string shape, string carrier, string trackingNumber)
    {
        try
        {
            return payloads.Read(JsonSerializer.SerializeToUtf8Bytes(Success()), shape, carrier, trackingNumber).Scans;
        }
        catch (PayloadException exception)
        {
            throw new CarrierFaultException($"answered {(int)Status} with what cannot be read: {exception.Message}", Status);
        }
    }

    /// <exception cref="CarrierFaultException">Something is missing without which it is no answer.</exception>
    public CarrierFaultException Lacks(string what) => new($"answered {(int)Status} without {what}", Status);

    /// <summary>The carrier's words for why, as far as it has any: shown to staff, so they stay short and in one line.</summary>
    public string Words(JsonElement said)
    {
        var text = said.ValueKind == JsonValueKind.String && TryText(said) is { Length: > 0 } words ? words : said.ValueKind is JsonValueKind.Object or JsonValueKind.Array ? said.GetRawText() : Status.ToString();
        text = string.Concat(text.Where(c => !char.IsControl(c)));
        return text.Length <= LongestWords ? text : text[..LongestWords];
    }

    public void Dispose() => _json?.Dispose();

    /// <summary>Null for half a character.</summary>
    public static string? TryText(JsonElement json)
    {
        try
        {
            return json.ValueKind == JsonValueKind.String ? json.GetString() : json.ValueKind == JsonValueKind.Number ? json.GetRawText() : null;
        }
        catch (InvalidOperationException)
        {
            return null;
        }
    }

    private static bool IsPlain(string type) => type.Length <= 60 && type.All(c => char.IsAsciiLetterOrDigit(c) || c is '/' or '-' or '+' or '.');
}

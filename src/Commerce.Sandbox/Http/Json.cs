using System.Text.Encodings.Web;
using System.Text.Json;
using System.Text.Json.Serialization;

namespace Commerce.Sandbox.Http;

/// <summary>The one JSON dialect of the Sandbox: snake_case names, absent instead of null.</summary>
internal static class Json
{
    /// <summary>The largest request body in bytes.</summary>
    public const int MaxBody = 1 << 20;

    public static JsonSerializerOptions Options { get; } = new(JsonSerializerDefaults.Web)
    {
        PropertyNamingPolicy = JsonNamingPolicy.SnakeCaseLower,
        DefaultIgnoreCondition = JsonIgnoreCondition.WhenWritingNull,
        Encoder = JavaScriptEncoder.UnsafeRelaxedJsonEscaping,
        MaxDepth = 16,
    };

    public static byte[] Write<T>(T value) => JsonSerializer.SerializeToUtf8Bytes(value, Options);

    public static string Text<T>(T value) => JsonSerializer.Serialize(value, Options);

    public static T Read<T>(ReadOnlySpan<byte> json)
    {
        try
        {
            return JsonSerializer.Deserialize<T>(json, Options)
                ?? throw new Refusal(400, "invalid_json", "The body must be a JSON object, not null.");
        }
        catch (JsonException e)
        {
            var where = string.IsNullOrEmpty(e.Path) ? "" : $" at {e.Path}";
            throw new Refusal(400, "invalid_json", $"The body is not the JSON that this call takes{where} (line {e.LineNumber + 1}, byte {e.BytePositionInLine}).");
        }
    }

    /// <summary>
    /// The whole body, bounded; 413 when larger. The server's own limit stays far above this one: where that is passed,
    /// the connection is cut before the answer can be read.
    /// </summary>
    public static async Task<byte[]> ReadBodyAsync(HttpContext context)
    {
        var request = context.Request;
        if (request.ContentLength > MaxBody) throw TooLarge();
        using var body = new MemoryStream(capacity: (int)(request.ContentLength ?? 1024));
        var chunk = new byte[16 * 1024];
        int read;
        while ((read = await request.Body.ReadAsync(chunk, context.RequestAborted)) > 0)
        {
            if (body.Length + read > MaxBody) throw TooLarge();
            await body.WriteAsync(chunk.AsMemory(0, read), context.RequestAborted);
        }

        return body.ToArray();
    }

    private static Refusal TooLarge() => new(413, "body_too_large", $"The body may have at most {MaxBody} bytes.");
}

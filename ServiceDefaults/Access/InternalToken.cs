using System.Text.Json;

namespace Commerce.ServiceDefaults;

/// <summary>
/// What one service shows another: who calls, for whom, and that for a few minutes. It is base64url(JSON) "." base64url(HMAC-SHA256
/// of what stands before the point, with the secret of the two services).
/// </summary>
/// <param name="Issuer">The service that calls.</param>
/// <param name="Audience">The service that is called.</param>
/// <param name="Subject">For whom, as "kind/id"; the service itself in its own work.</param>
/// <param name="Scopes">What the subject may do; believed of the Gateway alone.</param>
/// <param name="Stores">The stores that it is limited to; null: all.</param>
/// <param name="Expires">Until when.</param>
internal sealed record InternalToken(string Issuer, string Audience, string Subject, ScopeSet Scopes, IReadOnlyCollection<string>? Stores, DateTimeOffset Expires)
{
    /// <summary>The header that carries it.</summary>
    public const string Header = "commerce-token";

    // Some hundred stores; headers are 32 KB at most, all together.
    private const int MaxLength = 8 * 1024;

    /// <summary>The token as text.</summary>
    public string Sign(ReadOnlySpan<byte> secret)
    {
        using var stream = new MemoryStream();
        using (var json = new Utf8JsonWriter(stream))
        {
            json.WriteStartObject();
            json.WriteString("iss", Issuer);
            json.WriteString("aud", Audience);
            json.WriteString("sub", Subject);
            json.WriteString("scp", Scopes.ToHex());
            if (Stores is not null)
            {
                json.WriteStartArray("sto");
                foreach (var store in Stores)
                    json.WriteStringValue(store);
                json.WriteEndArray();
            }

            json.WriteNumber("exp", Expires.ToUnixTimeSeconds());
            json.WriteEndObject();
        }

        return SignedText.Sign(secret, "", stream.GetBuffer().AsSpan(0, (int)stream.Length));
    }

    /// <summary>Reads a token and compares its signature with those that the issuer's secrets give; null: it is not one, or not of them.</summary>
    public static InternalToken? Read(string text, Func<string, byte[][]?> secretsOf)
    {
        InternalToken? token = null;
        // Only the issuer is looked at before the signature is known to be right.
        return SignedText.Read(text, "", MaxLength, payload => (token = Parse(payload)) is null ? null : secretsOf(token.Issuer)) is null ? null : token;
    }

    private static InternalToken? Parse(byte[] payload)
    {
        try
        {
            using var json = JsonDocument.Parse(payload, new JsonDocumentOptions { MaxDepth = 3 });
            var root = json.RootElement;
            if (ScopeSet.FromHex(root.GetProperty("scp").GetString()) is not { } scopes)
                return null;
            return new InternalToken(
                root.GetProperty("iss").GetString()!,
                root.GetProperty("aud").GetString()!,
                root.GetProperty("sub").GetString()!,
                scopes,
                root.TryGetProperty("sto", out var stores) ? [.. stores.EnumerateArray().Select(store => store.GetString()!)] : null,
                DateTimeOffset.FromUnixTimeSeconds(root.GetProperty("exp").GetInt64()));
        }
        // Whatever is wrong with it: it is not a token of ours.
        catch (Exception exception) when (exception is JsonException or InvalidOperationException or KeyNotFoundException or FormatException or ArgumentException)
        {
            return null;
        }
    }
}

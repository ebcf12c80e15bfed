using System.Security.Cryptography;
using System.Text;

namespace Commerce.Sandbox.Http;

/// <summary>A mutating call as it arrived: its body and, when the caller gave an <c>Idempotency-Key</c>, what identifies it.</summary>
internal sealed record IdempotentRequest(string Scope, string? Key, byte[] Hash, byte[] Body)
{
    private const int MaxKey = 255;

    /// <param name="scope">Keys are a caller's own within one provider or carrier.</param>
    public static async Task<IdempotentRequest> ReadAsync(HttpContext context, string scope)
    {
        var body = await Json.ReadBodyAsync(context);
        var key = context.Request.Headers["Idempotency-Key"].ToString();
        if (key.Length > MaxKey) throw new Refusal(400, "invalid_idempotency_key", $"Idempotency-Key may have at most {MaxKey} characters.");

        // The path belongs to the payload: a key used for a capture must not answer a refund.
        using var hash = IncrementalHash.CreateHash(HashAlgorithmName.SHA256);
        hash.AppendData(Encoding.UTF8.GetBytes($"{context.Request.Method} {context.Request.Path}\n"));
        hash.AppendData(body);
        return new IdempotentRequest(scope, key.Length == 0 ? null : key, hash.GetHashAndReset(), body);
    }
}

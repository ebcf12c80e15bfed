using System.Buffers.Text;
using System.Security.Cryptography;
using System.Text.Json;
using Commerce.Types.V1;
using Google.Protobuf;

namespace Commerce.ServiceDefaults;

/// <summary>
/// Page tokens (AIP-158): the position after which the next page begins, opaque, and bound to the request's other fields,
/// so that a token is not carried over to another question. It is no secret and grants nothing: whoever makes one up gets
/// a page that they could have asked for.
/// </summary>
public sealed class PageToken
{
    private const int HashLength = 8;
    private const int LongestToken = 1_000;

    private readonly byte[] _question;

    private PageToken(byte[] question) => _question = question;

    /// <summary>The tokens of a request; <paramref name="paging"/> clears the fields that may differ from page to page.</summary>
    public static PageToken For<TRequest>(TRequest request, params ReadOnlySpan<Action<TRequest>> paging)
        where TRequest : class, IDeepCloneable<TRequest>, IMessage
    {
        var question = request.Clone();
        foreach (var clear in paging)
            clear(question);
        return new PageToken(SHA256.HashData(question.ToByteArray())[..HashLength]);
    }

    /// <summary>The token of a position.</summary>
    public string Write<TPosition>(TPosition last) =>
        Base64Url.EncodeToString([.. _question, .. JsonSerializer.SerializeToUtf8Bytes(last)]);

    /// <summary>The position of a token; null for the first page.</summary>
    /// <exception cref="Failure">PAGE_TOKEN_INVALID.</exception>
    public TPosition? Read<TPosition>(string token)
        where TPosition : class
    {
        if (token.Length == 0)
            return null;
        try
        {
            if (token.Length <= LongestToken && Base64Url.DecodeFromChars(token) is { Length: > HashLength } bytes
                && bytes.AsSpan(0, HashLength).SequenceEqual(_question)
                && JsonSerializer.Deserialize<TPosition>(bytes.AsSpan(HashLength)) is { } position)
            {
                return position;
            }
        }
        catch (Exception exception) when (exception is FormatException or JsonException)
        {
            // Falls through: whatever is wrong with it, the caller can only begin again.
        }

        throw new Failure(
            ErrorReason.PageTokenInvalid,
            "The page_token was not given out for this request. Send the next_page_token of the page before, with the other fields unchanged, or none to begin again.",
            new FieldError("page_token", "Not a token of this request."));
    }
}

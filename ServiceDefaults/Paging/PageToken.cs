using System.Buffers.Text;
using System.Globalization;
using System.Security.Cryptography;
using System.Text;
using Commerce.Types.V1;
using Google.Protobuf;

namespace Commerce.ServiceDefaults;

/// <summary>
/// Page tokens (AIP-158): where the next page begins, bound to the other fields of the request, so that a token of another
/// question is refused and not answered wrongly. It is opaque, not secret: a position holds keys, and gives no access.
/// </summary>
public static class PageToken
{
    private const byte Version = 1;
    private const int HashBytes = 8;
    private const int MaxToken = 1024;
    private const string Field = "page_token";

    // Neither is part of the question: another size may be asked for from page to page.
    private static readonly string[] NotHashed = [Field, "page_size"];

    /// <summary>The token for the page after <paramref name="position"/>, a text of the method's own (the last key, for example).</summary>
    public static string Encode(IMessage request, string position)
    {
        var text = Encoding.UTF8.GetBytes(position);
        var bytes = new byte[1 + HashBytes + text.Length];
        bytes[0] = Version;
        HashOf(request).CopyTo(bytes.AsSpan(1));
        text.CopyTo(bytes.AsSpan(1 + HashBytes));
        return Base64Url.EncodeToString(bytes);
    }

    /// <summary>The position that the request's page_token stands for, or null on the first page.</summary>
    /// <exception cref="Failure">PAGE_TOKEN_INVALID: not a token of this method, or the other fields changed.</exception>
    public static string? Decode(IMessage request)
    {
        var token = (string)request.Descriptor.FindFieldByName(Field).Accessor.GetValue(request);
        if (token.Length == 0)
            return null;

        var bytes = token.Length <= MaxToken && Base64Url.IsValid(token) ? Base64Url.DecodeFromChars(token) : [];
        if (bytes.Length <= HashBytes || bytes[0] != Version)
            throw Invalid("It is not a token that this method gave out; leave it empty for the first page.");
        if (!bytes.AsSpan(1, HashBytes).SequenceEqual(HashOf(request)))
            throw Invalid("The other fields differ from those of the page before; keep them, or leave the token empty and begin again.");
        return Encoding.UTF8.GetString(bytes.AsSpan(1 + HashBytes));
    }

    /// <summary>The token of a list in the order of times, and of ids among equals.</summary>
    public static string Encode(IMessage request, DateTimeOffset time, Guid id) =>
        Encode(request, string.Create(CultureInfo.InvariantCulture, $"{time.UtcTicks} {id:N}"));

    /// <summary>The position in such a list, or null on the first page.</summary>
    /// <exception cref="Failure">PAGE_TOKEN_INVALID.</exception>
    public static (DateTimeOffset Time, Guid Id)? DecodeTimeAndId(IMessage request)
    {
        if (Decode(request) is not { } position)
            return null;
        return position.Split(' ') is [var ticks, var id]
            && long.TryParse(ticks, NumberStyles.None, CultureInfo.InvariantCulture, out var at) && at <= DateTimeOffset.MaxValue.UtcTicks && Guid.TryParseExact(id, "N", out var guid)
            ? (new DateTimeOffset(at, TimeSpan.Zero), guid)
            : throw Invalid("It is damaged; begin again without it.");
    }

    /// <summary>The failure for a position that decodes and is still none, for a method's own parsing.</summary>
    public static Failure Invalid(string description) => new(ErrorReason.PageTokenInvalid, $"{Field}: {description}", new FieldError(Field, description));

    private static ReadOnlySpan<byte> HashOf(IMessage request)
    {
        using var stream = new MemoryStream();
        using (var output = new CodedOutputStream(stream, leaveOpen: true))
        {
            output.WriteString(request.Descriptor.FullName);
            var question = request.Descriptor.Parser.ParseFrom(request.ToByteArray());
            foreach (var name in NotHashed)
                question.Descriptor.FindFieldByName(name)?.Accessor.Clear(question);
            question.WriteTo(output);
        }

        return SHA256.HashData(stream.GetBuffer().AsSpan(0, (int)stream.Length)).AsSpan(0, HashBytes);
    }
}

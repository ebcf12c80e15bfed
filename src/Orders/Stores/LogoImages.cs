using System.Buffers.Binary;

namespace Commerce.Orders.Stores;

/// <summary>
/// Looks at a picture as far as its size goes, without decoding it: a small file can be a picture of a million pixels each way, which
/// whoever draws it would pay for.
/// </summary>
internal static class LogoImages
{
    private const int MostBytes = 64 * 1024;
    private const int MostPixels = 2000;

    private static ReadOnlySpan<byte> Png => [0x89, (byte)'P', (byte)'N', (byte)'G', 0x0D, 0x0A, 0x1A, 0x0A];

    public static bool IsAcceptable(ReadOnlySpan<byte> image) =>
        image.Length <= MostBytes && SizeOf(image) is var (width, height) && width is > 0 and <= MostPixels && height is > 0 and <= MostPixels;

    private static (long Width, long Height)? SizeOf(ReadOnlySpan<byte> image)
    {
        if (image.Length >= 24 && image.StartsWith(Png) && image.Slice(12, 4).SequenceEqual("IHDR"u8))
            return (BinaryPrimitives.ReadUInt32BigEndian(image[16..]), BinaryPrimitives.ReadUInt32BigEndian(image[20..]));
        return image.StartsWith((ReadOnlySpan<byte>)[0xFF, 0xD8, 0xFF]) ? JpegSize(image) : null;
    }

    // The first frame header (SOF) has it; what comes before are segments that say how long they are.
    private static (long Width, long Height)? JpegSize(ReadOnlySpan<byte> image)
    {
        var at = 2;
        while (at + 9 <= image.Length && image[at] == 0xFF)
        {
            var marker = image[at + 1];
            if (marker is >= 0xC0 and <= 0xCF and not (0xC4 or 0xC8 or 0xCC))
                return (BinaryPrimitives.ReadUInt16BigEndian(image[(at + 7)..]), BinaryPrimitives.ReadUInt16BigEndian(image[(at + 5)..]));
            at += 2 + BinaryPrimitives.ReadUInt16BigEndian(image[(at + 2)..]);
        }

        return null;
    }
}

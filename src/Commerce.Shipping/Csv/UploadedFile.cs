using System.IO.Compression;

namespace Commerce.Shipping.Csv;

/// <summary>The file is none that can be read at all, in words for whoever sent it.</summary>
public sealed class UnreadableFileException(string why) : Exception(why);

/// <summary>A file as it comes in: gzip is unpacked, and what it unpacks to is bounded, since a small file can hold a huge one.</summary>
public static class UploadedFile
{
    private const int Head = 4096;

    /// <param name="stream">The bytes as they were sent.</param>
    /// <param name="mostBytes">How long the unpacked file may be.</param>
    /// <param name="cancellationToken">Cancels.</param>
    /// <returns>A reader of its text (UTF-8, or as its byte order mark says) and the beginning of the text.</returns>
    public static async Task<(TextReader Reader, string Head)> Open(Stream stream, long mostBytes, CancellationToken cancellationToken)
    {
        var begin = await Begin(stream, 2, cancellationToken);
        Stream whole = new Joined(begin, stream, long.MaxValue);
        if (begin is [0x1F, 0x8B])
            whole = new GZipStream(whole, CompressionMode.Decompress);
        byte[] head;
        try
        {
            head = await Begin(whole, Head, cancellationToken);
        }
        catch (InvalidDataException)
        {
            throw new UnreadableFileException("The file begins as gzip does and is none.");
        }

        // Text has no NUL in UTF-8; in UTF-16 every second byte may be one, and its byte order mark says so.
        if (head is not ([0xFF, 0xFE, ..] or [0xFE, 0xFF, ..]) && head.AsSpan().Contains((byte)0))
            throw new UnreadableFileException("The file is binary: send text, as CSV in UTF-8.");
        using var beginning = new StreamReader(new MemoryStream(head));
        return (new StreamReader(new Joined(head, whole, mostBytes), detectEncodingFromByteOrderMarks: true, bufferSize: 64 * 1024), await beginning.ReadToEndAsync(cancellationToken));
    }

    private static async Task<byte[]> Begin(Stream stream, int length, CancellationToken cancellationToken)
    {
        var head = new byte[length];
        var read = await stream.ReadAtLeastAsync(head, length, throwOnEndOfStream: false, cancellationToken);
        return head[..read];
    }

    /// <summary>What was read of a stream to look at it, and the rest of it.</summary>
    private sealed class Joined(byte[] head, Stream rest, long most) : Stream
    {
        private int _at;
        private long _read;

        public override bool CanRead => true;

        public override bool CanSeek => false;

        public override bool CanWrite => false;

        public override long Length => throw new NotSupportedException();

        public override long Position { get => throw new NotSupportedException(); set => throw new NotSupportedException(); }

        public override int Read(byte[] buffer, int offset, int count) => Read(buffer.AsSpan(offset, count));

        public override int Read(Span<byte> buffer) => Count(FromHead(buffer) is > 0 and var read ? read : rest.Read(buffer));

        public override async ValueTask<int> ReadAsync(Memory<byte> buffer, CancellationToken cancellationToken = default) =>
            Count(FromHead(buffer.Span) is > 0 and var read ? read : await rest.ReadAsync(buffer, cancellationToken));

        public override void Flush()
        {
        }

        public override long Seek(long offset, SeekOrigin origin) => throw new NotSupportedException();

        public override void SetLength(long value) => throw new NotSupportedException();

        public override void Write(byte[] buffer, int offset, int count) => throw new NotSupportedException();

        private int FromHead(Span<byte> buffer)
        {
            var count = Math.Min(buffer.Length, head.Length - _at);
            head.AsSpan(_at, count).CopyTo(buffer);
            _at += count;
            return count;
        }

        private int Count(int read) => (_read += read) <= most ? read : throw new UnreadableFileException($"The file is longer than {most / 1_000_000} MB once unpacked: send it in parts.");
    }
}

using Microsoft.AspNetCore.Http;

namespace Commerce.ServiceDefaults;

/// <summary>
/// Refuses what is longer than <see cref="Limits.RequestBytes"/>. The server's own limit is higher, so that it still reads the
/// rest away: a client that sends on into a closed connection would see a broken pipe and not the answer.
/// </summary>
internal sealed class BoundedRequestStream(Stream inner, HttpContext http) : Stream
{
    private static readonly object TooLargeKey = new();
    private long _read;

    public override bool CanRead => true;

    public override bool CanSeek => false;

    public override bool CanWrite => false;

    public override long Length => throw new NotSupportedException();

    public override long Position
    {
        get => throw new NotSupportedException();
        set => throw new NotSupportedException();
    }

    public static bool WasExceeded(HttpContext http) => http.Items.ContainsKey(TooLargeKey);

    public override async ValueTask<int> ReadAsync(Memory<byte> buffer, CancellationToken cancellationToken = default) =>
        Count(await inner.ReadAsync(buffer, cancellationToken));

    public override Task<int> ReadAsync(byte[] buffer, int offset, int count, CancellationToken cancellationToken) =>
        ReadAsync(buffer.AsMemory(offset, count), cancellationToken).AsTask();

    public override int Read(byte[] buffer, int offset, int count) => Count(inner.Read(buffer, offset, count));

    public override void Flush()
    {
    }

    public override long Seek(long offset, SeekOrigin origin) => throw new NotSupportedException();

    public override void SetLength(long value) => throw new NotSupportedException();

    public override void Write(byte[] buffer, int offset, int count) => throw new NotSupportedException();

    private int Count(int read)
    {
        _read += read;
        if (_read <= Limits.RequestBytes)
            return read;
        http.Items[TooLargeKey] = true;
        throw new BadHttpRequestException("The request body is too large.", StatusCodes.Status413PayloadTooLarge);
    }
}

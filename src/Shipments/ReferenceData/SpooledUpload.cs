using System.Security.Cryptography;
using Commerce.ServiceDefaults;
using Google.Protobuf;
using Grpc.Core;

namespace Commerce.Shipments.ReferenceData;

/// <summary>
/// An uploaded file on disk for as long as it is read: a reader that waits for the network would hold a thread, and what is checked as
/// a whole cannot be stored before its end.
/// </summary>
internal sealed class SpooledUpload : IAsyncDisposable
{
    private const int Buffer = 64 * 1024;

    private readonly FileStream _file = new(
        Path.Combine(Path.GetTempPath(), $"commerce-{Guid.NewGuid():N}.upload"),
        new FileStreamOptions { Mode = FileMode.CreateNew, Access = FileAccess.ReadWrite, Share = FileShare.None, BufferSize = Buffer, Options = FileOptions.DeleteOnClose | FileOptions.Asynchronous });

    private SpooledUpload()
    {
    }

    public Stream Content => _file;

    /// <summary>SHA-256 of the bytes as they came.</summary>
    public byte[] Hash { get; private set; } = [];

    /// <summary>Takes the stream in to its end.</summary>
    /// <param name="next">Looks at each message, the first one too, and gives its bytes.</param>
    /// <param name="mostBytes">Longer files are refused.</param>
    /// <exception cref="Failure">INVALID_FIELD: it is too long, or empty.</exception>
    public static async Task<SpooledUpload> Take<T>(IAsyncStreamReader<T> stream, Func<T, ByteString> next, string field, long mostBytes, CancellationToken cancellationToken)
    {
        var upload = new SpooledUpload();
        try
        {
            using var hash = IncrementalHash.CreateHash(HashAlgorithmName.SHA256);
            while (await stream.MoveNext(cancellationToken))
            {
                var bytes = next(stream.Current).Memory;
                if (upload._file.Position + bytes.Length > mostBytes)
                    throw Failure.Invalid(new FieldError(field, $"The file is longer than {mostBytes / 1_000_000} MB: send it in parts, or as gzip."));
                hash.AppendData(bytes.Span);
                await upload._file.WriteAsync(bytes, cancellationToken);
            }

            if (upload._file.Position == 0)
                throw Failure.Invalid(new FieldError(field, "Send the file: nothing came."));
            upload.Hash = hash.GetHashAndReset();
            upload._file.Position = 0;
            return upload;
        }
        catch
        {
            await upload.DisposeAsync();
            throw;
        }
    }

    public ValueTask DisposeAsync() => _file.DisposeAsync();
}

using Google.Protobuf;
using Grpc.Core;

namespace Commerce.Cli.Api;

/// <summary>Files that a command is given; "-" is standard input.</summary>
internal static class Files
{
    private const int Chunk = 64 * 1024;

    /// <exception cref="UsageException">It cannot be read.</exception>
    public static Stream Open(string file)
    {
        try
        {
            return file == "-" ? Console.OpenStandardInput() : File.OpenRead(file);
        }
        catch (Exception exception) when (exception is IOException or UnauthorizedAccessException)
        {
            throw new UsageException($"Cannot read {file}: {exception.Message}");
        }
    }

    /// <exception cref="UsageException">It cannot be read.</exception>
    public static async Task<string> ReadText(string file, CancellationToken cancellationToken)
    {
        await using var stream = Open(file);
        using var reader = new StreamReader(stream);
        return await reader.ReadToEndAsync(cancellationToken);
    }

    /// <summary>Sends a file in chunks, as far as the server takes them.</summary>
    /// <param name="file">The file.</param>
    /// <param name="call">An open call.</param>
    /// <param name="of">Makes a message of the next bytes.</param>
    /// <param name="cancellationToken">Cancels.</param>
    /// <exception cref="UsageException">It cannot be read.</exception>
    public static async Task<TResponse> Send<TRequest, TResponse>(string file, AsyncClientStreamingCall<TRequest, TResponse> call, Func<ByteString, TRequest> of, CancellationToken cancellationToken)
    {
        await using var stream = Open(file);
        try
        {
            var buffer = new byte[Chunk];
            int read;
            var sent = false;
            while ((read = await stream.ReadAsync(buffer, cancellationToken)) > 0 || !sent)
            {
                await call.RequestStream.WriteAsync(of(ByteString.CopyFrom(buffer, 0, read)), cancellationToken);
                sent = true;
            }

            await call.RequestStream.CompleteAsync();
        }
        catch (Exception exception) when (exception is RpcException or InvalidOperationException && !cancellationToken.IsCancellationRequested)
        {
            // The server ended the call; why, its answer says.
        }

        return await call;
    }
}

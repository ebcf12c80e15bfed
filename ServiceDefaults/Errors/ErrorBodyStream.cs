using Grpc.AspNetCore.Server;
using Microsoft.AspNetCore.Http;

namespace Commerce.ServiceDefaults;

/// <summary>
/// Passes a response on as it is, except the error body of a transcoded method, which is kept back so that a problem can
/// take its place, and the body of one that the caller has already. Whether it is one is known at the first write: by then the status is set.
/// </summary>
internal sealed class ErrorBodyStream(Stream inner, HttpContext http) : WriteOnlyStream
{
    private bool? _captures;

    /// <summary>A body was kept back.</summary>
    public bool Captured => _captures == true;

    public override async ValueTask WriteAsync(ReadOnlyMemory<byte> buffer, CancellationToken cancellationToken = default)
    {
        if (!Captures())
            await inner.WriteAsync(buffer, cancellationToken);
    }

    public override void Write(byte[] buffer, int offset, int count)
    {
        if (!Captures())
            inner.Write(buffer, offset, count);
    }

    // A flush starts the response; an error without a body yet must not start.
    public override Task FlushAsync(CancellationToken cancellationToken) =>
        Captures() || http.Response.StatusCode >= StatusCodes.Status400BadRequest && !http.Response.HasStarted
            ? Task.CompletedTask
            : inner.FlushAsync(cancellationToken);

    public override void Flush()
    {
        if (!Captures())
            inner.Flush();
    }

    private bool Captures()
    {
        if (http.Response.HasStarted)
            return _captures ?? false;
        return _captures ??= Conditions.IsNotModified(http)
            || http.Response.StatusCode >= StatusCodes.Status400BadRequest && http.GetEndpoint()?.Metadata.GetMetadata<GrpcMethodMetadata>() is not null;
    }
}

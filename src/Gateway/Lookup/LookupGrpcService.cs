using Commerce.Gateway.V1;
using Commerce.Gateway.Watching;
using Grpc.Core;

namespace Commerce.Gateway.Lookup;

/// <summary>LookupService over gRPC, and its unary methods as REST.</summary>
internal sealed class LookupGrpcService(CodeLookup lookup, BatchLookup batch, Watches watches) : LookupService.LookupServiceBase
{
    public override async Task<LookupView> Lookup(LookupRequest request, ServerCallContext context) =>
        (await lookup.Find(request.Code, request.MinOrderVersion, context.CancellationToken)).ToMessage();

    public override Task<BatchLookupResponse> BatchLookup(BatchLookupRequest request, ServerCallContext context) =>
        batch.Find(request.Codes, context.CancellationToken);

    public override async Task WatchLookup(WatchLookupRequest request, IServerStreamWriter<LookupView> responseStream, ServerCallContext context)
    {
        using var watch = await watches.Open(request.Code, request.AfterVersion, context.CancellationToken);
        while (await watch.Next(context.CancellationToken) is { } view)
            await responseStream.WriteAsync(view, context.CancellationToken);
    }
}

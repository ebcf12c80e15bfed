using Commerce.Gateway.V1;
using Grpc.Core;

namespace Commerce.Gateway.Lookup;

/// <summary>LookupService's unary methods as REST, which needs messages. gRPC is <see cref="LookupWire"/>'s.</summary>
internal sealed class LookupGrpcService(CodeLookup lookup, BatchLookup batch) : LookupService.LookupServiceBase
{
    public override async Task<LookupView> Lookup(LookupRequest request, ServerCallContext context) =>
        (await lookup.Answer(Question.Of(request, Audiences.Of(context)), context.CancellationToken)).Parse();

    public override async Task<BatchLookupResponse> BatchLookup(BatchLookupRequest request, ServerCallContext context) =>
        BatchLookupResponse.Parser.ParseFrom(await batch.Find(request, Audiences.Of(context), context.CancellationToken));
}

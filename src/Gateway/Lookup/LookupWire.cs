using System.Buffers;
using Commerce.Gateway.V1;
using Commerce.Gateway.Views;
using Commerce.Gateway.Watching;
using Commerce.ServiceDefaults;
using Google.Protobuf;
using Grpc.AspNetCore.Server.Model;
using Grpc.Core;

namespace Commerce.Gateway.Lookup;

/// <summary>LookupService over gRPC. Its answers are serialised already: they are written as they are.</summary>
[DescribedBy(typeof(LookupService))]
internal sealed class LookupWire(CodeLookup lookup, BatchLookup batch, Watches watches)
{
    public Task<ViewBytes> Lookup(LookupRequest request, ServerCallContext context)
    {
        var audience = Audiences.Of(context);
        // An answer that is no message says nothing of itself to the audit.
        var trail = CallTrail.Of(context.GetHttpContext());
        return lookup.Hot(request, audience, trail) ?? lookup.Answer(Question.Of(request, audience), context.CancellationToken, trail);
    }

    public Task<byte[]> BatchLookup(BatchLookupRequest request, ServerCallContext context) =>
        batch.Find(request, Audiences.Of(context), context.CancellationToken);

    public async Task WatchLookup(WatchLookupRequest request, IServerStreamWriter<ViewBytes> responseStream, ServerCallContext context)
    {
        using var watch = await watches.Open(Question.Of(request, Audiences.Of(context)), request.AfterVersion, context.CancellationToken);
        while (await watch.Next(context.CancellationToken) is { } view)
            await responseStream.WriteAsync(view, context.CancellationToken);
    }
}

/// <summary>The methods of LookupService as the protos declare them, with messages that are bytes already.</summary>
internal sealed class LookupWireMethods : IServiceMethodProvider<LookupWire>
{
    private static readonly Marshaller<ViewBytes> View = Raw<ViewBytes>(view => view.Bytes);

    public void OnServiceMethodDiscovery(ServiceMethodProviderContext<LookupWire> context)
    {
        context.AddUnaryMethod(
            Method(MethodType.Unary, nameof(LookupWire.Lookup), LookupRequest.Parser, View), [], static (service, request, call) => service.Lookup(request, call));
        context.AddUnaryMethod(
            Method(MethodType.Unary, nameof(LookupWire.BatchLookup), BatchLookupRequest.Parser, Raw<byte[]>(bytes => bytes)), [],
            static (service, request, call) => service.BatchLookup(request, call));
        context.AddServerStreamingMethod(
            Method(MethodType.ServerStreaming, nameof(LookupWire.WatchLookup), WatchLookupRequest.Parser, View), [],
            static (service, request, stream, call) => service.WatchLookup(request, stream, call));
    }

    private static Method<TRequest, TResponse> Method<TRequest, TResponse>(MethodType type, string name, MessageParser<TRequest> parser, Marshaller<TResponse> answer)
        where TRequest : class, IMessage<TRequest>
        where TResponse : class =>
        new(type, LookupService.Descriptor.FullName, name, new Marshaller<TRequest>((_, _) => throw new NotSupportedException(), call => parser.ParseFrom(call.PayloadAsReadOnlySequence())), answer);

    private static Marshaller<T> Raw<T>(Func<T, ReadOnlyMemory<byte>> bytesOf) => new(
        (message, call) =>
        {
            var bytes = bytesOf(message);
            call.SetPayloadLength(bytes.Length);
            call.GetBufferWriter().Write(bytes.Span);
            call.Complete();
        },
        _ => throw new NotSupportedException());
}

using Grpc.Core;
using Grpc.Core.Interceptors;

namespace Commerce.ServiceDefaults;

/// <summary>A server interceptor that treats all four kinds of calls alike.</summary>
internal abstract class CallInterceptor : Interceptor
{
    protected abstract Task<T> Around<T>(ServerCallContext context, object? request, bool streams, Func<ServerCallContext, Task<T>> call);

    public override Task<TResponse> UnaryServerHandler<TRequest, TResponse>(
        TRequest request, ServerCallContext context, UnaryServerMethod<TRequest, TResponse> continuation) =>
        Around(context, request, streams: false, c => continuation(request, c));

    public override Task<TResponse> ClientStreamingServerHandler<TRequest, TResponse>(
        IAsyncStreamReader<TRequest> requestStream, ServerCallContext context, ClientStreamingServerMethod<TRequest, TResponse> continuation) =>
        Around(context, null, streams: true, c => continuation(requestStream, c));

    public override Task ServerStreamingServerHandler<TRequest, TResponse>(
        TRequest request, IServerStreamWriter<TResponse> responseStream, ServerCallContext context, ServerStreamingServerMethod<TRequest, TResponse> continuation) =>
        Around(context, request, streams: true, async c =>
        {
            await continuation(request, responseStream, c);
            return true;
        });

    public override Task DuplexStreamingServerHandler<TRequest, TResponse>(
        IAsyncStreamReader<TRequest> requestStream, IServerStreamWriter<TResponse> responseStream, ServerCallContext context, DuplexStreamingServerMethod<TRequest, TResponse> continuation) =>
        Around(context, null, streams: true, async c =>
        {
            await continuation(requestStream, responseStream, c);
            return true;
        });
}

using Google.Protobuf;
using Grpc.Core;
using Microsoft.AspNetCore.Http;

namespace Commerce.ServiceDefaults;

/// <summary>Lets in who may call the method, of gRPC and of REST by transcoding alike, and says who it is.</summary>
internal sealed class AccessInterceptor(AccessControl access) : CallInterceptor
{
    public override Task<TResponse> ClientStreamingServerHandler<TRequest, TResponse>(
        IAsyncStreamReader<TRequest> requestStream, ServerCallContext context, ClientStreamingServerMethod<TRequest, TResponse> continuation) =>
        base.ClientStreamingServerHandler(requestStream, context, (stream, call) => continuation(Bounded(stream, call), call));

    public override Task DuplexStreamingServerHandler<TRequest, TResponse>(
        IAsyncStreamReader<TRequest> requestStream, IServerStreamWriter<TResponse> responseStream, ServerCallContext context, DuplexStreamingServerMethod<TRequest, TResponse> continuation) =>
        base.DuplexStreamingServerHandler(requestStream, responseStream, context, (stream, responses, call) => continuation(Bounded(stream, call), responses, call));

    protected override Task<T> Around<T>(ServerCallContext context, object? request, bool streams, Func<ServerCallContext, Task<T>> call)
    {
        if (AccessControl.IsOpen(context.Method))
            return call(context);
        var http = context.GetHttpContext();
        var (principal, rule) = access.Admit(http, context.Method);
        if (request is IMessage message)
        {
            // After it is known that somebody may call: for strangers nothing is looked at.
            Texts.Check(message);
            if (principal.Stores is not null)
                rule.CheckStores(principal, message);
            if (principal.OrderId is not null)
                rule.CheckOrder(principal, message);
        }

        principal.Calls(context);
        if (!streams && typeof(IMessage).IsAssignableFrom(typeof(T)))
            return Answered(http, principal, context, request as IMessage, call);

        // Of a stream before it begins; messages that are bytes already say themselves what they are about.
        CallTrail.Tell(http, principal, context.Method, request as IMessage);
        if (streams)
            CallTrail.Of(http)?.Opened();
        return call(context);
    }

    // What is made by a call has its name in the answer; of one that failed there is the request.
    private static async Task<T> Answered<T>(HttpContext http, Principal principal, ServerCallContext context, IMessage? request, Func<ServerCallContext, Task<T>> call)
    {
        IMessage? answer = null;
        try
        {
            var answered = await call(context);
            answer = answered as IMessage;
            return answered;
        }
        finally
        {
            CallTrail.Tell(http, principal, context.Method, request, answer);
        }
    }

    private IAsyncStreamReader<TRequest> Bounded<TRequest>(IAsyncStreamReader<TRequest> stream, ServerCallContext call)
        where TRequest : class
    {
        if (AccessControl.IsOpen(call.Method))
            return stream;
        if (Principal.Of(call) is not { Stores: not null } principal)
            return new BoundedStream<TRequest>(stream, request => Texts.Check((IMessage)request));
        var (_, rule) = access.Admit(call.GetHttpContext(), call.Method);
        return new BoundedStream<TRequest>(stream, request =>
        {
            Texts.Check((IMessage)request);
            rule.CheckStores(principal, (IMessage)request);
        });
    }

    /// <summary>A stream of requests whose texts and stores are looked at as they come.</summary>
    private sealed class BoundedStream<T>(IAsyncStreamReader<T> inner, Action<T> check) : IAsyncStreamReader<T>
        where T : class
    {
        public T Current => inner.Current;

        public async Task<bool> MoveNext(CancellationToken cancellationToken)
        {
            if (!await inner.MoveNext(cancellationToken))
                return false;
            check(inner.Current);
            return true;
        }
    }
}

using Grpc.Core;
using Grpc.Core.Interceptors;

namespace Commerce.ServiceDefaults;

/// <summary>
/// A call to another service carries on the call being served: its deadline, its cancellation, its caller. In background
/// work the caller is the service itself.
/// </summary>
/// <param name="tokens">Signs.</param>
/// <param name="audience">The service that is called.</param>
/// <param name="asItself">The caller is the service itself, whatever call is being served.</param>
internal sealed class ServiceCallInterceptor(TokenMinter tokens, string audience, bool asItself) : Interceptor
{
    public override AsyncUnaryCall<TResponse> AsyncUnaryCall<TRequest, TResponse>(
        TRequest request, ClientInterceptorContext<TRequest, TResponse> context, AsyncUnaryCallContinuation<TRequest, TResponse> continuation) =>
        continuation(request, CarryOn(context, unary: true));

    public override TResponse BlockingUnaryCall<TRequest, TResponse>(
        TRequest request, ClientInterceptorContext<TRequest, TResponse> context, BlockingUnaryCallContinuation<TRequest, TResponse> continuation) =>
        continuation(request, CarryOn(context, unary: true));

    public override AsyncServerStreamingCall<TResponse> AsyncServerStreamingCall<TRequest, TResponse>(
        TRequest request, ClientInterceptorContext<TRequest, TResponse> context, AsyncServerStreamingCallContinuation<TRequest, TResponse> continuation) =>
        continuation(request, CarryOn(context, unary: false));

    public override AsyncClientStreamingCall<TRequest, TResponse> AsyncClientStreamingCall<TRequest, TResponse>(
        ClientInterceptorContext<TRequest, TResponse> context, AsyncClientStreamingCallContinuation<TRequest, TResponse> continuation) =>
        continuation(CarryOn(context, unary: false));

    public override AsyncDuplexStreamingCall<TRequest, TResponse> AsyncDuplexStreamingCall<TRequest, TResponse>(
        ClientInterceptorContext<TRequest, TResponse> context, AsyncDuplexStreamingCallContinuation<TRequest, TResponse> continuation) =>
        continuation(CarryOn(context, unary: false));

    private ClientInterceptorContext<TRequest, TResponse> CarryOn<TRequest, TResponse>(
        ClientInterceptorContext<TRequest, TResponse> context, bool unary)
        where TRequest : class
        where TResponse : class
    {
        var served = ServedCall.Current;
        var options = context.Options;

        var deadline = options.Deadline ?? DateTime.MaxValue;
        if (served is not null && served.Deadline < deadline)
            deadline = served.Deadline;
        if (deadline == DateTime.MaxValue && unary)
            deadline = TimeProvider.System.GetUtcNow().UtcDateTime + Limits.DefaultClientDeadline;
        if (deadline != DateTime.MaxValue)
            options = options.WithDeadline(deadline);

        if (served is not null && !options.CancellationToken.CanBeCanceled)
            options = options.WithCancellationToken(served.CancellationToken);

        var headers = new Metadata();
        foreach (var entry in options.Headers ?? [])
            headers.Add(entry);
        headers.Add(InternalToken.Header, tokens.For(asItself ? null : Principal.Current, audience));
        return new ClientInterceptorContext<TRequest, TResponse>(context.Method, context.Host, options.WithHeaders(headers));
    }
}

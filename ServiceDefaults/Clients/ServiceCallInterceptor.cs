using Grpc.Core;
using Grpc.Core.Interceptors;

namespace Commerce.ServiceDefaults;

/// <summary>
/// A call to another service carries on the call being served: its deadline, its cancellation, its caller. In background
/// work the caller is the service itself.
/// </summary>
internal sealed class ServiceCallInterceptor(string service) : Interceptor
{
    private readonly string _self = new Principal(PrincipalKind.Service, service).ToString();

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
        if (headers.Get(Principal.Header) is null)
        {
            var caller = served is not null && served.UserState.TryGetValue(Principal.Header, out var principal) ? principal.ToString()! : _self;
            headers.Add(Principal.Header, caller);
        }

        return new ClientInterceptorContext<TRequest, TResponse>(context.Method, context.Host, options.WithHeaders(headers));
    }
}

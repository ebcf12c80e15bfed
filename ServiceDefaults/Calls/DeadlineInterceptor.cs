using Commerce.Types.V1;
using Grpc.Core;
using Microsoft.Extensions.Options;

namespace Commerce.ServiceDefaults;

/// <summary>
/// Gives a unary call without a deadline the default one, with a token that stops its work, and makes the call known to the
/// clients of other services that it uses. Transcoded calls have no deadline of their own, so theirs is always the default. A stream of
/// a client lasts as long as it brings something.
/// </summary>
internal sealed class DeadlineInterceptor(IOptions<HttpLimits> limits) : CallInterceptor
{
    public override Task<TResponse> ClientStreamingServerHandler<TRequest, TResponse>(
        IAsyncStreamReader<TRequest> requestStream, ServerCallContext context, ClientStreamingServerMethod<TRequest, TResponse> continuation) =>
        base.ClientStreamingServerHandler(new LivelyStream<TRequest>(requestStream, limits.Value.StreamIdle), context, continuation);

    public override Task DuplexStreamingServerHandler<TRequest, TResponse>(
        IAsyncStreamReader<TRequest> requestStream, IServerStreamWriter<TResponse> responseStream, ServerCallContext context, DuplexStreamingServerMethod<TRequest, TResponse> continuation) =>
        base.DuplexStreamingServerHandler(AccessControl.IsOpen(context.Method) ? requestStream : new LivelyStream<TRequest>(requestStream, limits.Value.StreamIdle), responseStream, context, continuation);

    protected override async Task<T> Around<T>(ServerCallContext context, object? request, bool streams, Func<ServerCallContext, Task<T>> call)
    {
        if (streams || context.Deadline != DateTime.MaxValue)
        {
            ServedCall.Current = context;
            return await call(context);
        }

        // Deadlines are promised to the other end of a wire, so they run on the system's clock even where a test sets the service's.
        using var timer = new CancellationTokenSource(Limits.DefaultDeadline, TimeProvider.System);
        using var linked = CancellationTokenSource.CreateLinkedTokenSource(timer.Token, context.CancellationToken);
        var bounded = new ServedCall(context, TimeProvider.System.GetUtcNow().UtcDateTime + Limits.DefaultDeadline, linked.Token);
        ServedCall.Current = bounded;
        try
        {
            return await call(bounded);
        }
        catch (Exception exception) when (exception is not Failure && timer.IsCancellationRequested && !context.CancellationToken.IsCancellationRequested)
        {
            throw new Failure(ErrorReason.DeadlineExceeded, $"The work was not done within {Limits.DefaultDeadline.TotalSeconds:0} s; repeat it with the same request_id to learn what became of it.", exception);
        }
    }

    /// <summary>A stream that must bring a whole message from time to time. It is not read again after it did not.</summary>
    private sealed class LivelyStream<T>(IAsyncStreamReader<T> inner, TimeSpan idle) : IAsyncStreamReader<T>
    {
        public T Current => inner.Current;

        public async Task<bool> MoveNext(CancellationToken cancellationToken)
        {
            var next = inner.MoveNext(cancellationToken);
            try
            {
                return next.IsCompleted ? await next : await next.WaitAsync(idle, TimeProvider.System, cancellationToken);
            }
            catch (TimeoutException exception) when (!next.IsCompleted)
            {
                // It ends with the call, and nobody waits for it.
                _ = next.ContinueWith(static late => late.Exception, CancellationToken.None, TaskContinuationOptions.OnlyOnFaulted, TaskScheduler.Default);
                throw new Failure(ErrorReason.StreamIdle, $"The stream brought no whole message for {idle.TotalSeconds:0.###} s; begin another one and go on with what is not stored.", exception);
            }
            // What the library says of a message that it does not take: of one that is not in a stream it says it before a call begins.
            catch (RpcException exception) when (exception.StatusCode == StatusCode.ResourceExhausted)
            {
                throw new Failure(ErrorReason.RequestTooLarge, $"A message of the stream is larger than {Limits.RequestBytes / 1024 / 1024} MB; send less at once.", exception);
            }
            catch (Exception exception) when (exception is InvalidDataException or RpcException { StatusCode: StatusCode.Internal or StatusCode.Unimplemented } || exception.GetType() == typeof(IOException))
            {
                throw new Failure(ErrorReason.MalformedRequest, "A message of the stream cannot be read: compress with gzip or not at all, and send whole messages.", exception);
            }
        }
    }
}

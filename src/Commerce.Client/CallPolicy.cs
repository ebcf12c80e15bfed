using System.Collections.Frozen;
using Google.Protobuf;
using Google.Protobuf.Reflection;
using Grpc.Core;
using Grpc.Core.Interceptors;

namespace Commerce.Client;

/// <summary>
/// What every call gets: a deadline, a request_id where one is missing, a retry where that is safe, another token where one was
/// refused, and errors with their reason.
/// </summary>
internal sealed class CallPolicy(CommerceClientOptions options, Tokens? tokens, TimeProvider time, FrozenDictionary<string, MethodDescriptor> methods) : Interceptor
{
    private static readonly TimeSpan FirstPause = TimeSpan.FromMilliseconds(50);
    private static readonly TimeSpan LongestPause = TimeSpan.FromSeconds(2);

    public override AsyncUnaryCall<TResponse> AsyncUnaryCall<TRequest, TResponse>(
        TRequest request, ClientInterceptorContext<TRequest, TResponse> context, AsyncUnaryCallContinuation<TRequest, TResponse> continuation)
    {
        var method = methods.GetValueOrDefault(context.Method.FullName);
        var attempts = new Attempts<TRequest, TResponse>(this, WithRequestId(request, method), WithDeadline(context), continuation, method is not null && Repeatable.Is(method));
        return new AsyncUnaryCall<TResponse>(attempts.Run(), attempts.Headers, attempts.Status, attempts.Trailers, attempts.Dispose);
    }

    public override TResponse BlockingUnaryCall<TRequest, TResponse>(
        TRequest request, ClientInterceptorContext<TRequest, TResponse> context, BlockingUnaryCallContinuation<TRequest, TResponse> continuation)
    {
        var method = methods.GetValueOrDefault(context.Method.FullName);
        var attempts = new Attempts<TRequest, TResponse>(
            this, WithRequestId(request, method), WithDeadline(context),
            (one, at) => Done(continuation(one, at)),
            method is not null && Repeatable.Is(method));
        return attempts.Run().GetAwaiter().GetResult();

        static AsyncUnaryCall<TResponse> Done(TResponse answer) =>
            new(Task.FromResult(answer), Task.FromResult(new Metadata()), () => Grpc.Core.Status.DefaultSuccess, () => [], () => { });
    }

    public override AsyncServerStreamingCall<TResponse> AsyncServerStreamingCall<TRequest, TResponse>(
        TRequest request, ClientInterceptorContext<TRequest, TResponse> context, AsyncServerStreamingCallContinuation<TRequest, TResponse> continuation)
    {
        var call = continuation(request, context);
        return new AsyncServerStreamingCall<TResponse>(
            new Reader<TResponse>(this, call.ResponseStream, tokens?.Current), call.ResponseHeadersAsync, call.GetStatus, call.GetTrailers, call.Dispose);
    }

    public override AsyncClientStreamingCall<TRequest, TResponse> AsyncClientStreamingCall<TRequest, TResponse>(
        ClientInterceptorContext<TRequest, TResponse> context, AsyncClientStreamingCallContinuation<TRequest, TResponse> continuation)
    {
        var call = continuation(context);
        return new AsyncClientStreamingCall<TRequest, TResponse>(
            call.RequestStream, Explained(call.ResponseAsync, tokens?.Current), call.ResponseHeadersAsync, call.GetStatus, call.GetTrailers, call.Dispose);
    }

    private ClientInterceptorContext<TRequest, TResponse> WithDeadline<TRequest, TResponse>(ClientInterceptorContext<TRequest, TResponse> context)
        where TRequest : class
        where TResponse : class => context.Options.Deadline is not null
            ? context
            // The wire's deadline is the system's clock, whatever clock waits.
            : new(context.Method, context.Host, context.Options.WithDeadline(TimeProvider.System.GetUtcNow().UtcDateTime + options.Deadline));

    // On a copy: the caller may send its message again, and mean it.
    private static TRequest WithRequestId<TRequest>(TRequest request, MethodDescriptor? method)
    {
        if (method?.InputType.FindFieldByName("request_id") is not { FieldType: FieldType.String } field || request is not IMessage message
            || ((string)field.Accessor.GetValue(message)).Length > 0)
            return request;
        var copy = message.Descriptor.Parser.ParseFrom(message.ToByteString());
        field.Accessor.SetValue(copy, Guid.CreateVersion7().ToString());
        return (TRequest)copy;
    }

    private CommerceException Explain(RpcException exception, AccessToken? used)
    {
        if (exception.StatusCode == StatusCode.Unauthenticated)
            // The first call of all fetched it after it began.
            tokens?.Refuse(used ?? tokens.Current);
        return CommerceException.Of(exception);
    }

    private async Task<T> Explained<T>(Task<T> answer, AccessToken? used)
    {
        try
        {
            return await answer.ConfigureAwait(false);
        }
        catch (RpcException exception)
        {
            throw Explain(exception, used);
        }
    }

    /// <summary>One call of the caller, sent as often as is safe and worth it.</summary>
    private sealed class Attempts<TRequest, TResponse>(
        CallPolicy policy, TRequest request, ClientInterceptorContext<TRequest, TResponse> context, AsyncUnaryCallContinuation<TRequest, TResponse> continuation, bool repeatable) : IDisposable
        where TRequest : class
        where TResponse : class
    {
        private readonly TaskCompletionSource<Metadata> _headers = new(TaskCreationOptions.RunContinuationsAsynchronously);
        private readonly CancellationTokenSource _disposed = new();
        private AsyncUnaryCall<TResponse>? _call;

        public Task<Metadata> Headers => _headers.Task;

        public Status Status() => _call?.GetStatus() ?? throw new InvalidOperationException("The call is not complete.");

        public Metadata Trailers() => _call?.GetTrailers() ?? throw new InvalidOperationException("The call is not complete.");

        public void Dispose()
        {
            _disposed.Cancel();
            _call?.Dispose();
        }

        public async Task<TResponse> Run()
        {
            var refused = false;
            for (var attempt = 1; ; attempt++)
            {
                var used = policy.CurrentToken;
                try
                {
                    _call = continuation(request, context);
                    var answer = await _call.ResponseAsync.ConfigureAwait(false);
                    _headers.TrySetResult(await _call.ResponseHeadersAsync.ConfigureAwait(false));
                    return answer;
                }
                catch (RpcException exception)
                {
                    var error = policy.Explain(exception, used);
                    var pause = TimeSpan.Zero;
                    if (error.StatusCode == StatusCode.Unauthenticated && policy.HasTokens && !refused)
                    {
                        // The call was not carried out, whatever it is.
                        refused = true;
                    }
                    else if (error.StatusCode == StatusCode.Unavailable && repeatable && attempt < policy.MaxAttempts)
                    {
                        pause = PauseAfter(attempt, error.RetryAfter);
                    }
                    else
                    {
                        throw Failed(error);
                    }

                    if (!await Wait(pause).ConfigureAwait(false))
                        throw Failed(error);
                }
            }
        }

        private CommerceException Failed(CommerceException error)
        {
            _headers.TrySetException(error);
            _ = _headers.Task.Exception;
            return error;
        }

        private async Task<bool> Wait(TimeSpan pause)
        {
            if (context.Options.Deadline is { } deadline && TimeProvider.System.GetUtcNow().UtcDateTime + pause >= deadline)
                return false;
            using var either = CancellationTokenSource.CreateLinkedTokenSource(context.Options.CancellationToken, _disposed.Token);
            try
            {
                await Task.Delay(pause, policy.Time, either.Token).ConfigureAwait(false);
                return true;
            }
            catch (OperationCanceledException)
            {
                return false;
            }
        }
    }

    private sealed class Reader<T>(CallPolicy policy, IAsyncStreamReader<T> inner, AccessToken? used) : IAsyncStreamReader<T>
    {
        public T Current => inner.Current;

        public async Task<bool> MoveNext(CancellationToken cancellationToken)
        {
            try
            {
                return await inner.MoveNext(cancellationToken).ConfigureAwait(false);
            }
            catch (RpcException exception)
            {
                throw policy.Explain(exception, used);
            }
        }
    }

    private bool HasTokens => tokens is not null;

    private int MaxAttempts => options.MaxAttempts;

    private TimeProvider Time => time;

    private AccessToken? CurrentToken => tokens?.Current;

    /// <summary>What the suite asks for, or else growing pauses, of which a random part is taken so that callers spread.</summary>
    internal static TimeSpan PauseAfter(int attempt, TimeSpan? asked, TimeSpan? longest = null)
    {
        if (asked is { } delay)
            return delay;
        var most = Math.Min(FirstPause.TotalMilliseconds * Math.Pow(3, attempt - 1), (longest ?? LongestPause).TotalMilliseconds);
        return TimeSpan.FromMilliseconds(most * (0.5 + Random.Shared.NextDouble() / 2));
    }
}

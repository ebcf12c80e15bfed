using Grpc.Core;

namespace Commerce.ServiceDefaults;

/// <summary>A call being served, with a deadline and a token of our own where the caller gave none.</summary>
internal sealed class ServedCall : ServerCallContext
{
    // Where Grpc.AspNetCore looks for the HTTP context of a call context that is not its own.
    private const string HttpContextKey = "__HttpContext";

    private static readonly AsyncLocal<ServerCallContext?> Served = new();

    private readonly ServerCallContext _inner;
    private readonly DateTime _deadline;
    private readonly CancellationToken _cancellationToken;

    public ServedCall(ServerCallContext inner, DateTime deadline, CancellationToken cancellationToken)
    {
        _inner = inner;
        _deadline = deadline;
        _cancellationToken = cancellationToken;
        inner.UserState[HttpContextKey] = inner.GetHttpContext();
    }

    /// <summary>The call that the running code serves, or null in background work.</summary>
    public static ServerCallContext? Current
    {
        get => Served.Value;
        set => Served.Value = value;
    }

    protected override string MethodCore => _inner.Method;

    protected override string HostCore => _inner.Host;

    protected override string PeerCore => _inner.Peer;

    protected override DateTime DeadlineCore => _deadline;

    protected override Metadata RequestHeadersCore => _inner.RequestHeaders;

    protected override CancellationToken CancellationTokenCore => _cancellationToken;

    protected override Metadata ResponseTrailersCore => _inner.ResponseTrailers;

    protected override Status StatusCore
    {
        get => _inner.Status;
        set => _inner.Status = value;
    }

    protected override WriteOptions? WriteOptionsCore
    {
        get => _inner.WriteOptions;
        set => _inner.WriteOptions = value;
    }

    protected override AuthContext AuthContextCore => _inner.AuthContext;

    protected override IDictionary<object, object> UserStateCore => _inner.UserState;

    protected override Task WriteResponseHeadersAsyncCore(Metadata responseHeaders) => _inner.WriteResponseHeadersAsync(responseHeaders);

    protected override ContextPropagationToken CreatePropagationTokenCore(ContextPropagationOptions? options) => _inner.CreatePropagationToken(options);
}

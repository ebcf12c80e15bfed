using Commerce.ServiceDefaults;
using Commerce.Types.V1;
using Microsoft.AspNetCore.Http.Features;

namespace Commerce.Gateway.Access;

/// <summary>
/// Keeps a stream from outliving what it was opened with: it ends when its token, API key or order session is over, and at once when that
/// is taken back. All streams of one credential share what watches it: it is verified again when what is known of it may be wrong, with
/// one timer, however many there are and whatever they send.
/// </summary>
internal sealed partial class OpenStreams : IDisposable
{
    // A credential that cannot be verified, for the database is away, goes on; calls with it fail meanwhile, and its end stays its end.
    private static readonly TimeSpan AskAfterTrouble = TimeSpan.FromSeconds(2);

    // What a timer takes, and less: a key may be good for years.
    private static readonly TimeSpan LongestWait = TimeSpan.FromDays(1);

    // How many are verified at a time when all of them have to be.
    private const int AtATime = 16;

    private readonly Credentials _credentials;
    private readonly TimeProvider _time;
    private readonly ILogger<OpenStreams> _logger;
    private readonly Dictionary<string, Shared> _open = new(StringComparer.Ordinal);
    private readonly Lock _gate = new();
    private readonly SemaphoreSlim _verifying = new(AtATime);

    public OpenStreams(Credentials credentials, TimeProvider time, ILogger<OpenStreams> logger)
    {
        (_credentials, _time, _logger) = (credentials, time, logger);
        credentials.Changed += VerifyAgain;
    }

    /// <summary>How many credentials have streams open.</summary>
    internal int Watched
    {
        get
        {
            lock (_gate)
                return _open.Count;
        }
    }

    public void Dispose()
    {
        _credentials.Changed -= VerifyAgain;
        _verifying.Dispose();
    }

    /// <summary>Serves a stream for as long as its credential is good.</summary>
    /// <param name="http">The request; its caller is established.</param>
    /// <param name="next">What serves it.</param>
    /// <param name="forwarded">Another service answers, of whose bytes no part of a message may be the last.</param>
    public async Task Serve(HttpContext http, RequestDelegate next, bool forwarded)
    {
        if (Credentials.Of(http.Request) is not { } credential)
        {
            await next(http);
            return;
        }

        var shared = Join(credential);
        try
        {
            // Found good a moment ago; what is told from now on is heard.
            if (await shared.Standing() is { } why)
                await FailureAnswer.Write(http, why);
            else
                await Serve(http, next, forwarded, shared);
        }
        finally
        {
            Leave(shared);
        }
    }

    private static async Task Serve(HttpContext http, RequestDelegate next, bool forwarded, Shared shared)
    {
        var features = http.Features;
        var lifetime = features.GetRequiredFeature<IHttpRequestLifetimeFeature>();
        var reset = features.Get<IHttpResetFeature>();
        var body = features.GetRequiredFeature<IHttpResponseBodyFeature>();
        using var cut = CancellationTokenSource.CreateLinkedTokenSource(lifetime.RequestAborted);
        var whole = forwarded ? new WholeMessages(body.Stream, http, cut.Cancel) : null;
        var end = new End(shared, lifetime, reset) { RequestAborted = cut.Token };
        features.Set<IHttpRequestLifetimeFeature>(end);
        features.Set<IHttpResetFeature>(end);
        features.Set<StreamEnd>(end.Told);
        if (whole is not null)
            features.Set<IHttpResponseBodyFeature>(new StreamResponseBodyFeature(whole, body));
        try
        {
            await using (shared.Ended.UnsafeRegister(_ => Cut(), null))
                await next(http);
        }
        catch (Exception) when (shared.Why is not null && !lifetime.RequestAborted.IsCancellationRequested)
        {
            // That it was cut is what it threw.
        }
        finally
        {
            features.Set(lifetime);
            features.Set(reset);
            features.Set(body);
        }

        if (shared.Why is { } why && !lifetime.RequestAborted.IsCancellationRequested && !await StreamEnd.Tell(http, why))
            lifetime.Abort();

        void Cut()
        {
            if (whole is not null)
                whole.End();
            else
                cut.Cancel();
        }
    }

    private Shared Join(string credential)
    {
        lock (_gate)
        {
            if (!_open.TryGetValue(credential, out var shared))
                _open[credential] = shared = new Shared(this, credential);
            shared.Streams++;
            return shared;
        }
    }

    private void Leave(Shared shared)
    {
        lock (_gate)
        {
            if (--shared.Streams > 0)
                return;
            if (_open.TryGetValue(shared.Credential, out var current) && current == shared)
                _open.Remove(shared.Credential);
        }

        shared.Dispose();
    }

    private void VerifyAgain(string? principal)
    {
        Shared[] concerned;
        lock (_gate)
            concerned = [.. _open.Values.Where(one => principal is null || one.Principal == principal)];
        foreach (var one in concerned)
            one.Verify();
    }

    [LoggerMessage(LogLevel.Warning, "Whether open streams may go on cannot be asked ({Error}); it is asked again.")]
    private partial void LogNotVerified(string error);

    /// <summary>A credential with streams open.</summary>
    private sealed class Shared : IDisposable
    {
        private readonly OpenStreams _owner;
        private readonly CancellationTokenSource _ended = new();
        private readonly ITimer _timer;
        private readonly Lock _gate = new();
        private DateTimeOffset _ends = DateTimeOffset.MaxValue;
        private Task<Failure?>? _standing;
        private bool _verifies;
        private bool _again;
        private bool _disposed;

        public Shared(OpenStreams owner, string credential)
        {
            (_owner, Credential) = (owner, credential);
            _timer = owner._time.CreateTimer(_ => Verify(), null, Timeout.InfiniteTimeSpan, Timeout.InfiniteTimeSpan);
        }

        public string Credential { get; }

        /// <summary>Whose it is; null: not known yet.</summary>
        public string? Principal { get; private set; }

        /// <summary>Streams that are open with it; the owner's.</summary>
        public int Streams { get; set; }

        public CancellationToken Ended => _ended.Token;

        /// <summary>Why it is not good any more; null: it is.</summary>
        public Failure? Why { get; private set; }

        /// <summary>Why it is not good, as far as is known; null: it is.</summary>
        public Task<Failure?> Standing()
        {
            lock (_gate)
                return _standing ?? Start();
        }

        /// <summary>Verifies it, and once more if that was asked for meanwhile: what was read may be what was before.</summary>
        public void Verify()
        {
            lock (_gate)
            {
                if (_verifies)
                    _again = true;
                else if (Why is null)
                    Start();
            }
        }

        public void Dispose()
        {
            lock (_gate)
                _disposed = true;
            _timer.Dispose();
            // Not the source: streams may still be registering with it, and without a timer it holds nothing.
        }

        private Task<Failure?> Start()
        {
            _verifies = true;
            return _standing = VerifyNow();
        }

        private async Task<Failure?> VerifyNow()
        {
            // Whoever asked holds the lock.
            await Task.Yield();
            while (true)
            {
                var (why, askAgain) = await Ask();
                if (why is not null)
                {
                    lock (_gate)
                        (Why, _verifies) = (why, false);
                    // Streams by the hundred end in their own time.
                    _ = _ended.CancelAsync();
                    return why;
                }

                lock (_gate)
                {
                    if (!_again)
                    {
                        _verifies = false;
                        Arm(askAgain);
                        return null;
                    }

                    _again = false;
                }
            }
        }

        private async Task<(Failure? Why, DateTimeOffset AskAgain)> Ask()
        {
            await _owner._verifying.WaitAsync();
            try
            {
                var verified = await _owner._credentials.Verify(Credential, CancellationToken.None);
                (Principal, _ends) = (verified.Principal.ToString(), verified.Ends);
                return (null, verified.AskAgain);
            }
            catch (Failure failure) when (failure.Reason is ErrorReason.CredentialExpired or ErrorReason.CredentialRevoked)
            {
                return (failure, default);
            }
            catch (Failure failure) when (failure.Reason == ErrorReason.Unauthenticated)
            {
                return (new Failure(ErrorReason.CredentialRevoked, "What this stream was opened with is not good any more: it was taken back. Open it again with a good credential."), default);
            }
            // Whatever it is, it says nothing about the credential.
            catch (Exception exception)
            {
                var now = _owner._time.GetUtcNow();
                if (_ends <= now)
                    return (new Failure(ErrorReason.CredentialExpired, "What this stream was opened with is over: open it again with a new one."), default);
                _owner.LogNotVerified(exception.GetType().Name);
                return (null, _ends - now < AskAfterTrouble ? _ends : now + AskAfterTrouble);
            }
            finally
            {
                _owner._verifying.Release();
            }
        }

        private void Arm(DateTimeOffset at)
        {
            if (_disposed)
                return;
            var wait = at - _owner._time.GetUtcNow();
            // Rounded up, for a timer that rings too early asks once for nothing.
            _timer.Change(wait > LongestWait ? LongestWait : TimeSpan.FromMilliseconds(Math.Max(1, Math.Ceiling(wait.TotalMilliseconds))), Timeout.InfiniteTimeSpan);
        }
    }

    /// <summary>
    /// The request as long as the stream is served: cancelled with its credential. What cuts it then may not tear the connection down, for the
    /// caller is to be told why.
    /// </summary>
    private sealed class End : IHttpRequestLifetimeFeature, IHttpResetFeature
    {
        private readonly Shared _shared;
        private readonly IHttpRequestLifetimeFeature _lifetime;
        private readonly IHttpResetFeature? _reset;

        public End(Shared shared, IHttpRequestLifetimeFeature lifetime, IHttpResetFeature? reset)
        {
            (_shared, _lifetime, _reset) = (shared, lifetime, reset);
            Told = new Reason(shared);
        }

        public StreamEnd Told { get; }

        public CancellationToken RequestAborted { get; set; }

        public void Abort()
        {
            if (_shared.Why is null)
                _lifetime.Abort();
        }

        public void Reset(int errorCode)
        {
            if (_shared.Why is not null)
                return;
            if (_reset is not null)
                _reset.Reset(errorCode);
            else
                _lifetime.Abort();
        }

        private sealed class Reason(Shared shared) : StreamEnd
        {
            public override Failure? Why => shared.Why;
        }
    }
}

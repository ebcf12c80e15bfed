namespace Commerce.Client;

/// <summary>The token of now: kept until shortly before its end, fetched by one caller while the others wait.</summary>
internal sealed class Tokens(Func<CancellationToken, ValueTask<AccessToken>> provider, TimeProvider time) : IDisposable
{
    private static readonly TimeSpan Margin = TimeSpan.FromSeconds(30);

    private readonly SemaphoreSlim _fetching = new(1);
    private volatile AccessToken? _token;

    /// <summary>What the last calls were made with; null: nothing yet.</summary>
    public AccessToken? Current => _token;

    public static Tokens? Of(CommerceClientOptions options, TimeProvider time) => options switch
    {
        { ApiKey: { } key } => new Tokens(_ => ValueTask.FromResult(new AccessToken(key, DateTimeOffset.MaxValue)), time),
        { TokenProvider: { } provider } => new Tokens(provider, time),
        _ => null,
    };

    public async ValueTask<string> Get(CancellationToken cancellationToken)
    {
        if (_token is { } token && IsFresh(token))
            return token.Value;
        await _fetching.WaitAsync(cancellationToken);
        try
        {
            if (_token is { } fetched && IsFresh(fetched))
                return fetched.Value;
            var next = await provider(cancellationToken);
            _token = next;
            return next.Value;
        }
        finally
        {
            _fetching.Release();
        }
    }

    /// <summary>A token was refused: the next call fetches another, unless somebody has already.</summary>
    public void Refuse(AccessToken? refused) => Interlocked.CompareExchange(ref _token, null, refused);

    public void Dispose() => _fetching.Dispose();

    // A token of a minute is used for half of it.
    private bool IsFresh(AccessToken token) => token.ExpiresAt == DateTimeOffset.MaxValue || token.ExpiresAt - time.GetUtcNow() > Margin;
}

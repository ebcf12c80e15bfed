using System.Collections.Concurrent;
using System.Runtime.InteropServices;
using System.Security.Cryptography;
using Commerce.Gateway.Views;
using Commerce.ServiceDefaults;
using Commerce.Types.V1;
using Microsoft.Extensions.Options;
using Npgsql;

namespace Commerce.Gateway.Access;

/// <summary>
/// Who an API key is of. What the database says of a key is kept for some seconds; a change of it is told to every Gateway by
/// Redis, and what is kept is forgotten at once. Where Redis tells nobody, the seconds are the bound.
/// </summary>
internal sealed partial class ApiKeys(
    ApiKeyStore store, Announcements others, IOptions<OutsideOptions> options, TimeProvider time, ILogger<ApiKeys> logger) : BackgroundService
{
    private const int MostKept = 20_000;
    private const string Channel = "api-keys";

    private readonly OutsideOptions _options = options.Value;
    private readonly ConcurrentDictionary<string, Kept> _kept = new(StringComparer.Ordinal);
    private long _changes;

    /// <summary>What was known of a key may be wrong now; null: of all of them.</summary>
    public event Action<string?>? KeyChanged;

    /// <exception cref="Failure">UNAUTHENTICATED, CREDENTIAL_EXPIRED.</exception>
    public ValueTask<Verified> Verify(string text, CancellationToken cancellationToken)
    {
        if (!ApiKey.TryRead(text, out var id, out var secret))
            throw Nobody();
        var now = time.GetUtcNow();
        return _kept.TryGetValue(id, out var kept) && now < kept.Until
            ? ValueTask.FromResult(Check(kept, secret, now))
            : new ValueTask<Verified>(Read(id, secret.ToString(), cancellationToken));
    }

    /// <summary>Whether the key is remembered, so that to verify it costs next to nothing.</summary>
    public bool Knows(string text) => !ApiKey.TryRead(text, out var id, out _) || _kept.ContainsKey(id);

    /// <summary>A key was changed: every Gateway reads it again.</summary>
    public async Task Changed(string id)
    {
        Forget(id);
        await others.Tell(Channel, id);
    }

    protected override Task ExecuteAsync(CancellationToken stoppingToken) => Task.WhenAll(others.Listen(Channel, Forget, ForgetAll, stoppingToken), WriteUses(stoppingToken));

    private async Task<Verified> Read(string id, string secret, CancellationToken cancellationToken)
    {
        var changes = Interlocked.Read(ref _changes);
        if (await store.Find(id, cancellationToken) is not { } key)
            throw Nobody();
        var now = time.GetUtcNow();
        var kept = new Kept(key, new Principal(PrincipalKind.Shop, key.Id, key.ScopeSet, key.StoreIds), now + _options.KeyCacheFor);
        if (_kept.Count > MostKept)
            _kept.Clear();
        _kept[id] = kept;
        // What was read may be what was before a change that was told in between.
        if (Interlocked.Read(ref _changes) != changes)
            _kept.TryRemove(id, out _);
        return Check(kept, secret, now);
    }

    private static Verified Check(Kept kept, ReadOnlySpan<char> secret, DateTimeOffset now)
    {
        // It is asked by each call, and a hash costs more than everything else of it.
        if (kept.Good is { } good && now < good.Ends && CryptographicOperations.FixedTimeEquals(MemoryMarshal.AsBytes(secret), MemoryMarshal.AsBytes(good.Secret.AsSpan())))
            return Used(kept, good.Ends, now);
        var hash = ApiKey.Hash(secret);
        var key = kept.Key;
        var ends = key.ExpiresAt ?? DateTimeOffset.MaxValue;
        var right = CryptographicOperations.FixedTimeEquals(hash, key.SecretHash);
        if (!right && key is { FormerHash: { } former, FormerUntil: { } until } && until > now && CryptographicOperations.FixedTimeEquals(hash, former))
            (right, ends) = (true, until < ends ? until : ends);
        if (!right || key.RevokedAt is not null)
            throw Nobody();
        if (key.ExpiresAt <= now)
            throw new Failure(ErrorReason.CredentialExpired, "The API key is over; ask for a new one.");
        kept.Good = new Good(secret.ToString(), ends);
        return Used(kept, ends, now);
    }

    private static Verified Used(Kept kept, DateTimeOffset ends, DateTimeOffset now)
    {
        kept.UsedAtTicks = now.UtcTicks;
        return new Verified(kept.Principal, kept.Until < ends ? kept.Until : ends, ends);
    }

    private async Task WriteUses(CancellationToken cancellationToken)
    {
        using var timer = new PeriodicTimer(_options.KeyUseEvery, time);
        var written = new Dictionary<string, long>(StringComparer.Ordinal);
        while (await timer.WaitForNextTickAsync(cancellationToken))
        {
            var uses = _kept.Values.Where(kept => kept.UsedAtTicks > written.GetValueOrDefault(kept.Key.Id)).Select(kept => (kept.Key.Id, kept.UsedAtTicks)).ToList();
            if (uses.Count == 0)
                continue;
            try
            {
                await store.Used([.. uses.Select(use => (use.Id, new DateTimeOffset(use.UsedAtTicks, TimeSpan.Zero)))], cancellationToken);
                written = uses.ToDictionary(use => use.Id, use => use.UsedAtTicks, StringComparer.Ordinal);
            }
            // It is for people to see which keys are not needed any more: the next time will do.
            catch (NpgsqlException exception)
            {
                LogNotWritten(exception.GetType().Name);
            }
        }
    }

    private void Forget(string id)
    {
        Interlocked.Increment(ref _changes);
        _kept.TryRemove(id, out _);
        KeyChanged?.Invoke(id);
    }

    private void ForgetAll()
    {
        Interlocked.Increment(ref _changes);
        _kept.Clear();
        KeyChanged?.Invoke(null);
    }

    // The same for a key that never was, one that is revoked and a wrong secret.
    internal static Failure Nobody() => new(ErrorReason.Unauthenticated, "The caller is not known: the API key is not good.");

    [LoggerMessage(LogLevel.Warning, "When API keys were last used could not be written down ({Error}).")]
    private partial void LogNotWritten(string error);

    private sealed class Kept(ApiKey key, Principal principal, DateTimeOffset until)
    {
        public ApiKey Key { get; } = key;

        public Principal Principal { get; } = principal;

        public DateTimeOffset Until { get; } = until;

        public long UsedAtTicks { get; set; }

        /// <summary>The secret that was right the last time.</summary>
        public Good? Good { get; set; }
    }

    /// <summary>A secret of a key as it is kept, and when it ends.</summary>
    private sealed record Good(string Secret, DateTimeOffset Ends);
}

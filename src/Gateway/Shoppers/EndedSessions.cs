using System.Collections.Concurrent;
using System.Globalization;
using Commerce.Facts;
using Commerce.Gateway.Access;
using Commerce.Gateway.Views;
using Commerce.ServiceDefaults;
using Commerce.Types.V1;
using Microsoft.Extensions.Options;
using Npgsql;

namespace Commerce.Gateway.Shoppers;

/// <summary>What a session was opened with, as far as that decides when it ends.</summary>
internal enum OpenedWith
{
    /// <summary>Not what one is opened with: everything.</summary>
    All,

    /// <summary>The e-mail address, or a link that was sent to it.</summary>
    Email,

    /// <summary>The telephone number.</summary>
    Phone,

    /// <summary>The postal code.</summary>
    PostalCode,
}

/// <summary>How often the sessions of an order had been ended: all of them, and those opened with the same.</summary>
internal readonly record struct Ends(long OfAll, long OfSame);

/// <summary>
/// Which order sessions and links were taken back before their end: those of an order by staff or with an erasure, and those that were opened
/// with what is not the order's any more. Sessions are stored nowhere; what is stored is how often they were ended, and a session says how often
/// that was when it was opened, so no two clocks are compared. Every Gateway knows all that concerns sessions which can still be good: it is told
/// by the others through Redis, and reads what is new every <see cref="OutsideOptions.KeyCacheFor"/>, which without Redis is the bound.
/// </summary>
internal sealed partial class EndedSessions(
    NpgsqlDataSource database, Announcements others, IOptions<OutsideOptions> options, TimeProvider time, ILogger<EndedSessions> logger) : BackgroundService
{
    private const string Channel = "order-sessions";

    // By the database's clock. A session is good for a day at most. Who opens one goes by what was ended for longer than who holds it against
    // one, so that no node takes for ended what another has just opened.
    private static readonly TimeSpan Concerned = TimeSpan.FromHours(25);
    private static readonly TimeSpan Remembered = TimeSpan.FromHours(48);

    // What was committed late, and says a time before what was read.
    private static readonly TimeSpan Overlap = TimeSpan.FromMinutes(1);

    // A link may be signed by a clock that is ahead.
    private static readonly TimeSpan Skew = TimeSpan.FromSeconds(5);

    private static readonly string[] Names = ["all", "email", "phone", "postal_code"];

    private readonly ConcurrentDictionary<(string OrderId, OpenedWith With), Known> _known = new();
    private readonly SemaphoreSlim _missed = new(0, 1);
    // The database's time of the last reading; null: there was none.
    private DateTime? _asOf;
    private volatile bool _isKnown;
    private long _learnt;

    /// <summary>Sessions of an order were ended.</summary>
    public event Action<string>? Ended;

    /// <summary>To be taken before anything of an order is looked at, for <see cref="Of"/>.</summary>
    /// <exception cref="Failure">DEPENDENCY_UNAVAILABLE: what was ended is not known yet.</exception>
    public long Learnt
    {
        get
        {
            RequireKnown();
            return Interlocked.Read(ref _learnt);
        }
    }

    /// <summary>What a session has to say that is opened now. What was learnt since <paramref name="learnt"/> ends it: it is opened with what was read before.</summary>
    public Ends Of(string orderId, OpenedWith with, long learnt)
    {
        return new Ends(Before(OpenedWith.All), Before(with));

        long Before(OpenedWith what) => !_known.TryGetValue((orderId, what), out var known) ? 0 : known.Learnt > learnt ? known.Generation - 1 : known.Generation;
    }

    /// <summary>Whether a session was ended.</summary>
    /// <exception cref="Failure">DEPENDENCY_UNAVAILABLE: what was ended is not known yet.</exception>
    public bool IsEnded(string orderId, OpenedWith with, Ends opened)
    {
        RequireKnown();
        var since = _asOf - Concerned;
        return After(OpenedWith.All, opened.OfAll) || After(with, opened.OfSame);

        bool After(OpenedWith what, long generation) => _known.TryGetValue((orderId, what), out var known) && known.Generation > generation && known.ToldAt > since;
    }

    /// <summary>Whether a link was ended, by when it was signed; null: it does not say.</summary>
    public async Task<bool> IsEnded(OrderLink link, CancellationToken cancellationToken)
    {
        await using var command = database.CreateCommand("SELECT links_until FROM order_session_ends WHERE order_id = $1 AND opened_with = 'all'");
        command.Parameters.Add(new NpgsqlParameter<string> { TypedValue = link.OrderId });
        return await command.ExecuteScalarAsync(cancellationToken) is DateTime until && !(link.Since > new DateTimeOffset(until) + Skew);
    }

    /// <summary>Ends all sessions and links of an order, in the transaction of a batch; <see cref="Tell"/> is to follow.</summary>
    public static NpgsqlBatchCommand EndAll(string orderId, DateTimeOffset now) => End(orderId, OpenedWith.All, 0, now);

    /// <summary>Tells this Gateway and the others what is stored of an order.</summary>
    public async Task Tell(string orderId, CancellationToken cancellationToken)
    {
        var stored = new List<(OpenedWith With, long Generation, DateTime ToldAt)>();
        await using (var command = database.CreateCommand("SELECT opened_with, generation, told_at FROM order_session_ends WHERE order_id = $1"))
        {
            command.Parameters.Add(new NpgsqlParameter<string> { TypedValue = orderId });
            await using var reader = await command.ExecuteReaderAsync(cancellationToken);
            while (await reader.ReadAsync(cancellationToken))
                stored.Add(((OpenedWith)Array.IndexOf(Names, reader.GetString(0)), reader.GetInt64(1), reader.GetDateTime(2)));
        }

        foreach (var (with, generation, toldAt) in stored)
        {
            Learn(orderId, with, generation, toldAt);
            await others.Tell(Channel, string.Create(CultureInfo.InvariantCulture, $"{orderId} {Names[(int)with]} {generation} {toldAt.Ticks}"));
        }
    }

    /// <summary>Hears of an order whose customer is another, or to be reached elsewhere. Twice is as good as once.</summary>
    public async Task Observe(IFact fact, CancellationToken cancellationToken)
    {
        (string OrderId, List<NpgsqlBatchCommand> Ends) told = fact switch
        {
            OrderEdited edited => (edited.OrderId, [.. WithOf(edited.Fields).Select(with => End(edited.OrderId, with, edited.Version, null))]),
            OrderErased erased => (erased.OrderId, [End(erased.OrderId, OpenedWith.All, erased.Version, time.GetUtcNow())]),
            _ => ("", []),
        };
        if (told.Ends.Count == 0)
            return;
        await using var batch = database.CreateBatch();
        told.Ends.ForEach(batch.BatchCommands.Add);
        await batch.ExecuteNonQueryAsync(cancellationToken);
        await Tell(told.OrderId, cancellationToken);
    }

    public override async Task StartAsync(CancellationToken cancellationToken)
    {
        // With the database there, the first session is held against what was ended.
        await TryRead(cancellationToken);
        await base.StartAsync(cancellationToken);
    }

    protected override Task ExecuteAsync(CancellationToken stoppingToken) => Task.WhenAll(others.Listen(Channel, Hear, Miss, stoppingToken), ReadOften(stoppingToken));

    private static IEnumerable<OpenedWith> WithOf(IReadOnlyList<string> fields) => fields.Select(field => field switch
    {
        "customer.email" => OpenedWith.Email,
        "customer.phone" => OpenedWith.Phone,
        "shipping_address" => OpenedWith.PostalCode,
        _ => OpenedWith.All,
    }).Where(with => with != OpenedWith.All);

    private static NpgsqlBatchCommand End(string orderId, OpenedWith with, long orderVersion, DateTimeOffset? links) =>
        new(
            """
            INSERT INTO order_session_ends AS e (order_id, opened_with, generation, order_version, links_until, told_at) VALUES ($1, $2, 1, $3, $4, now())
            ON CONFLICT (order_id, opened_with) DO UPDATE
            SET generation = e.generation + 1, order_version = greatest(e.order_version, $3), links_until = coalesce($4, e.links_until), told_at = now()
            WHERE $3 = 0 OR e.order_version < $3
            """)
        {
            Parameters =
            {
                new NpgsqlParameter<string> { TypedValue = orderId },
                new NpgsqlParameter<string> { TypedValue = Names[(int)with] },
                new NpgsqlParameter<long> { TypedValue = orderVersion },
                new NpgsqlParameter { Value = links ?? (object)DBNull.Value, NpgsqlDbType = NpgsqlTypes.NpgsqlDbType.TimestampTz },
            },
        };

    private async Task ReadOften(CancellationToken cancellationToken)
    {
        while (true)
        {
            using var timer = new CancellationTokenSource(options.Value.KeyCacheFor, time);
            using var either = CancellationTokenSource.CreateLinkedTokenSource(timer.Token, cancellationToken);
            try
            {
                await _missed.WaitAsync(either.Token);
            }
            catch (OperationCanceledException) when (!cancellationToken.IsCancellationRequested)
            {
            }

            await TryRead(cancellationToken);
        }
    }

    private async Task TryRead(CancellationToken cancellationToken)
    {
        try
        {
            await Read(cancellationToken);
        }
        // What is known stays known.
        catch (NpgsqlException exception)
        {
            LogNotRead(exception.GetType().Name);
        }
    }

    private async Task Read(CancellationToken cancellationToken)
    {
        await using var batch = database.CreateBatch();
        batch.BatchCommands.Add(new NpgsqlBatchCommand("SELECT now()"));
        batch.BatchCommands.Add(new NpgsqlBatchCommand("SELECT order_id, opened_with, generation, told_at FROM order_session_ends WHERE told_at > now() - $1")
        {
            Parameters = { new NpgsqlParameter<TimeSpan> { TypedValue = Remembered } },
        });
        if (_asOf is { } before)
        {
            batch.BatchCommands[1].CommandText = "SELECT order_id, opened_with, generation, told_at FROM order_session_ends WHERE told_at > $1";
            batch.BatchCommands[1].Parameters[0] = new NpgsqlParameter<DateTime> { TypedValue = before - Overlap };
        }

        await using var reader = await batch.ExecuteReaderAsync(cancellationToken);
        await reader.ReadAsync(cancellationToken);
        var asOf = reader.GetDateTime(0);
        await reader.NextResultAsync(cancellationToken);
        while (await reader.ReadAsync(cancellationToken))
            Learn(reader.GetString(0), (OpenedWith)Array.IndexOf(Names, reader.GetString(1)), reader.GetInt64(2), reader.GetDateTime(3));
        _asOf = asOf;
        _isKnown = true;
        foreach (var (key, known) in _known)
        {
            if (known.ToldAt < asOf - Remembered)
                _known.TryRemove(new(key, known));
        }
    }

    private void Learn(string orderId, OpenedWith with, long generation, DateTime toldAt)
    {
        var known = new Known(generation, toldAt, Interlocked.Increment(ref _learnt));
        if (_known.AddOrUpdate((orderId, with), known, (_, before) => before.Generation >= generation ? before : known) == known)
            Ended?.Invoke(orderId);
    }

    private void Hear(string message)
    {
        if (message.Split(' ') is [var order, var with, var generation, var told] && Array.IndexOf(Names, with) is >= 0 and var what
            && long.TryParse(generation, NumberStyles.None, CultureInfo.InvariantCulture, out var number)
            && long.TryParse(told, NumberStyles.None, CultureInfo.InvariantCulture, out var ticks) && ticks <= DateTime.MaxValue.Ticks)
            Learn(order, (OpenedWith)what, number, new DateTime(ticks, DateTimeKind.Utc));
    }

    private void Miss()
    {
        try
        {
            _missed.Release();
        }
        catch (SemaphoreFullException)
        {
            // It is about to be read.
        }
    }

    private void RequireKnown()
    {
        if (!_isKnown)
            throw new Failure(ErrorReason.DependencyUnavailable, "Whether order sessions were ended is not known yet; try again.") { RetryAfter = TimeSpan.FromSeconds(1) };
    }

    [LoggerMessage(LogLevel.Warning, "Which order sessions were ended could not be read ({Error}).")]
    private partial void LogNotRead(string error);

    private sealed record Known(long Generation, DateTime ToldAt, long Learnt);
}

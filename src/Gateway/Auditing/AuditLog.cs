using System.Collections.Concurrent;
using System.Text.Json;
using System.Threading.Channels;
using Commerce.ServiceDefaults;
using Commerce.Types.V1;
using Microsoft.Extensions.Options;
using Npgsql;

namespace Commerce.Gateway.Auditing;

/// <summary>
/// Writes calls down behind them: no call waits for the database. While that is away they go to a folder, from where they follow when it
/// is back; while that takes none either, calls are refused before anything is done that could not be written down.
/// </summary>
internal sealed partial class AuditLog : BackgroundService
{
    private const int AtOnce = 2000;
    private const int MostRepeated = 200_000;
    private const string Ending = ".audit.jsonl";

    private static readonly TimeSpan Pause = TimeSpan.FromSeconds(1);
    private static readonly TimeSpan DropEvery = TimeSpan.FromHours(6);
    private static readonly string Stranger = Principal.Stranger.ToString();

    private readonly Channel<AuditRecord> _waiting;
    private readonly AuditStore _store;
    private readonly AuditOptions _options;
    private readonly TimeProvider _time;
    private readonly GatewayTelemetry _telemetry;
    private readonly ILogger<AuditLog> _logger;

    private int _count;
    private ConcurrentDictionary<RepeatedCall, Counted> _repeated = new();
    private int _distinct;
    private long _repeatedUntil;
    private long _retryAt;
    private bool _spilled;
    private bool _toldDown;
    private DateTimeOffset _dropAt;
    private long _strangersSecond;
    private int _strangers;

    public AuditLog(AuditStore store, IOptions<AuditOptions> options, TimeProvider time, GatewayTelemetry telemetry, ILogger<AuditLog> logger)
    {
        (_store, _options, _time, _telemetry, _logger) = (store, options.Value, time, telemetry, logger);
        _waiting = Channel.CreateUnbounded<AuditRecord>(new UnboundedChannelOptions { SingleReader = true });
        telemetry.AuditWaits = () => Volatile.Read(ref _count);
    }

    /// <exception cref="Failure">DEPENDENCY_UNAVAILABLE: nothing takes what is to be written down.</exception>
    public void RequireRoom()
    {
        if (Volatile.Read(ref _count) >= _options.MostWaiting)
            throw new Failure(ErrorReason.DependencyUnavailable, "The audit log cannot be written, so nothing is done; try again.") { RetryAfter = Pause };
    }

    /// <summary>Counts a call that was written down a while ago; false: it was not, and is to be.</summary>
    public bool IsRepeated(in RepeatedCall call)
    {
        if (_repeated.TryGetValue(call, out var counted))
        {
            Interlocked.Increment(ref counted.Calls);
            return true;
        }

        // A twin may be first; both are written down then.
        if (Volatile.Read(ref _distinct) < MostRepeated && _repeated.TryAdd(call, new Counted()))
            Interlocked.Increment(ref _distinct);
        return false;
    }

    /// <summary>Writes a call down, some moments later.</summary>
    public void Write(AuditRecord record)
    {
        if (IsOfNobody(record) && !MayKeepStranger())
            _telemetry.AuditCounted("stranger");
        else if (_waiting.Writer.TryWrite(record))
            Interlocked.Increment(ref _count);
        else
            // The process ends, and has waited for calls as long as it may.
            _telemetry.AuditCounted("lost");
    }

    public override async Task StopAsync(CancellationToken cancellationToken)
    {
        _waiting.Writer.TryComplete();
        await base.StopAsync(cancellationToken);
    }

    protected override async Task ExecuteAsync(CancellationToken stoppingToken)
    {
        _spilled = Spilled().Any();
        var batch = new List<AuditRecord>(AtOnce);
        while (batch.Count > 0 || await Readable())
        {
            if (batch.Count == 0)
            {
                // So that they share a round trip.
                await Wait(_options.WriteEvery, stoppingToken);
                while (batch.Count < AtOnce && _waiting.Reader.TryRead(out var record))
                    batch.Add(record);
                Interlocked.Add(ref _count, -batch.Count);
                Repeated(batch, atOnce: stoppingToken.IsCancellationRequested);
            }

            if (await Kept(batch))
                batch.Clear();
            else
                await Wait(Pause, stoppingToken);
            // Neither takes it, and there is no time left: said at least.
            if (batch.Count > 0 && stoppingToken.IsCancellationRequested)
            {
                LogLost(batch.Count + Volatile.Read(ref _count));
                _telemetry.AuditCounted("lost", batch.Count + Volatile.Read(ref _count));
                return;
            }
        }

        Repeated(batch, atOnce: true);
        if (!await Kept(batch))
        {
            LogLost(batch.Count);
            _telemetry.AuditCounted("lost", batch.Count);
        }

        // When what was spilled can follow nobody else says.
        async Task<bool> Readable()
        {
            while (_spilled)
            {
                if (Volatile.Read(ref _count) > 0)
                    return true;
                if (stoppingToken.IsCancellationRequested)
                    return await _waiting.Reader.WaitToReadAsync(CancellationToken.None);
                await Follow();
                await Wait(Pause, stoppingToken);
            }

            await Drop(stoppingToken);
            return await Something();
        }

        // A call, the time of what was counted, or the end.
        async Task<bool> Something()
        {
            var call = _waiting.Reader.WaitToReadAsync(CancellationToken.None).AsTask();
            while (!stoppingToken.IsCancellationRequested)
            {
                using var until = CancellationTokenSource.CreateLinkedTokenSource(stoppingToken);
                var pause = Task.Delay(_options.RepeatsWithin, _time, until.Token);
                await Task.WhenAny(call, pause);
                await until.CancelAsync();
                if (call.IsCompleted)
                    return await call;
                Repeated(batch, atOnce: false);
                if (batch.Count > 0)
                    return true;
            }

            return await call;
        }
    }

    // What was counted becomes entries; calls that come meanwhile are written down anew.
    private void Repeated(List<AuditRecord> batch, bool atOnce)
    {
        var now = _time.GetTimestamp();
        if (now < _repeatedUntil && !atOnce && Volatile.Read(ref _distinct) < MostRepeated)
            return;
        _repeatedUntil = now + (long)(_options.RepeatsWithin.TotalSeconds * _time.TimestampFrequency);
        var counted = Interlocked.Exchange(ref _repeated, new ConcurrentDictionary<RepeatedCall, Counted>());
        Volatile.Write(ref _distinct, 0);
        var time = _time.GetUtcNow();
        foreach (var (call, times) in counted)
        {
            // Who has it in hand may still count: what comes after this is lost of the count, and the entry is not.
            if (Volatile.Read(ref times.Calls) is > 0 and var calls)
            {
                string[] names = call.First is null ? [] : call.Second is null ? [call.First] : [call.First, call.Second];
                batch.Add(new AuditRecord(time, Guid.CreateVersion7(time), call.Principal, null, AuditTrail.ShortOf(call.Method), AuditTrail.ResourcesOf(names), "OK", "", call.Client, 0, calls));
            }
        }
    }

    private async Task<bool> Kept(List<AuditRecord> batch)
    {
        if (batch.Count == 0)
            return true;
        if (_time.GetTimestamp() >= _retryAt)
        {
            try
            {
                await _store.Write(batch, CancellationToken.None);
                _telemetry.AuditCounted("written", batch.Count);
                _toldDown = false;
                return true;
            }
            catch (Exception exception) when (exception is NpgsqlException or TimeoutException or IOException)
            {
                _retryAt = _time.GetTimestamp() + (long)(Pause.TotalSeconds * _time.TimestampFrequency);
                if (!_toldDown)
                    LogDown(exception.GetType().Name, _options.Place);
                _toldDown = true;
            }
        }

        return Spill(batch);
    }

    // A file of its own for each batch: it is there whole or not at all.
    private bool Spill(List<AuditRecord> batch)
    {
        try
        {
            Directory.CreateDirectory(_options.Place);
            var name = Path.Combine(_options.Place, Guid.CreateVersion7().ToString("N"));
            using (var file = new FileStream(name + ".part", FileMode.CreateNew, FileAccess.Write, FileShare.None))
            {
                foreach (var record in batch)
                {
                    JsonSerializer.Serialize(file, record);
                    file.WriteByte((byte)'\n');
                }

                file.Flush(flushToDisk: true);
            }

            File.Move(name + ".part", name + Ending);
            _spilled = true;
            _telemetry.AuditCounted("spilled", batch.Count);
            return true;
        }
        catch (Exception exception) when (exception is IOException or UnauthorizedAccessException)
        {
            LogNoFolder(exception.GetType().Name, _options.Place);
            return false;
        }
    }

    private async Task Follow()
    {
        try
        {
            foreach (var file in Spilled())
            {
                var records = (await File.ReadAllLinesAsync(file)).Select(line => JsonSerializer.Deserialize<AuditRecord>(line)!).ToList();
                await _store.WriteAgain(records, CancellationToken.None);
                File.Delete(file);
                _telemetry.AuditCounted("written", records.Count);
            }

            _spilled = false;
        }
        // It is tried again; what is in the folder stays there.
        catch (Exception exception) when (exception is NpgsqlException or TimeoutException or IOException or UnauthorizedAccessException)
        {
            LogFollows(exception.GetType().Name);
        }
    }

    private IEnumerable<string> Spilled() =>
        Directory.Exists(_options.Place) ? Directory.EnumerateFiles(_options.Place, "*" + Ending).Order(StringComparer.Ordinal) : [];

    private async Task Drop(CancellationToken cancellationToken)
    {
        var now = _time.GetUtcNow();
        if (now < _dropAt)
            return;
        try
        {
            if (await _store.DropBefore(now.AddMonths(-_options.KeepMonths), cancellationToken) is > 0 and var months)
                LogDropped(months);
            _dropAt = now + DropEvery;
        }
        catch (Exception exception) when (exception is NpgsqlException or TimeoutException or IOException or OperationCanceledException)
        {
            LogFollows(exception.GetType().Name);
        }
    }

    private async Task Wait(TimeSpan pause, CancellationToken stopping)
    {
        if (stopping.IsCancellationRequested)
            return;
        try
        {
            await Task.Delay(pause, _time, stopping);
        }
        catch (OperationCanceledException)
        {
            // What waits is written now.
        }
    }

    // Who opened an order is somebody, of whom it is known which order.
    private static bool IsOfNobody(AuditRecord record) => record.Principal.Length == 0
        || (record.Principal == Stranger && !(record.Result == "OK" && record.Method.StartsWith("ShopperService.Open", StringComparison.Ordinal)));

    // About so many: whether it is one more matters to nobody.
    private bool MayKeepStranger()
    {
        var second = _time.GetUtcNow().ToUnixTimeSeconds();
        if (Interlocked.Exchange(ref _strangersSecond, second) != second)
            Volatile.Write(ref _strangers, 0);
        return Interlocked.Increment(ref _strangers) <= _options.StrangersASecond;
    }

    [LoggerMessage(LogLevel.Error, "The audit log's database does not answer ({Error}); calls are written to {Folder} until it does.")]
    private partial void LogDown(string error, string folder);

    [LoggerMessage(LogLevel.Error, "Calls cannot be written to {Folder} either ({Error}); they wait, and when there are too many none is let in.")]
    private partial void LogNoFolder(string error, string folder);

    [LoggerMessage(LogLevel.Warning, "The audit log's database does not answer ({Error}).")]
    private partial void LogFollows(string error);

    [LoggerMessage(LogLevel.Critical, "{Count} calls are in neither the audit log nor its folder: both did not answer until the end.")]
    private partial void LogLost(int count);

    [LoggerMessage(LogLevel.Information, "{Months} months of the audit log were dropped.")]
    private partial void LogDropped(int months);

    private sealed class Counted
    {
        public int Calls;
    }
}

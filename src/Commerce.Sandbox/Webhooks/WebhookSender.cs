using System.Globalization;
using System.Threading.Channels;
using Commerce.Sandbox.Books;

namespace Commerce.Sandbox.Webhooks;

/// <summary>
/// Delivers what the books hold, again and again until it is accepted. While a receiver cannot be reached at all, one probe at a time
/// goes to it, so that a backlog of thousands does not hammer a service that is starting.
/// </summary>
internal sealed partial class WebhookSender(BookKeeper books, IHttpClientFactory clients, IConfiguration configuration, TimeProvider time, ILogger<WebhookSender> logger)
    : BackgroundService
{
    public const string Client = "webhooks";
    private const int ConcurrencyPerTarget = 32;
    private static readonly TimeSpan FirstBackOff = TimeSpan.FromMilliseconds(500);
    private static readonly TimeSpan LongestBackOff = TimeSpan.FromSeconds(30);
    private static readonly TimeSpan LongestRest = TimeSpan.FromSeconds(5);

    private readonly string? _secret = configuration["Webhooks:Secret"];
    private readonly Dictionary<string, Lane> _lanes = new()
    {
        [WebhookBook.Shipments] = new Lane(WebhookBook.Shipments, Base(configuration, WebhookBook.Shipments)),
        [WebhookBook.Payments] = new Lane(WebhookBook.Payments, Base(configuration, WebhookBook.Payments)),
    };

    /// <summary>Where webhooks of a target go; null keeps them in the books until one is configured.</summary>
    public Uri? TargetOf(string target) => _lanes[target].Base;

    public void Send(string target, long seq)
    {
        var lane = _lanes[target];
        if (lane.Base is not null) lane.Queue.Writer.TryWrite(seq);
    }

    public override void Dispose()
    {
        foreach (var lane in _lanes.Values) lane.Dispose();
        base.Dispose();
    }

    protected override async Task ExecuteAsync(CancellationToken stoppingToken)
    {
        foreach (var lane in _lanes.Values.Where(l => l.Base is null)) NoTarget(logger, lane.Target);
        if (string.IsNullOrEmpty(_secret)) NoSecret(logger);
        await Task.WhenAll(_lanes.Values.SelectMany(lane => Enumerable.Range(0, ConcurrencyPerTarget).Select(_ => WorkAsync(lane, stoppingToken))));
    }

    private static Uri? Base(IConfiguration configuration, string target)
    {
        var given = configuration[$"Sandbox:Webhooks:{target}"] ?? configuration[$"services:{target}:http:0"];
        if (string.IsNullOrWhiteSpace(given)) return null;
        return Uri.TryCreate(given.TrimEnd('/') + "/", UriKind.Absolute, out var uri) && uri.Scheme is "http" or "https"
            ? uri
            : throw new InvalidOperationException($"The webhook target of {target} must be an http URL, not '{given}'.");
    }

    private async Task WorkAsync(Lane lane, CancellationToken stop)
    {
        await foreach (var seq in lane.Queue.Reader.ReadAllAsync(stop))
        {
            try
            {
                await lane.EnterAsync(time, stop);
                await DeliverAsync(lane, seq, stop);
            }
            catch (Exception e) when (e is not OperationCanceledException || !stop.IsCancellationRequested)
            {
                // Its row is still in the books; it is taken up again rather than lost with this worker.
                Failed(logger, seq, e);
                lane.Unreachable(time);
                lane.Queue.Writer.TryWrite(seq);
            }
        }
    }

    private async Task DeliverAsync(Lane lane, long seq, CancellationToken stop)
    {
        var webhook = books.Read(page => WebhookBook.Find(page, seq));
        if (webhook is null)
        {
            lane.Reached();
            return;
        }

        var timestamp = time.GetUtcNow().ToUnixTimeSeconds();
        using var request = new HttpRequestMessage(HttpMethod.Post, new Uri(lane.Base!, webhook.Path)) { Content = new ByteArrayContent(webhook.Body) };
        request.Content.Headers.ContentType = new("application/json");
        request.Headers.Add("Webhook-Id", webhook.Id);
        request.Headers.Add("Webhook-Timestamp", timestamp.ToString(CultureInfo.InvariantCulture));
        request.Headers.Add("Webhook-Signature", WebhookSignature.Sign(_secret ?? "", webhook.Id, timestamp, webhook.Body));
        try
        {
            using var response = await clients.CreateClient(Client).SendAsync(request, stop);
            lane.Reached();
            if (response.IsSuccessStatusCode)
            {
                await books.WriteAsync(page => WebhookBook.Delivered(page, seq));
                return;
            }

            Refused(logger, webhook.Id, lane.Target, (int)response.StatusCode, webhook.Attempts + 1);
        }
        catch (Exception e) when (e is HttpRequestException or OperationCanceledException && !stop.IsCancellationRequested)
        {
            Unreachable(logger, lane.Target, e.Message);
            lane.Unreachable(time);
        }

        var wait = FirstBackOff * Math.Pow(2, Math.Min(webhook.Attempts, 10));
        await books.WriteAsync(page => WebhookBook.Postpone(page, webhook, time.GetUtcNow() + (wait < LongestBackOff ? wait : LongestBackOff)));
    }

    [LoggerMessage(Level = LogLevel.Warning, Message = "No target for the webhooks of {Target}: they stay in the books (set Sandbox:Webhooks:{Target} or services:{Target}:http:0)")]
    private static partial void NoTarget(ILogger logger, string target);

    [LoggerMessage(Level = LogLevel.Warning, Message = "Webhooks:Secret is not set: receivers will refuse the webhooks' signatures")]
    private static partial void NoSecret(ILogger logger);

    [LoggerMessage(Level = LogLevel.Debug, Message = "Webhook {Id} refused by {Target} with {Status}, attempt {Attempt}")]
    private static partial void Refused(ILogger logger, string id, string target, int status, int attempt);

    [LoggerMessage(Level = LogLevel.Debug, Message = "{Target} cannot be reached: {Why}")]
    private static partial void Unreachable(ILogger logger, string target, string why);

    [LoggerMessage(Level = LogLevel.Error, Message = "Delivering webhook {Seq} failed in the Sandbox itself")]
    private static partial void Failed(ILogger logger, long seq, Exception error);

    private sealed class Lane(string target, Uri? @base) : IDisposable
    {
        private readonly SemaphoreSlim _probe = new(1);
        private readonly Lock _lock = new();
        private int _failures;
        private DateTimeOffset _restsUntil;

        public string Target { get; } = target;

        public Uri? Base { get; } = @base;

        public Channel<long> Queue { get; } = Channel.CreateUnbounded<long>();

        public void Dispose() => _probe.Dispose();

        public async Task EnterAsync(TimeProvider time, CancellationToken stop)
        {
            if (Volatile.Read(ref _failures) == 0) return;
            await _probe.WaitAsync(stop);
            try
            {
                TimeSpan rest;
                lock (_lock)
                {
                    if (_failures == 0) return;
                    var now = time.GetUtcNow();
                    rest = _restsUntil - now;
                    // The next in line rests again, unless this one gets through first.
                    _restsUntil = (rest > TimeSpan.Zero ? _restsUntil : now) + Rest();
                }

                if (rest > TimeSpan.Zero) await Task.Delay(rest, time, stop);
            }
            finally
            {
                _probe.Release();
            }
        }

        public void Reached()
        {
            lock (_lock) _failures = 0;
        }

        public void Unreachable(TimeProvider time)
        {
            lock (_lock)
            {
                _failures = Math.Min(_failures + 1, 10);
                _restsUntil = time.GetUtcNow() + Rest();
            }
        }

        private TimeSpan Rest()
        {
            var rest = FirstBackOff * Math.Pow(2, Math.Max(0, _failures - 1));
            return rest < LongestRest ? rest : LongestRest;
        }
    }
}

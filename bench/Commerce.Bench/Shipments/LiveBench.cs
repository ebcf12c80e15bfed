using System.Globalization;
using System.Text.Json;
using Commerce.Facts;
using Commerce.Messaging.Broker;
using Commerce.Shipments.V1;
using Grpc.Core;
using RabbitMQ.Client;
using RabbitMQ.Client.Events;

namespace Commerce.Bench.Shipments;

/// <summary>
/// How old news is when it arrives: from the call of IngestScans until a stream of WatchTracking has the scan, and until a consumer has the fact; against
/// a bare round trip of the broker in the same rounds: published, confirmed, and received from a queue of the same kind. One at a time, so that
/// it is the path that is measured and not the crowd on it.
/// </summary>
internal static class LiveBench
{
    // So many streams go over one connection.
    private const int Watched = 50;
    private const int News = 10;
    private const int Rounds = 7;
    private const string FactQueue = "gateway.shipments";
    private const string BareQueue = "bench.bare";
    private const double Aim = 4;
    private static readonly TimeSpan Patience = TimeSpan.FromSeconds(30);

    public static async Task<IReadOnlyList<Comparison>> Run()
    {
        await using var servers = await BenchServers.Start();
        await using var shipments = await ShipmentsProcess.Start(servers);
        await BenchParcels.Fill(shipments, Watched * (Rounds + 1));
        await shipments.Relay();
        await using var connection = await new ConnectionFactory { Uri = new Uri(servers.Broker) }.CreateConnectionAsync();
        await using var channel = await connection.CreateChannelAsync(new CreateChannelOptions(publisherConfirmationsEnabled: true, publisherConfirmationTrackingEnabled: true));
        await channel.QueueDeclareAsync(BareQueue, durable: true, exclusive: false, autoDelete: false, Topology.QueueArguments(BareQueue).ToDictionary());
        // Whoever is first: the relay declares the same.
        await Topology.Declare(channel, Subscriptions.All.Single(one => one.Queue == FactQueue), CancellationToken.None);
        var facts = await Receiver.On(channel, FactQueue, body =>
        {
            using var envelope = JsonDocument.Parse(body);
            var fact = envelope.RootElement.GetProperty("message");
            return Key(fact.GetProperty("shipmentId").GetString()!, fact.GetProperty("version").GetInt64());
        });
        var bare = await Receiver.On(channel, BareQueue, body => System.Text.Encoding.ASCII.GetString(body.Span[..36]));

        List<Times> ours = [];
        List<Times> limit = [];
        for (var round = 0; round <= Rounds; round++)
        {
            if (round % 2 == 1)
                limit.Add(await Bare(channel, bare));
            ours.Add(await Ours(shipments, facts, 1 + (round * Watched)));
            if (round % 2 == 0)
                limit.Add(await Bare(channel, bare));
        }

        // The first round only warmed up.
        (ours, limit) = (ours[1..], limit[1..]);
        var acknowledged = string.Create(CultureInfo.InvariantCulture, $"IngestScans itself: p50 {Median(ours, one => At(one.Answered, 0.5)):N0} µs, p99 {Median(ours, one => At(one.Answered, 0.99)):N0} µs");
        return
        [
            Compare("live, to a watcher, p50", one => At(one.Watched, 0.5)),
            Compare("live, to a watcher, p99", one => At(one.Watched, 0.99)),
            Compare("live, to a consumer of facts, p50", one => At(one.Told, 0.5)),
            Compare("live, to a consumer of facts, p99", one => At(one.Told, 0.99)),
        ];

        Comparison Compare(string name, Func<Times, double> figure) => new(
            name, "µs", [.. ours.Select(figure)], [.. limit.Select(one => At(one.Told, name.EndsWith("p99", StringComparison.Ordinal) ? 0.99 : 0.5))],
            "a bare round trip of the broker: a fact of the same size published, confirmed and received from one quorum queue; the aim is at most so many", Aim)
        {
            Beside = acknowledged,
        };
    }

    private static async Task<Times> Ours(ShipmentsProcess shipments, Receiver facts, int first)
    {
        var times = new Times();
        var watches = new List<AsyncServerStreamingCall<Commerce.Shipments.V1.Shipment>>();
        try
        {
            for (var n = first; n < first + Watched; n++)
            {
                watches.Add(shipments.Tracking.WatchTracking(new WatchTrackingRequest { TrackingNumber = BenchParcels.Number(n) }));
                await Next(watches[^1]);
            }

            for (var news = 0; news < News; news++)
            {
                for (var n = 0; n < Watched; n++)
                {
                    var request = new IngestScansRequest { Scans = { BenchParcels.Scan(first + n) } };
                    var told = facts.Expect(Key(BenchParcels.Id(first + n), news + 2));
                    var start = TimeProvider.System.GetTimestamp();
                    var watched = Next(watches[n]);
                    var answered = Answered();
                    times.Watched.Add(Micros(start, await watched.WaitAsync(Patience, TimeProvider.System)));
                    times.Told.Add(Micros(start, await told.WaitAsync(Patience, TimeProvider.System)));
                    times.Answered.Add(Micros(start, await answered));

                    async Task<long> Answered()
                    {
                        await shipments.Tracking.IngestScansAsync(request);
                        return TimeProvider.System.GetTimestamp();
                    }
                }
            }
        }
        finally
        {
            watches.ForEach(watch => watch.Dispose());
        }

        return times;
    }

    private static async Task<Times> Bare(IChannel channel, Receiver received)
    {
        const int size = 700;
        var times = new Times();
        for (var n = 0; n < News * Watched; n++)
        {
            var key = Guid.NewGuid().ToString("D", CultureInfo.InvariantCulture);
            var body = System.Text.Encoding.ASCII.GetBytes(key.PadRight(size, '.'));
            var arrived = received.Expect(key);
            var start = TimeProvider.System.GetTimestamp();
            await channel.BasicPublishAsync("", BareQueue, mandatory: true, new BasicProperties { Persistent = true }, body);
            var confirmed = TimeProvider.System.GetTimestamp();
            times.Told.Add(Micros(start, Math.Max(confirmed, await arrived.WaitAsync(Patience, TimeProvider.System))));
        }

        return times;
    }

    private static async Task<long> Next(AsyncServerStreamingCall<Commerce.Shipments.V1.Shipment> watch)
    {
        if (!await watch.ResponseStream.MoveNext(CancellationToken.None))
            throw new InvalidOperationException("A watch ended by itself.");
        return TimeProvider.System.GetTimestamp();
    }

    private static string Key(string shipmentId, long version) => string.Create(CultureInfo.InvariantCulture, $"{shipmentId}/{version}");

    private static double Micros(long start, long end) => TimeProvider.System.GetElapsedTime(start, end).TotalMicroseconds;

    private static double Median(IEnumerable<Times> rounds, Func<Times, double> figure) => Comparison.Median([.. rounds.Select(figure)]);

    private static double At(List<double> times, double quantile) => times.Order().ElementAt((int)Math.Ceiling(times.Count * quantile) - 1);

    /// <summary>Microseconds since each beginning.</summary>
    private sealed class Times
    {
        public List<double> Watched { get; } = [];

        public List<double> Told { get; } = [];

        public List<double> Answered { get; } = [];
    }

    /// <summary>When what was waited for came from a queue.</summary>
    private sealed class Receiver
    {
        private string _expected = "";
        private TaskCompletionSource<long> _came = new();

        public static async Task<Receiver> On(IChannel channel, string queue, Func<ReadOnlyMemory<byte>, string> keyOf)
        {
            var receiver = new Receiver();
            var consumer = new AsyncEventingBasicConsumer(channel);
            consumer.ReceivedAsync += async (_, delivery) =>
            {
                var at = TimeProvider.System.GetTimestamp();
                if (keyOf(delivery.Body) == Volatile.Read(ref receiver._expected))
                    receiver._came.TrySetResult(at);
                await channel.BasicAckAsync(delivery.DeliveryTag, multiple: false);
            };
            await channel.BasicConsumeAsync(queue, autoAck: false, consumer);
            return receiver;
        }

        public Task<long> Expect(string key)
        {
            _came = new TaskCompletionSource<long>(TaskCreationOptions.RunContinuationsAsynchronously);
            Volatile.Write(ref _expected, key);
            return _came.Task;
        }
    }
}

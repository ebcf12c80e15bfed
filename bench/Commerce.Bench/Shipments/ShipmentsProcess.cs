using Commerce.Shipments.V1;
using Npgsql;

namespace Commerce.Bench.Shipments;

/// <summary>Shipments as it is deployed: a replica whose relay stands by, as all but one do, until <see cref="Relay"/>.</summary>
internal sealed class ShipmentsProcess : ServiceProcess
{
    private readonly NpgsqlConnection _otherRelay;

    private ShipmentsProcess(Started started, NpgsqlConnection otherRelay)
        : base(started)
    {
        _otherRelay = otherRelay;
        Tracking = new TrackingService.TrackingServiceClient(Channel);
    }

    public TrackingService.TrackingServiceClient Tracking { get; }

    public static async Task<ShipmentsProcess> Start(BenchServers servers, int? connections = null)
    {
        NpgsqlConnection? otherRelay = null;
        var started = await Start(servers, "Shipments", "shipmentsdb", async database =>
        {
            otherRelay = new NpgsqlConnection(database + ";Pooling=false");
            await otherRelay.OpenAsync();
            await using var command = new NpgsqlCommand("SELECT pg_advisory_lock($1)", otherRelay) { Parameters = { new NpgsqlParameter<long> { TypedValue = global::Commerce.Messaging.Relaying.Relay.LockKey } } };
            await command.ExecuteNonQueryAsync();
        }, connections);
        return new ShipmentsProcess(started, otherRelay!);
    }

    /// <summary>Its relay is the active one from now on; completes when that has told everything.</summary>
    public async Task Relay()
    {
        await _otherRelay.CloseAsync();
        await Told();
    }

    /// <summary>Completes when the outbox is empty.</summary>
    public async Task Told()
    {
        await using var outbox = Database.CreateCommand("SELECT NOT EXISTS (SELECT FROM messaging.outbox)");
        while (!(bool)(await outbox.ExecuteScalarAsync())!)
            await Task.Delay(TimeSpan.FromMilliseconds(20), TimeProvider.System);
    }

    public override async ValueTask DisposeAsync()
    {
        await _otherRelay.DisposeAsync();
        await base.DisposeAsync();
    }
}

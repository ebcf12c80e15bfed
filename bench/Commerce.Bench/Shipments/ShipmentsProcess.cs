using Commerce.Shipments.V1;

namespace Commerce.Bench.Shipments;

/// <summary>Shipments as it is deployed.</summary>
internal sealed class ShipmentsProcess : ServiceProcess
{
    private ShipmentsProcess(Started started)
        : base(started) => Tracking = new TrackingService.TrackingServiceClient(Channel);

    public TrackingService.TrackingServiceClient Tracking { get; }

    public static async Task<ShipmentsProcess> Start(BenchServers servers) => new(await Start(servers, "Shipments", "shipmentsdb"));
}

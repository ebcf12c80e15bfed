using Commerce.Cli.Orders;
using Commerce.Operations.V1;
using Grpc.Core;
using Grpc.Net.Client;

namespace Commerce.Cli.Queues;

/// <summary>The queues of one service, or why it could not tell.</summary>
internal sealed record QueuesOf(string Service, IReadOnlyList<Queue> Queues, RpcException? Error);

/// <summary>Asks each service of the suite that runs here for its own queues.</summary>
internal sealed class ServiceQueues : IDisposable
{
    private readonly Dictionary<string, GrpcChannel> _channels;

    public ServiceQueues(IReadOnlyDictionary<string, Uri> services) => _channels = services.ToDictionary(
        service => service.Key,
        service => GrpcChannel.ForAddress(service.Value, new GrpcChannelOptions { HttpHandler = new SocketsHttpHandler { ConnectTimeout = TimeSpan.FromSeconds(5) } }));

    /// <summary>All services at once, by name; one that does not answer does not hide the others.</summary>
    public async Task<IReadOnlyList<QueuesOf>> List(CancellationToken cancellationToken) =>
        await Task.WhenAll(_channels.OrderBy(one => one.Key, StringComparer.Ordinal).Select(one => List(one.Key, one.Value, cancellationToken)));

    public async Task<RedriveQueueResponse> Redrive(string service, string name, CancellationToken cancellationToken) =>
        await new MessagingService.MessagingServiceClient(_channels[service])
            .RedriveQueueAsync(new RedriveQueueRequest { Name = name }, OrderCommands.Options(cancellationToken));

    public void Dispose()
    {
        foreach (var channel in _channels.Values)
            channel.Dispose();
    }

    private static async Task<QueuesOf> List(string service, GrpcChannel channel, CancellationToken cancellationToken)
    {
        var client = new MessagingService.MessagingServiceClient(channel);
        var request = new ListQueuesRequest();
        var queues = new List<Queue>();
        try
        {
            do
            {
                var page = await client.ListQueuesAsync(request, OrderCommands.Options(cancellationToken));
                queues.AddRange(page.Queues);
                request.PageToken = page.NextPageToken;
            }
            while (request.PageToken.Length > 0);
            return new QueuesOf(service, queues, null);
        }
        catch (RpcException exception) when (!cancellationToken.IsCancellationRequested)
        {
            return new QueuesOf(service, queues, exception);
        }
    }
}

using Commerce.Cli.Api;
using Commerce.Operations.V1;
using Grpc.Core;

namespace Commerce.Cli.Queues;

/// <summary>The queues of one service, or why it could not tell.</summary>
internal sealed record QueuesOf(string Service, IReadOnlyList<Queue> Queues, RpcException? Error);

/// <summary>Asks each service of the suite for its own queues, through the Gateway.</summary>
internal sealed class ServiceQueues(SuiteApi api)
{
    private const string Gateway = "gateway";

    private static readonly TimeSpan Patience = TimeSpan.FromSeconds(30);
    private static readonly string[] Services = [Gateway, "notifications", "orders", "payments", "shipments"];

    /// <summary>All services at once, by name; one that does not answer does not hide the others.</summary>
    public async Task<IReadOnlyList<QueuesOf>> List(CancellationToken cancellationToken) =>
        await Task.WhenAll(Services.Select(service => List(service, cancellationToken)));

    public async Task<RedriveQueueResponse> Redrive(string service, string name, CancellationToken cancellationToken) =>
        await api.Messaging.RedriveQueueAsync(new RedriveQueueRequest { Name = name }, To(service, cancellationToken));

    private async Task<QueuesOf> List(string service, CancellationToken cancellationToken)
    {
        var request = new ListQueuesRequest();
        var queues = new List<Queue>();
        try
        {
            do
            {
                var page = await api.Messaging.ListQueuesAsync(request, To(service, cancellationToken));
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

    // The Gateway's own are meant where no service is named.
    private static CallOptions To(string service, CancellationToken cancellationToken) => new(
        service == Gateway ? [] : new Metadata { { "commerce-service", service } }, TimeProvider.System.GetUtcNow().UtcDateTime + Patience, cancellationToken);
}

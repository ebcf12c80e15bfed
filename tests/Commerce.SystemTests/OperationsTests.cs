using Commerce.Facts;
using Commerce.Operations.V1;
using Grpc.Core;
using Grpc.Net.Client;

namespace Commerce.SystemTests;

/// <summary>What those who run the suite ask each service, through the Gateway.</summary>
[Collection("One suite, one test at a time")]
public sealed class OperationsTests(Suite suite)
{
    [Theory]
    [InlineData("orders")]
    [InlineData("payments")]
    [InlineData("shipments")]
    [InlineData("notifications")]
    [InlineData("gateway")]
    public async Task Every_service_tells_administrators_of_its_queues_and_nobody_else(string service)
    {
        var messaging = new MessagingService.MessagingServiceClient(suite.Gateway);
        var to = service == "gateway" ? new Metadata() : new Metadata { { "commerce-service", service } };

        var listed = await messaging.ListQueuesAsync(new ListQueuesRequest(), to);
        Assert.Equal(
            Subscriptions.All.Where(subscription => subscription.Subscriber == service).Select(subscription => "queues/" + subscription.Queue).Order(StringComparer.Ordinal),
            listed.Queues.Select(queue => queue.Name));

        to.Add("Authorization", "Bearer " + await suite.Token("support"));
        var refused = await Assert.ThrowsAsync<RpcException>(() => messaging.ListQueuesAsync(new ListQueuesRequest(), to).ResponseAsync);
        Assert.Equal(StatusCode.PermissionDenied, refused.StatusCode);
    }

    [Theory]
    [InlineData("orders")]
    [InlineData("payments")]
    [InlineData("shipments")]
    [InlineData("notifications")]
    [InlineData("gateway")]
    public async Task Nothing_inside_is_open_because_it_is_inside(string service)
    {
        using var channel = GrpcChannel.ForAddress(suite.Run.Find(service)!.Endpoints["grpc"]);
        var refused = await Assert.ThrowsAsync<RpcException>(
            () => new MessagingService.MessagingServiceClient(channel).ListQueuesAsync(new ListQueuesRequest(), new Metadata { { "commerce-principal", "staff/developer" } }).ResponseAsync);
        Assert.Equal(StatusCode.Unauthenticated, refused.StatusCode);
    }
}

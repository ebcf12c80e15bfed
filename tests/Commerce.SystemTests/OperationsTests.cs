using Commerce.Facts;
using Commerce.Operations.V1;
using Grpc.Core;
using Grpc.Net.Client;

namespace Commerce.SystemTests;

/// <summary>What those who run the suite ask each service itself.</summary>
[Collection("One suite, one test at a time")]
public sealed class OperationsTests(Suite suite)
{
    [Theory]
    [InlineData("orders")]
    [InlineData("payments")]
    [InlineData("shipments")]
    [InlineData("notifications")]
    [InlineData("gateway")]
    public async Task Every_service_tells_staff_of_its_queues_and_nobody_else(string service)
    {
        using var channel = GrpcChannel.ForAddress(suite.Run.Find(service)!.Endpoints["grpc"]);
        var messaging = new MessagingService.MessagingServiceClient(channel);

        var listed = await messaging.ListQueuesAsync(new ListQueuesRequest());
        Assert.Equal(
            Subscriptions.All.Where(subscription => subscription.Subscriber == service).Select(subscription => "queues/" + subscription.Queue).Order(StringComparer.Ordinal),
            listed.Queues.Select(queue => queue.Name));

        var refused = await Assert.ThrowsAsync<RpcException>(() => messaging.ListQueuesAsync(new ListQueuesRequest(), new Metadata { { "commerce-principal", "shop/acme" } }).ResponseAsync);
        Assert.Equal(StatusCode.PermissionDenied, refused.StatusCode);
    }

    [Fact]
    public async Task The_gateway_offers_nobody_the_queues_of_others()
    {
        using var channel = GrpcChannel.ForAddress(suite.Run.Find("gateway")!.Endpoints["grpc"]);
        var refused = await Assert.ThrowsAsync<RpcException>(
            () => new MessagingService.MessagingServiceClient(channel).RedriveQueueAsync(new RedriveQueueRequest { Name = "queues/payments.orders" }).ResponseAsync);
        Assert.Equal(StatusCode.NotFound, refused.StatusCode);
    }
}

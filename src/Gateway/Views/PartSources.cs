using Commerce.Orders.V1;
using Commerce.Payments.V1;
using Commerce.Shipments.V1;
using Grpc.Core;
using Microsoft.Extensions.Options;

namespace Commerce.Gateway.Views;

/// <summary>The services that own the parts of a view.</summary>
internal sealed partial class PartSources(
    OrderService.OrderServiceClient orders,
    PaymentService.PaymentServiceClient payments,
    ShipmentService.ShipmentServiceClient shipments,
    TrackingService.TrackingServiceClient tracking,
    RedisLink link,
    IOptions<GatewayOptions> options,
    TimeProvider time,
    ILogger<PartSources> logger)
{
    private const int PageSize = 500;

    /// <summary>Asks the owner of one part, which may be absent; null: it does not answer.</summary>
    public Task<Part?> Ask(PartKind kind, OrderId id, CancellationToken cancellationToken)
    {
        // Taken before the service is asked: a mark that is lost while it answers begins an epoch that this copy is not of.
        var epoch = link.Epoch;
        return kind switch
        {
            PartKind.Order => AskWithin(
                kind, async token => Part.Of(await orders.GetOrderAsync(new GetOrderRequest { Name = $"orders/{id}" }, cancellationToken: token), time.GetUtcNow(), epoch), epoch, cancellationToken),
            PartKind.Payment => AskWithin(
                kind, async token => Part.Of(await payments.GetPaymentAsync(new GetPaymentRequest { Name = $"payments/{id}" }, cancellationToken: token), time.GetUtcNow(), epoch), epoch, cancellationToken),
            _ => AskWithin(kind, async token => Part.Of(await ListShipments(id, token), time.GetUtcNow(), epoch), epoch, cancellationToken),
        };
    }

    /// <summary>The Order ID of the newest parcel that bears the number; null if none does; down: Shipments does not answer.</summary>
    public async Task<(OrderId? Order, bool Down)> FindOrder(string trackingNumber, CancellationToken cancellationToken)
    {
        OrderId? found = null;
        var answer = await AskWithin(
            PartKind.Shipments,
            async token =>
            {
                var shipment = await tracking.GetTrackingAsync(new GetTrackingRequest { TrackingNumber = trackingNumber }, cancellationToken: token);
                found = OrderId.TryParse(shipment.OrderId, out var id) ? id : null;
                return Part.Absent(time.GetUtcNow(), 0);
            },
            0,
            cancellationToken);
        return (found, answer is null);
    }

    private async Task<List<Shipment>> ListShipments(OrderId id, CancellationToken cancellationToken)
    {
        var all = new List<Shipment>();
        var request = new ListShipmentsRequest { OrderId = id.ToString(), PageSize = PageSize };
        do
        {
            var page = await shipments.ListShipmentsAsync(request, cancellationToken: cancellationToken);
            all.AddRange(page.Shipments);
            request.PageToken = page.NextPageToken;
        }
        while (request.PageToken.Length > 0);
        return all;
    }

    private async Task<Part?> AskWithin(PartKind kind, Func<CancellationToken, Task<Part>> ask, long epoch, CancellationToken cancellationToken)
    {
        using var timer = new CancellationTokenSource(options.Value.SourceTimeout, time);
        using var linked = CancellationTokenSource.CreateLinkedTokenSource(timer.Token, cancellationToken);
        try
        {
            return await ask(linked.Token);
        }
        catch (RpcException exception) when (exception.StatusCode == StatusCode.NotFound)
        {
            return Part.Absent(time.GetUtcNow(), epoch);
        }
        catch (Exception exception) when (exception is RpcException or OperationCanceledException)
        {
            cancellationToken.ThrowIfCancellationRequested();
            LogDown(Part.NameOf(kind), exception is RpcException rpc ? rpc.StatusCode : StatusCode.DeadlineExceeded);
            return null;
        }
    }

    [LoggerMessage(LogLevel.Warning, "The owner of the part {Part} did not answer: {Code}.")]
    private partial void LogDown(string part, StatusCode code);
}

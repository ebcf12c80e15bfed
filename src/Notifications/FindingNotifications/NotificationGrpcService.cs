using Commerce.Notifications.Storage;
using Commerce.Notifications.V1;
using Commerce.ServiceDefaults;
using Google.Protobuf.WellKnownTypes;
using Grpc.Core;

namespace Commerce.Notifications.FindingNotifications;

/// <summary>The messages about an order.</summary>
internal sealed class NotificationGrpcService(NotificationStore notifications) : NotificationService.NotificationServiceBase
{
    private const int DefaultPage = 50;
    private const int LargestPage = 500;

    public override async Task<ListNotificationsResponse> ListNotifications(ListNotificationsRequest request, ServerCallContext context)
    {
        if (!OrderId.TryParse(request.OrderId, out var orderId))
            throw Failure.Invalid(new FieldError("order_id", "Not an Order ID; expected one such as ORD-7K3M9QX-T2F8CRW."));
        if (request.PageSize is < 0 or > LargestPage)
            throw Failure.Invalid(new FieldError("page_size", $"Must be 0 (for {DefaultPage}) to {LargestPage}."));
        var size = request.PageSize == 0 ? DefaultPage : request.PageSize;
        var after = PageToken.Decode(request) is { } position
            ? long.TryParse(position, System.Globalization.CultureInfo.InvariantCulture, out var sequence) ? sequence : throw PageToken.Invalid("Not a token of this method; begin again without one.")
            : 0;

        var found = await notifications.OfOrder(orderId.ToString(), after, size + 1, context.CancellationToken);
        var response = new ListNotificationsResponse();
        response.Notifications.AddRange(found.Take(size).Select(ToProto));
        if (found.Count > size)
            response.NextPageToken = PageToken.Encode(request, found[size - 1].Sequence.ToString(System.Globalization.CultureInfo.InvariantCulture));
        return response;
    }

    private static V1.Notification ToProto(Notification n) => new()
    {
        Name = $"notifications/{n.Id:N}",
        OrderId = n.OrderId,
        ShipmentId = n.ShipmentId,
        Kind = n.Kind,
        Channel = n.Channel,
        State = n.State,
        CreateTime = n.CreatedAt.ToTimestamp(),
        SendTime = n.SentAt?.ToTimestamp(),
        Attempts = n.Attempts,
        Event = n.Event,
        ReturnNumber = n.ReturnNumber,
        Amount = n.Amount?.ToProto(),
    };
}

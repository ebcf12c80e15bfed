using Commerce.Messaging;
using Commerce.Notifications.Storage;
using Commerce.Orders.V1;
using Grpc.Core;
using MailKit.Net.Smtp;
using Microsoft.Extensions.Options;
using MimeKit;
using State = Commerce.Notifications.V1.Notification.Types.State;

namespace Commerce.Notifications.SendingMail;

/// <summary>
/// Sends one message by mail. It asks Orders for the contact, each time, and keeps nothing of it. A server that does not
/// answer is asked again for ever; one that refuses for good is believed when it has done so several times.
/// </summary>
internal sealed partial class SendMail(
    NotificationStore notifications,
    OrderService.OrderServiceClient orders,
    StoreBranding branding,
    SmtpConnections smtp,
    IOptions<SmtpOptions> options,
    TimeProvider time,
    ILogger<SendMail> logger) : IRecover
{
    public const string PointKind = "send-mail";

    // What a server says while it ends a session, or fails itself, is "for good" by its number too, and no word about the mail.
    private static readonly TimeSpan[] Doubts = [TimeSpan.FromSeconds(5), TimeSpan.FromMinutes(1), TimeSpan.FromMinutes(10)];

    // The earlier message of the same parcel is on its way at this moment.
    private static readonly TimeSpan Turn = TimeSpan.FromMilliseconds(150);

    public string Kind => PointKind;

    public async Task<RecoveryOutcome> Recover(RecoveryPoint point, int attempt, CancellationToken cancellationToken)
    {
        if (await notifications.FindToSend(Guid.ParseExact(point.Key, "N"), cancellationToken) is not var (notification, earlierWaits, deliveryTold, refusals)
            || notification.State != State.Pending)
        {
            return new RecoveryOutcome.Done();
        }

        // That it comes today is no news once it came.
        if (notification.Kind == V1.Notification.Types.Kind.OutForDelivery && deliveryTold)
            return Settled(notification, State.Suppressed, attempt);
        if (earlierWaits)
            return new RecoveryOutcome.Again(time.GetUtcNow() + Turn, "An earlier message about the same parcel goes first.");

        Order order;
        try
        {
            order = await orders.GetOrderAsync(new GetOrderRequest { Name = "orders/" + notification.OrderId }, cancellationToken: cancellationToken);
        }
        catch (RpcException exception) when (exception.StatusCode == StatusCode.NotFound)
        {
            LogNoOrder(notification.OrderId);
            return Settled(notification, State.Failed, attempt);
        }

        if (string.IsNullOrEmpty(order.Customer?.Email) || !MailboxAddress.TryParse(order.Customer.Email, out var address))
            return Settled(notification, State.Suppressed, attempt);
        var store = await branding.Of(notification.StoreId, cancellationToken);
        using var message = MailComposer.Compose(notification, order, store, address, options.Value.Sender, time.GetUtcNow());
        try
        {
            await smtp.Send(message, cancellationToken);
        }
        catch (SmtpCommandException exception) when ((int)exception.StatusCode >= 500 && exception.ErrorCode is SmtpErrorCode.RecipientNotAccepted or SmtpErrorCode.MessageNotAccepted)
        {
            LogRefused(notification.Id, (int)exception.StatusCode, refusals + 1);
            if (refusals >= Doubts.Length)
                return Settled(notification, State.Failed, attempt);
            return new RecoveryOutcome.Again(time.GetUtcNow() + Doubts[refusals], $"The mail server refused it with status {(int)exception.StatusCode}.", context =>
            {
                context.Batch.BatchCommands.Add(NotificationStore.Refused(notification.Id));
                return Task.CompletedTask;
            });
        }

        return Settled(notification, State.Sent, attempt);
    }

    private RecoveryOutcome.Done Settled(Notification notification, State state, int attempts)
    {
        var now = time.GetUtcNow();
        return new RecoveryOutcome.Done(context =>
        {
            context.Batch.BatchCommands.Add(NotificationStore.Settle(notification.Id, state, attempts, state == State.Sent ? now : null));
            var counter = state switch
            {
                State.Sent => NotificationsTelemetry.Sent,
                State.Suppressed => NotificationsTelemetry.Suppressed,
                _ => NotificationsTelemetry.Failed,
            };
            counter.Add(1, new KeyValuePair<string, object?>("commerce.notification.kind", notification.Kind.ToString()));
            return Task.CompletedTask;
        });
    }

    [LoggerMessage(1, LogLevel.Error, "No message can be sent about order {OrderId}: Orders does not know it")]
    private partial void LogNoOrder(string orderId);

    [LoggerMessage(2, LogLevel.Warning, "The mail server refused notification {NotificationId} with status {Status}, for the {Times}. time")]
    private partial void LogRefused(Guid notificationId, int status, int times);
}

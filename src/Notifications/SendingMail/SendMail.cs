using Commerce.Facts;
using Commerce.Messaging;
using Commerce.Notifications.Storage;
using Commerce.Orders.V1;
using Commerce.Payments.V1;
using Commerce.ServiceDefaults;
using Grpc.Core;
using MailKit.Net.Smtp;
using Microsoft.Extensions.Options;
using MimeKit;
using MessageKind = Commerce.Notifications.V1.Notification.Types.Kind;
using State = Commerce.Notifications.V1.Notification.Types.State;

namespace Commerce.Notifications.SendingMail;

/// <summary>
/// Sends one message by mail. It asks Orders for the contact, each time, and keeps nothing of it, and the services for what the
/// message says. A server that does not answer is asked again for ever; one that refuses for good is believed when it has done so
/// several times.
/// </summary>
internal sealed partial class SendMail(
    NotificationStore notifications,
    OrderService.OrderServiceClient orders,
    ReturnService.ReturnServiceClient returns,
    PaymentService.PaymentServiceClient payments,
    StoreBranding branding,
    SmtpConnections smtp,
    IOptions<SmtpOptions> options,
    IOptions<OrderLinkOptions> orderLinks,
    TimeProvider time,
    ILogger<SendMail> logger) : IRecover
{
    public const string PointKind = "send-mail";

    // What a server says while it ends a session, or fails itself, is "for good" by its number too, and no word about the mail.
    private static readonly TimeSpan[] Doubts = [TimeSpan.FromSeconds(5), TimeSpan.FromMinutes(1), TimeSpan.FromMinutes(10)];

    // The earlier message of the same parcel is on its way at this moment.
    private static readonly TimeSpan Turn = TimeSpan.FromMilliseconds(150);

    // The provider is asked for the payment meanwhile; where it does not want the shopper by then, it does not want them.
    private static readonly TimeSpan LinkPause = TimeSpan.FromSeconds(1);
    private static readonly TimeSpan LinkAwaited = TimeSpan.FromMinutes(2);

    public string Kind => PointKind;

    public async Task<RecoveryOutcome> Recover(RecoveryPoint point, int attempt, CancellationToken cancellationToken)
    {
        if (await notifications.FindToSend(Guid.ParseExact(point.Key, "N"), cancellationToken) is not var (notification, earlierWaits, deliveryTold, refusals)
            || notification.State != State.Pending)
        {
            return new RecoveryOutcome.Done();
        }

        // That it comes today is no news once it came.
        if (notification.Kind == MessageKind.OutForDelivery && deliveryTold)
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
        var content = new MailContent(order, await branding.Of(notification.StoreId, cancellationToken)) { OrderLink = OrderLinkOf(order) };
        if (notification.ReturnNumber > 0)
        {
            var name = FormattableString.Invariant($"orders/{notification.OrderId}/returns/{notification.ReturnNumber}");
            content = content with { Return = await returns.GetReturnAsync(new GetReturnRequest { Name = name }, cancellationToken: cancellationToken) };
            // Nobody is sent a label for what they keep.
            if (notification.Kind == MessageKind.ReturnApproved && content.Return.State == ReturnState.Cancelled)
                return Settled(notification, State.Suppressed, attempt);
        }

        if (notification.Kind == MessageKind.PaymentActionRequired)
        {
            var (link, mayCome) = await NextAction(notification, cancellationToken);
            if (link.Length == 0)
            {
                return mayCome && time.GetUtcNow() < notification.CreatedAt + LinkAwaited
                    ? new RecoveryOutcome.Again(time.GetUtcNow() + LinkPause, "The provider has not said yet whether it wants the shopper.")
                    : Settled(notification, State.Suppressed, attempt);
            }

            content = content with { Link = link };
        }

        using var message = MailComposer.Compose(notification, content, address, options.Value.Sender, time.GetUtcNow());
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

    private string OrderLinkOf(Order order)
    {
        var now = time.GetUtcNow();
        return orderLinks.Value is { LinkAddress.Length: > 0 } links
            ? links.LinkAddress + new OrderLinks(links.LinkKey).Sign(order.OrderId, order.Customer.Email, now, now + links.LinkFor)
            : "";
    }

    // Where the shopper has to go, empty: nowhere; and whether that may change.
    private async Task<(string Link, bool MayCome)> NextAction(Notification notification, CancellationToken cancellationToken)
    {
        Payment payment;
        try
        {
            payment = await payments.GetPaymentAsync(new GetPaymentRequest { Name = "payments/" + notification.OrderId }, cancellationToken: cancellationToken);
        }
        catch (RpcException exception) when (exception.StatusCode == StatusCode.NotFound)
        {
            return ("", true);
        }

        var parts = payment.Parts.Where(part => (part.ChangeNumber == 0 ? "" : Consumers.OrderFactsConsumer.ChangeOf(part.ChangeNumber)) == notification.Event).ToList();
        // A provider's link is shown to people: a web address, or none.
        var link = parts.Select(part => part.NextActionUrl).FirstOrDefault(url => Uri.TryCreate(url, UriKind.Absolute, out var uri) && uri.Scheme is "https" or "http") ?? "";
        return (link, parts.Count == 0 || parts.Any(part => part.State is Payment.Types.State.Pending or Payment.Types.State.RequiresAction));
    }

    private RecoveryOutcome.Done Settled(Notification notification, State state, int attempts)
    {
        var now = time.GetUtcNow();
        return new RecoveryOutcome.Done(context =>
        {
            context.Batch.BatchCommands.Add(NotificationStore.Settle(notification.Id, state, attempts, state == State.Sent ? now : null));
            context.Tell(new NotificationSettled(notification.Id.ToString("N"), notification.OrderId, notification.StoreId, 1, now, state.ToString().ToUpperInvariant()));
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

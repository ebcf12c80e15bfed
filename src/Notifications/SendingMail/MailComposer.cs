using System.Globalization;
using System.Net;
using System.Text;
using Commerce.Orders.V1;
using MimeKit;
using Kind = Commerce.Notifications.V1.Notification.Types.Kind;

namespace Commerce.Notifications.SendingMail;

/// <summary>What a mail is about, as its services tell it.</summary>
/// <param name="Return">The return, where it is about one.</param>
/// <param name="Link">Where the shopper has to go; empty: nowhere.</param>
/// <param name="OrderLink">Where the shopper sees the order; empty: nowhere.</param>
internal sealed record MailContent(Order Order, Store Store, Return? Return = null, string Link = "", string OrderLink = "");

/// <summary>Words and looks of the mails. Everything from outside is encoded: an article may be called anything.</summary>
internal static class MailComposer
{
    private const string DefaultColour = "#1f4e79";

    public static MimeMessage Compose(Notification notification, MailContent content, MailboxAddress to, string sender, DateTimeOffset now)
    {
        var (order, store) = (content.Order, content.Store);
        var (subject, headline, text) = Words(notification, content);
        var message = new MimeMessage
        {
            Subject = subject,
            MessageId = $"{notification.Id:N}@notifications.commerce",
            Date = now,
        };
        message.From.Add(new MailboxAddress(store.DisplayName, store.SenderEmail.Length > 0 ? store.SenderEmail : sender));
        to.Name = order.Customer.Name;
        message.To.Add(to);
        // No reply of an absence assistant is wanted.
        message.Headers.Add("Auto-Submitted", "auto-generated");
        message.Body = new BodyBuilder { TextBody = Plain(notification, content, text), HtmlBody = Html(notification, content, headline, text) }.ToMessageBody();
        return message;
    }

    private static (string Subject, string Headline, string Text) Words(Notification notification, MailContent content)
    {
        var (order, id, number) = (content.Order, content.Order.OrderId, notification.TrackingNumber);
        return notification.Kind switch
        {
            Kind.OrderConfirmed => ($"Order {id} is confirmed", "Thank you for your order", $"We have your payment and are preparing order {id}."),
            Kind.Shipped => ($"Order {id}: parcel {number} is on its way", "Your parcel is on its way", $"We have handed a parcel of order {id} to its carrier. Its tracking number is {number}."),
            Kind.OutForDelivery => ($"Order {id}: parcel {number} arrives today", "Your parcel arrives today", $"Parcel {number} of order {id} is out for delivery."),
            Kind.Delivered => ($"Order {id}: parcel {number} was delivered", "Your parcel was delivered", $"Parcel {number} of order {id} has arrived. We hope you enjoy it."),
            Kind.OrderCancelled => ($"Order {id} is cancelled", "Your order is cancelled", Cancelled(order)),
            Kind.OrderChanged => ($"Order {id} was changed", "Your order was changed", $"Order {id} was changed as you see below. It now comes to {Amount(order.Total)}."),
            Kind.ChangeWithdrawn => ($"Order {id}: the change was not made", "Your order stays as it was", $"The change of order {id} was not made: {NotChanged(notification.Reason)}. The order stays as it was, and comes to {Amount(order.Total)}."),
            Kind.PaymentActionRequired => ($"Order {id}: please confirm your payment", "Your payment needs you", $"Before we can go on with order {id}, your payment has to be confirmed by you: {content.Link}"),
            Kind.Refunded => ($"Order {id}: {notification.Amount} given back", "We have given money back", $"We have given back {notification.Amount} of what you paid for order {id}. It goes where you paid from, or to your credit with us if that is what you wanted."),
            Kind.ReturnApproved or Kind.ReturnRejected or Kind.ReturnReceived when content.Return is { } one => OfReturn(notification, one),
            _ => throw new InvalidOperationException($"There are no words for {notification.Kind} of {content.Store.StoreId}."),
        };
    }

    private static (string Subject, string Headline, string Text) OfReturn(Notification notification, Return one) => notification.Kind switch
    {
        Kind.ReturnApproved => ($"Return {one.ReturnNumber} is approved{(notification.TrackingNumber.Length > 0 ? $": label {notification.TrackingNumber}" : "")}", "Your return is approved", Approved(notification, one)),
        Kind.ReturnRejected => ($"Return {one.ReturnNumber} cannot be taken back", "We cannot take it back", $"We cannot take back what is listed below{(one.DecisionNote.Length > 0 ? $": {OneLine(one.DecisionNote)}" : ".")}"),
        _ => ($"Return {one.ReturnNumber} has arrived", "We have what you sent back", Received(one)),
    };

    private static string Approved(Notification notification, Return one) =>
        (notification.TrackingNumber.Length > 0 ? $"You may send back what is listed below. The label of your parcel has the tracking number {notification.TrackingNumber}."
        : one.LabelWanted ? "You may send back what is listed below. The label for your parcel is being made and follows by mail."
        : "You may send back what is listed below.")
        + (one.DecisionNote.Length > 0 ? $" {OneLine(one.DecisionNote)}" : "");

    private static string Received(Return one)
    {
        var missing = one.Lines.Sum(line => line.MissingQuantity);
        var came = one.State == ReturnState.PartlyReceived ? "We have taken in the first pieces of what you send back." : "We have taken in what you sent back.";
        return came
            + (missing > 0 ? FormattableString.Invariant($" {missing} {(missing == 1 ? "piece was" : "pieces were")} not in the parcel.") : "")
            + (one.RefundAmount is { } due && (due.Units > 0 || due.Nanos > 0) ? $" {Amount(due)} {Settled(one.Outcome)}." : "");
    }

    private static string Settled(ReturnOutcome outcome) => outcome switch
    {
        ReturnOutcome.StoreCredit => "is credited to you with us",
        ReturnOutcome.Exchange => "counts towards what we send you instead",
        _ => "is due to you for it",
    };

    private static string NotChanged(string reason) => reason switch
    {
        "DECLINED" => "the payment for it was declined",
        "EXPIRED" => "the payment for it did not arrive in time",
        "TOO_LATE" => "what you wanted to take off had left already; what you paid for the change is on its way back",
        _ => "it could not be paid for",
    };

    private static string Cancelled(Order order) => order.Cancellation?.Reason switch
    {
        CancelReason.PaymentDeclined => $"Order {order.OrderId} was cancelled because the payment was declined. Nothing was charged; you are welcome to order again with another means of payment.",
        CancelReason.PaymentExpired => $"Order {order.OrderId} was cancelled because no payment arrived in time.",
        CancelReason.Unavailable => $"Order {order.OrderId} was cancelled because an article is no longer to be had. What you paid is on its way back.",
        CancelReason.Refunded => $"Order {order.OrderId} was cancelled, because all that you paid for it was given back.",
        _ => $"Order {order.OrderId} was cancelled. What you paid is on its way back.",
    };

    private static string Plain(Notification notification, MailContent content, string text)
    {
        var (order, store) = (content.Order, content.Store);
        var plain = new StringBuilder();
        plain.AppendLine(CultureInfo.InvariantCulture, $"Dear {OneLine(order.Customer.Name)},").AppendLine().AppendLine(text).AppendLine();
        plain.AppendLine(CultureInfo.InvariantCulture, $"Order ID     {order.OrderId}");
        if (notification.TrackingNumber.Length > 0)
            plain.AppendLine(CultureInfo.InvariantCulture, $"Tracking ID  {notification.TrackingNumber} ({notification.Carrier.ToUpperInvariant()})");
        plain.AppendLine();
        foreach (var (title, quantity, amount) in LinesOf(notification, content))
            plain.AppendLine(CultureInfo.InvariantCulture, $"{quantity,6} × {OneLine(title)}  {Amount(amount)}");
        if (content.OrderLink.Length > 0)
            plain.AppendLine().AppendLine("See your order at any time:").AppendLine(content.OrderLink);
        var (label, sum) = SumOf(notification, content);
        plain.AppendLine().AppendLine(CultureInfo.InvariantCulture, $"{label} {Amount(sum)}").AppendLine().AppendLine(OneLine(store.DisplayName));
        return plain.ToString();
    }

    private static string Html(Notification notification, MailContent content, string headline, string text)
    {
        var (order, store) = (content.Order, content.Store);
        var colour = IsColour(store.Colour) ? store.Colour : DefaultColour;
        var lines = new StringBuilder();
        foreach (var (title, quantity, amount) in LinesOf(notification, content))
        {
            lines.Append(CultureInfo.InvariantCulture, $"""
                <tr><td style="padding:8px 0;border-top:1px solid #e6e8eb">{Encode(title)}</td><td style="padding:8px 12px;border-top:1px solid #e6e8eb;text-align:right;white-space:nowrap">{quantity} ×</td><td style="padding:8px 0;border-top:1px solid #e6e8eb;text-align:right;white-space:nowrap">{Encode(Amount(amount))}</td></tr>
                """);
        }

        var tracking = notification.TrackingNumber.Length == 0 ? "" : Code("Tracking ID", notification.TrackingNumber, notification.Carrier.ToUpperInvariant());
        var link = content.Link.Length == 0 ? "" : $"""<p style="margin:0 0 20px"><a href="{Encode(content.Link)}" style="display:inline-block;background:{colour};color:#ffffff;padding:12px 20px;border-radius:8px;text-decoration:none;font-weight:600">Confirm the payment</a></p>""";
        var orderLink = content.OrderLink.Length == 0 ? "" : $"""<p style="margin:20px 0 0"><a href="{Encode(content.OrderLink)}" style="color:{colour};font-weight:600">See your order</a></p>""";
        var (label, sum) = SumOf(notification, content);
        return $"""
            <!doctype html>
            <html lang="en"><head><meta charset="utf-8"><meta name="viewport" content="width=device-width"><title>{Encode(headline)}</title></head>
            <body style="margin:0;background:#f4f5f7;color:#1d2129;font:16px/1.5 -apple-system,'Segoe UI',Roboto,Helvetica,Arial,sans-serif">
            <div style="max-width:560px;margin:0 auto;padding:24px 12px">
            <div style="background:{colour};color:#ffffff;padding:20px 28px;border-radius:10px 10px 0 0;font-weight:600">{Encode(store.DisplayName)}</div>
            <div style="background:#ffffff;padding:28px;border-radius:0 0 10px 10px">
            <h1 style="font-size:22px;margin:0 0 12px">{Encode(headline)}</h1>
            <p style="margin:0 0 20px">{Encode(text)}</p>{link}
            {Code("Order ID", order.OrderId, "")}{tracking}
            <table role="presentation" style="width:100%;border-collapse:collapse;margin-top:20px;font-size:15px">{lines}
            <tr><td style="padding:10px 0;border-top:2px solid #1d2129;font-weight:600" colspan="2">{Encode(label)}</td><td style="padding:10px 0;border-top:2px solid #1d2129;text-align:right;font-weight:600;white-space:nowrap">{Encode(Amount(sum))}</td></tr></table>
            {orderLink}</div>
            <p style="color:#6b7280;font-size:13px;text-align:center;margin:16px 0">Keep the Order ID: it is what you need when you ask about this purchase.{(content.OrderLink.Length == 0 ? "" : " Whoever has this mail can see the order: do not pass it on.")}</p>
            </div></body></html>
            """;
    }

    private static string Code(string label, string code, string aside) => $"""
        <div style="background:#f4f5f7;border-radius:8px;padding:10px 16px;margin:0 0 10px"><div style="color:#6b7280;font-size:13px">{Encode(label)} {Encode(aside)}</div><div style="font:600 18px/1.4 ui-monospace,Consolas,Menlo,monospace;letter-spacing:.02em">{Encode(code)}</div></div>
        """;

    private static (string Label, Google.Type.Money? Amount) SumOf(Notification notification, MailContent content) => content.Return is { } one
        ? (notification.Kind == Kind.ReturnRejected ? "Worth" : "For what comes back", notification.Kind == Kind.ReturnRejected ? one.Amounts?.Goods : one.RefundAmount)
        : ("Total of the order", content.Order.Total);

    // A parcel's mail shows what is in the parcel, a return's what comes back.
    private static IEnumerable<(string Title, int Quantity, Google.Type.Money? Amount)> LinesOf(Notification notification, MailContent content)
    {
        if (content.Return is { } one)
            return one.Lines.Select(line => (line.Title, line.Quantity, (Google.Type.Money?)line.Amount));
        var order = content.Order;
        var parcel = order.Parcels.FirstOrDefault(parcel => parcel.Shipment == "shipments/" + notification.ShipmentId);
        if (parcel is null)
            return order.Lines.Where(line => line.Quantity > 0).Select(line => (line.Title, line.Quantity, (Google.Type.Money?)line.Amount));
        var pieces = parcel.Lines.GroupBy(line => line.LineNumber).ToDictionary(lines => lines.Key, lines => lines.Sum(line => line.Quantity));
        return order.Lines.Where(line => pieces.ContainsKey(line.LineNumber)).Select(line =>
            (line.Title, pieces[line.LineNumber], (Google.Type.Money?)(pieces[line.LineNumber] == line.Quantity || !line.UnitPrice.TryToMoney(out var price, out _)
                ? line.Amount
                : (price * pieces[line.LineNumber]).ToProto())));
    }

    private static string Amount(Google.Type.Money? money) => money.TryToMoney(out var amount, out _) ? amount.ToString() : "";

    private static string OneLine(string text) => string.Concat(text.Where(c => !char.IsControl(c)));

    private static string Encode(string text) => WebUtility.HtmlEncode(OneLine(text));

    private static bool IsColour(string text) => text.Length == 7 && text[0] == '#' && text.Skip(1).All(char.IsAsciiHexDigit);
}

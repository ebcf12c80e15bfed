using System.Globalization;
using System.Net;
using System.Text;
using Commerce.Orders.V1;
using MimeKit;
using Kind = Commerce.Notifications.V1.Notification.Types.Kind;

namespace Commerce.Notifications.SendingMail;

/// <summary>Words and looks of the mails. Everything from outside is encoded: an article may be called anything.</summary>
internal static class MailComposer
{
    private const string DefaultColour = "#1f4e79";

    public static MimeMessage Compose(Notification notification, Order order, Store store, MailboxAddress to, string sender, DateTimeOffset now)
    {
        var (subject, headline, text) = Words(notification, order, store);
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
        message.Body = new BodyBuilder { TextBody = Plain(notification, order, store, text), HtmlBody = Html(notification, order, store, headline, text) }.ToMessageBody();
        return message;
    }

    private static (string Subject, string Headline, string Text) Words(Notification notification, Order order, Store store)
    {
        var (id, number) = (order.OrderId, notification.TrackingNumber);
        return notification.Kind switch
        {
            Kind.OrderConfirmed => ($"Order {id} is confirmed", "Thank you for your order", $"We have your payment and are preparing order {id}."),
            Kind.Shipped => ($"Order {id}: parcel {number} is on its way", "Your parcel is on its way", $"We have handed a parcel of order {id} to its carrier. Its tracking number is {number}."),
            Kind.OutForDelivery => ($"Order {id}: parcel {number} arrives today", "Your parcel arrives today", $"Parcel {number} of order {id} is out for delivery."),
            Kind.Delivered => ($"Order {id}: parcel {number} was delivered", "Your parcel was delivered", $"Parcel {number} of order {id} has arrived. We hope you enjoy it."),
            Kind.OrderCancelled => ($"Order {id} is cancelled", "Your order is cancelled", Cancelled(order)),
            _ => throw new InvalidOperationException($"There are no words for {notification.Kind} of {store.StoreId}."),
        };
    }

    private static string Cancelled(Order order) => order.Cancellation?.Reason switch
    {
        CancelReason.PaymentDeclined => $"Order {order.OrderId} was cancelled because the payment was declined. Nothing was charged; you are welcome to order again with another means of payment.",
        CancelReason.PaymentExpired => $"Order {order.OrderId} was cancelled because no payment arrived in time.",
        CancelReason.Unavailable => $"Order {order.OrderId} was cancelled because an article is no longer to be had. What you paid is on its way back.",
        CancelReason.Refunded => $"Order {order.OrderId} was cancelled, because all that you paid for it was given back.",
        _ => $"Order {order.OrderId} was cancelled. What you paid is on its way back.",
    };

    private static string Plain(Notification notification, Order order, Store store, string text)
    {
        var plain = new StringBuilder();
        plain.AppendLine(CultureInfo.InvariantCulture, $"Dear {OneLine(order.Customer.Name)},").AppendLine().AppendLine(text).AppendLine();
        plain.AppendLine(CultureInfo.InvariantCulture, $"Order ID     {order.OrderId}");
        if (notification.TrackingNumber.Length > 0)
            plain.AppendLine(CultureInfo.InvariantCulture, $"Tracking ID  {notification.TrackingNumber} ({notification.Carrier.ToUpperInvariant()})");
        plain.AppendLine();
        foreach (var line in LinesOf(notification, order))
            plain.AppendLine(CultureInfo.InvariantCulture, $"{line.Quantity,6} × {OneLine(line.Title)}  {Amount(line.Amount)}");
        plain.AppendLine().AppendLine(CultureInfo.InvariantCulture, $"Total {Amount(order.Total)}").AppendLine().AppendLine(OneLine(store.DisplayName));
        return plain.ToString();
    }

    private static string Html(Notification notification, Order order, Store store, string headline, string text)
    {
        var colour = IsColour(store.Colour) ? store.Colour : DefaultColour;
        var lines = new StringBuilder();
        foreach (var line in LinesOf(notification, order))
        {
            lines.Append(CultureInfo.InvariantCulture, $"""
                <tr><td style="padding:8px 0;border-top:1px solid #e6e8eb">{Encode(line.Title)}</td><td style="padding:8px 12px;border-top:1px solid #e6e8eb;text-align:right;white-space:nowrap">{line.Quantity} ×</td><td style="padding:8px 0;border-top:1px solid #e6e8eb;text-align:right;white-space:nowrap">{Encode(Amount(line.Amount))}</td></tr>
                """);
        }

        var tracking = notification.TrackingNumber.Length == 0 ? "" : Code("Tracking ID", notification.TrackingNumber, notification.Carrier.ToUpperInvariant());
        return $"""
            <!doctype html>
            <html lang="en"><head><meta charset="utf-8"><meta name="viewport" content="width=device-width"><title>{Encode(headline)}</title></head>
            <body style="margin:0;background:#f4f5f7;color:#1d2129;font:16px/1.5 -apple-system,'Segoe UI',Roboto,Helvetica,Arial,sans-serif">
            <div style="max-width:560px;margin:0 auto;padding:24px 12px">
            <div style="background:{colour};color:#ffffff;padding:20px 28px;border-radius:10px 10px 0 0;font-weight:600">{Encode(store.DisplayName)}</div>
            <div style="background:#ffffff;padding:28px;border-radius:0 0 10px 10px">
            <h1 style="font-size:22px;margin:0 0 12px">{Encode(headline)}</h1>
            <p style="margin:0 0 20px">{Encode(text)}</p>
            {Code("Order ID", order.OrderId, "")}{tracking}
            <table role="presentation" style="width:100%;border-collapse:collapse;margin-top:20px;font-size:15px">{lines}
            <tr><td style="padding:10px 0;border-top:2px solid #1d2129;font-weight:600" colspan="2">Total of the order</td><td style="padding:10px 0;border-top:2px solid #1d2129;text-align:right;font-weight:600;white-space:nowrap">{Encode(Amount(order.Total))}</td></tr></table>
            </div>
            <p style="color:#6b7280;font-size:13px;text-align:center;margin:16px 0">Keep the Order ID: it is all you need when you ask about this purchase.</p>
            </div></body></html>
            """;
    }

    private static string Code(string label, string code, string aside) => $"""
        <div style="background:#f4f5f7;border-radius:8px;padding:10px 16px;margin:0 0 10px"><div style="color:#6b7280;font-size:13px">{Encode(label)} {Encode(aside)}</div><div style="font:600 18px/1.4 ui-monospace,Consolas,Menlo,monospace;letter-spacing:.02em">{Encode(code)}</div></div>
        """;

    // A parcel's mail shows what is in the parcel.
    private static IEnumerable<OrderLine> LinesOf(Notification notification, Order order)
    {
        var parcel = order.Parcels.FirstOrDefault(parcel => parcel.Shipment == "shipments/" + notification.ShipmentId);
        if (parcel is null)
            return order.Lines.Where(line => line.Quantity > 0);
        var pieces = parcel.Lines.GroupBy(line => line.LineNumber).ToDictionary(lines => lines.Key, lines => lines.Sum(line => line.Quantity));
        return order.Lines.Where(line => pieces.ContainsKey(line.LineNumber)).Select(line =>
        {
            if (pieces[line.LineNumber] == line.Quantity || !line.UnitPrice.TryToMoney(out var price, out _))
                return line;
            var part = line.Clone();
            part.Quantity = pieces[line.LineNumber];
            part.Amount = (price * part.Quantity).ToProto();
            return part;
        });
    }

    private static string Amount(Google.Type.Money? money) => money.TryToMoney(out var amount, out _) ? amount.ToString() : "";

    private static string OneLine(string text) => string.Concat(text.Where(c => !char.IsControl(c)));

    private static string Encode(string text) => WebUtility.HtmlEncode(OneLine(text));

    private static bool IsColour(string text) => text.Length == 7 && text[0] == '#' && text.Skip(1).All(char.IsAsciiHexDigit);
}

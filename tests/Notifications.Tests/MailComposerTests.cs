using Commerce.Notifications.SendingMail;
using Commerce.Orders.V1;
using Commerce.Types.V1;
using MimeKit;
using Kind = Commerce.Notifications.V1.Notification.Types.Kind;

namespace Commerce.Notifications.Tests;

public sealed class MailComposerTests
{
    [Fact]
    public void A_shipping_confirmation_carries_the_tracking_number()
    {
        using var mail = Compose(Kind.Shipped);
        Assert.Contains("1Z12345E0205271688", mail.Subject, StringComparison.Ordinal);
        Assert.Contains("1Z12345E0205271688", mail.TextBody, StringComparison.Ordinal);
        Assert.Contains("1Z12345E0205271688", mail.HtmlBody, StringComparison.Ordinal);
    }

    [Fact]
    public void An_order_confirmation_carries_the_order_id_and_the_total()
    {
        using var mail = Compose(Kind.OrderConfirmed);
        Assert.Contains("ORD-7K3M9QX-T2F8CRW", mail.Subject, StringComparison.Ordinal);
        Assert.Contains("24.95 EUR", mail.TextBody, StringComparison.Ordinal);
    }

    [Fact]
    public void The_same_event_has_the_same_message_id_and_another_event_another()
    {
        using var first = Compose(Kind.Shipped);
        using var second = Compose(Kind.Shipped);
        using var other = Compose(Kind.Delivered);
        Assert.Equal(first.MessageId, second.MessageId);
        Assert.NotEqual(first.MessageId, other.MessageId);
    }

    [Fact]
    public void What_an_article_is_called_cannot_become_markup_or_a_header()
    {
        using var mail = Compose(Kind.OrderConfirmed, title: "<script>alert(1)</script>\r\nBcc: x@example.com");
        Assert.DoesNotContain("<script>", mail.HtmlBody, StringComparison.Ordinal);
        Assert.Empty(mail.Bcc);
    }

    private static MimeMessage Compose(Kind kind, string title = "Lamp")
    {
        var order = new Order
        {
            OrderId = "ORD-7K3M9QX-T2F8CRW",
            Customer = new Contact { Name = "Ada Example", Email = "ada@example.com" },
            Total = new Google.Type.Money { CurrencyCode = "EUR", Units = 24, Nanos = 950_000_000 },
            Lines =
            {
                new OrderLine { LineNumber = 1, Sku = "lamp", Title = title, Quantity = 2, Amount = new Google.Type.Money { CurrencyCode = "EUR", Units = 20 } },
            },
        };
        var notification = Notification.About("main", order.OrderId, kind, DateTimeOffset.UnixEpoch, "shipment", "ups", "1Z12345E0205271688");
        return MailComposer.Compose(notification, order, new Store { DisplayName = "Shop" }, new MailboxAddress("", "ada@example.com"), "orders@shop.example", DateTimeOffset.UnixEpoch);
    }
}

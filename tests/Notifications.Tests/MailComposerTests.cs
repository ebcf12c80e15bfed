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
    public void An_approved_return_names_its_label_and_what_comes_back_for_it()
    {
        using var mail = Compose(Kind.ReturnApproved);
        Assert.Equal("Return ORD-7K3M9QX-T2F8CRW-R1 is approved: label 1Z12345E0205271688", mail.Subject);
        Assert.Contains("1Z12345E0205271688", mail.HtmlBody, StringComparison.Ordinal);
        Assert.Contains("For what comes back 10.00 EUR", mail.TextBody, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData(Kind.ReturnRejected, "cannot be taken back", "worn and washed")]
    [InlineData(Kind.ReturnReceived, "has arrived", "10.00 EUR is due to you for it")]
    [InlineData(Kind.Refunded, "7.50 EUR given back", "given back 7.50 EUR")]
    [InlineData(Kind.OrderChanged, "was changed", "It now comes to 24.95 EUR")]
    [InlineData(Kind.ChangeWithdrawn, "the change was not made", "the payment for it was declined")]
    [InlineData(Kind.PaymentActionRequired, "please confirm your payment", "https://bank.example/confirm?a=1&b=2")]
    public void Each_says_what_happened_and_what_it_comes_to(Kind kind, string subject, string text)
    {
        using var mail = Compose(kind);
        Assert.Contains(subject, mail.Subject, StringComparison.Ordinal);
        Assert.Contains(text, mail.TextBody, StringComparison.Ordinal);
        Assert.Contains(System.Net.WebUtility.HtmlEncode(text), mail.HtmlBody, StringComparison.Ordinal);
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

    [Fact]
    public void A_mail_carries_the_link_by_which_its_reader_opens_the_order_where_there_is_a_page_for_it()
    {
        using var mail = Compose(Kind.OrderConfirmed, link: "https://shop.example/order#a.b");
        Assert.Contains("https://shop.example/order#a.b", mail.TextBody, StringComparison.Ordinal);
        Assert.Contains("href=\"https://shop.example/order#a.b\"", mail.HtmlBody, StringComparison.Ordinal);
        Assert.Contains("do not pass it on", mail.HtmlBody, StringComparison.Ordinal);
        using var without = Compose(Kind.OrderConfirmed);
        Assert.DoesNotContain("See your order", without.TextBody + without.HtmlBody, StringComparison.Ordinal);
    }

    private static MimeMessage Compose(Kind kind, string title = "Lamp", string link = "")
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
        var notification = Notification.About("main", order.OrderId, kind, DateTimeOffset.UnixEpoch, "shipment", "ups", "1Z12345E0205271688") with
        {
            Amount = new Money(750, "EUR"),
            Reason = "DECLINED",
        };
        var one = kind is not (Kind.ReturnApproved or Kind.ReturnRejected or Kind.ReturnReceived) ? null : new Return
        {
            ReturnNumber = order.OrderId + "-R1",
            State = ReturnState.Received,
            DecisionNote = kind == Kind.ReturnRejected ? "worn and washed" : "",
            RefundAmount = new Google.Type.Money { CurrencyCode = "EUR", Units = 10 },
            Lines = { new ReturnLine { LineNumber = 1, Quantity = 1, Title = title } },
        };
        var content = new MailContent(order, new Store { DisplayName = "Shop" }, one, kind == Kind.PaymentActionRequired ? "https://bank.example/confirm?a=1&b=2" : "", link);
        return MailComposer.Compose(notification, content, new MailboxAddress("", "ada@example.com"), "orders@shop.example", DateTimeOffset.UnixEpoch);
    }
}

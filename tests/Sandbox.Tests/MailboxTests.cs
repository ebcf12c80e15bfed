using MailKit.Net.Smtp;
using MimeKit;

namespace Commerce.Sandbox.Tests;

public sealed class MailboxTests
{
    [Fact]
    public async Task A_mail_arrives_once_however_often_it_is_sent()
    {
        await using var sandbox = await SandboxApp.StartAsync();
        using var mail = Mail("maria@example.com", "Your order ORD-7K3M9QX-T2F8CRW", "olá", "<p>olá</p>");
        using var other = Mail("joao@example.com", "Shipped", "on its way", null);
        await SendAsync(sandbox, mail, mail, other);

        var found = await sandbox.Http.GetAsync("/mailbox/messages?to=MARIA&subject=ord-7k");
        Assert.Equal(1, (int)found["total"]!);
        var one = found["messages"]![0]!;
        Assert.Equal(("maria@example.com", "olá", "<p>olá</p>", 1), ((string)one["to"]!, ((string)one["text"]!).Trim(), ((string)one["html"]!).Trim(), (int)one["duplicates"]!));
        Assert.Equal(mail.MessageId, ((string)one["headers"]!["Message-ID"]!).Trim('<', '>'));
        var summary = await sandbox.Http.GetAsync("/books/summary");
        Assert.Equal((2, 1), ((int)summary["mails"]!, (int)summary["duplicate_mails"]!));
        Assert.Equal("Shipped", (string?)(await sandbox.Http.GetAsync("/mailbox/messages?limit=1"))["messages"]![0]!["subject"]);
    }

    [Fact]
    public async Task The_pages_show_hostile_mail_without_running_it()
    {
        await using var sandbox = await SandboxApp.StartAsync();
        using var mail = Mail("x@example.com", "<script>alert('subject')</script>", "<script>alert('text')</script>", "<script>alert('html')</script>\"'>");
        await SendAsync(sandbox, mail);
        var id = (string)(await sandbox.Http.GetAsync("/mailbox/messages"))["messages"]![0]!["id"]!;
        foreach (var path in new[] { "/", "/mailbox", $"/mailbox/{id}" })
        {
            using var response = await sandbox.Http.Raw.GetAsync(path);
            Assert.Equal(200, (int)response.StatusCode);
            Assert.Contains("default-src 'none'", string.Join(";", response.Headers.GetValues("Content-Security-Policy")), StringComparison.Ordinal);
            Assert.DoesNotContain("<script", await response.Content.ReadAsStringAsync(), StringComparison.OrdinalIgnoreCase);
        }

        Assert.Contains("<iframe sandbox=\"\"", await sandbox.Http.Raw.GetStringAsync($"/mailbox/{id}"), StringComparison.Ordinal);
    }

    [Fact]
    public async Task A_giant_mail_and_a_rejected_one_are_not_kept()
    {
        await using var sandbox = await SandboxApp.StartAsync();
        using var giant = Mail("x@example.com", "giant", new string('x', 2 << 20), null);
        await Assert.ThrowsAnyAsync<Exception>(() => SendAsync(sandbox, giant));
        await sandbox.Http.TurnAsync("""{"smtp_reject_rate": 1}""");
        using var small = Mail("x@example.com", "small", "x", null);
        var rejected = await Assert.ThrowsAsync<SmtpCommandException>(() => SendAsync(sandbox, small));
        Assert.Equal(451, (int)rejected.StatusCode);
        Assert.Equal(0, (int)(await sandbox.Http.GetAsync("/mailbox/messages"))["total"]!);
    }

    private static MimeMessage Mail(string to, string subject, string text, string? html)
    {
        var mail = new MimeMessage { Subject = subject, Body = new BodyBuilder { TextBody = text, HtmlBody = html }.ToMessageBody() };
        mail.From.Add(new MailboxAddress("Shop", "shop@example.com"));
        mail.To.Add(MailboxAddress.Parse(to));
        return mail;
    }

    private static async Task SendAsync(SandboxApp sandbox, params MimeMessage[] mails)
    {
        using var client = new SmtpClient();
        await client.ConnectAsync("127.0.0.1", sandbox.SmtpPort, useSsl: false);
        foreach (var mail in mails) await client.SendAsync(mail);
        await client.DisconnectAsync(quit: true);
    }
}

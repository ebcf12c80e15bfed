using Commerce.Notifications.SendingMail;
using Microsoft.Extensions.Options;
using MimeKit;
using SmtpCommandException = MailKit.Net.Smtp.SmtpCommandException;

namespace Commerce.Notifications.Tests;

/// <summary>What becomes of a mail whose server comes and goes.</summary>
public sealed class SmtpConnectionsTests
{
    [Fact]
    public async Task Mails_in_parallel_arrive_each_once()
    {
        await using var server = await MailServer.Start();
        using var smtp = new SmtpConnections(Options.Create(new SmtpOptions { Endpoint = server.Endpoint, Connections = 4 }));
        await Parallel.ForEachAsync(Enumerable.Range(0, 60), async (i, token) =>
        {
            using var mail = Mail($"{i}@test");
            await smtp.Send(mail, token);
        });
        Assert.Equal(60, server.Received.Count);
        Assert.Equal(60, server.Received.Distinct().Count());
    }

    [Fact]
    public async Task A_server_that_is_gone_is_an_error_and_one_that_is_back_takes_the_mail()
    {
        var server = await MailServer.Start();
        using var smtp = new SmtpConnections(Options.Create(new SmtpOptions { Endpoint = server.Endpoint }));
        using var first = Mail("first@test");
        await smtp.Send(first, CancellationToken.None);
        await server.DisposeAsync();

        using var second = Mail("second@test");
        await Assert.ThrowsAnyAsync<Exception>(() => smtp.Send(second, CancellationToken.None));

        await using var again = await MailServer.Start(server.Port);
        await smtp.Send(second, CancellationToken.None);
        Assert.Equal(["second@test"], again.Received);
    }

    [Fact]
    public async Task A_refusal_tells_its_status()
    {
        await using var server = await MailServer.Start(refusals: 1);
        using var smtp = new SmtpConnections(Options.Create(new SmtpOptions { Endpoint = server.Endpoint }));
        using var mail = Mail("refused@test");
        var refusal = await Assert.ThrowsAsync<SmtpCommandException>(() => smtp.Send(mail, CancellationToken.None));
        Assert.True((int)refusal.StatusCode >= 500);
    }

    private static MimeMessage Mail(string id)
    {
        var mail = new MimeMessage { Subject = "Hello", MessageId = id, Body = new TextPart("plain") { Text = "Hello" } };
        mail.From.Add(new MailboxAddress("Shop", "shop@example.com"));
        mail.To.Add(new MailboxAddress("Ada", "ada@example.com"));
        return mail;
    }
}

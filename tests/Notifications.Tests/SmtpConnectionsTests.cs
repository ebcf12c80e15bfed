using System.Buffers;
using System.Collections.Concurrent;
using System.Net;
using System.Net.Sockets;
using Commerce.Notifications.SendingMail;
using Microsoft.Extensions.Options;
using MimeKit;
using SmtpServer;
using SmtpServer.Protocol;
using SmtpServer.Storage;
using SmtpCommandException = MailKit.Net.Smtp.SmtpCommandException;

namespace Commerce.Notifications.Tests;

/// <summary>A real SMTP server in the test, which comes and goes.</summary>
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
        await using var server = await MailServer.Start(refuse: true);
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

    private sealed class MailServer(int port, Task running, CancellationTokenSource stop, ConcurrentQueue<string> received) : IAsyncDisposable
    {
        public int Port => port;

        public string Endpoint => $"tcp://127.0.0.1:{port}";

        public ConcurrentQueue<string> Received => received;

        public static async Task<MailServer> Start(int port = 0, bool refuse = false)
        {
            if (port == 0)
            {
                using var probe = new TcpListener(IPAddress.Loopback, 0);
                probe.Start();
                port = ((IPEndPoint)probe.LocalEndpoint).Port;
            }

            var received = new ConcurrentQueue<string>();
            var services = new SmtpServer.ComponentModel.ServiceProvider();
            services.Add((IMessageStore)new Store(received, refuse));
            var server = new SmtpServer.SmtpServer(
                new SmtpServerOptionsBuilder().ServerName("localhost").Endpoint(endpoint => endpoint.Endpoint(new IPEndPoint(IPAddress.Loopback, port))).Build(), services);
            var stop = new CancellationTokenSource();
            var running = server.StartAsync(stop.Token);
            await Testing.Eventually.True(() => Listens(port));
            return new MailServer(port, running, stop, received);
        }

        public async ValueTask DisposeAsync()
        {
            await stop.CancelAsync();
            await running.ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
            stop.Dispose();
        }

        private static async Task<bool> Listens(int port)
        {
            try
            {
                using var client = new TcpClient();
                await client.ConnectAsync(IPAddress.Loopback, port);
                return true;
            }
            catch (SocketException)
            {
                return false;
            }
        }
    }

    private sealed class Store(ConcurrentQueue<string> received, bool refuse) : MessageStore
    {
        public override async Task<SmtpResponse> SaveAsync(ISessionContext context, IMessageTransaction transaction, ReadOnlySequence<byte> buffer, CancellationToken cancellationToken)
        {
            if (refuse)
                return SmtpResponse.MailboxUnavailable;
            using var stream = new MemoryStream(buffer.ToArray());
            using var message = await MimeMessage.LoadAsync(stream, cancellationToken);
            received.Enqueue(message.MessageId ?? "");
            return SmtpResponse.Ok;
        }
    }
}

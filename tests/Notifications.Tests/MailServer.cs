using System.Buffers;
using System.Collections.Concurrent;
using System.Net;
using System.Net.Sockets;
using MimeKit;
using SmtpServer;
using SmtpServer.Protocol;
using SmtpServer.Storage;

namespace Commerce.Notifications.Tests;

/// <summary>A real SMTP server in the test, which comes and goes.</summary>
internal sealed class MailServer(int port, Task running, CancellationTokenSource stop, ConcurrentQueue<string> received) : IAsyncDisposable
{
    public int Port => port;

    public string Endpoint => $"tcp://127.0.0.1:{port}";

    public ConcurrentQueue<string> Received => received;

    public static async Task<MailServer> Start(int port = 0, int refusals = 0)
    {
        if (port == 0)
            port = FreePort();
        var received = new ConcurrentQueue<string>();
        var services = new SmtpServer.ComponentModel.ServiceProvider();
        services.Add((IMessageStore)new Store(received, refusals));
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

    // Below the ports that the system gives to outgoing connections: one of those may be taken while the server is away.
    private static int FreePort()
    {
        while (true)
        {
            var port = Random.Shared.Next(20_000, 32_000);
            try
            {
                using var probe = new TcpListener(IPAddress.Loopback, port);
                probe.Start();
                return port;
            }
            catch (SocketException)
            {
                // Somebody else's.
            }
        }
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

    /// <summary>Refuses the first mails, and takes the others.</summary>
    private sealed class Store(ConcurrentQueue<string> received, int refusals) : MessageStore
    {
        private int _refusals = refusals;

        public override async Task<SmtpResponse> SaveAsync(ISessionContext context, IMessageTransaction transaction, ReadOnlySequence<byte> buffer, CancellationToken cancellationToken)
        {
            if (Interlocked.Decrement(ref _refusals) >= 0)
                return SmtpResponse.TransactionFailed;
            using var stream = new MemoryStream(buffer.ToArray());
            using var message = await MimeMessage.LoadAsync(stream, cancellationToken);
            received.Enqueue(message.MessageId ?? "");
            return SmtpResponse.Ok;
        }
    }
}

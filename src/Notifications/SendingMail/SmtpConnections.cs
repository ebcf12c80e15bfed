using System.Collections.Concurrent;
using MailKit.Net.Smtp;
using MailKit.Security;
using Microsoft.Extensions.Options;
using MimeKit;

namespace Commerce.Notifications.SendingMail;

/// <summary>A few connections to the mail server, used again: a connection a mail would cost more than the mail.</summary>
internal sealed class SmtpConnections(IOptions<SmtpOptions> options) : IDisposable
{
    private readonly ConcurrentBag<SmtpClient> _idle = [];
    private readonly SemaphoreSlim _slots = new(options.Value.Connections);

    /// <exception cref="SmtpCommandException">The server refused; its status tells whether for good.</exception>
    public async Task Send(MimeMessage message, CancellationToken cancellationToken)
    {
        await _slots.WaitAsync(cancellationToken);
        try
        {
            var client = await Connected(cancellationToken);
            try
            {
                await client.SendAsync(message, cancellationToken);
            }
            catch
            {
                // What state the conversation is in is not worth finding out.
                client.Dispose();
                throw;
            }

            _idle.Add(client);
        }
        finally
        {
            _slots.Release();
        }
    }

    public void Dispose()
    {
        while (_idle.TryTake(out var client))
            client.Dispose();
        _slots.Dispose();
    }

    private async Task<SmtpClient> Connected(CancellationToken cancellationToken)
    {
        while (_idle.TryTake(out var idle))
        {
            if (await IsAlive(idle, cancellationToken))
                return idle;
            idle.Dispose();
        }

        var address = options.Value.Address;
        var client = new SmtpClient { Timeout = (int)options.Value.Timeout.TotalMilliseconds };
        try
        {
            await client.ConnectAsync(
                address.Host,
                address.Port > 0 ? address.Port : 25,
                address.Scheme == "smtps" ? SecureSocketOptions.SslOnConnect : SecureSocketOptions.StartTlsWhenAvailable,
                cancellationToken);
            if (options.Value.UserName.Length > 0)
                await client.AuthenticateAsync(options.Value.UserName, options.Value.Password, cancellationToken);
            return client;
        }
        catch
        {
            client.Dispose();
            throw;
        }
    }

    // A server closes what is idle for long, without a word to us.
    private static async Task<bool> IsAlive(SmtpClient client, CancellationToken cancellationToken)
    {
        try
        {
            await client.NoOpAsync(cancellationToken);
            return client.IsConnected;
        }
        catch (Exception exception) when (exception is IOException or SmtpProtocolException or SmtpCommandException or MailKit.ServiceNotConnectedException)
        {
            return false;
        }
    }
}

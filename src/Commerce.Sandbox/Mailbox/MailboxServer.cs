using System.Globalization;
using System.Net;
using System.Net.Sockets;
using Commerce.Sandbox.Books;
using Microsoft.Extensions.Options;
using SmtpServer;
using SmtpServer.Storage;

namespace Commerce.Sandbox.Mailbox;

/// <summary>The SMTP side of the mailbox, on loopback unless told otherwise: it takes mail for anybody.</summary>
internal sealed partial class MailboxServer(IOptions<SandboxOptions> options, IConfiguration configuration, MailStore store, ILogger<MailboxServer> logger) : BackgroundService
{
    /// <summary>The largest mail in bytes.</summary>
    public const int MaxMail = 1 << 20;

    // The server ends a session by its age, in the middle of a mail with "554" if need be; at its two minutes that is sooner
    // than a sender who keeps his connections expects. One that says nothing is still ended after a while.
    private static readonly TimeSpan LongestSession = TimeSpan.FromDays(1);

    private readonly IPAddress _address = IPAddress.TryParse(options.Value.Smtp.Address, out var address)
        ? address
        : throw new InvalidOperationException($"Sandbox:Smtp:Address must be an IP address and is \"{options.Value.Smtp.Address}\".");

    /// <summary>The port it listens on.</summary>
    public int Port { get; } =
        Listenable(int.TryParse(configuration["SMTP_PORT"], NumberStyles.None, CultureInfo.InvariantCulture, out var port) ? port : options.Value.Smtp.Port);

    /// <summary>Returns once mail can be delivered: the SMTP server does not tell when it listens, so it is asked.</summary>
    public override async Task StartAsync(CancellationToken cancellationToken)
    {
        await base.StartAsync(cancellationToken);
        var address = _address.Equals(IPAddress.Any) ? IPAddress.Loopback : _address.Equals(IPAddress.IPv6Any) ? IPAddress.IPv6Loopback : _address;
        while (ExecuteTask is { IsCompleted: false })
        {
            using var client = new TcpClient(address.AddressFamily);
            try
            {
                await client.ConnectAsync(address, Port, cancellationToken);
                return;
            }
            catch (SocketException)
            {
                await Task.Delay(TimeSpan.FromMilliseconds(10), TimeProvider.System, cancellationToken);
            }
        }
    }

    protected override async Task ExecuteAsync(CancellationToken stoppingToken)
    {
        var settings = new SmtpServerOptionsBuilder()
            .ServerName("sandbox.localhost")
            .MaxMessageSize(MaxMail, MaxMessageSizeHandling.Strict)
            .Endpoint(e => e.Endpoint(new IPEndPoint(_address, Port)).AllowUnsecureAuthentication().SessionTimeout(LongestSession))
            .Build();
        var services = new SmtpServer.ComponentModel.ServiceProvider();
        services.Add((IMessageStore)store);
        var server = new SmtpServer.SmtpServer(settings, services);
        Listening(logger, _address, Port);
        try
        {
            await server.StartAsync(stoppingToken);
        }
        catch (SocketException e)
        {
            throw new InvalidOperationException($"The mailbox cannot listen on {_address}:{Port} ({e.Message}). Free the port, or choose another with SMTP_PORT.", e);
        }
    }

    private static int Listenable(int port)
    {
        if (port != 0) return port;

        // The SMTP server does not tell which port it was given, so a free one is found beforehand.
        using var probe = new TcpListener(IPAddress.Loopback, 0);
        probe.Start();
        return ((IPEndPoint)probe.LocalEndpoint).Port;
    }

    [LoggerMessage(Level = LogLevel.Information, Message = "Mailbox listening for SMTP on {Address}:{Port}")]
    private static partial void Listening(ILogger logger, IPAddress address, int port);
}

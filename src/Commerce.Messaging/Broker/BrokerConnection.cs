using Microsoft.Extensions.Configuration;
using RabbitMQ.Client;

namespace Commerce.Messaging.Broker;

/// <summary>
/// A connection of our own beside MassTransit's, on which nothing is tried again behind our back: the relay publishes on it,
/// other services' queues are declared, and messages move between a queue and its error queue. Opened at the first use, and
/// anew after it broke.
/// </summary>
internal sealed class BrokerConnection(IConfiguration configuration, Registration registration) : IAsyncDisposable
{
    public const string ConnectionName = "messaging";

    private readonly SemaphoreSlim _gate = new(1);
    private IConnection? _connection;

    /// <summary>The broker's address, with credentials.</summary>
    public static Uri Address(IConfiguration configuration) =>
        configuration.GetConnectionString(ConnectionName) is { Length: > 0 } value && Uri.TryCreate(value, UriKind.Absolute, out var uri)
            ? uri
            : throw new InvalidOperationException($"ConnectionStrings:{ConnectionName} must be the broker's AMQP URI, for example amqp://user:password@host:5672.");

    /// <summary>Opens a channel with confirms: a publish completes when confirmed, and throws when returned or refused.</summary>
    public async Task<IChannel> OpenChannel(CancellationToken cancellationToken)
    {
        var connection = await Connection(cancellationToken);
        return await connection.CreateChannelAsync(
            new CreateChannelOptions(publisherConfirmationsEnabled: true, publisherConfirmationTrackingEnabled: true), cancellationToken);
    }

    /// <summary>Does something on a channel of its own.</summary>
    public async Task<T> OnChannel<T>(Func<IChannel, Task<T>> work, CancellationToken cancellationToken)
    {
        await using var channel = await OpenChannel(cancellationToken);
        return await work(channel);
    }

    public Task OnChannel(Func<IChannel, Task> work, CancellationToken cancellationToken) =>
        OnChannel(async channel =>
        {
            await work(channel);
            return true;
        }, cancellationToken);

    public async ValueTask DisposeAsync()
    {
        if (_connection is not null)
            await _connection.DisposeAsync();
        _gate.Dispose();
    }

    private async Task<IConnection> Connection(CancellationToken cancellationToken)
    {
        await _gate.WaitAsync(cancellationToken);
        try
        {
            if (_connection is { IsOpen: true })
                return _connection;
            if (_connection is not null)
                await _connection.DisposeAsync();
            _connection = null;
            var factory = new ConnectionFactory
            {
                Uri = Address(configuration),
                AutomaticRecoveryEnabled = false,
                ClientProvidedName = registration.Service + " (topology)",
                RequestedHeartbeat = TimeSpan.FromSeconds(10),
            };
            return _connection = await factory.CreateConnectionAsync(cancellationToken);
        }
        finally
        {
            _gate.Release();
        }
    }
}

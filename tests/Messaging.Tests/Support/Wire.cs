using System.Text;
using System.Text.Json;
using Commerce.Messaging.Broker;
using RabbitMQ.Client;

namespace Commerce.Messaging.Tests;

/// <summary>A message as it lies in a queue.</summary>
internal sealed record WireMessage(Guid Id, string Key, long Version, IReadOnlyDictionary<string, string> Headers);

/// <summary>Looks at queues without MassTransit.</summary>
internal sealed class Wire(string broker) : IAsyncDisposable
{
    private IConnection? _connection;
    private IChannel? _channel;

    public async Task<IChannel> Channel()
    {
        if (_channel is { IsOpen: true })
            return _channel;
        _connection = await new ConnectionFactory { Uri = new Uri(broker) }.CreateConnectionAsync();
        return _channel = await _connection.CreateChannelAsync(new CreateChannelOptions(true, true));
    }

    /// <summary>Everything that is in the queue now, in its order, taken out.</summary>
    public async Task<List<WireMessage>> Take(string queue)
    {
        var messages = new List<WireMessage>();
        var channel = await Channel();
        while (await channel.BasicGetAsync(queue, autoAck: true) is { } message)
        {
            using var json = JsonDocument.Parse(message.Body);
            var fact = json.RootElement.GetProperty("message");
            var headers = (message.BasicProperties.Headers ?? new Dictionary<string, object?>())
                .ToDictionary(h => h.Key, h => h.Value is byte[] bytes ? Encoding.UTF8.GetString(bytes) : $"{h.Value}");
            messages.Add(new WireMessage(
                Guid.Parse(message.BasicProperties.MessageId!), fact.GetProperty("orderId").GetString()!, fact.GetProperty("version").GetInt64(), headers));
        }

        return messages;
    }

    public async Task<uint> Count(string queue) => await (await Channel()).MessageCountAsync(queue);

    /// <summary>Everything that is in the queue now as it is, taken out.</summary>
    public async Task<List<string>> Bodies(string queue)
    {
        var bodies = new List<string>();
        var channel = await Channel();
        while (await channel.BasicGetAsync(queue, autoAck: true) is { } message)
            bodies.Add(Encoding.UTF8.GetString(message.Body.Span));
        return bodies;
    }

    /// <summary>Publishes to the queue itself what no relay would.</summary>
    public async Task Send(string queue, byte[] body, string contentType = Envelope.ContentType) =>
        await (await Channel()).BasicPublishAsync("", queue, true, new BasicProperties { ContentType = contentType, Persistent = true }, body);

    public async ValueTask DisposeAsync()
    {
        if (_channel is not null)
            await _channel.DisposeAsync();
        if (_connection is not null)
            await _connection.DisposeAsync();
    }
}

using System.Net.Sockets;
using Npgsql;
using RabbitMQ.Client.Exceptions;
using StackExchange.Redis;

namespace Commerce.Messaging;

/// <summary>Tells what passes by itself (a server that is away, a deadlock) from what is wrong with the fact or its handling.</summary>
internal static class TransientErrors
{
    public static bool Are(Exception exception) => exception switch
    {
        // Npgsql counts serialization failures, deadlocks, shutdowns, full connection slots and broken connections.
        NpgsqlException npgsql when npgsql.IsTransient => true,
        RabbitMQClientException or MassTransit.RabbitMqConnectionException => true,
        RedisConnectionException or RedisTimeoutException => true,
        SocketException or IOException or TimeoutException => true,
        AggregateException aggregate => aggregate.InnerExceptions.All(Are),
        _ => exception.InnerException is { } inner && Are(inner),
    };
}

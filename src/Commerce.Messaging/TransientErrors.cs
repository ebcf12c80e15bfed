using System.Net.Sockets;
using Npgsql;

namespace Commerce.Messaging;

/// <summary>Errors that say nothing about the fact: a server that is away, a deadlock that the other side won.</summary>
internal static class TransientErrors
{
    public static bool IsTransient(Exception exception) => exception switch
    {
        PostgresException postgres => postgres.IsTransient,
        NpgsqlException => true,
        SocketException or TimeoutException => true,
        { InnerException: { } inner } => IsTransient(inner),
        _ => false,
    };
}

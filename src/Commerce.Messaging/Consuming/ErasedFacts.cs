using System.Text.Json;
using System.Text.Json.Nodes;
using Commerce.Messaging.Broker;
using Microsoft.Extensions.DependencyInjection;
using Npgsql;

namespace Commerce.Messaging.Consuming;

/// <summary>
/// What failed waits for somebody, for as long as that takes, and a fact may say the shop's own id of a customer and the provider's token of a
/// means of payment. When an order's customer is erased, they are taken out of the facts of that order that are set aside, parked, or in the
/// error queue; what is left of them can be brought back as before. Every consumer of <see cref="Facts.OrderErased"/> does so for its own
/// queue, without a line of its own, and when it hears of it: what failed may be what its turn waits for.
/// </summary>
internal sealed class ErasedFacts(ErrorQueues errors, IServiceProvider services) : IRecover
{
    public const string PointKind = "erase-failed-facts";

    // The only fields of facts that say something of a person.
    private const string Customer = "customerId";
    private const string Token = "token";

    private static readonly string[] Tables = ["failed_facts", "parked_facts"];

    public string Kind => PointKind;

    /// <summary>The error queue is not part of the transaction in which the rest is done.</summary>
    public static RecoveryPoint PointOf(string queue, string orderId) => new(PointKind, $"{queue}/{orderId}");

    /// <summary>Takes them out of what the database keeps for a consumer.</summary>
    public static IEnumerable<NpgsqlBatchCommand> InDatabase(string consumer, string orderId) => Tables.Select(table => new NpgsqlBatchCommand(
        $"""
        UPDATE messaging.{table} SET body = regexp_replace(regexp_replace(body, '("{Customer}"\s*:\s*)"([^"\\]|\\.)*"', '\1null', 'g'), '("{Token}"\s*:\s*)"([^"\\]|\\.)*"', '\1""', 'g')
        WHERE consumer = $1 AND key = $2
        """)
    {
        Parameters = { InboxSql.Text(consumer), InboxSql.Text(orderId) },
    });

    /// <summary>Takes them out of what is in the error queue.</summary>
    public async Task InErrorQueue(string queue, string orderId, CancellationToken cancellationToken)
    {
        // What one looks at the other does not see: one at a time, of all replicas.
        await using var connection = services.GetService<NpgsqlDataSource>() is { } database ? await database.OpenConnectionAsync(cancellationToken) : null;
        await using var transaction = connection is null ? null : await connection.BeginTransactionAsync(cancellationToken);
        if (transaction is not null)
        {
            await using var command = new NpgsqlCommand("SELECT pg_advisory_xact_lock(hashtextextended('error queue ' || $1, 0))", connection, transaction) { Parameters = { InboxSql.Text(queue) } };
            await command.ExecuteNonQueryAsync(cancellationToken);
        }

        await errors.Rewrite(queue, body => Without(body, orderId), cancellationToken);
    }

    public async Task<RecoveryOutcome> Recover(RecoveryPoint point, int attempt, CancellationToken cancellationToken)
    {
        var slash = point.Key.IndexOf('/', StringComparison.Ordinal);
        await InErrorQueue(point.Key[..slash], point.Key[(slash + 1)..], cancellationToken);
        return new RecoveryOutcome.Done();
    }

    // Null: it is to stay as it is. What cannot be read is no fact that anybody told.
    private static byte[]? Without(ReadOnlyMemory<byte> body, string orderId)
    {
        try
        {
            return JsonNode.Parse(body.Span) is JsonObject envelope && envelope["message"] is JsonObject fact
                && fact["orderId"] is JsonValue id && id.GetValueKind() == JsonValueKind.String && id.GetValue<string>() == orderId && Remove(fact)
                ? JsonSerializer.SerializeToUtf8Bytes(envelope)
                : null;
        }
        catch (JsonException)
        {
            return null;
        }
    }

    private static bool Remove(JsonNode? node)
    {
        var removed = false;
        if (node is JsonArray several)
        {
            foreach (var one in several)
                removed |= Remove(one);
        }
        else if (node is JsonObject fields)
        {
            foreach (var (name, value) in fields.ToList())
            {
                if (name == Customer && value is not null)
                    (fields[name], removed) = (null, true);
                else if (name == Token && value?.GetValueKind() == JsonValueKind.String && value.GetValue<string>().Length > 0)
                    (fields[name], removed) = ("", true);
                else
                    removed |= Remove(value);
            }
        }

        return removed;
    }
}

using System.Numerics;
using Npgsql;
using NpgsqlTypes;

namespace Commerce.Payments.Ledger;

/// <summary>An entry as it is read back.</summary>
public sealed record PostedEntry(
    string Movement, int Line, MovementKind Kind, string OrderId, string Account, AccountKind AccountKind, string Provider, Money Amount, DateTimeOffset PostedAt,
    string Note, string Actor);

/// <summary>What was posted to an account; sums of many amounts, so wider than one.</summary>
public sealed record AccountTotal(string Account, AccountKind Kind, string Provider, string Currency, BigInteger Debit, BigInteger Credit, long Entries);

/// <summary>Reads the ledger. It is written with what it tells of: the payments, and the customers' store credit.</summary>
public sealed class LedgerStore(NpgsqlDataSource database)
{
    private const string Columns =
        """
        SELECT e.movement, e.line_number, m.kind, m.order_id, e.account, a.kind, a.provider, e.amount_minor, a.currency, e.posted_at, coalesce(n.note, ''), coalesce(n.actor, '')
        FROM ledger_entries e JOIN ledger_movements m USING (movement) JOIN ledger_accounts a USING (account) LEFT JOIN ledger_notes n USING (movement)
        """;

    /// <summary>Entries from after a position on, first posted first. One of the indexes leads: that of the order, of the account or of the store.</summary>
    public async Task<IReadOnlyList<PostedEntry>> List(
        string storeId, string orderId, string account, DateTimeOffset? from, DateTimeOffset? until,
        (DateTimeOffset At, string Movement, int Line)? after, int limit, CancellationToken cancellationToken)
    {
        var where = new List<string> { "e.store_id = $1" };
        // Movements of an order are named after it, and '0' follows '/'.
        if (orderId.Length > 0)
            where.Add("e.movement >= $2 || '/' AND e.movement < $2 || '0'");
        if (account.Length > 0)
            where.Add("e.account = $3");
        await using var command = database.CreateCommand($"""
            {Columns}
            WHERE {string.Join(" AND ", where)} AND e.posted_at >= $4 AND e.posted_at < $5
              AND (e.posted_at, e.movement, e.line_number) > ($6, $7, $8)
            ORDER BY e.posted_at, e.movement, e.line_number LIMIT $9
            """);
        command.Parameters.Add(new NpgsqlParameter<string> { TypedValue = storeId });
        command.Parameters.Add(new NpgsqlParameter<string> { TypedValue = orderId });
        command.Parameters.Add(new NpgsqlParameter<string> { TypedValue = account });
        command.Parameters.Add(At(from ?? DateTimeOffset.UnixEpoch));
        command.Parameters.Add(At(until ?? DateTimeOffset.MaxValue));
        command.Parameters.Add(At(after?.At ?? DateTimeOffset.UnixEpoch));
        command.Parameters.Add(new NpgsqlParameter<string> { TypedValue = after?.Movement ?? "" });
        command.Parameters.Add(new NpgsqlParameter<short> { TypedValue = (short)(after?.Line ?? 0) });
        command.Parameters.Add(new NpgsqlParameter<int> { TypedValue = limit });
        return await Read(command, cancellationToken);
    }

    private static async Task<IReadOnlyList<PostedEntry>> Read(NpgsqlCommand command, CancellationToken cancellationToken)
    {
        await using var reader = await command.ExecuteReaderAsync(cancellationToken);
        var entries = new List<PostedEntry>();
        while (await reader.ReadAsync(cancellationToken))
        {
            entries.Add(new PostedEntry(
                reader.GetString(0),
                reader.GetInt16(1),
                (MovementKind)reader.GetInt16(2),
                reader.GetString(3),
                reader.GetString(4),
                (AccountKind)reader.GetInt16(5),
                reader.GetString(6),
                new Money(reader.GetInt64(7), reader.GetString(8)),
                reader.GetFieldValue<DateTimeOffset>(9),
                reader.GetString(10),
                reader.GetString(11)));
        }

        return entries;
    }

    /// <summary>The entries of one movement, in their order; none if there is no such movement.</summary>
    public async Task<IReadOnlyList<PostedEntry>> Of(string movement, CancellationToken cancellationToken)
    {
        await using var command = database.CreateCommand($"{Columns} WHERE e.movement = $1 ORDER BY e.line_number");
        command.Parameters.Add(new NpgsqlParameter<string> { TypedValue = movement });
        return await Read(command, cancellationToken);
    }

    /// <summary>What was posted to each account of a store before a time, by currency and kind; the customers' store credit as one account.</summary>
    public async Task<IReadOnlyList<AccountTotal>> Totals(string storeId, DateTimeOffset? before, CancellationToken cancellationToken)
    {
        await using var command = database.CreateCommand("""
            SELECT CASE WHEN a.kind = 7 THEN a.store_id || '/' || a.currency || '/STORE_CREDIT' ELSE a.account END AS name, a.kind, CASE WHEN a.kind = 7 THEN '' ELSE a.provider END AS provider, a.currency,
              coalesce(sum(e.amount_minor) FILTER (WHERE e.amount_minor > 0), 0), coalesce(-sum(e.amount_minor) FILTER (WHERE e.amount_minor < 0), 0), count(e.account)
            FROM ledger_accounts a LEFT JOIN ledger_entries e ON e.account = a.account AND e.posted_at < $2
            WHERE a.store_id = $1
            GROUP BY 1, 2, 3, 4 ORDER BY 4, 2, 3
            """);
        command.Parameters.Add(new NpgsqlParameter<string> { TypedValue = storeId });
        command.Parameters.Add(At(before ?? DateTimeOffset.MaxValue));
        await using var reader = await command.ExecuteReaderAsync(cancellationToken);
        var totals = new List<AccountTotal>();
        while (await reader.ReadAsync(cancellationToken))
        {
            totals.Add(new AccountTotal(
                reader.GetString(0), (AccountKind)reader.GetInt16(1), reader.GetString(2), reader.GetString(3),
                reader.GetFieldValue<BigInteger>(4), reader.GetFieldValue<BigInteger>(5), reader.GetInt64(6)));
        }

        return totals;
    }

    private static NpgsqlParameter<DateTime> At(DateTimeOffset at) => new() { TypedValue = at.UtcDateTime, NpgsqlDbType = NpgsqlDbType.TimestampTz };
}

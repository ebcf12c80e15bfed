using Commerce.ServiceDefaults;
using Npgsql;

namespace Commerce.Payments.CheckingBooks;

/// <summary>
/// Looks at the books in slices, each one statement and so one moment: the payments against their parts and their ledger entries,
/// every movement against zero, and the customers' credit against its accounts. The schema keeps all of this right; the check
/// finds what went round the schema (a restore of one table, a hand in the database), before an auditor does.
/// </summary>
public sealed class BookCheck(NpgsqlDataSource database, OrderCheck orders)
{
    // Each answers the last key of its slice first, null when there is none, and then what differs.
    private static readonly string[] Slices =
    [
        """
        WITH slice AS (
          SELECT order_id, order_id COLLATE "C" AS key, captured_minor, refunded_minor FROM payments WHERE order_id > $1 ORDER BY order_id LIMIT $2
        ), sums AS (
          SELECT s.*, p.captured, p.refunded, l.sales, l.refunds FROM slice s
          CROSS JOIN LATERAL (SELECT coalesce(sum(captured_minor), 0) AS captured, coalesce(sum(refunded_minor), 0) AS refunded FROM payment_parts WHERE order_id = s.order_id) p
          CROSS JOIN LATERAL (
            SELECT coalesce(-sum(e.amount_minor) FILTER (WHERE a.kind = 2), 0) AS sales, coalesce(sum(e.amount_minor) FILTER (WHERE a.kind = 3), 0) AS refunds
            FROM ledger_entries e JOIN ledger_accounts a USING (account) JOIN ledger_movements m USING (movement) WHERE m.kind IN (2, 4) AND e.movement >= s.key || '/' AND e.movement < s.key || '0') l
        )
        SELECT (SELECT max(order_id) FROM slice), key, format('captured %s, of its parts %s, sold by the ledger %s; given back %s, of its parts %s, by the ledger %s',
          captured_minor, captured, sales, refunded_minor, refunded, refunds)
        FROM (SELECT 1) one LEFT JOIN sums ON captured_minor <> captured OR captured_minor <> sales OR refunded_minor <> refunded OR refunded_minor <> refunds
        """,
        """
        WITH slice AS (SELECT movement FROM ledger_movements WHERE movement > $1 ORDER BY movement LIMIT $2),
        sums AS (
          SELECT s.movement AS key, a.currency, sum(e.amount_minor) AS sum, count(e.movement) AS entries
          FROM slice s LEFT JOIN ledger_entries e USING (movement) LEFT JOIN ledger_accounts a USING (account) WHERE s.movement NOT LIKE 'settlement/%' OR e.movement IS NOT NULL
          GROUP BY s.movement, a.currency
        )
        SELECT (SELECT max(movement) FROM slice), key, format('its %s entries in %s sum to %s', entries, currency, sum)
        FROM (SELECT 1) one LEFT JOIN sums ON sum IS DISTINCT FROM 0
        """,
        """
        WITH slice AS (
          SELECT account, store_id, currency, provider AS customer_id FROM ledger_accounts WHERE kind = 7 AND account > $1 ORDER BY account LIMIT $2
        ), sums AS (
          SELECT s.account AS key, coalesce(c.balance_minor, 0) AS balance, (SELECT coalesce(-sum(amount_minor), 0) FROM ledger_entries e WHERE e.account = s.account) AS posted,
            coalesce(c.held_minor, 0) AS held, (
              SELECT coalesce(sum(h.amount_minor - h.captured_minor), 0) FROM store_credit_holds h
              WHERE h.store_id = s.store_id AND h.customer_id = s.customer_id AND h.currency = s.currency AND NOT h.declined AND NOT h.voided) AS holds
          FROM slice s LEFT JOIN store_credits c ON c.store_id = s.store_id AND c.customer_id = s.customer_id AND c.currency = s.currency
        )
        SELECT (SELECT max(account) FROM slice), key, format('balance %s, by the ledger %s; held %s, by its holds %s', balance, posted, held, holds)
        FROM (SELECT 1) one LEFT JOIN sums ON balance <> posted OR held <> holds
        """,
    ];

    /// <summary>How many kinds of slices there are.</summary>
    public static int Kinds => Slices.Length + 1;

    /// <summary>Looks at the next slice of a kind after a key: the last key of it, null if there was nothing more, and what differs.</summary>
    public async Task<(string? Last, IReadOnlyList<Difference> Differences)> Slice(int kind, string after, int size, CancellationToken cancellationToken)
    {
        // Last, so that where Orders does not answer the books themselves were looked at.
        if (kind == Slices.Length)
            return await orders.Slice(after, size, cancellationToken);
        await using var command = database.CreateCommand(Slices[kind]);
        command.Parameters.Add(new NpgsqlParameter<string> { TypedValue = after });
        command.Parameters.Add(new NpgsqlParameter<int> { TypedValue = size });
        await using var reader = await command.ExecuteReaderAsync(cancellationToken);
        string? last = null;
        var differences = new List<Difference>();
        while (await reader.ReadAsync(cancellationToken))
        {
            last = reader.IsDBNull(0) ? null : reader.GetString(0);
            if (!reader.IsDBNull(1))
                differences.Add(new Difference(reader.GetString(1), reader.GetString(2)));
        }

        return (last, differences);
    }
}

using System.Numerics;
using Npgsql;
using NpgsqlTypes;

namespace Commerce.Payments.Settling;

/// <summary>How our books and the provider's differ about a part of a payment. The numbers are those of the proto's enum.</summary>
public enum DifferenceKind
{
    /// <summary>The provider moved it, and we know nothing of it.</summary>
    MissingHere = 1,

    /// <summary>We have it, and the provider's lines do not, though later ones are there.</summary>
    MissingThere = 2,

    /// <summary>Both have it, and not the same amount.</summary>
    AmountDiffers = 3,

    /// <summary>The provider's lines have the same amount more than once.</summary>
    Doubled = 4,

    /// <summary>We have it, and the provider's lines do not reach that far yet.</summary>
    InTransit = 5,
}

/// <summary>A part of a payment about which the books differ; amounts in minor units.</summary>
public sealed record Difference(DifferenceKind Kind, SettlementType Type, string Part, string Currency, long Ours, long Theirs);

/// <summary>Both books of a store and a currency over the compared parts, and what the provider's lines came to in the period.</summary>
public sealed record ReconciledCurrency(
    string Currency, BigInteger CapturedHere, BigInteger CapturedThere, BigInteger RefundedHere, BigInteger RefundedThere,
    BigInteger Fees, BigInteger Taxes, BigInteger Chargebacks, BigInteger Payouts, BigInteger Clearing, long Matched, long Differences);

/// <summary>Compares what the ledger says went through a provider with what the provider says.</summary>
public sealed class Reconcile(NpgsqlDataSource database)
{
    // Every part that either book touched in the period, with all that both ever said of it: what was taken on one side of the
    // period's edge and told on the other is no difference. Movements of a part are one range of names.
    private const string Compared =
        """
        WITH touched AS (
          SELECT DISTINCT split_part(e.movement, '/', 1) || '/' || split_part(e.movement, '/', 2) AS part, a.currency
          FROM ledger_accounts a JOIN ledger_entries e USING (account) JOIN ledger_movements m USING (movement)
          WHERE a.store_id = $1 AND a.kind = 1 AND a.provider = $2 AND m.kind IN (2, 4) AND e.posted_at >= $3 AND e.posted_at < $4
          UNION
          SELECT part, currency FROM settlement_lines WHERE store_id = $1 AND provider = $2 AND type IN (1, 2) AND occurred_at >= $3 AND occurred_at < $4
        ), ours AS (
          SELECT t.part, t.currency, m.kind, abs(sum(e.amount_minor)) AS minor, max(e.posted_at) AS last
          FROM touched t JOIN ledger_entries e ON e.movement >= t.part || '/' AND e.movement < t.part || '0'
          JOIN ledger_accounts a ON a.account = e.account AND a.kind = 1 AND a.provider = $2 AND a.currency = t.currency
          JOIN ledger_movements m ON m.movement = e.movement AND m.kind IN (2, 4)
          GROUP BY t.part, t.currency, m.kind
        ), theirs AS (
          SELECT t.part, t.currency, l.type, sum(l.amount_minor) AS minor, count(*) AS lines, count(DISTINCT l.amount_minor) AS amounts
          FROM touched t JOIN settlement_lines l ON l.part = t.part AND l.currency = t.currency AND l.provider = $2 AND l.store_id = $1 AND l.type IN (1, 2)
          GROUP BY t.part, t.currency, l.type
        ), edge AS (
          SELECT max(occurred_at) AS last FROM settlement_lines WHERE store_id = $1 AND provider = $2
        ), compared AS (
          SELECT part, currency, type, coalesce(o.minor, 0) AS ours, coalesce(h.minor, 0) AS theirs, CASE
            WHEN coalesce(o.minor, 0) = coalesce(h.minor, 0) THEN 0
            WHEN o.minor IS NULL THEN 1
            WHEN coalesce(h.minor, 0) < o.minor AND (edge.last IS NULL OR o.last > edge.last) THEN 5
            WHEN h.minor IS NULL THEN 2
            WHEN h.lines > 1 AND h.amounts = 1 AND h.minor = o.minor * h.lines THEN 4
            ELSE 3 END AS kind
          FROM (SELECT part, currency, CASE kind WHEN 2 THEN 1 ELSE 2 END AS type, minor, last FROM ours) o
          FULL JOIN (SELECT part, currency, type::integer AS type, minor, lines, amounts FROM theirs) h USING (part, currency, type)
          CROSS JOIN edge
        )
        """;

    /// <summary>The differences, those first that somebody has to look at; at most as many as asked for.</summary>
    public async Task<IReadOnlyList<Difference>> Differences(string store, string provider, DateTimeOffset from, DateTimeOffset until, int limit, CancellationToken cancellationToken)
    {
        await using var command = database.CreateCommand(
            Compared + " SELECT kind, type, part, currency, ours::numeric, theirs::numeric FROM compared WHERE kind > 0 ORDER BY kind, part, type LIMIT $5");
        AddPeriod(command, store, provider, from, until);
        command.Parameters.Add(new NpgsqlParameter<int> { TypedValue = limit });
        await using var reader = await command.ExecuteReaderAsync(cancellationToken);
        var differences = new List<Difference>();
        while (await reader.ReadAsync(cancellationToken))
        {
            differences.Add(new Difference(
                (DifferenceKind)reader.GetInt32(0), (SettlementType)reader.GetInt32(1), reader.GetString(2), reader.GetString(3),
                (long)reader.GetFieldValue<BigInteger>(4), (long)reader.GetFieldValue<BigInteger>(5)));
        }

        return differences;
    }

    /// <summary>The sums of the compared parts, and of the provider's costs and payouts in the period, by currency.</summary>
    public async Task<IReadOnlyList<ReconciledCurrency>> Sums(string store, string provider, DateTimeOffset from, DateTimeOffset until, CancellationToken cancellationToken)
    {
        await using var command = database.CreateCommand(Compared + """
            , sums AS (
              SELECT currency, coalesce(sum(ours) FILTER (WHERE type = 1), 0) AS captured_here, coalesce(sum(theirs) FILTER (WHERE type = 1), 0) AS captured_there,
                coalesce(sum(ours) FILTER (WHERE type = 2), 0) AS refunded_here, coalesce(sum(theirs) FILTER (WHERE type = 2), 0) AS refunded_there,
                count(*) FILTER (WHERE kind = 0) AS matched, count(*) FILTER (WHERE kind > 0) AS differing
              FROM compared GROUP BY currency
            ), costs AS (
              SELECT currency, sum(fee_minor) + coalesce(sum(amount_minor) FILTER (WHERE type = 3), 0) AS fees, sum(tax_minor) AS taxes,
                coalesce(sum(amount_minor) FILTER (WHERE type = 4), 0) - coalesce(sum(amount_minor) FILTER (WHERE type = 5), 0) AS chargebacks,
                coalesce(sum(amount_minor) FILTER (WHERE type = 6), 0) AS payouts
              FROM settlement_lines WHERE store_id = $1 AND provider = $2 AND occurred_at >= $3 AND occurred_at < $4 GROUP BY currency
            )
            SELECT currency, coalesce(captured_here, 0), coalesce(captured_there, 0), coalesce(refunded_here, 0), coalesce(refunded_there, 0),
              coalesce(fees, 0), coalesce(taxes, 0), coalesce(chargebacks, 0), coalesce(payouts, 0),
              coalesce((SELECT sum(e.amount_minor) FROM ledger_accounts a JOIN ledger_entries e USING (account)
                WHERE a.store_id = $1 AND a.kind = 1 AND a.provider = $2 AND a.currency = c.currency), 0), coalesce(matched, 0), coalesce(differing, 0)
            FROM (SELECT * FROM sums FULL JOIN costs USING (currency)) c ORDER BY currency
            """);
        AddPeriod(command, store, provider, from, until);
        await using var reader = await command.ExecuteReaderAsync(cancellationToken);
        var sums = new List<ReconciledCurrency>();
        while (await reader.ReadAsync(cancellationToken))
        {
            BigInteger Of(int column) => reader.GetFieldValue<BigInteger>(column);
            sums.Add(new ReconciledCurrency(reader.GetString(0), Of(1), Of(2), Of(3), Of(4), Of(5), Of(6), Of(7), Of(8), Of(9), reader.GetInt64(10), reader.GetInt64(11)));
        }

        return sums;
    }

    private static void AddPeriod(NpgsqlCommand command, string store, string provider, DateTimeOffset from, DateTimeOffset until)
    {
        command.Parameters.Add(new NpgsqlParameter<string> { TypedValue = store });
        command.Parameters.Add(new NpgsqlParameter<string> { TypedValue = provider });
        command.Parameters.Add(new NpgsqlParameter<DateTime> { TypedValue = from.UtcDateTime, NpgsqlDbType = NpgsqlDbType.TimestampTz });
        command.Parameters.Add(new NpgsqlParameter<DateTime> { TypedValue = until.UtcDateTime, NpgsqlDbType = NpgsqlDbType.TimestampTz });
    }
}

using Commerce.Payments.Ledger;
using Npgsql;
using NpgsqlTypes;

namespace Commerce.Payments.StoreCredits;

/// <summary>
/// The customers' credit: balances, what orders hold of them, and how they came about. Every change is one statement, which
/// posts to the ledger as well: the balance and its account cannot disagree. A change has a name of its own, the ledger's
/// movement: whoever asks for it again violates the movement's key, changes nothing, and finds it done.
/// </summary>
public sealed class StoreCreditBook(NpgsqlDataSource database, TimeProvider time)
{
    /// <summary>The provider that parts paid with store credit name, and the clearing account that its movements go through.</summary>
    public const string Provider = "store_credit";

    /// <summary>The most that a customer may have in one currency, in minor units: far below 64 bits, as an order's total is.</summary>
    public const long Most = 1_000_000_000_000_000;

    private const string EntryColumns = "entry_number, kind, amount_minor, balance_minor, currency, order_id, note, actor, movement, created_at";

    // After a CTE "credit" that has the changed row: the entry, and its two sides in the ledger. The shop owes its customer, so
    // what the customer gains is a credit of their account; the other side is what it came from.
    private const string Post =
        """
        , sides AS (
          SELECT line, account, kind, provider, minor FROM credit c, LATERAL (VALUES
            (1, c.store_id || '/' || c.currency || '/STORE_CREDIT/' || c.customer_id, 7::smallint, c.customer_id, -$4),
            (2, c.store_id || '/' || c.currency || $5, $6, $7, $4)) AS side (line, account, kind, provider, minor)
        ), accounts AS (
          INSERT INTO ledger_accounts (account, store_id, currency, kind, provider)
          SELECT s.account, c.store_id, c.currency, s.kind, s.provider FROM credit c, sides s ON CONFLICT DO NOTHING
        ), moved AS (
          INSERT INTO ledger_movements (movement, store_id, order_id, kind, posted_at) SELECT $1, store_id, $2, $8, $3 FROM credit
        ), posted AS (
          INSERT INTO ledger_entries (movement, line_number, account, amount_minor, store_id, posted_at)
          SELECT $1, s.line, s.account, s.minor, c.store_id, $3 FROM credit c, sides s
        )
        INSERT INTO store_credit_entries (store_id, customer_id, currency, entry_number, kind, amount_minor, balance_minor, order_id, note, actor, movement, created_at)
        SELECT store_id, customer_id, currency, last_entry, $9, $4, balance_minor, $2, $10, $11, $1, $3 FROM credit
        RETURNING entry_number, kind, amount_minor, balance_minor, currency, order_id, note, actor, movement, created_at
        """;

    /// <summary>What a customer has, by currency.</summary>
    public async Task<IReadOnlyList<CreditBalance>> Balances(string storeId, string customerId, CancellationToken cancellationToken)
    {
        await using var command = database.CreateCommand(
            "SELECT currency, balance_minor, held_minor, updated_at FROM store_credits WHERE store_id = $1 AND customer_id = $2 ORDER BY currency COLLATE \"C\"");
        Add(command.Parameters, Text(storeId), Text(customerId));
        await using var reader = await command.ExecuteReaderAsync(cancellationToken);
        var balances = new List<CreditBalance>();
        while (await reader.ReadAsync(cancellationToken))
            balances.Add(new CreditBalance(reader.GetString(0), reader.GetInt64(1), reader.GetInt64(2), reader.GetFieldValue<DateTimeOffset>(3)));
        return balances;
    }

    /// <summary>A customer's entries from after a position on, newest first.</summary>
    public async Task<IReadOnlyList<CreditEntry>> Entries(
        string storeId, string customerId, (DateTimeOffset At, string Currency, int Number)? after, int limit, CancellationToken cancellationToken)
    {
        await using var command = database.CreateCommand($"""
            SELECT {EntryColumns} FROM store_credit_entries
            WHERE store_id = $1 AND customer_id = $2 AND created_at <= $3 AND (created_at < $3 OR currency > $4 OR currency = $4 AND entry_number < $5)
            ORDER BY created_at DESC, currency, entry_number DESC LIMIT $6
            """);
        Add(
            command.Parameters,
            Text(storeId),
            Text(customerId),
            new NpgsqlParameter<DateTime> { TypedValue = after?.At.UtcDateTime ?? DateTime.MaxValue, NpgsqlDbType = NpgsqlDbType.TimestampTz },
            Text(after?.Currency ?? ""),
            new NpgsqlParameter<int> { TypedValue = after?.Number ?? 0 },
            new NpgsqlParameter<int> { TypedValue = limit });
        return await Read(command, cancellationToken);
    }

    /// <summary>The entry of a movement, or null.</summary>
    public async Task<CreditEntry?> Find(string movement, CancellationToken cancellationToken)
    {
        await using var command = database.CreateCommand($"SELECT {EntryColumns} FROM store_credit_entries WHERE movement = $1");
        command.Parameters.Add(Text(movement));
        return (await Read(command, cancellationToken)).SingleOrDefault();
    }

    /// <summary>
    /// Gives a customer credit (more than zero), or takes it (less), in the caller's transaction. Null, and nothing changed: there
    /// would be less than is held, or more than <see cref="Most"/>.
    /// </summary>
    public async Task<CreditEntry?> Grant(
        NpgsqlConnection connection, NpgsqlTransaction transaction, string movement, CreditOwner owner, long minor, string note, string actor, CancellationToken cancellationToken)
    {
        await using var command = new NpgsqlCommand(Gain(minor) + Post, connection, transaction);
        AddPost(command.Parameters, movement, "", minor, AccountKind.Goodwill, "", MovementKind.CreditGranted, CreditEntryKind.Granted, note, actor);
        Add(command.Parameters, Text(owner.StoreId), Text(owner.CustomerId), Text(owner.Currency), new NpgsqlParameter<long> { TypedValue = Most });
        return (await Read(command, cancellationToken)).SingleOrDefault();
    }

    /// <summary>Gives a customer back what was paid by other means. False, and nothing changed: there would be more than <see cref="Most"/>.</summary>
    public async Task<bool> Refund(string movement, CreditOwner owner, long minor, string orderId, CancellationToken cancellationToken)
    {
        await using var command = database.CreateCommand(Gain(minor) + Post);
        AddPost(command.Parameters, movement, orderId, minor, AccountKind.ProviderClearing, Provider, MovementKind.CreditRefunded, CreditEntryKind.Refunded, "", "service/payments");
        Add(command.Parameters, Text(owner.StoreId), Text(owner.CustomerId), Text(owner.Currency), new NpgsqlParameter<long> { TypedValue = Most });
        return await Done(command, movement, cancellationToken);
    }

    /// <summary>Holds an amount for an order, or declines to because there is not as much; the same key is the same hold.</summary>
    public async Task<CreditHold> Hold(string holdId, string key, CreditOwner owner, long minor, CancellationToken cancellationToken)
    {
        // Whoever waited for the row sees what the one before left. A repetition fails on the key, and its update with it.
        await using var command = database.CreateCommand("""
            WITH taken AS (
              UPDATE store_credits SET held_minor = held_minor + $6, updated_at = $7
              WHERE store_id = $3 AND customer_id = $4 AND currency = $5 AND balance_minor - held_minor >= $6 RETURNING 1
            )
            INSERT INTO store_credit_holds (hold_id, request_key, store_id, customer_id, currency, amount_minor, declined, created_at)
            SELECT $1, $2, $3, $4, $5, $6, NOT EXISTS (SELECT FROM taken), $7
            """);
        Add(
            command.Parameters, Text(holdId), Text(key), Text(owner.StoreId), Text(owner.CustomerId), Text(owner.Currency), new NpgsqlParameter<long> { TypedValue = minor }, Now());
        try
        {
            await command.ExecuteNonQueryAsync(cancellationToken);
        }
        catch (PostgresException exception) when (exception.SqlState == PostgresErrorCodes.UniqueViolation)
        {
            // Held already, by an attempt whose answer was lost.
        }

        return await FindHold(holdId, cancellationToken) ?? throw new InvalidOperationException($"Hold {holdId} was just stored.");
    }

    /// <summary>The hold of this id, or null.</summary>
    public Task<CreditHold?> FindHold(string holdId, CancellationToken cancellationToken) => FindHold("hold_id", holdId, cancellationToken);

    /// <summary>The hold that was made under this key, or null.</summary>
    public Task<CreditHold?> FindHoldByKey(string key, CancellationToken cancellationToken) => FindHold("request_key", key, cancellationToken);

    /// <summary>Spends some of what is held. False, and nothing changed: it is not held, or not as much.</summary>
    public Task<bool> Spend(string movement, string holdId, long minor, string orderId, CancellationToken cancellationToken) => Change(
        """
        WITH hold AS (
          UPDATE store_credit_holds SET captured_minor = captured_minor + $13
          WHERE hold_id = $12 AND NOT declined AND NOT voided AND captured_minor + $13 <= amount_minor RETURNING store_id, customer_id, currency
        ), credit AS (
          UPDATE store_credits c SET balance_minor = balance_minor - $13, held_minor = held_minor - $13, last_entry = last_entry + 1, updated_at = $3
          FROM hold h WHERE c.store_id = h.store_id AND c.customer_id = h.customer_id AND c.currency = h.currency RETURNING c.*
        )
        """,
        movement, holdId, -minor, minor, orderId, MovementKind.CreditSpent, CreditEntryKind.Spent, cancellationToken);

    /// <summary>Gives back some of what was spent. False, and nothing changed: not as much was spent.</summary>
    public Task<bool> GiveBack(string movement, string holdId, long minor, string orderId, CancellationToken cancellationToken) => Change(
        """
        WITH hold AS (
          UPDATE store_credit_holds SET refunded_minor = refunded_minor + $13
          WHERE hold_id = $12 AND refunded_minor + $13 <= captured_minor RETURNING store_id, customer_id, currency
        ), credit AS (
          UPDATE store_credits c SET balance_minor = balance_minor + $13, last_entry = last_entry + 1, updated_at = $3
          FROM hold h WHERE c.store_id = h.store_id AND c.customer_id = h.customer_id AND c.currency = h.currency RETURNING c.*
        )
        """,
        movement, holdId, minor, minor, orderId, MovementKind.CreditRefunded, CreditEntryKind.Refunded, cancellationToken);

    /// <summary>Lets go of what is held and not spent; nothing where that was done, or nothing was ever held.</summary>
    public async Task Release(string holdId, CancellationToken cancellationToken)
    {
        await using var command = database.CreateCommand("""
            WITH hold AS (
              UPDATE store_credit_holds SET voided = true
              WHERE hold_id = $1 AND NOT declined AND NOT voided AND captured_minor < amount_minor RETURNING store_id, customer_id, currency, amount_minor - captured_minor AS held
            )
            UPDATE store_credits c SET held_minor = held_minor - h.held, updated_at = $2
            FROM hold h WHERE c.store_id = h.store_id AND c.customer_id = h.customer_id AND c.currency = h.currency
            """);
        Add(command.Parameters, Text(holdId), Now());
        await command.ExecuteNonQueryAsync(cancellationToken);
    }

    private static bool IsRepeated(PostgresException exception) =>
        exception is { SqlState: PostgresErrorCodes.UniqueViolation, ConstraintName: "ledger_movements_pkey" or "store_credit_entries_movement_key" };

    private static string Gain(long minor) => minor > 0
        ? """
          WITH credit AS (
            INSERT INTO store_credits AS c (store_id, customer_id, currency, balance_minor, held_minor, last_entry, updated_at)
            SELECT $12, $13, $14, $4, 0, 1, $3 WHERE $4 <= $15
            ON CONFLICT (store_id, customer_id, currency) DO UPDATE
            SET balance_minor = c.balance_minor + $4, last_entry = c.last_entry + 1, updated_at = $3 WHERE c.balance_minor <= $15 - $4
            RETURNING c.*
          )
          """
        : """
          WITH credit AS (
            UPDATE store_credits SET balance_minor = balance_minor + $4, last_entry = last_entry + 1, updated_at = $3
            WHERE store_id = $12 AND customer_id = $13 AND currency = $14 AND balance_minor - held_minor >= -$4 AND -$4 <= $15 RETURNING *
          )
          """;

    private async Task<bool> Change(
        string change, string movement, string holdId, long gain, long minor, string orderId, MovementKind kind, CreditEntryKind entry, CancellationToken cancellationToken)
    {
        await using var command = database.CreateCommand(change + Post);
        AddPost(command.Parameters, movement, orderId, gain, AccountKind.ProviderClearing, Provider, kind, entry, "", "service/payments");
        Add(command.Parameters, Text(holdId), new NpgsqlParameter<long> { TypedValue = minor });
        return await Done(command, movement, cancellationToken);
    }

    // One that was done before finds nothing left to change, or violates the movement's key.
    private async Task<bool> Done(NpgsqlCommand command, string movement, CancellationToken cancellationToken)
    {
        try
        {
            return (await Read(command, cancellationToken)).Count == 1 || await Find(movement, cancellationToken) is not null;
        }
        catch (PostgresException exception) when (IsRepeated(exception))
        {
            return true;
        }
    }

    private void AddPost(
        NpgsqlParameterCollection parameters, string movement, string orderId, long gain, AccountKind other, string provider, MovementKind kind, CreditEntryKind entry, string note, string actor) => Add(
        parameters,
        Text(movement),
        Text(orderId),
        Now(),
        new NpgsqlParameter<long> { TypedValue = gain },
        // What follows "store/currency" in the other account's name.
        Text(AccountName.Of("", "", other, provider)[1..]),
        new NpgsqlParameter<short> { TypedValue = (short)other },
        Text(provider),
        new NpgsqlParameter<short> { TypedValue = (short)kind },
        new NpgsqlParameter<short> { TypedValue = (short)entry },
        Text(note),
        Text(actor));

    private async Task<CreditHold?> FindHold(string by, string value, CancellationToken cancellationToken)
    {
        await using var command = database.CreateCommand(
            $"SELECT hold_id, amount_minor, currency, captured_minor, refunded_minor, declined, voided FROM store_credit_holds WHERE {by} = $1");
        command.Parameters.Add(Text(value));
        await using var reader = await command.ExecuteReaderAsync(cancellationToken);
        return await reader.ReadAsync(cancellationToken)
            ? new CreditHold(reader.GetString(0), new Money(reader.GetInt64(1), reader.GetString(2)), reader.GetInt64(3), reader.GetInt64(4), reader.GetBoolean(5), reader.GetBoolean(6))
            : null;
    }

    private static async Task<List<CreditEntry>> Read(NpgsqlCommand command, CancellationToken cancellationToken)
    {
        await using var reader = await command.ExecuteReaderAsync(cancellationToken);
        var entries = new List<CreditEntry>();
        while (await reader.ReadAsync(cancellationToken))
        {
            var currency = reader.GetString(4);
            entries.Add(new CreditEntry(
                reader.GetInt32(0), (CreditEntryKind)reader.GetInt16(1), new Money(reader.GetInt64(2), currency), new Money(reader.GetInt64(3), currency),
                reader.GetString(5), reader.GetString(6), reader.GetString(7), reader.GetString(8), reader.GetFieldValue<DateTimeOffset>(9)));
        }

        return entries;
    }

    private static void Add(NpgsqlParameterCollection to, params NpgsqlParameter[] parameters) => to.AddRange(parameters);

    private static NpgsqlParameter<string> Text(string value) => new() { TypedValue = value };

    private NpgsqlParameter<DateTimeOffset> Now() => new() { TypedValue = time.GetUtcNow() };
}

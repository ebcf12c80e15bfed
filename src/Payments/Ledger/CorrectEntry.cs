using Commerce.Messaging;
using Commerce.Payments.V1;
using Commerce.ServiceDefaults;
using Commerce.Types.V1;
using Npgsql;

namespace Commerce.Payments.Ledger;

/// <summary>
/// Corrects the ledger by further entries: a movement that was wrong is posted once more the other way round, and with it what it
/// should have been. What came from outside can be, and a correction itself: what payments, documents and store credit posted
/// follows from them, and is put right there.
/// </summary>
public sealed class CorrectEntry(LedgerStore ledger, NpgsqlDataSource database, Requests requests, TimeProvider time)
{
    private const int LongestMovement = 200;
    private const int MostEntries = 20;

    // Behind any that are posted the other way round.
    private const int FirstCorrected = 100;

    // What no payment, document or customer's credit answers for: everything else has to agree with those.
    private static readonly AccountKind[] Free =
        [AccountKind.ProviderClearing, AccountKind.ProviderFees, AccountKind.Chargebacks, AccountKind.Bank, AccountKind.Taxes, AccountKind.Goodwill];

    /// <exception cref="Failure">INVALID_FIELD, PERMISSION_DENIED, MOVEMENT_NOT_FOUND, MOVEMENT_NOT_CORRECTABLE, REQUEST_ID_REUSED.</exception>
    public async Task<IReadOnlyList<PostedEntry>> Correct(CorrectEntryRequest request, RequestKey key, CancellationToken cancellationToken)
    {
        Check(request);
        if (await requests.Find(key, cancellationToken) is { } earlier)
            return await ledger.Of(earlier.Resource, cancellationToken);
        var wrong = await ledger.Of(request.Movement, cancellationToken);
        if (wrong.Count == 0)
            throw new Failure(ErrorReason.MovementNotFound, $"There is no movement {request.Movement}.");
        if (Elsewhere(wrong[0]) is { } where)
            throw Refused(request.Movement, where);
        var corrected = await Corrected(request, wrong[0], cancellationToken);

        var movement = $"correction/{request.Movement}";
        await using var batch = database.CreateBatch();
        batch.BatchCommands.Add(requests.Record(key, movement, 1));
        Add(
            batch,
            "INSERT INTO ledger_movements (movement, store_id, order_id, kind, posted_at) SELECT $1, store_id, order_id, $3, $4 FROM ledger_movements WHERE movement = $2",
            movement, request.Movement, new NpgsqlParameter<short> { TypedValue = (short)MovementKind.Correction }, new NpgsqlParameter<DateTimeOffset> { TypedValue = time.GetUtcNow() });
        Add(
            batch,
            """
            INSERT INTO ledger_entries (movement, line_number, account, amount_minor, store_id, posted_at)
            SELECT $1, line_number, account, -amount_minor, store_id, $3 FROM ledger_entries WHERE movement = $2
            """,
            movement, request.Movement, new NpgsqlParameter<DateTimeOffset> { TypedValue = time.GetUtcNow() });
        if (corrected.Count > 0)
        {
            Add(
                batch,
                """
                INSERT INTO ledger_entries (movement, line_number, account, amount_minor, store_id, posted_at)
                SELECT $1, $3 + e.position, e.account, e.amount_minor, m.store_id, $4
                FROM ledger_movements m CROSS JOIN unnest($5, $6) WITH ORDINALITY AS e (account, amount_minor, position) WHERE m.movement = $2
                """,
                movement, request.Movement, new NpgsqlParameter<int> { TypedValue = FirstCorrected }, new NpgsqlParameter<DateTimeOffset> { TypedValue = time.GetUtcNow() },
                new NpgsqlParameter<string[]> { TypedValue = [.. corrected.Select(e => e.Account)] }, new NpgsqlParameter<long[]> { TypedValue = [.. corrected.Select(e => e.Minor)] });
        }

        Add(batch, "INSERT INTO ledger_notes (movement, note, actor) VALUES ($1, $2, $3)", movement, request.Note, new NpgsqlParameter<string> { TypedValue = key.Caller });
        try
        {
            await batch.ExecuteNonQueryAsync(cancellationToken);
        }
        catch (PostgresException exception) when (exception.SqlState == PostgresErrorCodes.UniqueViolation)
        {
            if (await requests.Find(key, cancellationToken) is null)
                throw Refused(request.Movement, "It was corrected before.");
        }

        return await ledger.Of(movement, cancellationToken);
    }

    // Where it is to be put right; null: here.
    private static string? Elsewhere(PostedEntry wrong) => wrong.Kind switch
    {
        MovementKind.Fee or MovementKind.Chargeback or MovementKind.Payout or MovementKind.Correction => null,
        MovementKind.Hold or MovementKind.Release => $"It follows from the payment of order {wrong.OrderId}: capture or void that (CapturePayment, VoidPayment).",
        MovementKind.Capture => $"It follows from the payment of order {wrong.OrderId}: what was taken too much is given back there (RefundPayment).",
        MovementKind.Refund or MovementKind.CreditRefunded => $"It follows from a refund of order {wrong.OrderId}, and that money is gone: what was given back too much has to be asked of the customer.",
        MovementKind.CreditGranted => "It follows from a grant of store credit: grant the difference, or take it back (GrantStoreCredit).",
        MovementKind.CreditSpent => $"It follows from the payment of order {wrong.OrderId} with store credit: give it back there (RefundPayment).",
        MovementKind.Tax => $"It follows from a document of order {wrong.OrderId}, which is as it was issued: a refund issues the credit note that takes tax back (RefundPayment).",
        _ => $"It is {wrong.Kind}, which follows from something else.",
    };

    private async Task<IReadOnlyList<(string Account, long Minor)>> Corrected(CorrectEntryRequest request, PostedEntry wrong, CancellationToken cancellationToken)
    {
        if (request.Entries.Count == 0)
            return [];
        var known = new Dictionary<string, (string Store, string Currency, AccountKind Kind)>(StringComparer.Ordinal);
        await using (var command = database.CreateCommand("SELECT account, store_id, currency, kind FROM ledger_accounts WHERE account = ANY ($1)"))
        {
            command.Parameters.Add(new NpgsqlParameter<string[]> { TypedValue = [.. request.Entries.Select(e => e.Account), wrong.Account] });
            await using var reader = await command.ExecuteReaderAsync(cancellationToken);
            while (await reader.ReadAsync(cancellationToken))
                known[reader.GetString(0)] = (reader.GetString(1), reader.GetString(2), (AccountKind)reader.GetInt16(3));
        }

        var (errors, entries, store) = (new List<FieldError>(), new List<(string, long)>(), known[wrong.Account].Store);
        Int128 sum = 0;
        for (var i = 0; i < request.Entries.Count; i++)
        {
            var (entry, field) = (request.Entries[i], $"entries[{i}]");
            if (!known.TryGetValue(entry.Account, out var account) || account.Store != store)
                errors.Add(new FieldError(field + ".account", $"Store \"{store}\" has no such account; GetTrialBalance lists them."));
            else if (!Free.Contains(account.Kind))
                errors.Add(new FieldError(field + ".account", "Payments, documents or store credit answer for it: it is put right there."));
            else if (account.Currency != wrong.Amount.Currency)
                errors.Add(new FieldError(field + ".account", $"Is in {account.Currency}, and the movement in {wrong.Amount.Currency}."));
            if (!entry.Amount.TryToMoney(out var amount, out var error))
                errors.Add(new FieldError(field + ".amount", error));
            else if (amount.Minor == 0 || amount.Currency != wrong.Amount.Currency)
                errors.Add(new FieldError(field + ".amount", $"Give an amount in {wrong.Amount.Currency} other than zero."));
            sum += amount.Minor;
            entries.Add((entry.Account, amount.Minor));
        }

        if (errors.Count == 0 && sum != 0)
            errors.Add(new FieldError("entries", "Do not sum to zero."));
        return errors.Count > 0 ? throw Failure.Invalid(errors) : entries;
    }

    private static void Check(CorrectEntryRequest request)
    {
        var errors = new List<FieldError>();
        errors.RequestId(request.RequestId, "correction");
        if (request.Movement.Length is 0 or > LongestMovement)
            errors.Add(new FieldError("movement", "Name a movement as entries do, for example \"settlement/sandbox/fee_17\"."));
        errors.Reason(request.Note);
        if (request.Entries.Count is 1 or > MostEntries)
            errors.Add(new FieldError("entries", $"Give 2 to {MostEntries}, or none."));
        if (errors.Count > 0)
            throw Failure.Invalid(errors);
    }

    private static Failure Refused(string movement, string why) => new(ErrorReason.MovementNotCorrectable, $"Movement {movement} cannot be corrected. {why}")
    {
        Preconditions = [("MOVEMENT", movement, why)],
    };

    private static void Add(NpgsqlBatch batch, string sql, string first, string second, params NpgsqlParameter[] more)
    {
        var command = new NpgsqlBatchCommand(sql) { Parameters = { new NpgsqlParameter<string> { TypedValue = first }, new NpgsqlParameter<string> { TypedValue = second } } };
        command.Parameters.AddRange(more);
        batch.BatchCommands.Add(command);
    }
}

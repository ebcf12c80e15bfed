using Commerce.Messaging;
using Commerce.Payments.V1;
using Commerce.ServiceDefaults;
using Commerce.Types.V1;
using Npgsql;

namespace Commerce.Payments.Ledger;

/// <summary>
/// Corrects the ledger by further entries: a movement that was wrong is posted once more the other way round. Only what came from
/// outside can be: what payments and store credit posted follows from them, and is put right there (a refund, a grant).
/// </summary>
public sealed class CorrectEntry(LedgerStore ledger, NpgsqlDataSource database, Requests requests, TimeProvider time)
{
    private const int LongestMovement = 200;

    /// <exception cref="Failure">INVALID_FIELD, PERMISSION_DENIED, MOVEMENT_NOT_FOUND, MOVEMENT_NOT_CORRECTABLE, REQUEST_ID_REUSED.</exception>
    public async Task<IReadOnlyList<PostedEntry>> Correct(CorrectEntryRequest request, RequestKey key, CancellationToken cancellationToken)
    {
        Check(request);
        if (await requests.Find(key, cancellationToken) is { } earlier)
            return await ledger.Of(earlier.Resource, cancellationToken);
        var wrong = await ledger.Of(request.Movement, cancellationToken);
        if (wrong.Count == 0)
            throw new Failure(ErrorReason.MovementNotFound, $"There is no movement {request.Movement}.");
        if (wrong[0].Kind is not (MovementKind.Fee or MovementKind.Chargeback or MovementKind.Payout))
            throw Refused(request.Movement, "It follows from a payment or from store credit; correct it there, by a refund, a void or a grant.");

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

    private static void Check(CorrectEntryRequest request)
    {
        var errors = new List<FieldError>();
        errors.RequestId(request.RequestId, "correction");
        if (request.Movement.Length is 0 or > LongestMovement)
            errors.Add(new FieldError("movement", "Name a movement as entries do, for example \"settlement/sandbox/fee_17\"."));
        errors.Reason(request.Note);
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

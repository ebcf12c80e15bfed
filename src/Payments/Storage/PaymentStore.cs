using System.Text.Json;
using Commerce.Payments.Ledger;
using Commerce.ServiceDefaults;
using Npgsql;
using NpgsqlTypes;

namespace Commerce.Payments.Storage;

/// <summary>Reads and writes payments: each a single round trip.</summary>
public sealed class PaymentStore(NpgsqlDataSource database, TimeProvider time)
{
    // One statement and so one snapshot: a payment and its parts always agree.
    private const string Columns =
        "h.order_id, h.store_id, h.currency, h.amount_minor, h.cancelled, h.version, h.told, h.revision, h.created_at, h.updated_at, "
        + "p.part_number, p.method, p.token, p.amount_minor, p.instalments, p.provider, p.state, p.provider_reference, p.decline_reason, p.captured_minor, p.refunded_minor, "
        + "h.told_refunded_minor, h.sold, h.invoiced, " + Refunds + ", h.customer_id, h.capture_mode, h.void_requested, p.rest_voided, " + Captures + ", p.next_action_url"
        + ", p.change_number, p.withdrawn, p.change_told, " + Reduced + ", " + Changed + ", " + Accepted;

    private const string Reduced =
        "CASE WHEN p.part_number = 1 THEN (SELECT coalesce(-sum(c.difference_minor), 0)::bigint FROM order_changes c WHERE c.order_id = h.order_id AND c.change_number = 0) END";

    private const string Changed =
        "CASE WHEN p.part_number = 1 THEN (SELECT coalesce(max(c.version), 0) FROM order_changes c WHERE c.order_id = h.order_id) END";

    private const string Accepted =
        "CASE WHEN p.change_number > 0 THEN (SELECT coalesce(min(c.version), 0) FROM order_changes c WHERE c.order_id = h.order_id AND c.change_number = p.change_number) ELSE 0 END";

    // Few payments have any, and the first row of a payment alone brings them.
    private const string Refunds = """
        CASE WHEN p.part_number = 1 THEN (
          SELECT jsonb_agg(jsonb_build_object(
            'number', r.refund_number, 'amount', r.amount_minor, 'reason', r.reason, 'note', r.note, 'by', r.requested_by, 'credited', r.credited, 'failure_told', r.failure_told,
            'destination', r.destination, 'created_at', r.created_at, 'updated_at', r.updated_at,
            'pieces', (
              SELECT jsonb_agg(jsonb_build_object(
                'part', x.part_number, 'amount', x.amount_minor, 'state', x.state, 'reference', x.provider_reference, 'failure', x.failure_reason)
                ORDER BY x.part_number)
              FROM refund_pieces x WHERE x.order_id = r.order_id AND x.refund_number = r.refund_number)
            ) ORDER BY r.refund_number)
          FROM refunds r WHERE r.order_id = h.order_id) END
        """;

    private const string Captures = """
        CASE WHEN p.part_number = 1 AND h.capture_mode <> 1 THEN (
          SELECT jsonb_agg(jsonb_build_object(
            'number', c.capture_number, 'amount', c.amount_minor, 'by', c.requested_by, 'created_at', c.created_at, 'updated_at', c.updated_at,
            'pieces', (
              SELECT jsonb_agg(jsonb_build_object('part', x.part_number, 'amount', x.amount_minor, 'state', x.state, 'failure', x.failure_reason) ORDER BY x.part_number)
              FROM capture_pieces x WHERE x.order_id = c.order_id AND x.capture_number = c.capture_number)
            ) ORDER BY c.capture_number)
          FROM captures c WHERE c.order_id = h.order_id) END
        """;

    private static readonly JsonSerializerOptions Json = new() { PropertyNamingPolicy = JsonNamingPolicy.SnakeCaseLower };

    /// <summary>The payment of an order, or null if there is none that whoever calls may see.</summary>
    public async Task<Payment?> Find(string orderId, CancellationToken cancellationToken)
    {
        await using var connection = await database.OpenConnectionAsync(cancellationToken);
        return await Find(connection, null, orderId, cancellationToken);
    }

    /// <inheritdoc cref="Find(string, CancellationToken)"/>
    public static async Task<Payment?> Find(NpgsqlConnection connection, NpgsqlTransaction? transaction, string orderId, CancellationToken cancellationToken)
    {
        await using var command = new NpgsqlCommand(
            $"SELECT {Columns} FROM payments h JOIN payment_parts p USING (order_id) WHERE h.order_id = $1 ORDER BY p.part_number", connection, transaction);
        command.Parameters.Add(Text(orderId));
        return (await Read(command, cancellationToken)).SingleOrDefault(payment => Principal.CurrentMaySee(payment.StoreId));
    }

    /// <summary>Keeps a payment as it is until the transaction ends.</summary>
    public static async Task Lock(NpgsqlConnection connection, NpgsqlTransaction transaction, string orderId, CancellationToken cancellationToken)
    {
        await using var command = new NpgsqlCommand("SELECT FROM payments WHERE order_id = $1 FOR UPDATE", connection, transaction);
        command.Parameters.Add(Text(orderId));
        await command.ExecuteNonQueryAsync(cancellationToken);
    }

    /// <summary>The order that an authorisation pays for, or null.</summary>
    public async Task<string?> FindOrderOf(string provider, string authorisationId, CancellationToken cancellationToken)
    {
        await using var command = database.CreateCommand("SELECT order_id FROM payment_parts WHERE provider = $1 AND provider_reference = $2");
        command.Parameters.Add(Text(provider));
        command.Parameters.Add(Text(authorisationId));
        return (string?)await command.ExecuteScalarAsync(cancellationToken);
    }

    /// <summary>Payments of a store, newest first, from after the given one.</summary>
    public async Task<IReadOnlyList<Payment>> List(
        string storeId, PaymentState? state, (DateTimeOffset CreatedAt, string OrderId)? after, int limit, CancellationToken cancellationToken)
    {
        // The two forms of the filter keep to one index each; a page starts before the newest when it is the first.
        await using var command = database.CreateCommand($"""
            SELECT {Columns}
            FROM (
              SELECT * FROM payments
              WHERE store_id = $1 {(state is null ? "" : "AND state = $5")} AND (created_at, order_id) < ($2, $3)
              ORDER BY created_at DESC, order_id DESC LIMIT $4
            ) h JOIN payment_parts p USING (order_id)
            ORDER BY h.created_at DESC, h.order_id DESC, p.part_number
            """);
        command.Parameters.Add(Text(storeId));
        command.Parameters.Add(new NpgsqlParameter<DateTime> { TypedValue = after?.CreatedAt.UtcDateTime ?? DateTime.MaxValue, NpgsqlDbType = NpgsqlDbType.TimestampTz });
        command.Parameters.Add(Text(after?.OrderId ?? ""));
        command.Parameters.Add(new NpgsqlParameter<int> { TypedValue = limit });
        if (state is { } only)
            command.Parameters.Add(new NpgsqlParameter<short> { TypedValue = (short)only });
        return await Read(command, cancellationToken);
    }

    /// <summary>
    /// Stores what changed, if nobody stored a change since the payment was read; false if somebody did: read again. The
    /// payment's row stays locked until the transaction, if one is given, ends.
    /// </summary>
    public async Task<bool> Save(Payment payment, NpgsqlConnection? connection, NpgsqlTransaction? transaction, CancellationToken cancellationToken)
    {
        const string sql = """
            WITH head AS (
              UPDATE payments SET state = $3, told = $4, version = $5, captured_minor = $6, refunded_minor = $7, told_refunded_minor = $15, sold = $39, void_requested = $42, updated_at = $8, revision = revision + 1
              WHERE order_id = $1 AND revision = $2 RETURNING order_id
            ), parts AS (
              UPDATE payment_parts p
              SET state = c.state, provider_reference = c.provider_reference, decline_reason = c.decline_reason,
                  captured_minor = c.captured_minor, refunded_minor = c.refunded_minor, rest_voided = c.rest_voided, next_action_url = c.next_action_url, change_told = c.change_told
              FROM head, unnest($9, $10, $11, $12, $13, $14, $41, $52, $53)
                AS c (part_number, state, provider_reference, decline_reason, captured_minor, refunded_minor, rest_voided, next_action_url, change_told)
              WHERE p.order_id = head.order_id AND p.part_number = c.part_number
            ), promises AS (
              INSERT INTO refunds (order_id, refund_number, amount_minor, reason, note, requested_by, created_at, updated_at, destination, failure_told)
              SELECT order_id, r.number, r.amount, r.reason, r.note, r.requested_by, r.created_at, $8, r.destination, r.failure_told
              FROM head, unnest($16, $17, $18, $19, $20, $21, $40, $54) AS r (number, amount, reason, note, requested_by, created_at, destination, failure_told)
              ON CONFLICT (order_id, refund_number) DO UPDATE SET updated_at = excluded.updated_at, failure_told = excluded.failure_told
            ), pieces AS (
              INSERT INTO refund_pieces (order_id, refund_number, part_number, amount_minor, state, provider_reference, failure_reason)
              SELECT order_id, x.* FROM head, unnest($22, $23, $24, $25, $26, $27) AS x
              ON CONFLICT (order_id, refund_number, part_number) DO UPDATE
              SET state = excluded.state, provider_reference = excluded.provider_reference, failure_reason = excluded.failure_reason
            ), taking AS (
              INSERT INTO captures (order_id, capture_number, amount_minor, requested_by, created_at, updated_at)
              SELECT order_id, c.number, c.amount, c.requested_by, c.created_at, $8 FROM head, unnest($43, $44, $45, $46) AS c (number, amount, requested_by, created_at)
              ON CONFLICT (order_id, capture_number) DO UPDATE SET updated_at = excluded.updated_at
            ), taken AS (
              INSERT INTO capture_pieces (order_id, capture_number, part_number, amount_minor, state, failure_reason)
              SELECT order_id, x.* FROM head, unnest($47, $48, $49, $50, $51) AS x
              ON CONFLICT (order_id, capture_number, part_number) DO UPDATE SET state = excluded.state, failure_reason = excluded.failure_reason
            ), accounts AS (
              INSERT INTO ledger_accounts (account, store_id, currency, kind, provider)
              SELECT a.account, $28, $29, a.kind, a.provider FROM head, unnest($30, $31, $32) AS a (account, kind, provider)
              ON CONFLICT DO NOTHING
            ), movements AS (
              INSERT INTO ledger_movements (movement, store_id, order_id, kind, posted_at)
              SELECT m.movement, $28, order_id, m.kind, $8 FROM head, unnest($33, $34) AS m (movement, kind)
            ), entries AS (
              INSERT INTO ledger_entries (movement, line_number, account, amount_minor, store_id, posted_at)
              SELECT e.movement, e.line_number, e.account, e.amount_minor, $28, $8
              FROM head, unnest($35, $36, $37, $38) AS e (movement, line_number, account, amount_minor)
            )
            SELECT count(*) FROM head
            """;
        var changed = payment.Parts.Where(p => p.Changed).ToList();
        var refunds = payment.Refunds.Where(r => r.Changed).ToList();
        var pieces = refunds.SelectMany(r => r.Pieces, (refund, piece) => (refund.Number, Piece: piece)).Where(p => p.Piece.Changed).ToList();
        var captures = payment.Captures.Where(c => c.Changed).ToList();
        var taken = captures.SelectMany(c => c.Pieces, (capture, piece) => (capture.Number, Piece: piece)).Where(p => p.Piece.Changed).ToList();
        // With the change, in one statement: what moved is posted if and only if it is stored.
        var movements = Movement.Of(payment);
        var entries = movements.SelectMany(m => m.Entries.Select((entry, i) => (Movement: m.Name, Line: i + 1, Entry: entry))).ToList();
        var accounts = entries.Select(e => (e.Entry.Account, e.Entry.Provider)).Distinct().ToList();
        var now = time.GetUtcNow();
        await using var command = connection is null ? database.CreateCommand(sql) : new NpgsqlCommand(sql, connection, transaction);
        command.Parameters.AddRange((NpgsqlParameter[])
        [
            Text(payment.OrderId),
            new NpgsqlParameter<long> { TypedValue = payment.Revision },
            new NpgsqlParameter<short> { TypedValue = (short)payment.State },
            new NpgsqlParameter { Value = (object?)(short?)payment.Told ?? DBNull.Value, NpgsqlDbType = NpgsqlDbType.Smallint },
            new NpgsqlParameter<long> { TypedValue = payment.Version },
            new NpgsqlParameter<long> { TypedValue = payment.Captured.Minor },
            new NpgsqlParameter<long> { TypedValue = payment.Refunded.Minor },
            new NpgsqlParameter<DateTimeOffset> { TypedValue = now },
            new NpgsqlParameter<int[]> { TypedValue = [.. changed.Select(p => p.Number)] },
            new NpgsqlParameter<short[]> { TypedValue = [.. changed.Select(p => (short)p.State)] },
            new NpgsqlParameter<string?[]> { TypedValue = [.. changed.Select(p => p.ProviderReference)], NpgsqlDbType = NpgsqlDbType.Array | NpgsqlDbType.Text },
            new NpgsqlParameter<string?[]> { TypedValue = [.. changed.Select(p => p.DeclineReason)], NpgsqlDbType = NpgsqlDbType.Array | NpgsqlDbType.Text },
            new NpgsqlParameter<long[]> { TypedValue = [.. changed.Select(p => p.Captured.Minor)] },
            new NpgsqlParameter<long[]> { TypedValue = [.. changed.Select(p => p.Refunded.Minor)] },
            new NpgsqlParameter<long> { TypedValue = payment.ToldRefunded },
            new NpgsqlParameter<int[]> { TypedValue = [.. refunds.Select(r => r.Number)] },
            new NpgsqlParameter<long[]> { TypedValue = [.. refunds.Select(r => r.Amount.Minor)] },
            new NpgsqlParameter<short[]> { TypedValue = [.. refunds.Select(r => (short)r.Reason)] },
            new NpgsqlParameter<string[]> { TypedValue = [.. refunds.Select(r => r.Note)] },
            new NpgsqlParameter<string[]> { TypedValue = [.. refunds.Select(r => r.By)] },
            new NpgsqlParameter<DateTimeOffset[]> { TypedValue = [.. refunds.Select(r => r.CreatedAt)], NpgsqlDbType = NpgsqlDbType.Array | NpgsqlDbType.TimestampTz },
            new NpgsqlParameter<int[]> { TypedValue = [.. pieces.Select(p => p.Number)] },
            new NpgsqlParameter<int[]> { TypedValue = [.. pieces.Select(p => p.Piece.PartNumber)] },
            new NpgsqlParameter<long[]> { TypedValue = [.. pieces.Select(p => p.Piece.Amount.Minor)] },
            new NpgsqlParameter<short[]> { TypedValue = [.. pieces.Select(p => (short)p.Piece.State)] },
            new NpgsqlParameter<string?[]> { TypedValue = [.. pieces.Select(p => p.Piece.ProviderReference)], NpgsqlDbType = NpgsqlDbType.Array | NpgsqlDbType.Text },
            new NpgsqlParameter<string?[]> { TypedValue = [.. pieces.Select(p => p.Piece.FailureReason)], NpgsqlDbType = NpgsqlDbType.Array | NpgsqlDbType.Text },
            Text(payment.StoreId),
            Text(payment.Amount.Currency),
            new NpgsqlParameter<string[]> { TypedValue = [.. accounts.Select(a => Name(payment, a.Account, a.Provider))] },
            new NpgsqlParameter<short[]> { TypedValue = [.. accounts.Select(a => (short)a.Account)] },
            new NpgsqlParameter<string[]> { TypedValue = [.. accounts.Select(a => a.Provider)] },
            new NpgsqlParameter<string[]> { TypedValue = [.. movements.Select(m => m.Name)] },
            new NpgsqlParameter<short[]> { TypedValue = [.. movements.Select(m => (short)m.Kind)] },
            new NpgsqlParameter<string[]> { TypedValue = [.. entries.Select(e => e.Movement)] },
            new NpgsqlParameter<short[]> { TypedValue = [.. entries.Select(e => (short)e.Line)] },
            new NpgsqlParameter<string[]> { TypedValue = [.. entries.Select(e => Name(payment, e.Entry.Account, e.Entry.Provider))] },
            new NpgsqlParameter<long[]> { TypedValue = [.. entries.Select(e => e.Entry.Minor)] },
            new NpgsqlParameter<bool> { TypedValue = payment.Sold },
            new NpgsqlParameter<short[]> { TypedValue = [.. refunds.Select(r => (short)r.Destination)] },
            new NpgsqlParameter<bool[]> { TypedValue = [.. changed.Select(p => p.RestVoided)] },
            new NpgsqlParameter<bool> { TypedValue = payment.VoidRequested },
            new NpgsqlParameter<int[]> { TypedValue = [.. captures.Select(c => c.Number)] },
            new NpgsqlParameter<long[]> { TypedValue = [.. captures.Select(c => c.Amount.Minor)] },
            new NpgsqlParameter<string[]> { TypedValue = [.. captures.Select(c => c.By)] },
            new NpgsqlParameter<DateTimeOffset[]> { TypedValue = [.. captures.Select(c => c.CreatedAt)], NpgsqlDbType = NpgsqlDbType.Array | NpgsqlDbType.TimestampTz },
            new NpgsqlParameter<int[]> { TypedValue = [.. taken.Select(p => p.Number)] },
            new NpgsqlParameter<int[]> { TypedValue = [.. taken.Select(p => p.Piece.PartNumber)] },
            new NpgsqlParameter<long[]> { TypedValue = [.. taken.Select(p => p.Piece.Amount.Minor)] },
            new NpgsqlParameter<short[]> { TypedValue = [.. taken.Select(p => (short)p.Piece.State)] },
            new NpgsqlParameter<string?[]> { TypedValue = [.. taken.Select(p => p.Piece.FailureReason)], NpgsqlDbType = NpgsqlDbType.Array | NpgsqlDbType.Text },
            new NpgsqlParameter<string?[]> { TypedValue = [.. changed.Select(p => p.NextActionUrl)], NpgsqlDbType = NpgsqlDbType.Array | NpgsqlDbType.Text },
            new NpgsqlParameter<bool[]> { TypedValue = [.. changed.Select(p => p.ChangeTold)] },
            new NpgsqlParameter<bool[]> { TypedValue = [.. refunds.Select(r => r.FailureTold)] },
        ]);
        var saved = (long)(await command.ExecuteScalarAsync(cancellationToken))! == 1;
        if (saved)
            payment.Saved(now);
        return saved;
    }

    private static async Task<List<Payment>> Read(NpgsqlCommand command, CancellationToken cancellationToken)
    {
        await using var reader = await command.ExecuteReaderAsync(cancellationToken);
        var payments = new List<Payment>();
        List<PaymentPart> parts = [];
        while (await reader.ReadAsync(cancellationToken))
        {
            var orderId = reader.GetString(0);
            var currency = reader.GetString(2);
            if (payments.Count == 0 || payments[^1].OrderId != orderId)
            {
                parts = [];
                payments.Add(new Payment(orderId, reader.GetString(1), new Money(reader.GetInt64(3), currency), parts)
                {
                    Cancelled = reader.GetBoolean(4),
                    Invoiced = reader.GetBoolean(23),
                    CustomerId = reader.GetString(25),
                    CaptureMode = (CaptureMode)reader.GetInt16(26),
                    Reduced = reader.GetInt64(34),
                    ChangeVersion = reader.GetInt64(35),
                    CreatedAt = reader.GetFieldValue<DateTimeOffset>(8),
                }.Restore(
                    reader.GetInt64(5),
                    reader.IsDBNull(6) ? null : (PaymentState)reader.GetInt16(6),
                    reader.GetInt64(21),
                    reader.GetBoolean(22),
                    reader.GetInt64(7),
                    reader.GetFieldValue<DateTimeOffset>(9),
                    reader.IsDBNull(24) ? [] : JsonSerializer.Deserialize<RefundRow[]>(reader.GetString(24), Json)!.Select(r => r.ToRefund(currency)),
                    reader.GetBoolean(27),
                    reader.IsDBNull(29) ? [] : JsonSerializer.Deserialize<CaptureRow[]>(reader.GetString(29), Json)!.Select(c => c.ToCapture(currency))));
            }

            parts.Add(PaymentPart
                .New(reader.GetInt32(10), reader.GetString(11), reader.GetString(12), new Money(reader.GetInt64(13), currency), reader.GetInt32(14), reader.GetString(15), reader.GetInt32(31), reader.GetBoolean(32), reader.GetInt64(36))
                .RestoreCharge(reader.GetBoolean(33))
                .Restore(
                    (PartState)reader.GetInt16(16),
                    reader.IsDBNull(17) ? null : reader.GetString(17),
                    reader.IsDBNull(18) ? null : reader.GetString(18),
                    reader.GetInt64(19),
                    reader.GetInt64(20),
                    reader.GetBoolean(28),
                    reader.IsDBNull(30) ? null : reader.GetString(30)));
            payments[^1].Restore(parts[^1]);
        }

        return payments;
    }

    private static string Name(Payment payment, AccountKind kind, string provider) => AccountName.Of(payment.StoreId, payment.Amount.Currency, kind, provider);

    private static NpgsqlParameter<string> Text(string value) => new() { TypedValue = value };

    private sealed record RefundRow(
        int Number, long Amount, short Reason, string Note, string By, bool Credited, bool FailureTold, short Destination, DateTimeOffset CreatedAt, DateTimeOffset UpdatedAt, IReadOnlyList<PieceRow> Pieces)
    {
        public Refund ToRefund(string currency) => new Refund
        {
            Number = Number,
            Amount = new Money(Amount, currency),
            Reason = (RefundReason)Reason,
            Destination = (RefundDestination)Destination,
            Note = Note,
            By = By,
            Credited = Credited,
            CreatedAt = CreatedAt,
            UpdatedAt = UpdatedAt,
            Pieces = [.. Pieces.Select(p => new RefundPiece(p.Part, new Money(p.Amount, currency)).Restore((RefundPieceState)p.State, p.Reference, p.Failure))],
        }.Restore(FailureTold);
    }

    private sealed record CaptureRow(int Number, long Amount, string By, DateTimeOffset CreatedAt, DateTimeOffset UpdatedAt, IReadOnlyList<PieceRow> Pieces)
    {
        public Capture ToCapture(string currency) => new()
        {
            Number = Number,
            Amount = new Money(Amount, currency),
            By = By,
            CreatedAt = CreatedAt,
            UpdatedAt = UpdatedAt,
            Pieces = [.. Pieces.Select(p => new CapturePiece(p.Part, new Money(p.Amount, currency)).Restore((CapturePieceState)p.State, p.Failure))],
        };
    }

    private sealed record PieceRow(int Part, long Amount, short State, string? Reference, string? Failure);
}

using Commerce.Payments.Ledger;
using Commerce.Payments.Providers;
using Commerce.Payments.V1;
using Commerce.ServiceDefaults;
using Google.Protobuf.WellKnownTypes;
using Grpc.Core;
using Npgsql;
using NpgsqlTypes;

namespace Commerce.Payments.Settling;

/// <summary>
/// Brings what a provider says that it moved. Lines come in batches, each one transaction: what was committed stays, and the same
/// file again changes nothing. Good lines count and broken ones are told with their numbers.
/// </summary>
public sealed class ImportSettlement(NpgsqlDataSource database, PaymentProviders providers, TimeProvider time)
{
    private const int Batch = 500;
    private const int MostErrors = 1_000;
    private const int LongestStoreId = 40;

    /// <exception cref="Failure">INVALID_FIELD.</exception>
    public async Task<ImportSettlementResponse> Import(IAsyncStreamReader<ImportSettlementRequest> stream, CancellationToken cancellationToken)
    {
        var response = new ImportSettlementResponse();
        var (csv, reader) = (new SettlementCsv(), new SettlementReader());
        var waiting = new List<(long Number, SettlementLine Line)>(Batch);
        var (store, provider, header) = ("", "", false);
        while (await stream.MoveNext(cancellationToken))
        {
            var request = stream.Current;
            if (provider.Length == 0)
                (store, provider) = Check(request);
            else if ((request.StoreId.Length > 0 && request.StoreId != store) || (request.Provider.Length > 0 && request.Provider != provider))
                throw Failure.Invalid(new FieldError("store_id", $"Was store \"{store}\" of {provider} before; import one at a time."));
            await Take(csv.Read(request.Csv.Memory, last: false));
        }

        if (provider.Length == 0)
            throw Failure.Invalid(new FieldError("store_id", "Send the store, the provider and the file."));
        await Take(csv.Read(ReadOnlyMemory<byte>.Empty, last: true));
        if (!header)
            throw Failure.Invalid(new FieldError("csv", "Is empty: the first line names the columns."));
        await Write();
        return response;

        async Task Take(IEnumerable<(long Line, IReadOnlyList<string>? Fields)> records)
        {
            foreach (var (number, fields) in records)
            {
                if (!header)
                {
                    if (fields is null || reader.Header(fields) is { } wrong)
                        throw Failure.Invalid(new FieldError("csv", fields is null ? "The first line is too long to be a header." : reader.Header(fields)!));
                    header = true;
                    continue;
                }

                // A provider may tell of all the shop's stores in one file: whose a line is, only it can say of a fee or a payout.
                if (fields is not null && reader.Account(fields) is { Length: > 0 } account && account != store)
                {
                    response.OfOtherStores++;
                    continue;
                }

                var (line, id, error) = fields is null ? (null, "", "Is too long, or has a quote that is not closed.") : reader.Line(fields, time.GetUtcNow());
                if (line is null)
                    Refuse(response, new BrokenLine(number, id, error));
                else
                    waiting.Add((number, line));
                if (waiting.Count == Batch)
                    await Write();
            }
        }

        async Task Write()
        {
            if (waiting.Count > 0)
                await WriteBatch(store, provider, waiting, response, cancellationToken);
            waiting.Clear();
        }
    }

    private (string Store, string Provider) Check(ImportSettlementRequest request)
    {
        var errors = new List<FieldError>();
        if (request.StoreId.Length is 0 or > LongestStoreId || request.StoreId.Contains('/', StringComparison.Ordinal))
            errors.Add(new FieldError("store_id", "Name the store, for example \"main\"."));
        if (!providers.TryGet(request.Provider, out _))
            errors.Add(new FieldError("provider", "Name a provider that is configured, for example \"sandbox\"."));
        return errors.Count > 0 ? throw Failure.Invalid(errors) : (request.StoreId, request.Provider);
    }

    private async Task WriteBatch(string store, string provider, List<(long Number, SettlementLine Line)> lines, ImportSettlementResponse response, CancellationToken cancellationToken)
    {
        await using var connection = await database.OpenConnectionAsync(cancellationToken);
        await using var transaction = await connection.BeginTransactionAsync(cancellationToken);
        var broken = new List<BrokenLine>();
        var fresh = await Known(connection, transaction, store, provider, await Resolve(connection, transaction, store, provider, lines, broken, cancellationToken), broken, cancellationToken);
        if (fresh.Count > 0)
            await Insert(connection, transaction, store, provider, [.. fresh.Select(f => f.Line)], cancellationToken);
        await transaction.CommitAsync(cancellationToken);

        response.Imported += fresh.Count;
        response.Unchanged += lines.Count - fresh.Count - broken.Count;
        foreach (var one in broken.OrderBy(b => b.Number))
            Refuse(response, one);
        foreach (var (_, line) in lines)
        {
            var at = Timestamp.FromDateTimeOffset(line.OccurredAt);
            if (response.FirstTime is null || at < response.FirstTime)
                response.FirstTime = at;
            if (response.LastTime is null || at > response.LastTime)
                response.LastTime = at;
        }
    }

    // Which part of which payment each line is about. One that is of another store or currency is broken; one about nothing that
    // we know counts, and shows when the books are compared.
    private static async Task<List<(long Number, SettlementLine Line)>> Resolve(
        NpgsqlConnection connection, NpgsqlTransaction transaction, string store, string provider, List<(long Number, SettlementLine Line)> lines, List<BrokenLine> broken, CancellationToken cancellationToken)
    {
        static string OrderOf(SettlementLine line) => line.Reference.Split('/')[0];
        await using var command = new NpgsqlCommand(
            """
            SELECT h.order_id, p.part_number, coalesce(p.provider_reference, ''), h.store_id, h.currency
            FROM payment_parts p JOIN payments h USING (order_id)
            WHERE p.provider = $1 AND (p.order_id = ANY ($2) OR p.provider_reference = ANY ($3))
            """,
            connection,
            transaction);
        command.Parameters.Add(Text(provider));
        command.Parameters.Add(new NpgsqlParameter<string[]> { TypedValue = [.. lines.Select(l => OrderOf(l.Line)).Where(o => o.Length > 0).Distinct()] });
        command.Parameters.Add(new NpgsqlParameter<string[]> { TypedValue = [.. lines.Select(l => l.Line.Authorisation).Where(a => a.Length > 0).Distinct()] });
        var byPart = new Dictionary<string, (string Store, string Currency)>(StringComparer.Ordinal);
        var byAuthorisation = new Dictionary<string, string>(StringComparer.Ordinal);
        await using (var reader = await command.ExecuteReaderAsync(cancellationToken))
        {
            while (await reader.ReadAsync(cancellationToken))
            {
                var part = FormattableString.Invariant($"{reader.GetString(0)}/{reader.GetInt32(1)}");
                byPart[part] = (reader.GetString(3), reader.GetString(4));
                byAuthorisation[reader.GetString(2)] = part;
            }
        }

        var resolved = new List<(long, SettlementLine)>(lines.Count);
        foreach (var (number, line) in lines)
        {
            if (line.Type is not (SettlementType.Charge or SettlementType.Refund or SettlementType.Chargeback or SettlementType.ChargebackReversed))
            {
                resolved.Add((number, line with { Part = "" }));
                continue;
            }

            var part = line.Reference.Split('/') is [var order, var partNumber, ..] && byPart.ContainsKey($"{order}/{partNumber}") ? $"{order}/{partNumber}"
                : line.Authorisation.Length > 0 && byAuthorisation.TryGetValue(line.Authorisation, out var found) ? found
                : null;
            if (part is not null && byPart[part] is var of && of.Store != store)
                broken.Add(new BrokenLine(number, line.Id, $"reference: is a payment of store \"{of.Store}\"."));
            else if (part is not null && byPart[part].Currency != line.Currency)
                broken.Add(new BrokenLine(number, line.Id, $"currency: the payment is in {byPart[part].Currency}."));
            else
                resolved.Add((number, line with { Part = part ?? (line.Reference.Length > 0 ? line.Reference : line.Authorisation) }));
        }

        return resolved;
    }

    // Those that are not there yet. A line that was imported with other contents is broken: what a provider said does not change.
    private static async Task<List<(long Number, SettlementLine Line)>> Known(
        NpgsqlConnection connection, NpgsqlTransaction transaction, string store, string provider, List<(long Number, SettlementLine Line)> lines, List<BrokenLine> broken, CancellationToken cancellationToken)
    {
        // Two imports at once come one after the other.
        await using var batch = new NpgsqlBatch(connection, transaction)
        {
            BatchCommands =
            {
                new NpgsqlBatchCommand("SELECT pg_advisory_xact_lock(hashtextextended('settlement/' || $1, 0))") { Parameters = { Text(provider) } },
                new NpgsqlBatchCommand("SELECT line_id, content_hash, store_id FROM settlement_lines WHERE provider = $1 AND line_id = ANY ($2)")
                {
                    Parameters = { Text(provider), new NpgsqlParameter<string[]> { TypedValue = [.. lines.Select(l => l.Line.Id)] } },
                },
            },
        };
        var known = new Dictionary<string, byte[]>(StringComparer.Ordinal);
        await using (var reader = await batch.ExecuteReaderAsync(cancellationToken))
        {
            await reader.NextResultAsync(cancellationToken);
            while (await reader.ReadAsync(cancellationToken))
                known[reader.GetString(0)] = reader.GetString(2) == store ? reader.GetFieldValue<byte[]>(1) : [];
        }

        var fresh = new List<(long, SettlementLine)>();
        foreach (var (number, line) in lines)
        {
            var hash = line.Hash();
            if (!known.TryGetValue(line.Id, out var before))
            {
                known[line.Id] = hash;
                fresh.Add((number, line));
            }
            else if (!before.AsSpan().SequenceEqual(hash))
            {
                broken.Add(new BrokenLine(number, line.Id, "id: was imported with other contents, or for another store."));
            }
        }

        return fresh;
    }

    private async Task Insert(NpgsqlConnection connection, NpgsqlTransaction transaction, string store, string provider, List<SettlementLine> lines, CancellationToken cancellationToken)
    {
        var entries = lines.SelectMany(l => l.Entries(provider).Select((entry, i) => (Movement: MovementOf(provider, l), Line: i + 1, l.Currency, l.Kind, Entry: entry))).ToList();
        var accounts = entries.Select(e => (e.Currency, e.Entry.Account, e.Entry.Provider)).Distinct().ToList();
        var movements = entries.Where(e => e.Line == 1).ToList();
        string Account(string currency, Ledger.AccountKind kind, string of) => AccountName.Of(store, currency, kind, of);
        await using var batch = new NpgsqlBatch(connection, transaction);
        Add(
            """
            INSERT INTO settlement_lines (provider, line_id, store_id, type, currency, amount_minor, fee_minor, tax_minor, part, reference, authorisation, payout_id, occurred_at, imported_at, content_hash)
            SELECT $1, l.line_id, $2, l.type, l.currency, l.amount, l.fee, l.tax, l.part, l.reference, l.authorisation, l.payout_id, l.occurred_at, $3, l.hash
            FROM unnest($4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14, $15) AS l (line_id, type, currency, amount, fee, tax, part, reference, authorisation, payout_id, occurred_at, hash)
            """,
            Text(provider),
            Text(store),
            Now(),
            Texts(lines.Select(l => l.Id)),
            new NpgsqlParameter<short[]> { TypedValue = [.. lines.Select(l => (short)l.Type)] },
            Texts(lines.Select(l => l.Currency)),
            new NpgsqlParameter<long[]> { TypedValue = [.. lines.Select(l => l.Amount)] },
            new NpgsqlParameter<long[]> { TypedValue = [.. lines.Select(l => l.Fee)] },
            new NpgsqlParameter<long[]> { TypedValue = [.. lines.Select(l => l.Tax)] },
            Texts(lines.Select(l => l.Part)),
            Texts(lines.Select(l => l.Reference)),
            Texts(lines.Select(l => l.Authorisation)),
            Texts(lines.Select(l => l.PayoutId)),
            new NpgsqlParameter<DateTimeOffset[]> { TypedValue = [.. lines.Select(l => l.OccurredAt)], NpgsqlDbType = NpgsqlDbType.Array | NpgsqlDbType.TimestampTz },
            new NpgsqlParameter<byte[][]> { TypedValue = [.. lines.Select(l => l.Hash())], NpgsqlDbType = NpgsqlDbType.Array | NpgsqlDbType.Bytea });
        Add(
            """
            INSERT INTO ledger_accounts (account, store_id, currency, kind, provider)
            SELECT a.account, $1, a.currency, a.kind, a.provider FROM unnest($2, $3, $4, $5) AS a (account, currency, kind, provider) ON CONFLICT DO NOTHING
            """,
            Text(store),
            Texts(accounts.Select(a => Account(a.Currency, a.Account, a.Provider))),
            Texts(accounts.Select(a => a.Currency)),
            new NpgsqlParameter<short[]> { TypedValue = [.. accounts.Select(a => (short)a.Account)] },
            Texts(accounts.Select(a => a.Provider)));
        Add(
            "INSERT INTO ledger_movements (movement, store_id, order_id, kind, posted_at) SELECT m.movement, $1, '', m.kind, $2 FROM unnest($3, $4) AS m (movement, kind)",
            Text(store),
            Now(),
            Texts(movements.Select(m => m.Movement)),
            new NpgsqlParameter<short[]> { TypedValue = [.. movements.Select(m => (short)m.Kind)] });
        Add(
            """
            INSERT INTO ledger_entries (movement, line_number, account, amount_minor, store_id, posted_at)
            SELECT e.movement, e.line_number, e.account, e.amount_minor, $1, $2 FROM unnest($3, $4, $5, $6) AS e (movement, line_number, account, amount_minor)
            """,
            Text(store),
            Now(),
            Texts(entries.Select(e => e.Movement)),
            new NpgsqlParameter<short[]> { TypedValue = [.. entries.Select(e => (short)e.Line)] },
            Texts(entries.Select(e => Account(e.Currency, e.Entry.Account, e.Entry.Provider))),
            new NpgsqlParameter<long[]> { TypedValue = [.. entries.Select(e => e.Entry.Minor)] });
        await batch.ExecuteNonQueryAsync(cancellationToken);

        void Add(string sql, params NpgsqlParameter[] parameters)
        {
            var command = new NpgsqlBatchCommand(sql);
            command.Parameters.AddRange(parameters);
            batch.BatchCommands.Add(command);
        }
    }

    private static string MovementOf(string provider, SettlementLine line) => $"settlement/{provider}/{line.Id}";

    private static void Refuse(ImportSettlementResponse response, BrokenLine line)
    {
        response.Refused++;
        if (response.Errors.Count < MostErrors)
            response.Errors.Add(new SettlementError { LineNumber = line.Number, LineId = line.LineId, Message = line.Message });
    }

    private static NpgsqlParameter<string> Text(string value) => new() { TypedValue = value };

    private static NpgsqlParameter<string[]> Texts(IEnumerable<string> values) => new() { TypedValue = [.. values] };

    private NpgsqlParameter<DateTimeOffset> Now() => new() { TypedValue = time.GetUtcNow() };
}

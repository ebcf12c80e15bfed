using System.Security.Cryptography;
using System.Text.Json;
using Commerce.Payments.Ledger;
using Npgsql;
using NpgsqlTypes;

namespace Commerce.Payments.Documents;

/// <summary>Reads and keeps documents.</summary>
public sealed class DocumentStore(NpgsqlDataSource database)
{
    private const string Columns =
        "store_id, order_id, kind, year, serial, refund_number, issued_at, content, EXISTS (SELECT FROM erased_orders e WHERE e.order_id = documents.order_id)";

    private static readonly JsonSerializerOptions Json = new() { PropertyNamingPolicy = JsonNamingPolicy.SnakeCaseLower };

    public async Task<IssuedDocument?> Find(string storeId, DocumentKind kind, int year, int serial, CancellationToken cancellationToken)
    {
        await using var command = database.CreateCommand($"SELECT {Columns} FROM documents WHERE store_id = $1 AND kind = $2 AND year = $3 AND serial = $4");
        command.Parameters.Add(new NpgsqlParameter<string> { TypedValue = storeId });
        command.Parameters.Add(new NpgsqlParameter<short> { TypedValue = (short)kind });
        command.Parameters.Add(new NpgsqlParameter<int> { TypedValue = year });
        command.Parameters.Add(new NpgsqlParameter<int> { TypedValue = serial });
        return (await Read(command, cancellationToken)).SingleOrDefault();
    }

    /// <summary>
    /// The documents that bear numbers, in one store or, where it is null, in any that gave out numbers of that kind and year: each
    /// is found by its key.
    /// </summary>
    public async Task<IReadOnlyList<(string StoreId, DocumentKind Kind, int Year, int Serial, string OrderId)>> Lookup(
        IReadOnlyList<(string? StoreId, DocumentKind Kind, int Year, int Serial)> numbers, CancellationToken cancellationToken)
    {
        await using var command = database.CreateCommand(
            """
            SELECT DISTINCT d.store_id, d.kind, d.year, d.serial, d.order_id
            FROM unnest($1, $2, $3, $4) AS asked (store_id, kind, year, serial)
            JOIN document_numbers n ON n.kind = asked.kind AND n.year = asked.year AND (asked.store_id IS NULL OR n.store_id = asked.store_id)
            JOIN documents d ON d.store_id = n.store_id AND d.kind = n.kind AND d.year = n.year AND d.serial = asked.serial
            """);
        command.Parameters.Add(new NpgsqlParameter<string?[]> { TypedValue = [.. numbers.Select(n => n.StoreId)] });
        command.Parameters.Add(new NpgsqlParameter<short[]> { TypedValue = [.. numbers.Select(n => (short)n.Kind)] });
        command.Parameters.Add(new NpgsqlParameter<int[]> { TypedValue = [.. numbers.Select(n => n.Year)] });
        command.Parameters.Add(new NpgsqlParameter<int[]> { TypedValue = [.. numbers.Select(n => n.Serial)] });
        await using var reader = await command.ExecuteReaderAsync(cancellationToken);
        var found = new List<(string, DocumentKind, int, int, string)>();
        while (await reader.ReadAsync(cancellationToken))
            found.Add((reader.GetString(0), (DocumentKind)reader.GetInt16(1), reader.GetInt32(2), reader.GetInt32(3), reader.GetString(4)));
        return found;
    }

    /// <summary>The documents of an order, in the order in which they were issued.</summary>
    public async Task<IReadOnlyList<IssuedDocument>> Of(string orderId, CancellationToken cancellationToken)
    {
        await using var connection = await database.OpenConnectionAsync(cancellationToken);
        return await Of(connection, null, orderId, cancellationToken);
    }

    /// <summary>The documents of a store from after a position on, newest first.</summary>
    public async Task<IReadOnlyList<IssuedDocument>> List(
        string storeId, DocumentKind? kind, (DateTimeOffset IssuedAt, DocumentKind Kind, int Serial)? after, int limit, CancellationToken cancellationToken)
    {
        await using var command = database.CreateCommand($"""
            SELECT {Columns} FROM documents
            WHERE store_id = $1 AND issued_at <= $2 AND (issued_at < $2 OR kind > $3 OR kind = $3 AND serial < $4) {(kind is null ? "" : "AND kind = $6")}
            ORDER BY issued_at DESC, kind, serial DESC LIMIT $5
            """);
        command.Parameters.Add(new NpgsqlParameter<string> { TypedValue = storeId });
        command.Parameters.Add(new NpgsqlParameter<DateTime> { TypedValue = after?.IssuedAt.UtcDateTime ?? DateTime.MaxValue, NpgsqlDbType = NpgsqlDbType.TimestampTz });
        command.Parameters.Add(new NpgsqlParameter<short> { TypedValue = (short)(after?.Kind ?? 0) });
        command.Parameters.Add(new NpgsqlParameter<int> { TypedValue = after?.Serial ?? 0 });
        command.Parameters.Add(new NpgsqlParameter<int> { TypedValue = limit });
        if (kind is { } only)
            command.Parameters.Add(new NpgsqlParameter<short> { TypedValue = (short)only });
        return await Read(command, cancellationToken);
    }

    /// <summary>How an order's lines changed with a version; null if they did not, as far as is known.</summary>
    public static async Task<OrderChange?> Change(NpgsqlConnection connection, NpgsqlTransaction transaction, string orderId, long version, CancellationToken cancellationToken)
    {
        await using var command = new NpgsqlCommand("SELECT lines FROM order_changes WHERE order_id = $1 AND version = $2", connection, transaction);
        command.Parameters.Add(Text(orderId));
        command.Parameters.Add(new NpgsqlParameter<long> { TypedValue = version });
        return await command.ExecuteScalarAsync(cancellationToken) is string lines
            ? new OrderChange(JsonSerializer.Deserialize<ChangedLine[]>(lines, JsonSerializerOptions.Web)!)
            : null;
    }

    /// <summary>Issues a document, with the next number. Two at once about one order come one after the other, because each holds the payment's row.</summary>
    public static async Task<IssuedDocument> Issue(
        NpgsqlConnection connection, NpgsqlTransaction transaction, string storeId, string orderId, DocumentKind kind, int year, int refundNumber, DateTimeOffset now,
        DocumentContent content, byte[] logo, CancellationToken cancellationToken)
    {
        await using var command = new NpgsqlCommand(
            """
            WITH number AS (
              INSERT INTO document_numbers (store_id, kind, year, last) VALUES ($1, $2, $3, 1)
              ON CONFLICT (store_id, kind, year) DO UPDATE SET last = document_numbers.last + 1 RETURNING last
            )
            INSERT INTO documents (store_id, kind, year, serial, order_id, refund_number, issued_at, content)
            SELECT $1, $2, $3, last, $4, $5, $6, $7 FROM number RETURNING serial
            """, connection, transaction);
        command.Parameters.Add(Text(storeId));
        command.Parameters.Add(new NpgsqlParameter<short> { TypedValue = (short)kind });
        command.Parameters.Add(new NpgsqlParameter<int> { TypedValue = year });
        command.Parameters.Add(Text(orderId));
        command.Parameters.Add(new NpgsqlParameter<int> { TypedValue = refundNumber });
        command.Parameters.Add(new NpgsqlParameter<DateTimeOffset> { TypedValue = now });
        command.Parameters.Add(new NpgsqlParameter<string> { TypedValue = JsonSerializer.Serialize(content, Json), NpgsqlDbType = NpgsqlDbType.Jsonb });
        var serial = (int)(await command.ExecuteScalarAsync(cancellationToken))!;
        var document = new IssuedDocument(storeId, orderId, kind, year, serial, refundNumber, now, content);
        if (kind != DocumentKind.Receipt && content.TaxMinor > 0)
            await PostTax(connection, transaction, document, cancellationToken);
        if (content.LogoHash.Length > 0)
        {
            await Execute(
                connection, transaction, "INSERT INTO document_logos (hash, image) VALUES ($1, $2) ON CONFLICT DO NOTHING", cancellationToken,
                Text(content.LogoHash), new NpgsqlParameter<byte[]> { TypedValue = logo });
        }

        return document;
    }

    /// <summary>The payment has its invoice, and these refunds their credit notes or need none.</summary>
    public static async Task Done(NpgsqlConnection connection, NpgsqlTransaction transaction, string orderId, int[] refundNumbers, CancellationToken cancellationToken)
    {
        await Execute(connection, transaction, "UPDATE payments SET invoiced = true WHERE order_id = $1", cancellationToken, Text(orderId));
        await Execute(
            connection, transaction, "UPDATE refunds SET credited = true WHERE order_id = $1 AND refund_number = ANY ($2)", cancellationToken,
            Text(orderId), new NpgsqlParameter<int[]> { TypedValue = refundNumbers });
    }

    /// <inheritdoc cref="Of(string, CancellationToken)"/>
    public static async Task<IReadOnlyList<IssuedDocument>> Of(NpgsqlConnection connection, NpgsqlTransaction? transaction, string orderId, CancellationToken cancellationToken)
    {
        await using var command = new NpgsqlCommand($"SELECT {Columns} FROM documents WHERE order_id = $1 ORDER BY issued_at, kind, serial", connection, transaction);
        command.Parameters.Add(Text(orderId));
        return await Read(command, cancellationToken);
    }

    /// <summary>What a picture is known by in documents, which keep each but once; empty for none.</summary>
    public static string HashOf(ReadOnlySpan<byte> image) => image.IsEmpty ? "" : Convert.ToHexStringLower(SHA256.HashData(image));

    /// <summary>The picture with this hash, or null.</summary>
    public async Task<byte[]?> Logo(string hash, CancellationToken cancellationToken)
    {
        if (hash.Length == 0)
            return null;
        await using var command = database.CreateCommand("SELECT image FROM document_logos WHERE hash = $1");
        command.Parameters.Add(Text(hash));
        return (byte[]?)await command.ExecuteScalarAsync(cancellationToken);
    }

    // Of what was sold or given back, the tax is the state's: posted with the document that says so, in its transaction.
    private static async Task PostTax(NpgsqlConnection connection, NpgsqlTransaction transaction, IssuedDocument document, CancellationToken cancellationToken)
    {
        var (content, credit) = (document.Content, document.Kind == DocumentKind.CreditNote);
        var from = credit ? AccountKind.Refunds : AccountKind.Sales;
        var minor = credit ? -content.TaxMinor : content.TaxMinor;
        string Account(AccountKind kind) => AccountName.Of(document.StoreId, content.Currency, kind, "");
        await Execute(
            connection, transaction,
            "INSERT INTO ledger_accounts (account, store_id, currency, kind, provider) SELECT account, $1, $2, kind, '' FROM unnest($3, $4) AS a (account, kind) ON CONFLICT DO NOTHING",
            cancellationToken,
            Text(document.StoreId), Text(content.Currency),
            new NpgsqlParameter<string[]> { TypedValue = [Account(from), Account(AccountKind.Taxes)] },
            new NpgsqlParameter<short[]> { TypedValue = [(short)from, (short)AccountKind.Taxes] });
        await Execute(
            connection, transaction,
            """
            WITH moved AS (
              INSERT INTO ledger_movements (movement, store_id, order_id, kind, posted_at) VALUES ($1, $2, $3, $4, $5)
            )
            INSERT INTO ledger_entries (movement, line_number, account, amount_minor, store_id, posted_at) VALUES ($1, 1, $6, $7, $2, $5), ($1, 2, $8, -$7, $2, $5)
            """,
            cancellationToken,
            Text($"{document.OrderId}/tax/{document.Number}"), Text(document.StoreId), Text(document.OrderId),
            new NpgsqlParameter<short> { TypedValue = (short)MovementKind.Tax }, new NpgsqlParameter<DateTimeOffset> { TypedValue = document.IssuedAt },
            Text(Account(from)), new NpgsqlParameter<long> { TypedValue = minor }, Text(Account(AccountKind.Taxes)));
    }

    private static async Task Execute(NpgsqlConnection connection, NpgsqlTransaction transaction, string sql, CancellationToken cancellationToken, params NpgsqlParameter[] parameters)
    {
        await using var command = new NpgsqlCommand(sql, connection, transaction);
        command.Parameters.AddRange(parameters);
        await command.ExecuteNonQueryAsync(cancellationToken);
    }

    private static async Task<List<IssuedDocument>> Read(NpgsqlCommand command, CancellationToken cancellationToken)
    {
        await using var reader = await command.ExecuteReaderAsync(cancellationToken);
        var documents = new List<IssuedDocument>();
        while (await reader.ReadAsync(cancellationToken))
        {
            documents.Add(new IssuedDocument(
                reader.GetString(0),
                reader.GetString(1),
                (DocumentKind)reader.GetInt16(2),
                reader.GetInt32(3),
                reader.GetInt32(4),
                reader.GetInt32(5),
                reader.GetFieldValue<DateTimeOffset>(6),
                JsonSerializer.Deserialize<DocumentContent>(reader.GetString(7), Json)!)
            {
                IsRestricted = reader.GetBoolean(8),
            });
        }

        return documents;
    }

    private static NpgsqlParameter<string> Text(string value) => new() { TypedValue = value };
}

using System.Text.Json;
using Commerce.Facts;
using Commerce.Messaging;
using Commerce.Orders.Checking;
using Commerce.Orders.FindingOrders;
using Commerce.Orders.Storage;
using Commerce.Orders.Stores;
using Commerce.Orders.V1;
using Commerce.ServiceDefaults;
using Commerce.Types.V1;
using Grpc.Core;
using Npgsql;
using NpgsqlTypes;

namespace Commerce.Orders.ImportingOrders;

/// <summary>
/// Brings a shop's history. Orders come in batches, each one transaction of COPYs: what was committed stays, and the same
/// stream sent again changes nothing, so that whoever lost the connection begins again. Nothing is reserved, charged or
/// sent: the one fact of an imported order (<see cref="OrderImported"/>) is of no consequence to whoever would do that.
/// </summary>
public sealed class ImportOrders(NpgsqlDataSource database, StoreBook stores, Outbox outbox, ArticleWords articles, TimeProvider clock)
{
    private const int Batch = 500;
    private const int MostErrors = 1_000;

    // A batch fails as a whole if another import brings one of its orders at the same moment, or an Order ID is taken.
    private const int MostAttempts = 5;

    /// <exception cref="Failure">INVALID_FIELD, STORE_NOT_FOUND.</exception>
    public async Task<ImportOrdersResponse> Import(IAsyncStreamReader<ImportOrdersRequest> stream, string actor, CancellationToken cancellationToken)
    {
        var response = new ImportOrdersResponse();
        var waiting = new List<ImportedRow>(Batch);
        Store? store = null;
        long position = 0;
        while (await stream.MoveNext(cancellationToken))
        {
            var request = stream.Current;
            store ??= await stores.Get(request.StoreId, cancellationToken);
            if (request.StoreId.Length > 0 && request.StoreId != store.StoreId)
                throw Failure.Invalid(new FieldError("store_id", $"Was \"{store.StoreId}\" before; import one store at a time."));
            var now = clock.Now();
            foreach (var order in request.Orders)
            {
                try
                {
                    waiting.Add(ImportedRow.Check(position, order, store, now));
                }
                catch (Failure failure)
                {
                    Refuse(response, position, order.ExternalId, failure.Reason, string.Join(' ', failure.Fields.Take(5).Select(field => $"{field.Field}: {field.Description}")));
                }

                position++;
                if (waiting.Count == Batch)
                    await Write();
            }
        }

        await Write();
        return response;

        async Task Write()
        {
            if (waiting.Count > 0)
                await WriteBatch(store!, waiting, actor, response, cancellationToken);
            waiting.Clear();
        }
    }

    private async Task WriteBatch(Store store, List<ImportedRow> rows, string actor, ImportOrdersResponse response, CancellationToken cancellationToken)
    {
        for (var attempt = 1; ; attempt++)
        {
            try
            {
                await TryWrite(store, rows, actor, response, cancellationToken);
                return;
            }
            catch (PostgresException exception) when (attempt < MostAttempts
                && exception is { SqlState: PostgresErrorCodes.UniqueViolation, ConstraintName: OrderStore.PrimaryKey or OrderStore.ExternalIdKey })
            {
                // What is there now is seen by the next attempt.
            }
        }
    }

    private async Task TryWrite(Store store, List<ImportedRow> rows, string actor, ImportOrdersResponse response, CancellationToken cancellationToken)
    {
        await using var connection = await database.OpenConnectionAsync(cancellationToken);
        await using var transaction = await connection.BeginTransactionAsync(cancellationToken);
        var known = await Known(connection, transaction, store, rows, cancellationToken);
        var fresh = new List<(ImportedRow Row, OrderId Id)>(rows.Count);
        var (unchanged, refused) = (0, new List<(ImportedRow Row, ErrorReason Reason, string Message)>());
        foreach (var row in rows)
        {
            var externalId = row.Draft.ExternalId!;
            if (!known.TryGetValue(externalId, out var hash))
            {
                known[externalId] = row.Hash;
                fresh.Add((row, OrderId.New(store.OrderPrefix, clock)));
            }
            else if (hash is null)
            {
                refused.Add((row, ErrorReason.ExternalIdUsed, "external_id: Belongs to an order that was placed here."));
            }
            else if (hash.AsSpan().SequenceEqual(row.Hash))
            {
                unchanged++;
            }
            else
            {
                refused.Add((row, ErrorReason.ExternalIdUsed, "external_id: Was imported with other contents; an imported order is not changed by another import."));
            }
        }

        if (fresh.Count > 0)
        {
            await Copy(connection, fresh, actor, clock.Now(), cancellationToken);
            var titles = fresh.SelectMany(one => one.Row.Draft.Lines, (one, line) => (store.StoreId, line.Sku, line.Title)).ToList();
            await using var batch = new NpgsqlBatch(connection, transaction);
            articles.Add(batch, titles);
            foreach (var (row, id) in fresh)
                outbox.Add(batch, new OrderImported(id.ToString(), store.StoreId, 1, clock.Now(), row.Draft.ExternalId!, row.PlaceTime, row.Draft.Amount(row.Draft.TotalMinor), FactName.Of(row.State)));
            await batch.ExecuteNonQueryAsync(cancellationToken);
            await transaction.CommitAsync(cancellationToken);
            outbox.Wake();
            articles.Kept(titles);
            OrdersTelemetry.OrdersImported(store.StoreId, fresh.Count);
        }

        response.Imported += fresh.Count;
        response.Unchanged += unchanged;
        foreach (var (row, reason, message) in refused)
            Refuse(response, row.Position, row.Draft.ExternalId!, reason, message);
    }

    // Null: an order that was not imported.
    private static async Task<Dictionary<string, byte[]?>> Known(
        NpgsqlConnection connection, NpgsqlTransaction transaction, Store store, List<ImportedRow> rows, CancellationToken cancellationToken)
    {
        await using var command = new NpgsqlCommand("SELECT external_id, import_hash FROM orders WHERE store_id = $1 AND external_id = ANY ($2)", connection, transaction);
        await using var reader = await command.With(store.StoreId).With(rows.Column(row => row.Draft.ExternalId)).ExecuteReaderAsync(cancellationToken);
        var known = new Dictionary<string, byte[]?>(StringComparer.Ordinal);
        while (await reader.ReadAsync(cancellationToken))
            known[reader.GetString(0)] = reader.IsDBNull(1) ? null : reader.GetFieldValue<byte[]>(1);
        return known;
    }

    private static async Task Copy(NpgsqlConnection connection, List<(ImportedRow Row, OrderId Id)> orders, string actor, DateTimeOffset now, CancellationToken cancellationToken)
    {
        await using (var copy = await connection.BeginBinaryImportAsync(
            """
            COPY orders (order_id, store_id, external_id, state, payment_state, fulfilment_state, version, create_time, update_time, currency,
              subtotal_minor, shipping_minor, total_minor, refunded_minor, cancel_reason, cancel_note, cancel_time,
              customer_name, customer_email, customer_phone, customer_language, email_key,
              to_region_code, to_language_code, to_postal_code, to_sorting_code, to_administrative_area, to_locality, to_sublocality,
              to_address_lines, to_recipients, to_organization, adjustments, payment_parts, terms_version, import_time, import_hash, customer_id, imported_delivery_time)
            FROM STDIN (FORMAT BINARY)
            """,
            cancellationToken))
        {
            foreach (var (row, id) in orders)
            {
                var (draft, customer, to) = (row.Draft, row.Draft.Customer, row.Draft.ShippingAddress);
                await copy.StartRowAsync(cancellationToken);
                await Write(id.Value, NpgsqlDbType.Bigint);
                await Text(draft.Store.StoreId);
                await Text(draft.ExternalId);
                await Write((short)row.State, NpgsqlDbType.Smallint);
                await Write((short)row.PaymentState, NpgsqlDbType.Smallint);
                await Write((short)row.FulfilmentState, NpgsqlDbType.Smallint);
                await Write(1L, NpgsqlDbType.Bigint);
                await Write(row.PlaceTime, NpgsqlDbType.TimestampTz);
                await Write(now, NpgsqlDbType.TimestampTz);
                await Text(draft.Currency);
                await Write(draft.SubtotalMinor, NpgsqlDbType.Bigint);
                await Write(draft.ShippingMinor, NpgsqlDbType.Bigint);
                await Write(draft.TotalMinor, NpgsqlDbType.Bigint);
                await Write(row.RefundedMinor, NpgsqlDbType.Bigint);
                if (row.Cancellation is { } cancellation)
                {
                    await Write((short)cancellation.Reason, NpgsqlDbType.Smallint);
                    await Text(cancellation.Note);
                    await Write(cancellation.Time, NpgsqlDbType.TimestampTz);
                }
                else
                {
                    await copy.WriteNullAsync(cancellationToken);
                    await copy.WriteNullAsync(cancellationToken);
                    await copy.WriteNullAsync(cancellationToken);
                }

                foreach (var text in new[] { customer.Name, customer.Email, customer.Phone, customer.LanguageCode, Plausible.EmailKey(customer.Email) })
                    await Text(text);
                foreach (var text in new[] { to.RegionCode, to.LanguageCode, to.PostalCode, to.SortingCode, to.AdministrativeArea, to.Locality, to.Sublocality })
                    await Text(text);
                await Write(to.AddressLines.ToArray(), NpgsqlDbType.Array | NpgsqlDbType.Text);
                await Write(to.Recipients.ToArray(), NpgsqlDbType.Array | NpgsqlDbType.Text);
                await Text(to.Organization);
                await Write(JsonSerializer.Serialize(draft.Adjustments, OrderJson.Options), NpgsqlDbType.Jsonb);
                await Write(JsonSerializer.Serialize(draft.PaymentParts, OrderJson.Options), NpgsqlDbType.Jsonb);
                await Write((short)1, NpgsqlDbType.Smallint);
                await Write(now, NpgsqlDbType.TimestampTz);
                await Write(row.Hash, NpgsqlDbType.Bytea);
                await Text(draft.CustomerId);
                if (row.DeliverTime is { } delivered)
                    await Write(delivered, NpgsqlDbType.TimestampTz);
                else
                    await copy.WriteNullAsync(cancellationToken);
            }

            await copy.CompleteAsync(cancellationToken);

            Task Write<T>(T value, NpgsqlDbType type) => copy.WriteAsync(value, type, cancellationToken);
            Task Text(string? text) => text is null ? copy.WriteNullAsync(cancellationToken) : copy.WriteAsync(text, NpgsqlDbType.Text, cancellationToken);
        }

        await using (var copy = await connection.BeginBinaryImportAsync(
            """
            COPY order_lines (order_id, store_id, line_number, sku, title, quantity, unit_price_minor, price_agreed, weight_grams, length_mm, width_mm, height_mm,
              from_location_id, from_locality, from_administrative_area, from_postal_code, from_region_code, held)
            FROM STDIN (FORMAT BINARY)
            """,
            cancellationToken))
        {
            foreach (var (row, id) in orders)
            {
                foreach (var line in row.Draft.Lines)
                {
                    await copy.StartRowAsync(cancellationToken);
                    await copy.WriteAsync(id.Value, NpgsqlDbType.Bigint, cancellationToken);
                    await copy.WriteAsync(row.Draft.Store.StoreId, NpgsqlDbType.Text, cancellationToken);
                    await copy.WriteAsync(line.LineNumber, NpgsqlDbType.Integer, cancellationToken);
                    await copy.WriteAsync(line.Sku, NpgsqlDbType.Text, cancellationToken);
                    await copy.WriteAsync(line.Title, NpgsqlDbType.Text, cancellationToken);
                    await copy.WriteAsync(line.Quantity, NpgsqlDbType.Integer, cancellationToken);
                    await copy.WriteAsync(line.UnitPriceMinor, NpgsqlDbType.Bigint, cancellationToken);
                    // What was agreed then, whatever the catalogue says now.
                    await copy.WriteAsync(true, NpgsqlDbType.Boolean, cancellationToken);
                    foreach (var size in new[] { line.Dimensions.WeightGrams, line.Dimensions.LengthMm, line.Dimensions.WidthMm, line.Dimensions.HeightMm })
                        await copy.WriteAsync(size, NpgsqlDbType.Integer, cancellationToken);
                    var from = line.ShipFrom;
                    foreach (var text in new[] { from.LocationId, from.Locality, from.AdministrativeArea, from.PostalCode, from.RegionCode })
                        await copy.WriteAsync(text, NpgsqlDbType.Text, cancellationToken);
                    await copy.WriteAsync(0, NpgsqlDbType.Integer, cancellationToken);
                }
            }

            await copy.CompleteAsync(cancellationToken);
        }

        await using (var copy = await connection.BeginBinaryImportAsync("COPY order_terms (store_id, term, create_time, order_id) FROM STDIN (FORMAT BINARY)", cancellationToken))
        {
            foreach (var (row, id) in orders)
            {
                var note = row.Cancellation is null ? [] : SearchWords.Of(row.Cancellation.Note).Select(OrderTerms.Note);
                foreach (var term in OrderTerms.Of(row.Draft).Concat(note).Distinct(StringComparer.Ordinal))
                {
                    await copy.StartRowAsync(cancellationToken);
                    await copy.WriteAsync(row.Draft.Store.StoreId, NpgsqlDbType.Text, cancellationToken);
                    await copy.WriteAsync(term, NpgsqlDbType.Text, cancellationToken);
                    await copy.WriteAsync(row.PlaceTime, NpgsqlDbType.TimestampTz, cancellationToken);
                    await copy.WriteAsync(id.Value, NpgsqlDbType.Bigint, cancellationToken);
                }
            }

            await copy.CompleteAsync(cancellationToken);
        }

        await using (var copy = await connection.BeginBinaryImportAsync("COPY order_timeline (order_id, version, time, event, actor, detail) FROM STDIN (FORMAT BINARY)", cancellationToken))
        {
            foreach (var (row, id) in orders)
            {
                await copy.StartRowAsync(cancellationToken);
                await copy.WriteAsync(id.Value, NpgsqlDbType.Bigint, cancellationToken);
                await copy.WriteAsync(1L, NpgsqlDbType.Bigint, cancellationToken);
                await copy.WriteAsync(now, NpgsqlDbType.TimestampTz, cancellationToken);
                await copy.WriteAsync(nameof(OrderImported), NpgsqlDbType.Text, cancellationToken);
                await copy.WriteAsync(actor, NpgsqlDbType.Text, cancellationToken);
                await copy.WriteAsync(FieldErrors.Text($"placed {row.PlaceTime:yyyy-MM-dd'T'HH:mm:ss'Z'}, {FactName.Of(row.State)}"), NpgsqlDbType.Text, cancellationToken);
            }

            await copy.CompleteAsync(cancellationToken);
        }
    }

    private static void Refuse(ImportOrdersResponse response, long position, string externalId, ErrorReason reason, string message)
    {
        response.Refused++;
        if (response.Errors.Count < MostErrors)
            response.Errors.Add(new ImportError { Position = position, ExternalId = externalId[..Math.Min(externalId.Length, 64)], Reason = reason, Message = message });
    }
}

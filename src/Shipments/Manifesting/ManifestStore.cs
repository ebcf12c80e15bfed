using System.Text.Json;
using Commerce.Messaging;
using Commerce.Shipments.Storage;
using Npgsql;
using NpgsqlTypes;

namespace Commerce.Shipments.Manifesting;

/// <summary>Lists in Postgres.</summary>
internal sealed class ManifestStore(NpgsqlDataSource database, Requests requests)
{
    private const int MostParcels = 5000;
    private const string Columns = "id, store_id, carrier, location_id, number, closed_at, parcel_count, weight_grams";

    public async Task<ManifestRecord?> Find(Guid id, CancellationToken cancellationToken)
    {
        await using var command = database.CreateCommand($"SELECT {Columns}, lines FROM manifests WHERE id = $1");
        command.Parameters.Add(new NpgsqlParameter<Guid> { TypedValue = id });
        await using var reader = await command.ExecuteReaderAsync(cancellationToken);
        return await reader.ReadAsync(cancellationToken) ? Read(reader) : null;
    }

    /// <summary>Without their lines.</summary>
    public async Task<IReadOnlyList<ManifestRecord>> List(string storeId, string carrier, (DateTimeOffset ClosedAt, Guid Id)? after, int limit, CancellationToken cancellationToken)
    {
        await using var command = database.CreateCommand(
            $"""
            SELECT {Columns} FROM manifests
            WHERE store_id = $1 AND ($2 = '' OR carrier = $2) AND (closed_at, id) < ($3, $4)
            ORDER BY closed_at DESC, id DESC LIMIT $5
            """);
        command.Parameters.Add(new NpgsqlParameter<string> { TypedValue = storeId });
        command.Parameters.Add(new NpgsqlParameter<string> { TypedValue = carrier });
        command.Parameters.Add(new NpgsqlParameter<DateTimeOffset> { TypedValue = after?.ClosedAt ?? new DateTimeOffset(9999, 1, 1, 0, 0, 0, TimeSpan.Zero) });
        command.Parameters.Add(new NpgsqlParameter<Guid> { TypedValue = after?.Id ?? Guid.AllBitsSet });
        command.Parameters.Add(new NpgsqlParameter<int> { TypedValue = limit });
        await using var reader = await command.ExecuteReaderAsync(cancellationToken);
        var manifests = new List<ManifestRecord>();
        while (await reader.ReadAsync(cancellationToken))
            manifests.Add(Read(reader));
        return manifests;
    }

    /// <summary>
    /// Puts every waiting label on one new list; without any, the list closed last, or null where there is none. Two that close
    /// at the same time wait for each other at the lock, and the second finds nothing that waits.
    /// </summary>
    public async Task<Guid?> Close(string storeId, string carrier, string locationId, RequestKey key, DateTimeOffset now, CancellationToken cancellationToken)
    {
        if (await requests.Find(key, cancellationToken) is { } earlier)
            return IdOf(earlier);
        await using var connection = await database.OpenConnectionAsync(cancellationToken);
        await using var transaction = await connection.BeginTransactionAsync(cancellationToken);
        var (last, number, waiting) = await Waiting(connection, transaction, storeId, carrier, locationId, cancellationToken);
        if (waiting.Count == 0 && last is null)
            return null;
        var id = waiting.Count == 0 ? last!.Value : Guid.CreateVersion7(now);
        await using var batch = new NpgsqlBatch(connection, transaction);
        batch.BatchCommands.Add(requests.Record(key, ManifestMessage.NamePrefix + id.ToString("N"), 1));
        if (waiting.Count > 0)
        {
            batch.BatchCommands.Add(Insert(new ManifestRecord(
                id, storeId, carrier, locationId, number + 1, now, waiting.Count, waiting.Sum(one => (long)one.Size.WeightGrams),
                [
                    .. waiting.Select(one => new ManifestLineRecord(
                        one.PublicId, one.OrderId, one.OrderReference, one.TrackingNumber!, one.Service!, one.Size.WeightGrams, one.ShipTo.PostalCode, one.ShipTo.Country))
                        .OrderBy(line => line.TrackingNumber, StringComparer.Ordinal),
                ])));
            batch.BatchCommands.Add(new NpgsqlBatchCommand("UPDATE shipments SET manifest_label = label_id, manifest_id = $1 WHERE id = ANY ($2)")
            {
                Parameters = { new NpgsqlParameter<Guid> { TypedValue = id }, new NpgsqlParameter<Guid[]> { TypedValue = [.. waiting.Select(one => one.Id)] } },
            });
        }

        try
        {
            await batch.ExecuteNonQueryAsync(cancellationToken);
            await transaction.CommitAsync(cancellationToken);
            return id;
        }
        catch (PostgresException exception) when (Requests.IsRepeated(exception))
        {
            await transaction.RollbackAsync(cancellationToken);
            return await requests.Find(key, cancellationToken) is { } twin ? IdOf(twin) : null;
        }
    }

    private static async Task<(Guid? Last, int Number, List<Shipment> Waiting)> Waiting(
        NpgsqlConnection connection, NpgsqlTransaction transaction, string storeId, string carrier, string locationId, CancellationToken cancellationToken)
    {
        NpgsqlParameter[] Place() =>
            [new NpgsqlParameter<string> { TypedValue = storeId }, new NpgsqlParameter<string> { TypedValue = carrier }, new NpgsqlParameter<string> { TypedValue = locationId }];

        await using var batch = new NpgsqlBatch(connection, transaction);
        var locking = new NpgsqlBatchCommand("SELECT pg_advisory_xact_lock(hashtextextended($1 || E'\\n' || $2 || E'\\n' || $3, 60))");
        locking.Parameters.AddRange(Place());
        batch.BatchCommands.Add(locking);
        var newest = new NpgsqlBatchCommand("SELECT id, number FROM manifests WHERE store_id = $1 AND carrier = $2 AND location_id = $3 ORDER BY number DESC LIMIT 1");
        newest.Parameters.AddRange(Place());
        batch.BatchCommands.Add(newest);
        // A label that is about to be void is not handed to anybody.
        var parcels = new NpgsqlBatchCommand(
            $"""
            SELECT {ShipmentStore.Columns} FROM shipments
            WHERE store_id = $1 AND carrier = $2 AND location_id = $3 AND label_id IS NOT NULL AND label_id IS DISTINCT FROM manifest_label
              AND return_number = 0 AND status <> 11 AND NOT cancel_requested AND next_ship_to IS NULL
            ORDER BY created_at LIMIT {MostParcels} FOR UPDATE
            """);
        parcels.Parameters.AddRange(Place());
        batch.BatchCommands.Add(parcels);
        await using var reader = await batch.ExecuteReaderAsync(cancellationToken);
        await reader.NextResultAsync(cancellationToken);
        var (last, number) = await reader.ReadAsync(cancellationToken) ? ((Guid?)reader.GetGuid(0), reader.GetInt32(1)) : (null, 0);
        await reader.NextResultAsync(cancellationToken);
        var waiting = new List<Shipment>();
        while (await reader.ReadAsync(cancellationToken))
            waiting.Add(ShipmentStore.Read(reader));
        return (last, number, waiting);
    }

    private static NpgsqlBatchCommand Insert(ManifestRecord manifest) => new($"INSERT INTO manifests ({Columns}, lines) VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9)")
    {
        Parameters =
        {
            new NpgsqlParameter<Guid> { TypedValue = manifest.Id },
            new NpgsqlParameter<string> { TypedValue = manifest.StoreId },
            new NpgsqlParameter<string> { TypedValue = manifest.Carrier },
            new NpgsqlParameter<string> { TypedValue = manifest.LocationId },
            new NpgsqlParameter<int> { TypedValue = manifest.Number },
            new NpgsqlParameter<DateTimeOffset> { TypedValue = manifest.ClosedAt },
            new NpgsqlParameter<int> { TypedValue = manifest.ParcelCount },
            new NpgsqlParameter<long> { TypedValue = manifest.WeightGrams },
            new NpgsqlParameter { Value = JsonSerializer.Serialize(manifest.Lines, JsonSerializerOptions.Web), NpgsqlDbType = NpgsqlDbType.Jsonb },
        },
    };

    private static ManifestRecord Read(NpgsqlDataReader r) => new(
        r.GetGuid(0), r.GetString(1), r.GetString(2), r.GetString(3), r.GetInt32(4), r.GetFieldValue<DateTimeOffset>(5), r.GetInt32(6), r.GetInt64(7),
        r.FieldCount > 8 ? JsonSerializer.Deserialize<List<ManifestLineRecord>>(r.GetString(8), JsonSerializerOptions.Web)! : []);

    private static Guid IdOf(RequestAnswer answer) => Guid.ParseExact(answer.Resource.AsSpan(ManifestMessage.NamePrefix.Length), "N");
}

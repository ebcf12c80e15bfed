using Npgsql;
using Action = Commerce.Shipments.V1.ResolutionAction;
using State = Commerce.Shipments.V1.Resolution.Types.State;

namespace Commerce.Shipments.ResolvingExceptions;

/// <summary>Resolutions in Postgres.</summary>
internal static class ResolutionStore
{
    private const string Columns = "shipment_id, number, action, state, detail, amount_minor, currency, outcome, note, actor, created_at, updated_at, day, paid_minor, paid_currency";

    /// <summary>Everything that was done about these parcels, first one first.</summary>
    public static async Task<ILookup<Guid, Resolution>> Of(NpgsqlDataSource database, IReadOnlyCollection<Guid> shipments, CancellationToken cancellationToken)
    {
        await using var connection = await database.OpenConnectionAsync(cancellationToken);
        return await Of(connection, null, shipments, cancellationToken);
    }

    /// <summary>As above, in a transaction that holds the parcels' locks.</summary>
    public static async Task<ILookup<Guid, Resolution>> Of(
        NpgsqlConnection connection, NpgsqlTransaction? transaction, IReadOnlyCollection<Guid> shipments, CancellationToken cancellationToken)
    {
        await using var command = new NpgsqlCommand($"SELECT {Columns} FROM resolutions WHERE shipment_id = ANY ($1) ORDER BY shipment_id, number", connection, transaction);
        command.Parameters.Add(new NpgsqlParameter<Guid[]> { TypedValue = [.. shipments] });
        var found = new List<Resolution>();
        await using var reader = await command.ExecuteReaderAsync(cancellationToken);
        while (await reader.ReadAsync(cancellationToken))
            found.Add(Read(reader));
        return found.ToLookup(one => one.ShipmentId);
    }

    public static NpgsqlBatchCommand Insert(Resolution one) => With(
        one, $"INSERT INTO resolutions ({Columns}) VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14, $15)");

    public static NpgsqlBatchCommand Update(Resolution one) => With(
        one, "UPDATE resolutions SET action = $3, state = $4, detail = $5, amount_minor = $6, currency = $7, outcome = $8, note = $9, actor = $10, created_at = $11, updated_at = $12, day = $13, paid_minor = $14, paid_currency = $15 WHERE shipment_id = $1 AND number = $2");

    private static NpgsqlBatchCommand With(Resolution one, string sql) => new(sql)
    {
        Parameters =
        {
            new NpgsqlParameter<Guid> { TypedValue = one.ShipmentId },
            new NpgsqlParameter<int> { TypedValue = one.Number },
            new NpgsqlParameter<short> { TypedValue = (short)one.Action },
            new NpgsqlParameter<short> { TypedValue = (short)one.State },
            new NpgsqlParameter<string> { TypedValue = one.Detail },
            new NpgsqlParameter<long?> { TypedValue = one.Amount?.Minor },
            new NpgsqlParameter<string?> { TypedValue = one.Amount?.Currency },
            new NpgsqlParameter<string> { TypedValue = one.Outcome },
            new NpgsqlParameter<string> { TypedValue = one.Note },
            new NpgsqlParameter<string> { TypedValue = one.Actor },
            new NpgsqlParameter<DateTimeOffset> { TypedValue = one.CreatedAt },
            new NpgsqlParameter<DateTimeOffset> { TypedValue = one.UpdatedAt },
            new NpgsqlParameter<DateOnly?> { TypedValue = one.Day },
            new NpgsqlParameter<long?> { TypedValue = one.Paid?.Minor },
            new NpgsqlParameter<string?> { TypedValue = one.Paid?.Currency },
        },
    };

    private static Resolution Read(NpgsqlDataReader r) => new(
        r.GetGuid(0), r.GetInt32(1), (Action)r.GetInt16(2), (State)r.GetInt16(3), r.GetString(4),
        r.IsDBNull(5) ? null : new Money(r.GetInt64(5), r.GetString(6)),
        r.GetString(7), r.GetString(8), r.GetString(9), r.GetFieldValue<DateTimeOffset>(10), r.GetFieldValue<DateTimeOffset>(11))
    {
        Day = r.IsDBNull(12) ? null : r.GetFieldValue<DateOnly>(12),
        Paid = r.IsDBNull(13) ? null : new Money(r.GetInt64(13), r.GetString(14)),
    };
}

using Commerce.ServiceDefaults;
using Npgsql;

namespace Commerce.Shipments.Storage;

/// <summary>Which parcels: each way is one index.</summary>
internal sealed record ShipmentQuery(string Where, params IReadOnlyList<Func<NpgsqlParameter>> Parameters)
{
    private const string OnlyExceptions = " AND exception_kind IS NOT NULL";

    public static ShipmentQuery ById(Guid id) => new("id = $1", () => new NpgsqlParameter<Guid> { TypedValue = id });

    public static ShipmentQuery ByIds(Guid[] ids) => new("id = ANY ($1)", () => new NpgsqlParameter<Guid[]> { TypedValue = ids });

    /// <summary>As planned, after the given position.</summary>
    public static ShipmentQuery OfOrder(string orderId, bool onlyExceptions, int afterPosition, int limit) => new(
        "order_id = $1 AND position > $2" + (onlyExceptions ? OnlyExceptions : "") + " ORDER BY position LIMIT $3",
        () => new NpgsqlParameter<string> { TypedValue = orderId },
        () => new NpgsqlParameter<int> { TypedValue = afterPosition },
        () => new NpgsqlParameter<int> { TypedValue = limit });

    /// <summary>The newest parcel that bears the number, or where none does the one that was last corrected from it; of those that whoever calls may see.</summary>
    public static ShipmentQuery ByNumber(string number) => OfTheCallers(
        $"id = ({Bearer("$1", "$2")})", () => new NpgsqlParameter<string> { TypedValue = number });

    /// <summary>The same of each number. One alone is asked for by <see cref="ByNumber"/>: how long an array is, Postgres plans for anew each time.</summary>
    public static ShipmentQuery ByNumbers(string[] numbers) => OfTheCallers(
        $"id IN (SELECT ({Bearer("number", "$2")}) FROM unnest($1) AS given (number))", () => new NpgsqlParameter<string[]> { TypedValue = numbers });

    /// <summary>Newest first, after the given place.</summary>
    public static ShipmentQuery OfStore(string storeId, bool onlyExceptions, (DateTimeOffset CreatedAt, Guid Id)? after, int limit) => new(
        "store_id = $1 AND (created_at, id) < ($2, $3)" + (onlyExceptions ? OnlyExceptions : "") + " ORDER BY created_at DESC, id DESC LIMIT $4",
        () => new NpgsqlParameter<string> { TypedValue = storeId },
        () => new NpgsqlParameter<DateTimeOffset> { TypedValue = after?.CreatedAt ?? new DateTimeOffset(9999, 1, 1, 0, 0, 0, TimeSpan.Zero) },
        () => new NpgsqlParameter<Guid> { TypedValue = after?.Id ?? Guid.AllBitsSet },
        () => new NpgsqlParameter<int> { TypedValue = limit });

    /// <summary>Those that need somebody, worst first and among equals the one that has waited longest, after the given place.</summary>
    public static ShipmentQuery Worst(string storeId, short minSeverity, (short Severity, DateTimeOffset At, Guid Id)? after, int limit) => new(
        """
        store_id = $1 AND exception_kind IS NOT NULL AND exception_severity >= $2 AND exception_severity <= $3
          AND (exception_severity < $3 OR (exception_at, id) > ($4, $5)) ORDER BY exception_severity DESC, exception_at, id LIMIT $6
        """,
        () => new NpgsqlParameter<string> { TypedValue = storeId },
        () => new NpgsqlParameter<short> { TypedValue = minSeverity },
        () => new NpgsqlParameter<short> { TypedValue = after?.Severity ?? short.MaxValue },
        () => new NpgsqlParameter<DateTimeOffset> { TypedValue = after?.At ?? DateTimeOffset.UnixEpoch },
        () => new NpgsqlParameter<Guid> { TypedValue = after?.Id ?? Guid.Empty },
        () => new NpgsqlParameter<int> { TypedValue = limit });

    // Two texts, so that who sees every store has the plan that looks at none.
    private static ShipmentQuery OfTheCallers(string where, Func<NpgsqlParameter> number) =>
        Principal.Current?.Stores is { } stores ? new(where, number, () => new NpgsqlParameter<string[]> { TypedValue = [.. stores] }) : new(where, number);

    private static string Bearer(string number, string stores)
    {
        var visible = Principal.Current?.Stores is null ? "" : $" AND store_id = ANY ({stores})";
        return $"""
            SELECT coalesce(
              (SELECT id FROM shipments WHERE tracking_number = {number}{visible} ORDER BY created_at DESC LIMIT 1),
              (SELECT shipment_id FROM former_tracking_numbers f{(visible.Length > 0 ? " JOIN shipments ON id = shipment_id" : "")} WHERE f.tracking_number = {number}{visible} ORDER BY replaced_at DESC LIMIT 1))
            """;
    }

    public NpgsqlBatchCommand Command(string before, string behind = "")
    {
        var command = new NpgsqlBatchCommand(before + Where + behind);
        foreach (var parameter in Parameters)
            command.Parameters.Add(parameter());
        return command;
    }
}

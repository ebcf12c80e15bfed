using Npgsql;
using NpgsqlTypes;

namespace Commerce.Orders.Storage;

/// <summary>Typed parameters ($1, $2, …): no boxing, and Postgres is told the type instead of guessing it.</summary>
public static class Sql
{
    /// <summary>SQLSTATE of assert_products.</summary>
    public const string CatalogueChanged = "CM001";

    /// <summary>SQLSTATE of reserve_stock.</summary>
    public const string OutOfStock = "CM002";

    /// <summary>Of an order "o": what of its total was taken and not given back.</summary>
    public const string KeptMinor = "greatest(0, o.total_minor - o.untaken_minor - o.refunded_minor)";

    public static NpgsqlBatchCommand Command(string text) => new(text);

    public static NpgsqlBatchCommand With<T>(this NpgsqlBatchCommand command, T value)
    {
        command.Parameters.Add(new NpgsqlParameter<T> { TypedValue = value });
        return command;
    }

    public static NpgsqlBatchCommand WithJson(this NpgsqlBatchCommand command, string? json)
    {
        command.Parameters.Add(new NpgsqlParameter<string?> { TypedValue = json, NpgsqlDbType = NpgsqlDbType.Jsonb });
        return command;
    }

    /// <summary>A document of each item, for unnest.</summary>
    public static NpgsqlBatchCommand WithJson(this NpgsqlBatchCommand command, string?[] json)
    {
        command.Parameters.Add(new NpgsqlParameter<string?[]> { TypedValue = json, NpgsqlDbType = NpgsqlDbType.Array | NpgsqlDbType.Jsonb });
        return command;
    }

    public static NpgsqlCommand With<T>(this NpgsqlCommand command, T value)
    {
        command.Parameters.Add(new NpgsqlParameter<T> { TypedValue = value });
        return command;
    }

    public static NpgsqlBatch With(this NpgsqlBatch batch, NpgsqlBatchCommand command)
    {
        batch.BatchCommands.Add(command);
        return batch;
    }

    /// <summary>One value of each item, for unnest.</summary>
    public static T[] Column<TItem, T>(this IReadOnlyList<TItem> items, Func<TItem, T> value)
    {
        var column = new T[items.Count];
        for (var i = 0; i < column.Length; i++)
            column[i] = value(items[i]);
        return column;
    }

    public static string? TextOrNull(this NpgsqlDataReader reader, int column) =>
        reader.IsDBNull(column) ? null : reader.GetString(column);

    public static DateTimeOffset? TimeOrNull(this NpgsqlDataReader reader, int column) =>
        reader.IsDBNull(column) ? null : reader.GetFieldValue<DateTimeOffset>(column);
}

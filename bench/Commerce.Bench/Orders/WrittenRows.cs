using System.Globalization;
using System.Text;
using Npgsql;

namespace Commerce.Bench.Orders;

/// <summary>
/// The rows that a call really writes, caught by triggers while it is made once, and put as SQL that writes the same ones:
/// so the peer of a bench follows whatever the service comes to write.
/// </summary>
internal sealed class WrittenRows
{
    private const string Trap = "bench_trap";

    private readonly List<Row> _rows;

    private WrittenRows(List<Row> rows) => _rows = rows;

    /// <summary>How many rows are inserted or updated.</summary>
    public int Count => _rows.Count;

    /// <summary>Where they are.</summary>
    public IEnumerable<string> Tables => _rows.Select(row => row.Table).Distinct();

    /// <summary>Makes the call with every table watched.</summary>
    public static async Task<WrittenRows> Catch(NpgsqlDataSource database, Func<Task> call)
    {
        await Execute(database, $$"""
            CREATE TABLE {{Trap}} (n bigint GENERATED ALWAYS AS IDENTITY, name text, op text, columns text[], types text[], keys text[], before text[], after text[]);
            CREATE FUNCTION {{Trap}}() RETURNS trigger LANGUAGE plpgsql AS $$
            DECLARE
              c record; columns text[] := '{}'; types text[] := '{}'; keys text[] := '{}'; before text[] := '{}'; after text[] := '{}'; v text;
            BEGIN
              FOR c IN SELECT a.attname, format_type(a.atttypid, a.atttypmod) AS type,
                         EXISTS (SELECT FROM pg_index i WHERE i.indrelid = TG_RELID AND i.indisprimary AND a.attnum = ANY (i.indkey)) AS key
                       FROM pg_attribute a
                       WHERE a.attrelid = TG_RELID AND a.attnum > 0 AND NOT a.attisdropped AND a.attidentity = '' AND a.attgenerated = '' ORDER BY a.attnum
              LOOP
                columns := columns || c.attname::text; types := types || c.type;
                IF c.key THEN keys := keys || c.attname::text; END IF;
                EXECUTE format('SELECT ($1).%I::text', c.attname) INTO v USING NEW; after := after || v;
                IF TG_OP = 'UPDATE' THEN EXECUTE format('SELECT ($1).%I::text', c.attname) INTO v USING OLD; before := before || v; END IF;
              END LOOP;
              INSERT INTO {{Trap}} (name, op, columns, types, keys, before, after)
              VALUES (TG_TABLE_SCHEMA || '.' || TG_TABLE_NAME, TG_OP, columns, types, keys, before, after);
              RETURN NULL;
            END $$
            """);
        var tables = await Read(database, $"SELECT schemaname || '.' || tablename FROM pg_tables WHERE schemaname IN ('public', 'messaging') AND tablename <> '{Trap}'", r => r.GetString(0));
        foreach (var table in tables)
            await Execute(database, $"CREATE TRIGGER {Trap} AFTER INSERT OR UPDATE ON {table} FOR EACH ROW EXECUTE FUNCTION {Trap}()");
        await call();
        foreach (var table in tables)
            await Execute(database, $"DROP TRIGGER {Trap} ON {table}");
        var rows = await Read(database, $"SELECT name, op, columns, types, keys, before, after FROM {Trap} ORDER BY n", r => new Row(
            r.GetString(0), r.GetString(1) == "INSERT", r.GetFieldValue<string[]>(2), r.GetFieldValue<string[]>(3), r.GetFieldValue<string[]>(4),
            r.GetFieldValue<string?[]>(5), r.GetFieldValue<string?[]>(6)));
        await Execute(database, $"DROP FUNCTION {Trap}(); DROP TABLE {Trap}");
        return new WrittenRows(rows);
    }

    /// <summary>Without the rows that a predicate refuses.</summary>
    public WrittenRows Where(Func<string, bool> table) => new([.. _rows.Where(row => table(row.Table))]);

    /// <summary>A statement a row.</summary>
    /// <param name="instead">What stands for a text wherever it occurs in a value: an SQL expression of type text.</param>
    /// <param name="of">What stands for a whole value of a column ("table.column"): an SQL expression; null: the value itself.</param>
    /// <param name="from">Added to inserts, for example a FROM clause that makes many rows of one.</param>
    public IEnumerable<string> Statements(IReadOnlyList<(string Text, string Expression)> instead, Func<string, string?>? of = null, string from = "")
    {
        foreach (var row in _rows)
        {
            string Value(int i, string? text)
            {
                if (of?.Invoke($"{row.Table}.{row.Columns[i]}") is { } expression)
                    return expression;
                return row.Types[i] == "uuid" ? "gen_random_uuid()" : $"{Literal(text, instead)}::{row.Types[i]}";
            }

            if (row.IsInsert)
            {
                var values = string.Join(", ", row.Columns.Select((_, i) => Value(i, row.After[i])));
                yield return $"INSERT INTO {row.Table} ({string.Join(", ", row.Columns)}) SELECT {values} {from}".TrimEnd();
            }
            else
            {
                var changed = Enumerable.Range(0, row.Columns.Length).Where(i => row.Before[i] != row.After[i]).Select(i =>
                    long.TryParse(row.Before[i], CultureInfo.InvariantCulture, out var before) && long.TryParse(row.After[i], CultureInfo.InvariantCulture, out var after)
                        ? string.Create(CultureInfo.InvariantCulture, $"{row.Columns[i]} = {row.Columns[i]} + ({after - before})")
                        : $"{row.Columns[i]} = {Value(i, row.After[i])}");
                var keys = row.Keys.Select(key => $"{key} = {Value(Array.IndexOf(row.Columns, key), row.After[Array.IndexOf(row.Columns, key)])}");
                yield return $"UPDATE {row.Table} SET {string.Join(", ", changed)} WHERE {string.Join(" AND ", keys)}";
            }
        }
    }

    private static string Literal(string? text, IReadOnlyList<(string Text, string Expression)> instead)
    {
        if (text is null)
            return "NULL";
        var sql = new StringBuilder();
        var rest = text;
        while (rest.Length > 0)
        {
            var (at, which) = instead.Select(one => (At: rest.IndexOf(one.Text, StringComparison.Ordinal), one)).Where(found => found.At >= 0)
                .OrderBy(found => found.At).FirstOrDefault((rest.Length, ("", "")));
            if (at > 0)
                sql.Append(sql.Length > 0 ? " || " : "").Append(Quoted(rest[..at]));
            if (at < rest.Length)
                sql.Append(sql.Length > 0 ? " || " : "").Append('(').Append(which.Item2).Append(")::text");
            rest = rest[Math.Min(rest.Length, at + Math.Max(1, which.Item1.Length))..];
        }

        return sql.Length == 0 ? "''" : $"({sql})";
    }

    // A colon before a letter would be a variable to pgbench.
    private static string Quoted(string text)
    {
        var quoted = new StringBuilder("'");
        for (var i = 0; i < text.Length; i++)
            quoted.Append(text[i] == ':' && i + 1 < text.Length && (char.IsAsciiLetter(text[i + 1]) || text[i + 1] == '_') ? "' || chr(58) || '" : text[i] == '\'' ? "''" : text[i]);
        return quoted.Append('\'').ToString();
    }

    private static async Task Execute(NpgsqlDataSource database, string sql)
    {
        await using var command = database.CreateCommand(sql);
        await command.ExecuteNonQueryAsync();
    }

    private static async Task<List<T>> Read<T>(NpgsqlDataSource database, string sql, Func<NpgsqlDataReader, T> row)
    {
        await using var command = database.CreateCommand(sql);
        await using var reader = await command.ExecuteReaderAsync();
        var rows = new List<T>();
        while (await reader.ReadAsync())
            rows.Add(row(reader));
        return rows;
    }

    private sealed record Row(string Table, bool IsInsert, string[] Columns, string[] Types, string[] Keys, string?[] Before, string?[] After);
}

using System.Globalization;
using CsvHelper;
using CsvHelper.Configuration;

namespace Commerce.Tracking;

/// <summary>What is known as data: the tables that are built into the assembly, CSV with a header line; a line that begins with # is a comment.</summary>
internal static class Table
{
    private static readonly CsvConfiguration Csv = new(CultureInfo.InvariantCulture) { AllowComments = true, MissingFieldFound = null };

    /// <summary>Every row below the header, as wide as that.</summary>
    public static IReadOnlyList<string[]> Rows(string name) => Rows(Open(name));

    public static IReadOnlyList<string[]> Rows(Stream table)
    {
        using var reader = new CsvReader(new StreamReader(table), Csv);
        reader.Read();
        reader.ReadHeader();
        var width = reader.HeaderRecord!.Length;
        var rows = new List<string[]>();
        while (reader.Read())
            rows.Add([.. Enumerable.Range(0, width).Select(column => reader.GetField(column) ?? "")]);
        return rows;
    }

    /// <summary>The names, without folder and ending, of what lies in a folder.</summary>
    public static IEnumerable<string> Names(string folder, string ending)
    {
        var prefix = $"{typeof(Table).Namespace}.{folder}.";
        return typeof(Table).Assembly.GetManifestResourceNames()
            .Where(name => name.StartsWith(prefix, StringComparison.Ordinal) && name.EndsWith(ending, StringComparison.Ordinal))
            .Select(name => name[prefix.Length..^ending.Length]);
    }

    public static Stream Open(string name) =>
        typeof(Table).Assembly.GetManifestResourceStream($"{typeof(Table).Namespace}.{name}") ?? throw new InvalidOperationException($"{name} is not built into the assembly.");
}

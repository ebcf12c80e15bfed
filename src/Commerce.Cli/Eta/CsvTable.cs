using System.Globalization;
using Commerce.Cli.Api;
using CsvHelper;
using CsvHelper.Configuration;

namespace Commerce.Cli.Eta;

/// <summary>What was wrong with rows of a file: how many, and where first.</summary>
internal sealed record RowProblem(string File, string Problem, int Rows, long FirstLine);

/// <summary>Counts what is wrong with the data, instead of stopping at it.</summary>
internal sealed class RowProblems
{
    private readonly Dictionary<(string File, string Problem), (int Rows, long FirstLine)> _found = [];

    public IReadOnlyList<RowProblem> Found => [.. _found.Select(one => new RowProblem(one.Key.File, one.Key.Problem, one.Value.Rows, one.Value.FirstLine))];

    public void Add(string file, string problem, long line)
    {
        var (rows, first) = _found.GetValueOrDefault((file, problem));
        _found[(file, problem)] = (rows + 1, rows == 0 ? line : first);
    }
}

/// <summary>A row of a CSV file, read by the names of its columns; one that is absent or empty is empty.</summary>
internal sealed class CsvRow(IReadOnlyDictionary<string, int> columns, string[] fields, long line)
{
    public long Line { get; } = line;

    public string this[string column] => columns.TryGetValue(column, out var index) && index < fields.Length ? fields[index].Trim() : "";

    public double? Number(string column) =>
        double.TryParse(this[column], NumberStyles.Float, CultureInfo.InvariantCulture, out var value) && double.IsFinite(value) ? value : null;

    public DateTime? Time(string column) =>
        DateTime.TryParse(this[column], CultureInfo.InvariantCulture, DateTimeStyles.None, out var time) && time.Year is > 1970 and < 2200 ? DateTime.SpecifyKind(time, DateTimeKind.Unspecified) : null;
}

/// <summary>Reads CSV files row by row.</summary>
internal static class CsvTable
{
    // A field beyond it is not data but a quote that never ends.
    private const int LongestField = 100_000;

    /// <summary>The rows of a file; those with fewer columns than the header are counted and left out.</summary>
    /// <exception cref="UsageException">The file is missing and required, or lacks a column that is.</exception>
    public static IEnumerable<CsvRow> Rows(string folder, string file, RowProblems problems, bool required, params string[] columns)
    {
        var path = Path.Combine(folder, file);
        if (!File.Exists(path))
        {
            if (required)
                throw new UsageException($"{path} is missing. Give the folder that holds {file} and its siblings.");
            problems.Add(file, "the file is missing; done without it", 0);
            yield break;
        }

        using var reader = new StreamReader(path);
        using var parser = new CsvParser(reader, new CsvConfiguration(CultureInfo.InvariantCulture) { BadDataFound = null, MaxFieldSize = LongestField });
        if (!Read(parser, file, problems))
        {
            if (required)
                throw new UsageException($"{path} is empty. Its first line must name the columns: {string.Join(", ", columns)}.");
            problems.Add(file, "the file is empty; done without it", 0);
            yield break;
        }

        var header = parser.Record!.Select((name, index) => (Name: name.Trim().TrimStart('\uFEFF').Trim('"'), index)).DistinctBy(one => one.Name).ToDictionary(one => one.Name, one => one.index, StringComparer.Ordinal);
        if (Array.Find(columns, column => !header.ContainsKey(column)) is { } missing)
        {
            if (required)
                throw new UsageException($"{path} has no column {missing}; its columns are {string.Join(", ", header.Keys)}.");
            problems.Add(file, $"there is no column {missing}; done without the file", 1);
            yield break;
        }

        var width = parser.Record!.Length;
        while (Read(parser, file, problems))
        {
            if (parser.Record!.Length < width)
                problems.Add(file, "the row has fewer columns than the header", parser.RawRow);
            else
                yield return new CsvRow(header, parser.Record, parser.RawRow);
        }
    }

    private static bool Read(CsvParser parser, string file, RowProblems problems)
    {
        try
        {
            return parser.Read();
        }
        catch (MaxFieldSizeException)
        {
            // Where it ends cannot be told: what follows is lost.
            problems.Add(file, "a quote never ends; the rest of the file is left out", parser.RawRow);
            return false;
        }
    }
}

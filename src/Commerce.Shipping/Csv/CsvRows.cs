using System.Globalization;
using CsvHelper;
using CsvHelper.Configuration;

namespace Commerce.Shipping.Csv;

/// <summary>A line of a CSV file (RFC 4180) with the number of the line that it begins on, the first being 1.</summary>
/// <param name="Problem">What is wrong with the record itself, such as an open quote; null if nothing.</param>
public readonly record struct CsvRow(long Line, string[] Fields, string? Problem);

/// <summary>Reads CSV row by row, bounded in the length of a field and of a record.</summary>
public sealed class CsvRows : IDisposable
{
    private const int LongestField = 4_000;
    private const int MostFields = 200;

    private readonly CsvParser _parser;
    private string? _problem;
    private long _line = 1;

    /// <param name="delimiter">Between two fields; <see cref="DelimiterOf"/> tells it.</param>
    public CsvRows(TextReader reader, char delimiter, bool quotes = true) => _parser = new CsvParser(reader, new CsvConfiguration(CultureInfo.InvariantCulture)
    {
        Delimiter = delimiter.ToString(),
        HasHeaderRecord = false,
        IgnoreBlankLines = false,
        CountBytes = false,
        Mode = quotes ? CsvMode.RFC4180 : CsvMode.NoEscape,
        MaxFieldSize = LongestField,
        // A quote that is never closed would take the rest of the file for one field: it ends at the longest field.
        BadDataFound = _ => _problem ??= "has a quote in the middle of a field: put the whole field in quotes and double those in it.",
        CacheFields = true,
    });

    /// <summary>What stands between the fields of a header: a comma, a semicolon or a tab, whichever there is most of.</summary>
    public static char DelimiterOf(string head)
    {
        var line = head.AsSpan();
        if (line.IndexOfAny('\r', '\n') is >= 0 and var end)
            line = line[..end];
        var (commas, semicolons, tabs) = (line.Count(','), line.Count(';'), line.Count('\t'));
        return tabs > commas && tabs > semicolons ? '\t' : semicolons > commas ? ';' : ',';
    }

    /// <exception cref="UnreadableFileException">From here on nothing can be told apart.</exception>
    public bool Read(out CsvRow row)
    {
        row = default;
        _problem = null;
        try
        {
            do
            {
                _line = _parser.RawRow + 1;
                if (!_parser.Read())
                    return false;
            }
            while (_parser.Count == 1 && _parser[0].Length == 0);
            if (_parser.Count > MostFields)
                throw new UnreadableFileException($"Line {_line} has more than {MostFields} fields.");
            row = new CsvRow(_line, _parser.Record!, _problem);
            return true;
        }
        catch (MaxFieldSizeException)
        {
            throw new UnreadableFileException(string.Create(CultureInfo.InvariantCulture, $"Line {_line} has a field of more than {LongestField} characters, or a quote that is never closed."));
        }
        catch (InvalidDataException exception)
        {
            throw new UnreadableFileException($"The file cannot be unpacked beyond line {_line}: {exception.Message}");
        }
    }

    public void Dispose() => _parser.Dispose();
}

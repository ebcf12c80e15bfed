using System.Globalization;
using System.Runtime.InteropServices;
using Commerce.Shipping.Csv;

namespace Commerce.Shipping.Postal;

/// <summary>What is wrong in a file, or odd.</summary>
/// <param name="Line">Of the file, from 1.</param>
/// <param name="Column">The header's name of it; empty where the whole line is meant.</param>
/// <param name="Value">What stands there, shortened.</param>
/// <param name="Message">What to do about it.</param>
public sealed record FileProblem(long Line, string Column, string Value, string Message);

/// <summary>What a carrier's list holds, and what is wrong with it.</summary>
/// <param name="Rows">Its lines; empty if anything is wrong, since a list counts as a whole or not at all.</param>
/// <param name="Lines">Lines read, without the header.</param>
/// <param name="Wrong">How many things are wrong.</param>
/// <param name="Problems">The first of them.</param>
/// <param name="Odd">How many lines are taken although something is odd.</param>
/// <param name="Oddities">The first of those.</param>
public sealed record CarrierListResult(IReadOnlyList<CarrierListRow> Rows, int Lines, int Wrong, IReadOnlyList<FileProblem> Problems, int Odd, IReadOnlyList<FileProblem> Oddities);

/// <summary>
/// Reads a carrier's list of the postal codes that it serves: a CSV with a header and the columns country_code, postal_code
/// ("110001"; "1100*": all that begin so; "*": the country), and as far as the carrier says postal_code_to (the last one of a range),
/// delivery (yes without the column), pickup, cash_on_delivery and same_day: yes or no.
/// </summary>
public static class CarrierListFile
{
    public const int MostLines = 1_000_000;

    private const long MostBytes = 200_000_000;
    private const int MostShown = 100;

    private static readonly (string Column, CarrierServices Service)[] Flags =
    [
        ("delivery", CarrierServices.Delivery),
        ("pickup", CarrierServices.Pickup),
        ("cash_on_delivery", CarrierServices.CashOnDelivery),
        ("same_day", CarrierServices.SameDay),
    ];

    private static readonly string[] Known = ["country_code", "postal_code", "postal_code_to", .. Flags.Select(flag => flag.Column)];

    /// <param name="stream">The file, plain or gzip.</param>
    /// <param name="directory">The codes that are known, to tell of those that are not.</param>
    /// <param name="defaultCountry">Of lines that name none; empty: each line has to.</param>
    /// <exception cref="UnreadableFileException">It is no such file at all.</exception>
    public static async Task<CarrierListResult> Read(Stream stream, PostalDirectory directory, string defaultCountry, CancellationToken cancellationToken)
    {
        var (reader, head) = await UploadedFile.Open(stream, MostBytes, cancellationToken);
        using var disposed = reader;
        using var rows = new CsvRows(reader, CsvRows.DelimiterOf(head));
        if (!rows.Read(out var header))
            throw new UnreadableFileException("The file is empty: its first line names the columns.");
        var report = new Report();
        var columns = Columns(header, defaultCountry, report);
        var found = new List<(CarrierListRow Row, long Line)>();
        var lines = 0;
        while (rows.Read(out var row))
        {
            if (++lines > MostLines)
                throw new UnreadableFileException($"The file has more than {MostLines} lines: join neighbouring codes to ranges with postal_code_to.");
            if (lines % 10_000 == 0)
                cancellationToken.ThrowIfCancellationRequested();
            if (Line(row, header.Fields.Length, columns, directory, defaultCountry, report) is { } line)
                found.Add((line, row.Line));
        }

        if (lines == 0)
            throw new UnreadableFileException("The file has a header and no lines.");
        Overlaps(found, report);
        return new CarrierListResult(report.Wrong > 0 ? [] : [.. found.Select(one => one.Row)], lines, report.Wrong, report.Problems, report.Odd, report.Oddities);
    }

    private static Dictionary<string, int> Columns(CsvRow header, string defaultCountry, Report report)
    {
        var columns = new Dictionary<string, int>(StringComparer.OrdinalIgnoreCase);
        for (var i = 0; i < header.Fields.Length; i++)
        {
            var name = header.Fields[i].Trim();
            if (!Known.Contains(name, StringComparer.OrdinalIgnoreCase))
                report.IsOdd(header.Line, name, "", $"Is not a column of this list and was not read; there are {string.Join(", ", Known)}.");
            else if (!columns.TryAdd(name, i))
                throw new UnreadableFileException($"The header names {name} twice.");
        }

        foreach (var needed in defaultCountry.Length > 0 ? ["postal_code"] : Known[..2])
        {
            if (!columns.ContainsKey(needed))
                throw new UnreadableFileException($"The header has no column {needed}: a carrier's list has {string.Join(", ", Known[..2])} and may have {string.Join(", ", Known[2..])}.");
        }

        return columns;
    }

    private static CarrierListRow? Line(CsvRow row, int width, Dictionary<string, int> columns, PostalDirectory directory, string defaultCountry, Report report)
    {
        var wrong = report.Wrong;
        if (row.Problem is { } problem)
            report.IsWrong(row.Line, "", "", $"The line {problem}");
        if (row.Fields.Length != width)
            report.IsWrong(row.Line, "", "", $"Has {row.Fields.Length} fields; the header has {width}.");
        if (report.Wrong > wrong)
            return null;

        string Field(string name) => columns.TryGetValue(name, out var at) ? row.Fields[at].Trim() : "";
        var (country, code, to) = (Field("country_code").ToUpperInvariant(), Field("postal_code"), Field("postal_code_to"));
        if (country.Length == 0)
            country = defaultCountry;
        var services = CarrierServices.None;
        foreach (var (column, service) in Flags)
        {
            var text = Field(column);
            // Who lists a code without saying more delivers there.
            if (Says(text) is not { } yes)
                report.IsWrong(row.Line, column, text, "Write yes or no.");
            else if (yes || (service == CarrierServices.Delivery && !columns.ContainsKey(column)))
                services |= service;
        }

        var (first, last) = (0UL, 0UL);
        if (!PostalFormats.IsCountry(country))
            report.IsWrong(row.Line, "country_code", country, country.Length == 0 ? "Is empty: write an ISO 3166 code such as IN." : country == "UK" ? "Is not an ISO 3166 country; Great Britain is GB." : "Is not an ISO 3166 country; write a code such as IN.");
        else if (Key(row.Line, "postal_code", country, code, directory, report) is { } key)
            (first, last) = (key.First, to.Length == 0 ? key.Last : Key(row.Line, "postal_code_to", country, to, directory, report) is { } end ? end.Last : 0);
        if (report.Wrong == wrong && last < first)
            report.IsWrong(row.Line, "postal_code_to", to, $"Is before postal_code \"{Shown(code)}\": a range goes from the lower to the higher.");
        if (report.Wrong > wrong)
            return null;
        if ((services & (CarrierServices.SameDay | CarrierServices.CashOnDelivery)) != 0 && (services & CarrierServices.Delivery) == 0)
            report.IsOdd(row.Line, "delivery", "", "Is no, but same_day or cash_on_delivery is yes: nothing is delivered there.");
        return new CarrierListRow(country, first, last, services);
    }

    private static (ulong First, ulong Last)? Key(long line, string column, string country, string code, PostalDirectory directory, Report report)
    {
        if (code is "*" && column == "postal_code")
            return (1, CarrierList.WholeCountry);
        if (code.EndsWith('*'))
        {
            if (PostalFormats.NormalisePrefix(country, code) is { } prefix)
                return (prefix, PostalKey.LastWithin(prefix));
            report.IsWrong(line, column, code, $"No postal code of {country} begins so{Like(country)}.");
            return null;
        }

        if (code.Length == 0)
        {
            report.IsWrong(line, column, code, "Is empty: write a postal code, or * for the whole country.");
            return null;
        }

        if (directory.Find(country, code) is not { } answer)
        {
            var meant = directory.Meant(country, code) is { } near ? $" Is \"{near}\" meant? A spreadsheet loses leading noughts: keep the column as text." : "";
            report.IsWrong(line, column, code, $"Is not a postal code of {country}{Like(country)}.{meant}");
            return null;
        }

        if (answer.Match == PostalMatch.Unknown)
            report.IsOdd(line, column, code, $"Is not among the known postal codes of {country}; taken as it is.{(answer.Near is { } known ? $" Is \"{known}\" meant?" : "")}");
        var key = answer.Code.Keys[0];
        // The end of a range takes the longer codes in that begin with it: up to 94199 is up to 94199-9999.
        return (key, column == "postal_code" ? key : PostalKey.LastWithin(key));
    }

    private static string Like(string country) => PostalFormats.PatternOf(country) is { Length: > 0 } pattern ? $", which look like {pattern} (# a digit, @ a letter)" : "";

    private static bool? Says(string text) => text.ToUpperInvariant() switch
    {
        "YES" or "Y" or "TRUE" or "T" or "1" or "X" => true,
        "NO" or "N" or "FALSE" or "F" or "0" or "" or "-" => false,
        _ => null,
    };

    private static void Overlaps(List<(CarrierListRow Row, long Line)> found, Report report)
    {
        var sorted = CollectionsMarshal.AsSpan(found);
        sorted.Sort((a, b) => string.CompareOrdinal(a.Row.Country, b.Row.Country) is not 0 and var byCountry ? byCountry
            : a.Row.First != b.Row.First ? a.Row.First.CompareTo(b.Row.First) : a.Line.CompareTo(b.Line));
        for (var (i, widest) = (1, 0); i < sorted.Length; i++)
        {
            var (before, now) = (sorted[widest], sorted[i]);
            var same = before.Row.Country == now.Row.Country;
            if (same && now.Row.First <= before.Row.Last)
            {
                var code = PostalFormats.TextOf(now.Row.Country, now.Row.First);
                report.IsWrong(
                    Math.Max(now.Line, before.Line), "postal_code", code,
                    string.Create(CultureInfo.InvariantCulture, $"{(now.Row == before.Row || now.Row.First == before.Row.First ? "Is named twice: also" : "Lies in the range")} on line {Math.Min(now.Line, before.Line)}. Name each code once."));
            }

            if (!same || now.Row.Last > before.Row.Last)
                widest = i;
        }
    }

    private static string Shown(string text) => string.Concat(text.Where(c => !char.IsControl(c)).Take(40));

    private sealed class Report
    {
        private readonly List<FileProblem> _problems = [];
        private readonly List<FileProblem> _oddities = [];

        public int Wrong { get; private set; }

        public int Odd { get; private set; }

        public IReadOnlyList<FileProblem> Problems => [.. _problems.OrderBy(one => one.Line)];

        public IReadOnlyList<FileProblem> Oddities => _oddities;

        public void IsWrong(long line, string column, string value, string message)
        {
            Wrong++;
            if (_problems.Count < MostShown)
                _problems.Add(new FileProblem(line, column, Shown(value), message));
        }

        public void IsOdd(long line, string column, string value, string message)
        {
            Odd++;
            if (_oddities.Count < MostShown)
                _oddities.Add(new FileProblem(line, Shown(column), Shown(value), message));
        }
    }
}

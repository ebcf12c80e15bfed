using System.Text.RegularExpressions;

namespace Commerce.Telemetry.Tests;

/// <summary>An instrument as docs/telemetry.md and the code both tell of it.</summary>
internal sealed record DeclaredInstrument(string Meter, string Name, string Kind, string Unit, string Description);

/// <summary>The tables of docs/telemetry.md.</summary>
internal sealed class TelemetryDocument
{
    private TelemetryDocument(IReadOnlyList<DeclaredInstrument> instruments, IReadOnlyList<string> attributes) => (Instruments, Attributes) = (instruments, attributes);

    public IReadOnlyList<DeclaredInstrument> Instruments { get; }

    public IReadOnlyList<string> Attributes { get; }

    public static TelemetryDocument Read()
    {
        for (var folder = new DirectoryInfo(AppContext.BaseDirectory); folder is not null; folder = folder.Parent)
        {
            if (File.Exists(Path.Combine(folder.FullName, "Commerce.sln")))
                return Parse(File.ReadAllText(Path.Combine(folder.FullName, "docs", "telemetry.md")));
        }

        throw new InvalidOperationException("Commerce.sln is not above the tests.");
    }

    public static TelemetryDocument Parse(string text) => new(
        [.. Rows(text, "Metrics").Select(row => new DeclaredInstrument(row[0], Code(row[1]), row[2], row[3], row[4]))],
        [.. Rows(text, "Attributes").Select(row => Code(row[0]))]);

    // Below the heading, below the line that separates the table's head.
    private static IEnumerable<string[]> Rows(string text, string heading) => Section(heading).Match(text) is { Success: true } section
        ? section.Groups["table"].Value.Split('\n', StringSplitOptions.RemoveEmptyEntries)
            .SkipWhile(line => !line.StartsWith("|---", StringComparison.Ordinal)).Skip(1)
            .TakeWhile(line => line.StartsWith('|'))
            .Select(line => line.Trim().Trim('|').Split('|', StringSplitOptions.TrimEntries))
        : throw new InvalidOperationException($"docs/telemetry.md has no section {heading}.");

    private static string Code(string cell) => cell is ['`', .. var name, '`'] ? name : throw new InvalidOperationException($"A name stands in back quotes: {cell}");

    private static Regex Section(string heading) => new($@"^## {heading}\n(?<table>.*?)(?=^## |\z)", RegexOptions.Multiline | RegexOptions.Singleline);
}

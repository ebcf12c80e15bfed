using System.Globalization;
using System.Xml;
using System.Xml.Linq;

namespace Commerce.Cli.Suite;

/// <summary>What one test project's report (TRX) says.</summary>
/// <param name="Passed">Tests that passed.</param>
/// <param name="Failed">Tests that failed; a report that cannot be read counts as one, for a test may have ended the process.</param>
/// <param name="Skipped">Tests that were not run.</param>
/// <param name="Failures">Each failed test's name, and the beginning of what it said.</param>
internal sealed record TestReport(int Passed, int Failed, int Skipped, IReadOnlyList<string> Failures)
{
    private const int MaxMessage = 1_000;

    /// <summary>Every report under a folder.</summary>
    public static IReadOnlyList<TestReport> ReadAll(string folder) =>
        [.. (Directory.Exists(folder) ? Directory.GetFiles(folder, "*.trx", SearchOption.AllDirectories) : []).Order(StringComparer.Ordinal).Select(Read)];

    /// <summary>One report.</summary>
    public static TestReport Read(string file)
    {
        XDocument report;
        try
        {
            report = XDocument.Load(file);
        }
        catch (XmlException e)
        {
            // Its beginning is all there is of what the test said that could not be written down.
            var end = File.ReadAllText(file);
            return new TestReport(0, 1, 0, [$"a report that breaks off ({e.Message}): …{end[Math.Max(0, end.Length - MaxMessage)..]}"]);
        }

        var counters = report.Descendants().First(e => e.Name.LocalName == "Counters");
        int Counter(string name) => int.Parse(counters.Attribute(name)?.Value ?? "0", CultureInfo.InvariantCulture);
        return new TestReport(
            Counter("passed"),
            Counter("failed") + Counter("error") + Counter("timeout") + Counter("aborted"),
            // The format counts a skipped test as not executed, yet not always under that name.
            Counter("total") - Counter("executed"),
            [.. report.Descendants().Where(e => e.Name.LocalName == "UnitTestResult" && e.Attribute("outcome")?.Value == "Failed").Select(Describe)]);
    }

    private static string Describe(XElement result)
    {
        // What a test wrote is in messages, too, before what it failed with.
        var message = result.Descendants().FirstOrDefault(e => e.Name.LocalName == "Message" && e.Parent?.Name.LocalName == "ErrorInfo")?.Value.Trim() ?? "";
        return $"{result.Attribute("testName")?.Value}: {(message.Length <= MaxMessage ? message : $"{message[..MaxMessage]}…")}";
    }
}

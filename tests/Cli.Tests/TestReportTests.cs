using Commerce.Cli.Suite;

namespace Commerce.Cli.Tests;

public sealed class TestReportTests : IDisposable
{
    private readonly string _folder = Directory.CreateTempSubdirectory("commerce-reports-").FullName;

    [Fact]
    public void A_failed_test_is_named_with_what_it_said()
    {
        Write("a.trx", """
            <TestRun xmlns="http://microsoft.com/schemas/VisualStudio/TeamTest/2010"><Results>
            <UnitTestResult testName="Orders.Tests.One" outcome="Passed" />
            <UnitTestResult testName="Orders.Tests.Two" outcome="Failed"><Output>
            <TextMessages><Message>Seed 7</Message></TextMessages><ErrorInfo><Message>Expected 1, was 2</Message></ErrorInfo></Output></UnitTestResult>
            </Results><ResultSummary><Counters total="3" executed="2" passed="1" failed="1" error="0" timeout="0" aborted="0" /></ResultSummary></TestRun>
            """);

        var report = Assert.Single(TestReport.ReadAll(_folder));

        Assert.Equal((1, 1, 1), (report.Passed, report.Failed, report.Skipped));
        Assert.Equal("Orders.Tests.Two: Expected 1, was 2", Assert.Single(report.Failures));
    }

    [Fact]
    public void A_report_that_breaks_off_is_a_failure_and_says_where()
    {
        Write("a.trx", """<TestRun><Results><UnitTestResult testName="Two" outcome="Failed"><Output><ErrorInfo><Message>Ended with""");

        var report = Assert.Single(TestReport.ReadAll(_folder));

        Assert.Equal((0, 1, 0), (report.Passed, report.Failed, report.Skipped));
        Assert.Contains("Ended with", Assert.Single(report.Failures), StringComparison.Ordinal);
    }

    public void Dispose() => Directory.Delete(_folder, recursive: true);

    private void Write(string name, string content) => File.WriteAllText(Path.Combine(_folder, name), content);
}

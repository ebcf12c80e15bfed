using System.Diagnostics;
using Commerce.Cli.Replay;
using Commerce.Testing;

namespace Commerce.Cli.Tests;

/// <summary>Where the processors' time is said to go.</summary>
public sealed class CpuSharesTests
{
    [Theory]
    [InlineData("77 (postgres) S 12 77 77 0 -1 4194304 100 200 0 0 5 6 70 80 20 0 1 0 500 1 1", 12, "postgres", 161)]
    [InlineData("77 (a) b (c)) R 12 77 77 0 -1 4194304 100 200 0 0 1 2 3 4 20 0 1 0 500 1 1", 12, "a) b (c)", 10)]
    public void A_process_is_read_whatever_it_is_called(string stat, int parent, string name, long ticks) =>
        Assert.Equal(new ProcessTimes(77, parent, name, ticks), ProcessTimes.Parse(77, stat));

    [Fact]
    public async Task What_a_process_used_counts_for_its_resource_after_it_has_ended()
    {
        if (!Directory.Exists("/proc"))
            throw TestServers.Missing("There is no /proc here.");
        using var resource = Process.Start(new ProcessStartInfo("sh", ["-c", "read go; sh -c 'i=0; while [ $i -lt 300000 ]; do i=$((i+1)); done'; echo done; read stop"])
        {
            RedirectStandardInput = true,
            RedirectStandardOutput = true,
        })!;
        try
        {
            var shares = new CpuShares(new Dictionary<string, int> { ["resource"] = resource.Id });
            await resource.StandardInput.WriteLineAsync("go");
            Assert.Equal("done", await resource.StandardOutput.ReadLineAsync());

            var since = shares.Since();

            Assert.DoesNotContain(ProcessTimes.All().Values, process => process.Parent == resource.Id);
            Assert.True(since.Single(one => one.Name == "resource").Cores > 0.01);
            Assert.All(since, one => Assert.InRange(one.Cores, 0, Environment.ProcessorCount));
        }
        finally
        {
            resource.Kill(entireProcessTree: true);
        }
    }
}

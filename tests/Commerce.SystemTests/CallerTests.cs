using System.Diagnostics;
using System.Text.RegularExpressions;
using Commerce.Testing;

namespace Commerce.SystemTests;

/// <summary>What others build on: the sample of Commerce.Client, the TypeScript client, and what docs/api.md shows.</summary>
[Collection("One suite, one test at a time")]
public sealed partial class CallerTests(Suite suite)
{
    private static readonly TimeSpan Bound = TimeSpan.FromMinutes(3);

    private static readonly string Root = Above("Commerce.sln");

    private static readonly string Configuration = new DirectoryInfo(AppContext.BaseDirectory).Parent!.Name;

    [Fact]
    public async Task The_sample_of_the_client_places_an_order_and_follows_it()
    {
        var output = await Run("dotnet", ["exec", Path.Combine(Root, "samples", "FollowOrder", "bin", Configuration, "net10.0", "FollowOrder.dll")]);
        Assert.Matches(@"placed \S+-\S+", output);
        Assert.Matches(@"version \d+: Paid", output);
        Assert.Contains("refused: ETAG_MISMATCH", output, StringComparison.Ordinal);
    }

    [Fact]
    public async Task A_client_generated_for_TypeScript_compiles_places_an_order_and_reads_the_event_stream()
    {
        Needs("npm", "node");
        await Run("bash", [Path.Combine(Root, ".ci", "typescript")]);
        var output = await Run("node", [Path.Combine(Root, "clients", "typescript", "dist", "example.js")]);
        Assert.Matches(@"placed \S+-\S+", output);
        Assert.Contains("read 200, and again 304", output, StringComparison.Ordinal);
        Assert.Contains("refused CODE_NOT_FOUND", output, StringComparison.Ordinal);
        Assert.Contains("found CODE_KIND_ORDER_ID", output, StringComparison.Ordinal);
        Assert.Contains("PAYMENT_STATE_PAID", output, StringComparison.Ordinal);
        Assert.EndsWith("followed\n", output, StringComparison.Ordinal);
    }

    [Fact]
    public async Task What_the_documentation_of_the_API_tells_to_type_works()
    {
        Needs("bash", "curl", "python3");
        var text = await File.ReadAllTextAsync(Path.Combine(Root, "docs", "api.md"));
        var blocks = Blocks().Matches(text).Select(match => (Language: match.Groups[1].Value, Text: match.Groups[2].Value)).ToList();
        Assert.All(blocks, block => Assert.Contains(block.Language, (string[])["bash", "text", "csharp", "typescript"]));

        // One shell: what one block learns the next one uses. What is printed is shown in the text block that follows it.
        var script = string.Join('\n', blocks.Where(block => block.Language == "bash").Select(block => block.Text));
        var output = await Run("bash", ["-euo", "pipefail", "-c", script.Replace("http://localhost:8080", suite.Rest.BaseAddress!.ToString().TrimEnd('/'), StringComparison.Ordinal)]);
        foreach (var line in blocks.Where(block => block.Language == "text").SelectMany(block => block.Text.Split('\n')).Where(line => line.Length > 0))
            Assert.Matches(new Regex("(?m)^" + Regex.Escape(line).Replace("…", ".*", StringComparison.Ordinal) + @"\r?$"), output);

        // Code is an excerpt of what is compiled and run.
        var compiled = new Dictionary<string, string>
        {
            ["csharp"] = await File.ReadAllTextAsync(Path.Combine(Root, "samples", "FollowOrder", "Program.cs")),
            ["typescript"] = await File.ReadAllTextAsync(Path.Combine(Root, "clients", "typescript", "src", "example.ts")),
        };
        foreach (var (language, code) in blocks.Where(block => compiled.ContainsKey(block.Language)))
        {
            foreach (var line in code.Split('\n').Where(line => line.Trim() is not ("" or "// …")))
                Assert.Contains(line, compiled[language], StringComparison.Ordinal);
        }
    }

    [GeneratedRegex(@"^```(\w*)\n(.*?)^```$", RegexOptions.Multiline | RegexOptions.Singleline)]
    private static partial Regex Blocks();

    private async Task<string> Run(string file, string[] arguments)
    {
        var gateway = suite.Run.Find("gateway")!.Endpoints;
        var start = new ProcessStartInfo(file, arguments) { RedirectStandardOutput = true, RedirectStandardError = true, WorkingDirectory = Root };
        start.Environment["COMMERCE_GATEWAY"] = gateway["http"];
        start.Environment["COMMERCE_GATEWAY_GRPC"] = gateway["grpc"];
        start.Environment["COMMERCE_TOKEN"] = await suite.Token("admin");
        start.Environment["COMMERCE_CONFIGURATION"] = Configuration;
        using var process = Process.Start(start)!;
        using var bound = new CancellationTokenSource(Bound, TimeProvider.System);
        var (output, error) = (process.StandardOutput.ReadToEndAsync(bound.Token), process.StandardError.ReadToEndAsync(bound.Token));
        try
        {
            await process.WaitForExitAsync(bound.Token);
        }
        catch (OperationCanceledException)
        {
            process.Kill(entireProcessTree: true);
            throw;
        }

        Assert.True(process.ExitCode == 0, $"{file} {string.Join(' ', arguments)}: {process.ExitCode}\n{await output}\n{await error}");
        return await output;
    }

    private static void Needs(params string[] programs)
    {
        var folders = (Environment.GetEnvironmentVariable("PATH") ?? "").Split(Path.PathSeparator);
        foreach (var program in programs.Where(program => !folders.Any(folder => File.Exists(Path.Combine(folder, program)))))
            throw TestServers.Missing($"{program} is missing: this is tried with it.");
    }

    private static string Above(string file)
    {
        for (var folder = new DirectoryInfo(AppContext.BaseDirectory); folder is not null; folder = folder.Parent)
        {
            if (File.Exists(Path.Combine(folder.FullName, file)))
                return folder.FullName;
        }

        throw new InvalidOperationException($"{file} is not above the tests.");
    }
}

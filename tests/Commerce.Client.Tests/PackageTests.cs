using System.Diagnostics;
using System.IO.Compression;
using System.Xml.Linq;

namespace Commerce.Client.Tests;

/// <summary>What another team installs.</summary>
public sealed class PackageTests
{
    [Fact]
    public async Task The_package_has_its_readme_its_documentation_its_licence_and_needs_no_server_code()
    {
        var output = Directory.CreateTempSubdirectory("commerce-pack-").FullName;
        try
        {
            foreach (var project in new[] { "Commerce.Contracts", "Commerce.Client" })
                await Pack(project, output);

            using var package = ZipFile.OpenRead(Directory.GetFiles(output, "Commerce.Client.*.nupkg").Single(file => !file.EndsWith(".snupkg", StringComparison.Ordinal)));
            var names = package.Entries.Select(entry => entry.FullName).ToHashSet();
            Assert.Superset(new HashSet<string> { "README.md", "lib/net10.0/Commerce.Client.dll", "lib/net10.0/Commerce.Client.xml" }, names);

            await using var stream = package.Entries.Single(entry => entry.FullName == "Commerce.Client.nuspec").Open();
            var nuspec = await XDocument.LoadAsync(stream, LoadOptions.None, CancellationToken.None);
            string? Text(string name) => nuspec.Descendants().FirstOrDefault(element => element.Name.LocalName == name)?.Value;
            Assert.Equal(("MIT", "README.md"), (Text("license"), Text("readme")));
            Assert.Equal(
                ["Commerce.Contracts", "Grpc.Net.Client", "Grpc.StatusProto", "Microsoft.Extensions.Options"],
                nuspec.Descendants().Where(element => element.Name.LocalName == "dependency").Select(element => element.Attribute("id")!.Value).Order(StringComparer.Ordinal));
            Assert.Single(Directory.GetFiles(output, "Commerce.Contracts.*.nupkg"), file => !file.EndsWith(".snupkg", StringComparison.Ordinal));
        }
        finally
        {
            Directory.Delete(output, recursive: true);
        }
    }

    [Fact]
    public void The_surface_is_small_and_all_of_it_documented()
    {
        var types = typeof(CommerceClient).Assembly.GetExportedTypes();
        Assert.Equal(
            ["AccessToken", "CommerceClient", "CommerceClientOptions", "CommerceClientServices", "CommerceException", "FieldViolation"],
            types.Select(type => type.Name).Order(StringComparer.Ordinal));
        var documented = XDocument.Load(Path.ChangeExtension(typeof(CommerceClient).Assembly.Location, ".xml"))
            .Descendants("member").Select(member => member.Attribute("name")!.Value).ToHashSet();
        foreach (var property in types.SelectMany(type => type.GetProperties()).Where(property => property.DeclaringType!.Assembly == typeof(CommerceClient).Assembly && property.Name != "EqualityContract"))
        {
            // A record's are documented as parameters.
            if (property.DeclaringType != typeof(AccessToken) && property.DeclaringType != typeof(FieldViolation))
                Assert.Contains($"P:{property.DeclaringType!.FullName}.{property.Name}", documented);
        }
    }

    private static async Task Pack(string project, string output)
    {
        var configuration = new DirectoryInfo(AppContext.BaseDirectory).Parent!.Name;
        var start = new ProcessStartInfo("dotnet", ["pack", Path.Combine(Root(), "src", project), "--no-build", "-c", configuration, "-o", output, "-v", "q"]) { RedirectStandardOutput = true, RedirectStandardError = true };
        using var process = Process.Start(start)!;
        using var bound = new CancellationTokenSource(TimeSpan.FromMinutes(2), TimeProvider.System);
        var said = await Task.WhenAll(process.StandardOutput.ReadToEndAsync(bound.Token), process.StandardError.ReadToEndAsync(bound.Token));
        await process.WaitForExitAsync(bound.Token);
        Assert.True(process.ExitCode == 0, string.Concat(said));
    }

    private static string Root()
    {
        for (var folder = new DirectoryInfo(AppContext.BaseDirectory); folder is not null; folder = folder.Parent)
        {
            if (File.Exists(Path.Combine(folder.FullName, "Commerce.sln")))
                return folder.FullName;
        }

        throw new InvalidOperationException("Commerce.sln is not above the tests.");
    }
}

using Aspire.Hosting.ApplicationModel;
using Microsoft.Extensions.Configuration;

namespace Aspire.Hosting;

/// <summary>Where a referenced project is; implemented by the generated <c>Projects.*</c> classes.</summary>
public interface IProjectMetadata
{
    /// <summary>The project file.</summary>
    string ProjectPath { get; }

    /// <summary>The built assembly.</summary>
    string TargetPath { get; }
}

/// <summary>Projects in the model.</summary>
public static class ProjectResourceBuilderExtensions
{
    /// <summary>Adds a project; its endpoints are those of the <c>Kestrel:Endpoints</c> section of its appsettings.json.</summary>
    public static IResourceBuilder<ProjectResource> AddProject<TProject>(this IDistributedApplicationBuilder builder, string name)
        where TProject : IProjectMetadata, new()
    {
        var project = new ProjectResource(name, new TProject());
        var settings = new ConfigurationBuilder()
            .AddJsonFile(Path.Combine(Path.GetDirectoryName(project.Metadata.ProjectPath)!, "appsettings.json"), optional: true)
            .Build();
        var endpoints = settings.GetSection("Kestrel:Endpoints").GetChildren()
            .Where(e => e["Url"] is not null)
            .Select(e => (e.Key, Url: new Uri(e["Url"]!.Replace("//*", "//localhost", StringComparison.Ordinal))))
            .ToList();

        foreach (var scheme in endpoints.GroupBy(e => e.Url.Scheme))
        {
            // As in Aspire: the only endpoint of a scheme goes by the scheme's name.
            foreach (var (key, url) in scheme)
            {
                project.Endpoints.Add(new Endpoint(scheme.Count() == 1 ? scheme.Key : key, scheme.Key)
                {
                    Host = url.Host,
                    PreferredPort = url.Port,
                    IsKestrel = true,
                });
            }
        }

        return builder.AddResource(project);
    }
}

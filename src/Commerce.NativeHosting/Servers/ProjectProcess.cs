using System.Globalization;
using Aspire.Hosting.ApplicationModel;
using Commerce.NativeHosting.Engine;

namespace Commerce.NativeHosting.Servers;

/// <summary>A service of this solution, given the variables that Aspire would give it.</summary>
internal sealed class ProjectProcess(ProjectResource resource) : Runnable(resource)
{
    private static readonly HttpClient Http = new() { Timeout = TimeSpan.FromSeconds(5) };
    private readonly string _instance = Guid.NewGuid().ToString("N")[..8];

    public override string Kind => "project";

    public override void Check()
    {
        if (!File.Exists(resource.Metadata.TargetPath))
            throw new EngineException($"'{resource.Name}' is not built ({resource.Metadata.TargetPath} is missing): dotnet build AppHost");
    }

    public override Task<ChildSpec> PrepareAsync(CancellationToken cancellationToken)
    {
        var variables = new Dictionary<string, string>();
        foreach (var name in (string[])["ASPNETCORE_ENVIRONMENT", "DOTNET_ENVIRONMENT"])
            variables[name] = Environment.GetEnvironmentVariable(name) is { Length: > 0 } given ? given : "Development";
        AddTelemetry(variables);
        foreach (var endpoint in resource.Endpoints)
        {
            if (endpoint.IsKestrel)
                variables[$"Kestrel__Endpoints__{endpoint.Name}__Url"] = endpoint.Url;
            if (endpoint.PortVariable is { } variable)
                variables[variable] = endpoint.Port.ToString(CultureInfo.InvariantCulture);
        }

        foreach (var callback in resource.Environment)
            callback(variables);

        var environment = variables.ToDictionary(v => v.Key, v => (string?)v.Value);
        // The AppHost's own launch profile is not the service's.
        foreach (var name in (string[])["ASPNETCORE_URLS", "DOTNET_LAUNCH_PROFILE", "HTTP_PORTS", "HTTPS_PORTS"])
            environment.TryAdd(name, null);
        return Task.FromResult(new ChildSpec(
            Binaries.Dotnet(), ["exec", resource.Metadata.TargetPath], Path.GetDirectoryName(resource.Metadata.ProjectPath)!,
            environment, "TERM", TimeSpan.FromSeconds(15)));
    }

    public override async Task<bool> IsHealthyAsync(CancellationToken cancellationToken)
    {
        if (resource.HealthCheck is not { } check)
            return true;
        var endpoint = check.EndpointName is { } name ? resource.GetEndpoint(name) : resource.Endpoints.First(e => e.Scheme is "http" or "https");
        using var response = await Http.GetAsync($"{endpoint.Url}{check.Path}", HttpCompletionOption.ResponseHeadersRead, cancellationToken);
        return (int)response.StatusCode == check.StatusCode;
    }

    private void AddTelemetry(Dictionary<string, string> variables)
    {
        variables["OTEL_SERVICE_NAME"] = resource.Name;
        variables["OTEL_RESOURCE_ATTRIBUTES"] = $"service.instance.id={_instance}";
        if (Environment.GetEnvironmentVariable("OTEL_EXPORTER_OTLP_ENDPOINT") is { Length: > 0 } target)
        {
            variables["OTEL_EXPORTER_OTLP_ENDPOINT"] = target;
            variables["OTEL_EXPORTER_OTLP_PROTOCOL"] = Environment.GetEnvironmentVariable("OTEL_EXPORTER_OTLP_PROTOCOL") is { Length: > 0 } protocol ? protocol : "grpc";
        }

        if (variables["ASPNETCORE_ENVIRONMENT"] != "Development")
            return;
        foreach (var name in (string[])["OTEL_BLRP_SCHEDULE_DELAY", "OTEL_BSP_SCHEDULE_DELAY", "OTEL_METRIC_EXPORT_INTERVAL"])
            variables[name] = "1000";
        variables["OTEL_TRACES_SAMPLER"] = "always_on";
        variables["OTEL_METRICS_EXEMPLAR_FILTER"] = "trace_based";
    }
}

using System.Text.Json;
using System.Text.Json.Serialization;

namespace Commerce.NativeHosting.State;

/// <summary>What runs where: the content of <c>run.json</c>. It holds passwords of development servers, so only its owner reads it.</summary>
/// <param name="Pid">The engine's process.</param>
/// <param name="Engine">Always <c>native</c>.</param>
/// <param name="Started">When the engine started, UTC.</param>
/// <param name="State"><c>starting</c>, <c>healthy</c>, <c>degraded</c> or <c>stopping</c>.</param>
/// <param name="Resources">In the order of the model.</param>
public sealed record RunInfo(int Pid, string Engine, DateTimeOffset Started, string State, IReadOnlyList<ResourceInfo> Resources)
{
    /// <summary>How <c>run.json</c> is written.</summary>
    public static JsonSerializerOptions Json { get; } = new(JsonSerializerDefaults.Web)
    {
        WriteIndented = true,
        DefaultIgnoreCondition = JsonIgnoreCondition.WhenWritingNull,
    };

    /// <summary>The resource of this name, or null.</summary>
    public ResourceInfo? Find(string name) => Resources.FirstOrDefault(r => string.Equals(r.Name, name, StringComparison.OrdinalIgnoreCase));

    /// <summary>Reads a <c>run.json</c>; null where there is none or it is not one.</summary>
    public static RunInfo? Read(string path)
    {
        try
        {
            return JsonSerializer.Deserialize<RunInfo>(File.ReadAllBytes(path), Json);
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException or JsonException)
        {
            return null;
        }
    }

    /// <summary>Replaces the file at once, so that a reader sees the old one or the new one.</summary>
    internal void Write(string path) => PrivateFile.Write(path, JsonSerializer.Serialize(this, Json));
}

/// <summary>One resource of a running suite.</summary>
/// <param name="Name">As in the AppHost.</param>
/// <param name="Kind"><c>postgres</c>, <c>database</c>, <c>redis</c>, <c>rabbitmq</c> or <c>project</c>.</param>
/// <param name="State"><c>waiting</c>, <c>starting</c>, <c>healthy</c>, <c>unhealthy</c>, <c>restarting</c> or <c>stopped</c>.</param>
/// <param name="Pid">The server's or service's own process.</param>
/// <param name="WatcherPid">The process that ends it when the engine dies.</param>
/// <param name="Restarts">How often it was started again.</param>
/// <param name="ExitCode">Of the last end; above 128: 128 and the signal.</param>
/// <param name="Endpoints">URL by endpoint name.</param>
/// <param name="ConnectionString">As passed to services.</param>
/// <param name="Log">Path of its log.</param>
public sealed record ResourceInfo(
    string Name, string Kind, string State, int? Pid, int? WatcherPid, int Restarts, int? ExitCode,
    IReadOnlyDictionary<string, string> Endpoints, string? ConnectionString, string? Log)
{
    /// <summary>Whether its health check passes.</summary>
    public bool Healthy => State == "healthy";
}

using System.Text.Json;

namespace Commerce.NativeHosting.State;

/// <summary>Generated parameters that outlive a run, in <c>parameters.json</c>.</summary>
internal static class ParameterFile
{
    private static readonly Lock Gate = new();

    public static string GetOrAdd(string stateDirectory, string name, Func<string> create)
    {
        lock (Gate)
        {
            StateDirectory.Create(stateDirectory);
            var path = Path.Combine(stateDirectory, "parameters.json");
            var values = File.Exists(path)
                ? JsonSerializer.Deserialize<SortedDictionary<string, string>>(File.ReadAllText(path)) ?? []
                : [];
            if (values.TryGetValue(name, out var value))
                return value;
            values[name] = value = create();
            PrivateFile.Write(path, JsonSerializer.Serialize(values));
            return value;
        }
    }
}

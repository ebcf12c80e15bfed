using System.Text.Json.Nodes;

namespace Commerce.Gateway.OpenApi;

/// <summary>
/// The example requests of the description, by operation id: values of parameters, and a body. The tests send each to the
/// running suite, in the order of the file.
/// </summary>
internal static class Examples
{
    private static readonly JsonObject All = Read();

    public static IEnumerable<string> Operations => All.Select(one => one.Key);

    public static JsonNode? ParameterOf(string operation, string parameter) => All[operation]?["parameters"]?[parameter]?.DeepClone();

    public static IEnumerable<string> ParametersOf(string operation) => (All[operation]?["parameters"]?.AsObject() ?? []).Select(one => one.Key);

    public static JsonNode? BodyOf(string operation) => All[operation]?["body"]?.DeepClone();

    private static JsonObject Read()
    {
        using var stream = typeof(Examples).Assembly.GetManifestResourceStream("examples.json")
            ?? throw new InvalidOperationException("The examples are not embedded.");
        return JsonNode.Parse(stream)!.AsObject();
    }
}

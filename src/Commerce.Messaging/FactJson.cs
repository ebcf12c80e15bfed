using System.Text.Json;

namespace Commerce.Messaging;

/// <summary>How facts are written: camelCase JSON, unknown members ignored, so that facts can grow.</summary>
public static class FactJson
{
    public static JsonSerializerOptions Options { get; } = new(JsonSerializerDefaults.Web);
}

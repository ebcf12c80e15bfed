using System.Text.Json.Nodes;

namespace Commerce.Gateway.OpenApi;

/// <summary>How every error looks on REST (RFC 9457).</summary>
internal static class Problems
{
    public static JsonObject Schema() => new()
    {
        ["type"] = "object",
        ["description"] = "An error, as RFC 9457 has it.",
        ["required"] = new JsonArray("type", "title", "status", "detail", "reason"),
        ["properties"] = new JsonObject
        {
            ["type"] = Text("Identifies the kind of error: urn:commerce:error:REASON.", "uri"),
            ["title"] = Text("The kind of error in words; the same for every occurrence."),
            ["status"] = new JsonObject { ["type"] = "integer", ["format"] = "int32", ["description"] = "The HTTP status." },
            ["detail"] = Text("What happened and what to do about it."),
            ["reason"] = Text("A value of commerce.type.v1.ErrorReason without its prefix, for example ORDER_NOT_FOUND: for programs to branch on."),
            ["traceId"] = Text("Finds the call in traces and logs."),
            ["metadata"] = new JsonObject
            {
                ["type"] = "object",
                ["description"] = "Further facts, for example the Order ID that was meant.",
                ["additionalProperties"] = new JsonObject { ["type"] = "string" },
            },
            ["errors"] = List("The fields that are wrong.", "field", "description"),
            ["preconditions"] = List("What would have to be otherwise.", "type", "subject", "description"),
        },
    };

    public static JsonObject Responses(JsonObject problem) => new()
    {
        ["Refused"] = Response("The call was refused: its reason says why and its detail what to do.", problem),
        ["Failed"] = Response("A fault of ours, or something that is needed does not answer; Retry-After says when to try again.", problem),
    };

    private static JsonObject Response(string description, JsonObject problem) => new()
    {
        ["description"] = description,
        ["content"] = new JsonObject { ["application/problem+json"] = new JsonObject { ["schema"] = problem.DeepClone() } },
    };

    private static JsonObject Text(string description, string? format = null)
    {
        var schema = new JsonObject { ["type"] = "string", ["description"] = description };
        if (format is not null)
            schema["format"] = format;
        return schema;
    }

    private static JsonObject List(string description, params string[] members) => new()
    {
        ["type"] = "array",
        ["description"] = description,
        ["items"] = new JsonObject
        {
            ["type"] = "object",
            ["properties"] = new JsonObject(members.Select(name => KeyValuePair.Create<string, JsonNode?>(name, new JsonObject { ["type"] = "string" }))),
        },
    };
}

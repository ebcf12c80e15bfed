using Google.Protobuf.Reflection;

namespace Commerce;

/// <summary>Which calls a client may send again by itself when nobody answered: the one rule of every client of ours.</summary>
public static class Repeatable
{
    private static readonly string[] Reads = ["Get", "List", "BatchGet", "Lookup", "BatchLookup", "Search"];

    /// <summary>Reads, and calls with a request_id, under which the second one is answered like the first.</summary>
    public static bool Is(MethodDescriptor method) =>
        !method.IsClientStreaming && !method.IsServerStreaming
        && (method.InputType.FindFieldByName("request_id") is not null || Reads.Any(read => method.Name.StartsWith(read, StringComparison.Ordinal)));
}

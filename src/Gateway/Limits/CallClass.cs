using Google.Protobuf.Reflection;

namespace Commerce.Gateway.Limits;

/// <summary>What a call is like for those who serve it. Each class has a rate of its own for each caller.</summary>
internal enum CallClass
{
    /// <summary>Something by its name.</summary>
    Read,

    /// <summary>A change.</summary>
    Write,

    /// <summary>Lists, searches, exports, reports, and documents that are made when asked for.</summary>
    Search,

    /// <summary>Many at once, and streams of a client.</summary>
    Bulk,

    /// <summary>The opening of a stream of changes.</summary>
    Watch,
}

/// <summary>In which order calls are given up under load: the first one first.</summary>
internal enum Importance
{
    /// <summary>Somebody can ask again later.</summary>
    Deferrable,

    /// <summary>Somebody waits for an answer.</summary>
    Reading,

    /// <summary>Something would be left undone.</summary>
    Changing,

    /// <summary>Orders are placed or cancelled, or money moves.</summary>
    Critical,
}

/// <summary>A method as those see it who limit calls.</summary>
/// <param name="Name">For example "/commerce.orders.v1.OrderService/GetOrder".</param>
/// <param name="Owner">The process that implements it, for example "orders".</param>
/// <param name="Class">What it is like.</param>
/// <param name="Importance">When it is given up.</param>
/// <param name="Streams">It lasts as long as its caller likes.</param>
internal sealed record ApiMethod(string Name, string Owner, CallClass Class, Importance Importance, bool Streams)
{
    // A name says it, as AIP has them; what is missing here is taken for a change, whose rate is low and which is given up late.
    private static readonly string[] Searches = ["List", "Search", "Export", "Render", "LookupOrders", "LookupInvoices", "LookupParcels"];
    private static readonly string[] Reports = ["GetBottlenecks", "GetCarrierPerformance", "GetReconciliation", "GetTrialBalance", "GetSpendSummary"];
    private static readonly string[] Bulks = ["Batch", "Import", "Upload", "Load", "Ingest", "Stream"];
    private static readonly string[] Reads = ["Get", "Lookup", "Quote", "Detect", "WhoAmI"];

    private static readonly HashSet<string> CriticalNames = new(StringComparer.Ordinal)
    {
        "PlaceOrder", "Reorder", "CancelOrder", "CapturePayment", "VoidPayment", "RefundPayment", "RefundReturn", "RevokeApiKey", "EndOrderSessions",
    };

    // Many at once, and yet nobody waits to ask again: carriers tell what happened.
    private static readonly HashSet<string> ChangingNames = new(StringComparer.Ordinal) { "IngestScans", "StreamScans" };

    /// <summary>A path that is no method's: somebody looks for what there is not.</summary>
    public static ApiMethod None { get; } = new("", "", CallClass.Read, Importance.Reading, Streams: false);

    public static ApiMethod Of(MethodDescriptor method)
    {
        var kind = ClassOf(method);
        var importance = CriticalNames.Contains(method.Name) ? Importance.Critical
            : ChangingNames.Contains(method.Name) ? Importance.Changing
            : kind switch { CallClass.Read => Importance.Reading, CallClass.Write => Importance.Changing, _ => Importance.Deferrable };
        return new ApiMethod(
            $"/{method.Service.FullName}/{method.Name}", PublicApi.OwnerOf(method.Service), kind, importance, method.IsClientStreaming || method.IsServerStreaming);
    }

    private static CallClass ClassOf(MethodDescriptor method)
    {
        bool Begins(string[] names) => names.Any(name => method.Name.StartsWith(name, StringComparison.Ordinal));
        return method.Name.StartsWith("Watch", StringComparison.Ordinal) ? CallClass.Watch
            : method.IsClientStreaming || Begins(Bulks) ? CallClass.Bulk
            : method.IsServerStreaming || Begins(Searches) || Begins(Reports) ? CallClass.Search
            : Begins(Reads) ? CallClass.Read
            : CallClass.Write;
    }
}

using System.Collections.Concurrent;
using Google.Protobuf;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Http;
using Microsoft.Extensions.Logging;

namespace Commerce.Testing;

/// <summary>A span as the receiver keeps it; ids are lower-case hex, a root has an empty parent.</summary>
public sealed record ReceivedSpan(
    string Service, string TraceId, string SpanId, string ParentSpanId, string Name, string Scope, IReadOnlyDictionary<string, string> Attributes);

/// <summary>
/// Receives OTLP over HTTP (protobuf) on a free port, for tests: point OTEL_EXPORTER_OTLP_ENDPOINT at <see cref="Endpoint"/>
/// and set OTEL_EXPORTER_OTLP_PROTOCOL to http/protobuf. Spans are decoded as far as the tests look at them; metrics by
/// their names; logs are only counted.
/// </summary>
public sealed class OtlpReceiver : IAsyncDisposable
{
    private readonly WebApplication _app;
    private readonly ConcurrentQueue<ReceivedSpan> _spans = new();
    private readonly ConcurrentDictionary<string, bool> _metrics = new();
    private int _logExports;

    private OtlpReceiver(WebApplication app) => _app = app;

    /// <summary>The base URL to export to.</summary>
    public Uri Endpoint => new(_app.Urls.Single());

    /// <summary>Every span received so far.</summary>
    public IReadOnlyList<ReceivedSpan> Spans => [.. _spans];

    /// <summary>The names of all metrics received so far.</summary>
    public ICollection<string> Metrics => _metrics.Keys;

    /// <summary>How many batches of logs have come.</summary>
    public int LogExports => Volatile.Read(ref _logExports);

    public static async Task<OtlpReceiver> Start()
    {
        var builder = WebApplication.CreateSlimBuilder();
        builder.Logging.ClearProviders();
        var app = builder.Build();
        app.Urls.Add("http://127.0.0.1:0");
        var receiver = new OtlpReceiver(app);
        app.MapPost("/v1/traces", http => receiver.Receive(http, receiver.ReadTraces));
        app.MapPost("/v1/metrics", http => receiver.Receive(http, receiver.ReadMetrics));
        app.MapPost("/v1/logs", http => receiver.Receive(http, _ => Interlocked.Increment(ref receiver._logExports)));
        await app.StartAsync();
        return receiver;
    }

    public async ValueTask DisposeAsync()
    {
        await _app.StopAsync();
        await _app.DisposeAsync();
    }

    private async Task Receive(HttpContext http, Action<ByteString> read)
    {
        read(await ByteString.FromStreamAsync(http.Request.Body));
        http.Response.ContentType = "application/x-protobuf";
    }

    // ExportTraceServiceRequest { repeated ResourceSpans resource_spans = 1; }
    // ResourceSpans { Resource resource = 1; repeated ScopeSpans scope_spans = 2; }
    // ScopeSpans { InstrumentationScope scope = 1; repeated Span spans = 2; }
    private void ReadTraces(ByteString message)
    {
        foreach (var resourceSpans in Fields(message, 1))
        {
            var service = ServiceOf(resourceSpans);
            foreach (var scopeSpans in Fields(resourceSpans, 2))
            {
                var scope = Fields(scopeSpans, 1).SelectMany(s => Fields(s, 1)).FirstOrDefault()?.ToStringUtf8() ?? "";
                foreach (var span in Fields(scopeSpans, 2))
                    _spans.Enqueue(SpanOf(service, scope, span));
            }
        }
    }

    // Span { bytes trace_id = 1; bytes span_id = 2; bytes parent_span_id = 4; string name = 5; repeated KeyValue attributes = 9; }
    private static ReceivedSpan SpanOf(string service, string scope, ByteString span) => new(
        service, Hex(span, 1), Hex(span, 2), Hex(span, 4), Text(span, 5), scope, AttributesOf(span, 9));

    // ResourceMetrics { ScopeMetrics scope_metrics = 2; } ScopeMetrics { Metric metrics = 2; } Metric { string name = 1; }
    private void ReadMetrics(ByteString message)
    {
        foreach (var metric in Fields(message, 1).SelectMany(r => Fields(r, 2)).SelectMany(s => Fields(s, 2)))
            _metrics[Text(metric, 1)] = true;
    }

    // Resource { repeated KeyValue attributes = 1; }
    private static string ServiceOf(ByteString resourceSpans) =>
        Fields(resourceSpans, 1).Select(resource => AttributesOf(resource, 1)).Select(a => a.GetValueOrDefault("service.name", "")).FirstOrDefault("");

    // KeyValue { string key = 1; AnyValue value = 2; } AnyValue { string string_value = 1; … }: other kinds are not looked at.
    private static Dictionary<string, string> AttributesOf(ByteString owner, int field)
    {
        var attributes = new Dictionary<string, string>(StringComparer.Ordinal);
        foreach (var pair in Fields(owner, field))
            attributes[Text(pair, 1)] = Fields(pair, 2).Select(value => Text(value, 1)).FirstOrDefault("");
        return attributes;
    }

    private static string Hex(ByteString message, int field) => Convert.ToHexStringLower(Fields(message, field).FirstOrDefault(ByteString.Empty).Span);

    private static string Text(ByteString message, int field) => Fields(message, field).FirstOrDefault(ByteString.Empty).ToStringUtf8();

    /// <summary>The length-delimited fields of a message with this number.</summary>
    private static List<ByteString> Fields(ByteString message, int number)
    {
        var found = new List<ByteString>();
        var input = message.CreateCodedInput();
        while (input.ReadTag() is var tag and not 0)
        {
            if (WireFormat.GetTagFieldNumber(tag) == number && WireFormat.GetTagWireType(tag) == WireFormat.WireType.LengthDelimited)
                found.Add(input.ReadBytes());
            else
                input.SkipLastField();
        }

        return found;
    }
}

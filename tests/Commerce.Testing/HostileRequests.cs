using System.Collections;
using System.Net;
using System.Net.Http.Headers;
using System.Text;
using System.Text.Json.Nodes;
using Google.Api;
using Google.Protobuf;
using Google.Protobuf.Reflection;
using Grpc.Core;

namespace Commerce.Testing;

/// <summary>What hostile calls were answered with.</summary>
/// <param name="Faults">Those that were answered with a fault, or not as an error has to be.</param>
/// <param name="Counts">How many, by code or status.</param>
public sealed record HostileAnswers(IReadOnlyList<string> Faults, IReadOnlyDictionary<string, int> Counts)
{
    /// <summary>Nothing was a fault; and something was good, so that more was looked at than whether anything is there.</summary>
    public bool AreRight => Faults.Count == 0 && Counts.Values.Sum() > 300 && Counts.GetValueOrDefault("OK") > 10;

    /// <inheritdoc/>
    public override string ToString() =>
        $"{Faults.Count} faults ({string.Join(", ", Counts.Select(answer => $"{answer.Value} {answer.Key}"))})\n" + string.Join("\n", Faults.Take(100));
}

/// <summary>
/// Calls methods, from their descriptors, with what nobody who means well would send, in every field: over gRPC and over REST. Whatever
/// comes, the answer is a refusal with its reason and never a fault. A new method or field is tried without a line for it.
/// </summary>
public static class HostileRequests
{
    private const int Deepest = 4;
    private const string Order = "ORD-7K3M9QX-T2F8CRW";

    private static readonly string[] Texts =
    [
        "", " ", "*", "\0", "a\0b", "\u202e\U0001F600\u0301\uFEFF", "'; DROP TABLE orders; --", "%_\\'\"`$1{0}{{x}}", "a\r\nX-Injected: 1\r\n\r\n",
        "*3\r\n$8\r\nFLUSHALL\r\n", new string('9', 40), "../../etc/passwd", new string('x', 100_000),
    ];

    // As they stand in JSON, which has more of them than a text in memory.
    private static readonly string[] JsonValues =
    [
        "\"\\u0000\"", "\"\\ud800\"", "\"\\udc00\\ud800\"", "null", "true", "[]", "{}", "[[]]", "\"\"", "\"NaN\"", "-1", "1e400", "-0.0", "1.5", "99999999999999999999999",
        "\"99999999999999999999\"", "\"0001-01-01T00:00:00Z\"", "\"10000-01-01T00:00:00Z\"", "\"315576000001s\"", $"\"{new string('x', 100_000)}\"",
    ];

    private static readonly string[] QueryValues = ["", "%00", "%FF", "%ED%A0%80", "%0d%0aX-Injected:1", "-1", "99999999999999999999", "NaN", "{}", "a,b,,", new string('x', 4000)];

    private static readonly string[] PathValues = ["%00", "%FF", "%0d%0aX-Injected:1", "..%2f..%2fetc", "%F0%9F%98%80", "*", "a:b:c", new string('x', 4000)];

    private static readonly byte[][] Bodies =
    [
        [], "null"u8.ToArray(), "[]"u8.ToArray(), "\"x\""u8.ToArray(), "{"u8.ToArray(), "{}{}"u8.ToArray(), "{\"a\":1,}"u8.ToArray(), "{\"\":1}"u8.ToArray(), "{\"storeId\":\"a\",\"storeId\":\"b\"}"u8.ToArray(),
        [0xFF, 0xFE, 0x00], "{\"storeId\":\""u8.ToArray().Concat(new byte[] { 0xC3, 0x28 }).Concat("\"}"u8.ToArray()).ToArray(), [0xEF, 0xBB, 0xBF, (byte)'{', (byte)'}'],
        Encoding.ASCII.GetBytes(new string('[', 100_000)), Encoding.ASCII.GetBytes(string.Concat(Enumerable.Repeat("{\"a\":", 10_000))), "{\"@type\":\"type.googleapis.com/x\"}"u8.ToArray(), new byte[5 * 1024 * 1024],
    ];

    /// <summary>Calls every method with everything; answers what was answered with a fault, and how many calls were answered how.</summary>
    public static async Task<HostileAnswers> OverGrpc(CallInvoker calls, IEnumerable<MethodDescriptor> methods, Metadata headers)
    {
        var all = methods.SelectMany(method => Messages(method).Select(one => (Method: method, one.What, one.Bytes)));
        return await Each(all, async one =>
        {
            var (code, reason) = await Call(calls, one.Method, headers, one.Bytes);
            return (code.ToString(), code is StatusCode.Internal or StatusCode.Unknown or StatusCode.DataLoss || reason == "INTERNAL" || code != StatusCode.OK && reason is null
                ? $"{one.Method.FullName} with {one.What}: {code} {reason}"
                : null);
        });
    }

    /// <summary>The same over REST.</summary>
    public static async Task<HostileAnswers> OverRest(HttpClient client, IEnumerable<MethodDescriptor> methods)
    {
        var all = methods.SelectMany(method => Requests(method).Select(one => (Method: method, one.What, one.Make)));
        return await Each(all, async one =>
        {
            using var request = one.Make();
            request.RequestUri = new Uri(client.BaseAddress!.GetLeftPart(UriPartial.Authority) + request.RequestUri!.OriginalString, new UriCreationOptions { DangerousDisablePathAndQueryCanonicalization = true });
            using var response = await client.SendAsync(request, HttpCompletionOption.ResponseHeadersRead);
            var status = response.StatusCode;
            var isProblem = response.Content.Headers.ContentType?.MediaType == "application/problem+json";
            // What the server refuses before it is anybody's request has no body.
            var isBare = status is HttpStatusCode.BadRequest or HttpStatusCode.RequestUriTooLong or HttpStatusCode.RequestHeaderFieldsTooLarge && response.Content.Headers.ContentLength is 0 or null;
            return (status.ToString(), status == HttpStatusCode.InternalServerError || (int)status >= 400 && !isProblem && !isBare
                ? $"{request.Method} {Short(request.RequestUri.OriginalString)} ({one.Method.Name}) with {one.What}: {(int)status} {response.Content.Headers.ContentType} {Short(await response.Content.ReadAsStringAsync())}"
                : null);
        });
    }

    private static async Task<HostileAnswers> Each<T>(IEnumerable<T> all, Func<T, Task<(string Answer, string? Fault)>> call)
    {
        var (faults, answers, gate) = (new List<string>(), new SortedDictionary<string, int>(StringComparer.Ordinal), new Lock());
        await Parallel.ForEachAsync(all, new ParallelOptions { MaxDegreeOfParallelism = 8 }, async (one, _) =>
        {
            var (answer, fault) = await call(one);
            lock (gate)
            {
                answers[answer] = answers.GetValueOrDefault(answer) + 1;
                if (fault is not null)
                    faults.Add(fault);
            }
        });
        return new HostileAnswers(faults, answers);
    }

    private static string Short(string text) => text.Length <= 200 ? text : text[..200] + "…";

    private static IEnumerable<(string What, byte[] Bytes)> Messages(MethodDescriptor method)
    {
        var good = Plausible(method);
        var bytes = good.ToByteArray();
        yield return ("nothing", []);
        yield return ("what could be meant", bytes);
        yield return ("half a message", bytes[..(bytes.Length / 2)]);
        yield return ("groups in groups", [.. Enumerable.Repeat((byte)0x0B, 50_000)]);
        yield return ("five megabytes", Padded(5 * 1024 * 1024));
        var random = new Random(method.FullName.Length);
        for (var i = 0; i < 5; i++)
        {
            var noise = new byte[random.Next(1, 200)];
            random.NextBytes(noise);
            yield return ("noise", noise);
        }

        foreach (var (what, change) in Changes(method.InputType, "", message => message, 0))
        {
            var message = Copy(good);
            change(message);
            yield return (what, message.ToByteArray());
        }
    }

    private static IEnumerable<(string What, Func<HttpRequestMessage> Make)> Requests(MethodDescriptor method)
    {
        if (method.GetOptions()?.GetExtension(AnnotationsExtensions.Http) is not { } rule)
            yield break;
        var (verb, template) = rule.PatternCase switch
        {
            HttpRule.PatternOneofCase.Get => (HttpMethod.Get, rule.Get),
            HttpRule.PatternOneofCase.Post => (HttpMethod.Post, rule.Post),
            HttpRule.PatternOneofCase.Put => (HttpMethod.Put, rule.Put),
            HttpRule.PatternOneofCase.Patch => (HttpMethod.Patch, rule.Patch),
            _ => (HttpMethod.Delete, rule.Delete),
        };
        var path = PathOf(template, null);
        var json = BodyOf(method, rule);
        HttpRequestMessage Make(string target, byte[]? body, string type = "application/json")
        {
            var request = new HttpRequestMessage(verb, new Uri(target, UriKind.Relative));
            if (body is not null)
            {
                request.Content = new ByteArrayContent(body);
                request.Content.Headers.ContentType = MediaTypeHeaderValue.Parse(type);
            }

            return request;
        }

        byte[]? Body() => json is null ? null : Encoding.UTF8.GetBytes(json.ToJsonString());
        foreach (var value in PathValues.Where(_ => template.Contains('{', StringComparison.Ordinal)))
            yield return ("a path of " + Short(value), () => Make(PathOf(template, value), Body()));
        foreach (var field in method.InputType.Fields.InFieldNumberOrder())
        {
            foreach (var value in QueryValues)
                yield return ($"?{field.JsonName}={Short(value)}", () => Make($"{path}?{field.JsonName}={value}", Body()));
        }

        yield return ("a query that goes nowhere", () => Make(path + "?a.b.c=1&=&&x[0]=1&%00=%00", Body()));
        if (json is null)
            yield break;
        foreach (var type in new[] { "text/plain", "application/xml", "application/x-www-form-urlencoded", "application/json; charset=utf-16", "multipart/form-data; boundary=x" })
            yield return ("a body of " + type, () => Make(path, Body(), type));
        foreach (var body in Bodies)
            yield return ($"a body of {body.Length} bytes: {Short(Encoding.Latin1.GetString(body, 0, Math.Min(40, body.Length)))}", () => Make(path, body));
        foreach (var place in Places(json, []).ToList())
        {
            foreach (var value in JsonValues)
                yield return ($"{string.Join('.', place)} = {Short(value)}", () => Make(path, Encoding.UTF8.GetBytes(With(json, place, value))));
        }
    }

    private static string PathOf(string template, string? value)
    {
        var path = new StringBuilder();
        for (var at = 0; at < template.Length;)
        {
            var open = template.IndexOf('{', at);
            if (open < 0)
                return path.Append(template.AsSpan(at)).ToString();
            path.Append(template.AsSpan(at, open - at));
            var close = template.IndexOf('}', open);
            var inside = template[(open + 1)..close];
            var pattern = inside.Contains('=', StringComparison.Ordinal) ? inside[(inside.IndexOf('=', StringComparison.Ordinal) + 1)..] : "*";
            path.Append(pattern.Replace("*", value ?? IdIn(pattern), StringComparison.Ordinal));
            at = close + 1;
        }

        return path.ToString();
    }

    private static JsonNode? BodyOf(MethodDescriptor method, HttpRule rule)
    {
        if (rule.Body.Length == 0)
            return null;
        var json = JsonNode.Parse(new JsonFormatter(JsonFormatter.Settings.Default.WithFormatDefaultValues(false)).Format(Plausible(method)))!;
        return rule.Body == "*" ? json : json[method.InputType.FindFieldByName(rule.Body).JsonName]?.DeepClone() ?? new JsonObject();
    }

    private static IEnumerable<string[]> Places(JsonNode? node, string[] path)
    {
        if (path.Length > 0)
            yield return path;
        if (path.Length == Deepest)
            yield break;
        var inner = node switch
        {
            JsonObject named => named.SelectMany(one => Places(one.Value, [.. path, one.Key])),
            JsonArray { Count: > 0 } list => Places(list[0], [.. path, "0"]),
            _ => [],
        };
        foreach (var place in inner)
            yield return place;
    }

    private static string With(JsonNode json, string[] place, string value)
    {
        const string Here = "@here@";
        var copy = json.DeepClone();
        var owner = copy;
        foreach (var step in place[..^1])
            owner = owner is JsonArray list ? list[0]! : owner[step]!;
        if (owner is JsonArray array)
            array[0] = Here;
        else
            owner[place[^1]] = Here;
        return copy.ToJsonString().Replace($"\"{Here}\"", value, StringComparison.Ordinal);
    }

    // What changes a message in one place; in an inner message, through the way to it.
    private static IEnumerable<(string What, Action<IMessage> Change)> Changes(MessageDescriptor descriptor, string path, Func<IMessage, IMessage?> go, int depth)
    {
        foreach (var field in descriptor.Fields.InFieldNumberOrder())
        {
            var name = path + field.Name;
            Action<IMessage> In(Action<IMessage> change) => root =>
            {
                if (go(root) is { } owner)
                    change(owner);
            };
            if (field.IsMap)
            {
                yield return ($"{name} with a NUL", In(owner => AddToMap(field, owner, "\0", "\0")));
                yield return ($"{name} with 10,000", In(owner => Enumerable.Range(0, 10_000).ToList().ForEach(i => AddToMap(field, owner, $"k{i}", "v"))));
                continue;
            }

            if (field.IsRepeated)
            {
                yield return ($"{name} with 10,000", In(owner =>
                {
                    var list = (IList)field.Accessor.GetValue(owner);
                    for (var i = 0; i < 10_000; i++)
                        list.Add(Element(field));
                }));
                foreach (var value in Values(field))
                    yield return ($"{name} with {Short(Shown(value))}", In(owner => ((IList)field.Accessor.GetValue(owner)).Add(value)));
            }
            else
            {
                foreach (var value in Values(field))
                    yield return ($"{name} = {Short(Shown(value))}", In(owner => field.Accessor.SetValue(owner, value)));
            }

            if (field.FieldType != FieldType.Message || depth == Deepest || IsWrapper(field.MessageType))
                continue;
            IMessage? Inner(IMessage root)
            {
                if (go(root) is not { } owner)
                    return null;
                var value = field.Accessor.GetValue(owner);
                if (field.IsRepeated)
                {
                    var list = (IList)value;
                    if (list.Count == 0)
                        list.Add(Empty(field.MessageType));
                    return (IMessage?)list[0];
                }

                if (value is null)
                    field.Accessor.SetValue(owner, value = Empty(field.MessageType));
                return (IMessage)value;
            }

            foreach (var change in Changes(field.MessageType, name + ".", Inner, depth + 1))
                yield return change;
        }
    }

    private static IEnumerable<object> Values(FieldDescriptor field) => field.FieldType switch
    {
        FieldType.String => Texts,
        FieldType.Int32 or FieldType.SInt32 or FieldType.SFixed32 => [int.MinValue, -1, 0, int.MaxValue],
        FieldType.Int64 or FieldType.SInt64 or FieldType.SFixed64 => [long.MinValue, -1L, 0L, long.MaxValue],
        FieldType.UInt32 or FieldType.Fixed32 => [0u, uint.MaxValue],
        FieldType.UInt64 or FieldType.Fixed64 => [0ul, ulong.MaxValue],
        FieldType.Double => [double.NaN, double.PositiveInfinity, double.MinValue, -1.0, double.Epsilon],
        FieldType.Float => [float.NaN, float.NegativeInfinity, float.MaxValue],
        FieldType.Enum => [-1, 0, 9999],
        FieldType.Bytes => [ByteString.Empty, ByteString.CopyFrom(0, 1, 0xFF), ByteString.CopyFrom(new byte[100_000])],
        FieldType.Message when !IsWrapper(field.MessageType) => [Empty(field.MessageType)],
        _ => [],
    };

    private static void AddToMap(FieldDescriptor field, IMessage owner, string key, string value)
    {
        var type = field.MessageType.FindFieldByNumber(2);
        if (field.MessageType.FindFieldByNumber(1).FieldType == FieldType.String)
            ((IDictionary)field.Accessor.GetValue(owner))[key] = type.FieldType == FieldType.String ? value : Element(type);
    }

    private static object Element(FieldDescriptor field) => field.FieldType == FieldType.Message ? Empty(field.MessageType) : Values(field).First();

    private static string Shown(object value) => value switch
    {
        string text => $"\"{text.Replace("\0", "\\0", StringComparison.Ordinal).Replace("\r\n", "\\r\\n", StringComparison.Ordinal)}\" ({text.Length})",
        IMessage => "an empty message",
        _ => value.ToString() ?? "",
    };

    private static bool IsWrapper(MessageDescriptor type) => type.File.Name == "google/protobuf/wrappers.proto" || type.File.Name == "google/protobuf/struct.proto" || type.File.Name == "google/protobuf/any.proto";

    private static IMessage Empty(MessageDescriptor type) => type.Parser.ParseFrom(ByteString.Empty);

    private static IMessage Copy(IMessage message) => message.Descriptor.Parser.ParseFrom(message.ToByteArray());

    /// <summary>A request that could be meant, as far as names tell: so that what is wrong in one place is looked at, and not what is missing elsewhere.</summary>
    public static IMessage Plausible(MethodDescriptor method)
    {
        var message = Fill(method.InputType, 0);
        if (method.GetOptions()?.GetExtension(AnnotationsExtensions.Http) is not { } rule)
            return message;
        var template = rule.Get + rule.Post + rule.Put + rule.Patch + rule.Delete;
        for (var open = template.IndexOf('{', StringComparison.Ordinal); open >= 0; open = template.IndexOf('{', open + 1))
        {
            var inside = template[(open + 1)..template.IndexOf('}', open)].Split('=');
            if (inside.Length == 2 && method.InputType.FindFieldByName(inside[0]) is { FieldType: FieldType.String, IsRepeated: false } field)
                field.Accessor.SetValue(message, inside[1].Replace("*", IdIn(inside[1]), StringComparison.Ordinal));
        }

        return message;
    }

    private static string IdIn(string pattern) =>
        pattern.StartsWith("orders/", StringComparison.Ordinal) || pattern.StartsWith("payments/", StringComparison.Ordinal) || pattern == "*" ? Order
        : pattern.StartsWith("stores/", StringComparison.Ordinal) ? "main" : "6d3f0c1e2b4a49f5a1b2c3d4e5f60718";

    private static IMessage Fill(MessageDescriptor type, int depth)
    {
        var message = Empty(type);
        switch (type.FullName)
        {
            case "google.protobuf.Timestamp":
                return Google.Protobuf.WellKnownTypes.Timestamp.FromDateTimeOffset(TimeProvider.System.GetUtcNow());
            case "google.protobuf.Duration":
                return Google.Protobuf.WellKnownTypes.Duration.FromTimeSpan(TimeSpan.FromHours(1));
            case "google.type.Money":
                return new Google.Type.Money { CurrencyCode = "EUR", Units = 10 };
            case "google.protobuf.FieldMask":
                return message;
        }

        if (IsWrapper(type) || depth > 3)
            return message;
        foreach (var field in type.Fields.InFieldNumberOrder())
        {
            // Of what excludes each other, the first.
            if (field.IsMap || field.RealContainingOneof is { } oneof && oneof.Fields[0] != field || field.FieldType == FieldType.Message && field.MessageType == type || Of(field, depth) is not { } value)
                continue;
            if (field.IsRepeated)
                ((IList)field.Accessor.GetValue(message)).Add(value);
            else
                field.Accessor.SetValue(message, value);
        }

        return message;
    }

    private static object? Of(FieldDescriptor field, int depth) => field.FieldType switch
    {
        FieldType.String => TextOf(field.Name),
        FieldType.Int32 or FieldType.SInt32 or FieldType.SFixed32 => 1,
        FieldType.Int64 or FieldType.SInt64 or FieldType.SFixed64 => 1L,
        FieldType.UInt32 or FieldType.Fixed32 => 1u,
        FieldType.UInt64 or FieldType.Fixed64 => 1ul,
        FieldType.Double => 1.0,
        FieldType.Float => 1f,
        FieldType.Enum => field.EnumType.FindValueByNumber(1) is null ? null : 1,
        FieldType.Message when !IsWrapper(field.MessageType) => Fill(field.MessageType, depth + 1),
        _ => null,
    };

    private static string? TextOf(string name) => name switch
    {
        "page_token" or "etag" or "filter" or "order_by" => null,
        "request_id" => Guid.NewGuid().ToString(),
        "order_id" or "order" or "code" or "codes" => Order,
        "name" => "Ada Example",
        "names" => "orders/" + Order,
        "parent" => "stores/main",
        "store_id" or "store_ids" => "main",
        "currency_code" or "currency" => "EUR",
        "email" or "customer_email" => "ada@example.com",
        "phone" => "+442079460000",
        "language_code" => "en-GB",
        "region_code" or "regions" => "GB",
        "postal_code" or "postal_codes" => "SW1A 1AA",
        "tracking_number" or "tracking_numbers" => "1Z999AA10123456784",
        "carrier" or "carriers" => "ups",
        "sku" or "skus" => "84945",
        "scopes" => "orders.read",
        "time_zone" => "Europe/London",
        _ => "text",
    };

    private static async Task<(StatusCode Code, string? Reason)> Call(CallInvoker calls, MethodDescriptor method, Metadata headers, byte[] message)
    {
        // A stream that goes on has taken what it was sent: the caller's own clock says so.
        var (code, reason, _) = await RawCall.Make(calls, method, headers, message, method.IsServerStreaming ? TimeSpan.FromMilliseconds(500) : TimeSpan.FromSeconds(60));
        return code == StatusCode.DeadlineExceeded && method.IsServerStreaming ? (StatusCode.OK, null) : (code, reason);
    }

    // A message of one long field that nobody knows.
    private static byte[] Padded(int length)
    {
        using var stream = new MemoryStream();
        using (var output = new CodedOutputStream(stream, leaveOpen: true))
        {
            output.WriteTag(15, WireFormat.WireType.LengthDelimited);
            output.WriteBytes(ByteString.CopyFrom(new byte[length]));
        }

        return stream.ToArray();
    }
}

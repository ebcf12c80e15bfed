using System.Text;
using System.Text.Json.Nodes;
using Commerce.Gateway.V1;
using Commerce.Orders.V1;
using Commerce.Testing;
using Json.Schema;

namespace Commerce.SystemTests;

/// <summary>The examples of the OpenAPI document, sent as they stand there; only the orders that they name are others.</summary>
[Collection("One suite, one test at a time")]
public sealed class ExampleTests(Suite suite)
{
    private const string DocumentedOrder = "ORD-7K3M9QX-T2F8CRW";
    private const string PlaceOrder = "OrderService_PlaceOrder";

    private static readonly TimeSpan ToTheDoor = TimeSpan.FromSeconds(90);

    [Fact]
    public async Task Every_documented_example_is_answered_as_documented()
    {
        var document = JsonNode.Parse(await suite.Rest.GetStringAsync("/openapi/v1.json"))!.AsObject();
        var operations = document["paths"]!.AsObject()
            .SelectMany(path => path.Value!.AsObject(), (path, verb) => new Operation(path.Key, verb.Key, verb.Value!))
            .Where(operation => operation.HasExample)
            .ToDictionary(operation => operation.Id);
        Assert.Superset(
            new HashSet<string>
            {
                PlaceOrder, "OrderService_GetOrder", "OrderService_ListOrders", "OrderService_CancelOrder", "LookupService_Lookup", "TrackingService_GetTracking",
                "ShipmentService_RegisterTracking", "ShipmentService_QuoteRates", "ReturnService_RequestReturn", "PaymentService_RefundPayment",
            },
            operations.Keys.ToHashSet());

        // As documented, to the letter; then orders that have come as far as an example needs.
        var placed = await Send(document, operations[PlaceOrder], DocumentedOrder, null);
        var open = placed["orderId"]!.GetValue<string>();
        var waiting = await Place(document, operations[PlaceOrder], "PRE_TRANSIT", "tok_pending");
        var paid = await Place(document, operations[PlaceOrder], "PRE_TRANSIT", "tok_ok");
        var delivered = await Place(document, operations[PlaceOrder], "DELIVERED", "tok_ok");
        await Until(paid, view => view.Order.PaymentState == PaymentState.Paid);
        await Until(delivered, view => view.Order.State == OrderState.Completed);

        // First what makes what others read.
        string[] first = [PlaceOrder, "ShipmentService_RegisterTracking"];
        await Send(document, operations[first[1]], waiting, null);
        foreach (var operation in operations.Values.Where(operation => !first.Contains(operation.Id)))
        {
            var order = operation.Id switch
            {
                "OrderService_CancelOrder" => paid,
                "ReturnService_RequestReturn" or "PaymentService_RefundPayment" or "PaymentService_GetPayment" => delivered,
                _ => open,
            };
            await Send(document, operation, order, null);
        }
    }

    private async Task<string> Place(JsonObject document, Operation operation, string endsAt, string token)
    {
        var reference = $"example-{Guid.NewGuid():N}";
        await suite.Scenario(reference, new { ends_at = endsAt });
        var placed = await Send(document, operation, DocumentedOrder, body =>
        {
            body["externalId"] = reference;
            body["requestId"] = reference;
            body["paymentParts"]![0]!["token"] = token;
        });
        return placed["orderId"]!.GetValue<string>();
    }

    private async Task<JsonNode> Send(JsonObject document, Operation operation, string order, Action<JsonNode>? change)
    {
        var path = operation.Path;
        List<string> query = [];
        using var request = new HttpRequestMessage { Method = new HttpMethod(operation.Verb.ToUpperInvariant()) };
        foreach (var parameter in operation.Parameters.Where(one => one["example"] is not null))
        {
            var name = parameter["name"]!.GetValue<string>();
            var values = (parameter["example"] is JsonArray many ? many.Select(one => one!.ToString()) : [parameter["example"]!.ToString()])
                .Select(value => value.Replace(DocumentedOrder, order, StringComparison.Ordinal)).ToArray();
            switch (parameter["in"]!.GetValue<string>())
            {
                case "path":
                    path = path.Replace($"{{{name}}}", Uri.EscapeDataString(values[0]), StringComparison.Ordinal);
                    break;
                case "query":
                    query.AddRange(values.Select(value => $"{name}={Uri.EscapeDataString(value)}"));
                    break;
                default:
                    if (change is null)
                        request.Headers.TryAddWithoutValidation(name, values[0]);
                    break;
            }
        }

        request.RequestUri = new Uri(query.Count == 0 ? path : $"{path}?{string.Join('&', query)}", UriKind.Relative);
        if (operation.Body is { } body)
        {
            var sent = JsonNode.Parse(body.ToJsonString().Replace(DocumentedOrder, order, StringComparison.Ordinal))!;
            change?.Invoke(sent);
            request.Content = new StringContent(sent.ToJsonString(), Encoding.UTF8, "application/json");
        }

        using var response = await suite.Rest.SendAsync(request);
        var text = await response.Content.ReadAsStringAsync();
        Assert.True(response.IsSuccessStatusCode, $"{operation.Id}: {request.Method} {request.RequestUri} is {(int)response.StatusCode}: {text}");
        var answer = JsonNode.Parse(text)!;
        if (answer["etag"] is { } etag)
            Assert.Equal(etag.GetValue<string>(), response.Headers.ETag?.ToString());
        var result = operation.AnswerSchema(document).Evaluate(answer, new EvaluationOptions { OutputFormat = OutputFormat.List });
        Assert.True(
            result.IsValid,
            $"{operation.Id}: " + string.Join("; ", result.Details.Where(one => one.HasErrors).Select(one => $"{one.InstanceLocation}: {string.Join(", ", one.Errors!.Values)}")) + "\n" + text);
        return answer;
    }

    private async Task<LookupView> Until(string code, Func<LookupView, bool> condition) =>
        await Eventually.Value(async () => await suite.Lookup.LookupAsync(new LookupRequest { Code = code }), condition, ToTheDoor);

    private sealed record Operation(string Path, string Verb, JsonNode Node)
    {
        public string Id => Node["operationId"]!.GetValue<string>();

        public IEnumerable<JsonNode> Parameters => (Node["parameters"]?.AsArray() ?? []).Select(one => one!);

        public JsonNode? Body => Node["requestBody"]?["content"]?["application/json"]?["example"];

        public bool HasExample => Body is not null || Parameters.Any(one => one["example"] is not null);

        /// <summary>The documented schema, in which nothing that is not documented may stand.</summary>
        public JsonSchema AnswerSchema(JsonObject document)
        {
            var schema = Node["responses"]!["200"]!["content"]!["application/json"]!["schema"]!.DeepClone().AsObject();
            schema["$defs"] = document["components"]!["schemas"]!.DeepClone();
            foreach (var (_, component) in schema["$defs"]!.AsObject())
            {
                if (component!["properties"] is not null)
                    component["additionalProperties"] = false;
            }

            return JsonSchema.FromText(schema.ToJsonString().Replace("#/components/schemas/", "#/$defs/", StringComparison.Ordinal));
        }
    }
}

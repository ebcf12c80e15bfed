using System.Text.Json.Nodes;
using Commerce.Gateway.OpenApi;

namespace Commerce.Gateway.Tests;

public sealed class OpenApiTests
{
    private static readonly JsonObject Document = OpenApiDocument.Build(Protos.Embedded());

    private static JsonNode Operation(string verb, string path) => Document["paths"]![path]![verb]!;

    private static JsonNode Schema(string name) => Document["components"]!["schemas"]![name]!;

    [Fact]
    public void Every_rule_of_every_public_service_is_an_operation_with_a_text_and_its_errors()
    {
        var rules = PublicApi.Services.SelectMany(service => service.Methods).Select(method => (Method: method, Rule: PublicApi.RuleOf(method))).Where(one => one.Rule is not null).ToList();
        Assert.True(rules.Count >= 20);
        foreach (var (method, rule) in rules)
        {
            var (verb, template) = PublicApi.PathOf(rule!);
            var operation = Operation(verb.ToLowerInvariant(), PathTemplate.Parse(template).Path);
            Assert.Equal($"{method.Service.Name}_{method.Name}", operation["operationId"]!.GetValue<string>());
            Assert.NotEmpty(operation["summary"]!.GetValue<string>());
            Assert.NotEmpty(operation["description"]!.GetValue<string>());
            Assert.NotNull(operation["responses"]!["200"]);
            Assert.Equal("#/components/responses/Refused", operation["responses"]!["4XX"]!["$ref"]!.GetValue<string>());
            Assert.Equal("#/components/responses/Failed", operation["responses"]!["5XX"]!["$ref"]!.GetValue<string>());
        }

        Assert.NotNull(Document["components"]!["responses"]!["Refused"]!["content"]!["application/problem+json"]);
    }

    [Fact]
    public void The_operations_are_these()
    {
        var operations = Document["paths"]!.AsObject().SelectMany(path => path.Value!.AsObject(), (path, verb) => $"{verb.Key} {path.Key}").Order(StringComparer.Ordinal);
        Assert.Equal(
            [
                "get /v1/apiKeys",
                "get /v1/bottlenecks",
                "get /v1/carrierPerformance",
                "get /v1/carriers",
                "get /v1/carriers/{carrier}/rateCards",
                "get /v1/carriers/{carrier}/rateCards/{rateCard}",
                "get /v1/erasures",
                "get /v1/erasures/{erasure}",
                "get /v1/exceptions",
                "get /v1/invoices",
                "get /v1/invoices/{invoice}",
                "get /v1/invoices/{invoice}:render",
                "get /v1/invoices:lookup",
                "get /v1/ledger/entries",
                "get /v1/ledger/reconciliation",
                "get /v1/ledger/trialBalance",
                "get /v1/lookup/{code}",
                "get /v1/lookup/{code}:watch",
                "get /v1/manifests",
                "get /v1/manifests/{manifest}",
                "get /v1/manifests/{manifest}:render",
                "get /v1/notifications",
                "get /v1/orders",
                "get /v1/orders/{order}",
                "get /v1/orders/{order}/returns/{return}",
                "get /v1/orders/{order}/timeline",
                "get /v1/orders:batchGet",
                "get /v1/orders:export",
                "get /v1/orders:lookup",
                "get /v1/orders:search",
                "get /v1/orders:spendSummary",
                "get /v1/payments",
                "get /v1/payments/{payment}",
                "get /v1/payments/{payment}/refunds",
                "get /v1/payments/{payment}/refunds/{refund}",
                "get /v1/returns",
                "get /v1/serviceability/{regionCode}/{postalCode}",
                "get /v1/shipments",
                "get /v1/shipments/{shipment}",
                "get /v1/shipments/{shipment}/resolutions",
                "get /v1/shipments/{shipment}/resolutions/{resolution}",
                "get /v1/shipments/{shipment}:label",
                "get /v1/shippingRules/{shippingRule}",
                "get /v1/storeCredits/{storeId}/{customerId}",
                "get /v1/storeCredits/{storeId}/{customerId}/entries",
                "get /v1/stores",
                "get /v1/stores/{store}",
                "get /v1/stores/{store}/products",
                "get /v1/stores/{store}/products/{product}",
                "get /v1/stores/{store}/products/{product}/stock",
                "get /v1/stores/{store}/products/{product}/stockMovements",
                "get /v1/stores/{store}/stock",
                "get /v1/stores/{store}/stock:watch",
                "get /v1/track/links/{link}",
                "get /v1/track/{code}",
                "get /v1/tracking/{trackingNumber}",
                "get /v1/tracking/{trackingNumber}/as/{vocabulary}",
                "get /v1/tracking/{trackingNumber}/proofOfDelivery",
                "get /v1/tracking:batchGet",
                "get /v1/tracking:lookup",
                "get /v1/whoami",
                "patch /v1/orders/{order}",
                "patch /v1/stores/{store}",
                "post /v1/apiKeys",
                "post /v1/apiKeys/{apiKey}:revoke",
                "post /v1/apiKeys/{apiKey}:rotate",
                "post /v1/auditEvents:search",
                "post /v1/customerOrders:find",
                "post /v1/customers:export",
                "post /v1/erasures",
                "post /v1/ledger/entries:correct",
                "post /v1/lookup:batch",
                "post /v1/manifests",
                "post /v1/orders",
                "post /v1/orders/{order}/returns",
                "post /v1/orders/{order}/returns/{return}:approve",
                "post /v1/orders/{order}/returns/{return}:cancel",
                "post /v1/orders/{order}/returns/{return}:receive",
                "post /v1/orders/{order}/returns/{return}:refund",
                "post /v1/orders/{order}/returns/{return}:reject",
                "post /v1/orders/{order}:cancel",
                "post /v1/orders/{order}:endSessions",
                "post /v1/orders/{order}:reorder",
                "post /v1/orders/{order}:replaceParcel",
                "post /v1/payments/{payment}:capture",
                "post /v1/payments/{payment}:refund",
                "post /v1/payments/{payment}:void",
                "post /v1/rates:quote",
                "post /v1/shipments/{shipment}:correctTracking",
                "post /v1/shipments/{shipment}:declareCustoms",
                "post /v1/shipments/{shipment}:redirect",
                "post /v1/shipments/{shipment}:reschedule",
                "post /v1/shipments/{shipment}:resolveException",
                "post /v1/shipments:registerTracking",
                "post /v1/storeCredits/{storeId}/{customerId}:grant",
                "post /v1/stores",
                "post /v1/stores/{store}/products/{product}/stock:adjust",
                "post /v1/stores/{store}/products/{product}/stock:setThreshold",
                "post /v1/stores/{store}/products:batchUpdate",
                "post /v1/stores/{store}/stock:batchSet",
                "post /v1/track/{code}:open",
                "post /v1/tracking:detectCarrier",
                "post /v1/tracking:ingestScans",
                "put /v1/carriers/{carrier}/rateCards/{rateCard}",
                "put /v1/shippingRules/{shippingRule}",
            ],
            operations);
    }

    [Fact]
    public void Every_reference_leads_somewhere_and_every_component_is_referred_to()
    {
        var references = References(Document).ToHashSet();
        foreach (var reference in references)
        {
            JsonNode? at = Document;
            foreach (var segment in reference[2..].Split('/'))
                at = at![segment];
            Assert.True(at is not null, reference);
        }

        foreach (var (name, _) in Document["components"]!["schemas"]!.AsObject())
            Assert.Contains($"#/components/schemas/{name}", references);
    }

    [Fact]
    public void Path_parameters_are_exactly_those_of_the_path()
    {
        foreach (var (path, item) in Document["paths"]!.AsObject())
        {
            var named = System.Text.RegularExpressions.Regex.Matches(path, @"\{(\w+)\}").Select(match => match.Groups[1].Value);
            foreach (var (_, operation) in item!.AsObject())
            {
                var parameters = operation!["parameters"]?.AsArray() ?? [];
                Assert.Equal(named, parameters.Where(one => one!["in"]!.GetValue<string>() == "path").Select(one => one!["name"]!.GetValue<string>()));
                Assert.All(parameters.Where(one => one!["in"]!.GetValue<string>() == "path"), one => Assert.True(one!["required"]!.GetValue<bool>()));
                Assert.Equal(parameters.Count, parameters.Select(one => $"{one!["in"]} {one["name"]}").Distinct().Count());
            }
        }
    }

    [Fact]
    public void Query_parameters_are_the_fields_that_are_not_in_the_path()
    {
        var parameters = Operation("get", "/v1/orders")["parameters"]!.AsArray();
        Assert.Equal(
            ["storeId", "pageSize", "pageToken", "email", "state", "createTimeFrom", "createTimeUntil", "externalId"],
            parameters.Select(one => one!["name"]!.GetValue<string>()));
        var byName = parameters.ToDictionary(one => one!["name"]!.GetValue<string>(), one => one!);
        Assert.True(byName["storeId"]["required"]!.GetValue<bool>());
        Assert.Equal("#/components/schemas/orders.v1.OrderState", byName["state"]["schema"]!["$ref"]!.GetValue<string>());
        Assert.Equal("date-time", byName["createTimeFrom"]["schema"]!["format"]!.GetValue<string>());
        Assert.Equal("Most orders a page, 1 to 500; 0: 50.", byName["pageSize"]["description"]!.GetValue<string>());

        var repeated = Operation("get", "/v1/orders:batchGet")["parameters"]![0]!["schema"]!;
        Assert.Equal(("array", "string"), (repeated["type"]!.GetValue<string>(), repeated["items"]!["type"]!.GetValue<string>()));
    }

    [Fact]
    public void Bodies_hold_what_is_not_in_the_path()
    {
        Assert.Equal("#/components/schemas/orders.v1.PlaceOrderRequest", Body("/v1/orders")["$ref"]!.GetValue<string>());
        Assert.Equal("#/components/schemas/orders.v1.Store", Body("/v1/stores")["$ref"]!.GetValue<string>());
        Assert.Equal(["requestId", "reason", "note", "etag", "lines"], Body("/v1/orders/{order}:cancel")["properties"]!.AsObject().Select(one => one.Key));
        Assert.Contains(Operation("post", "/v1/orders")["parameters"]!.AsArray(), one => one!["name"]!.GetValue<string>() == "Idempotency-Key");

        static JsonNode Body(string path) => Operation("post", path)["requestBody"]!["content"]!["application/json"]!["schema"]!;
    }

    [Fact]
    public void Values_are_described_as_protobuf_JSON_writes_them()
    {
        var order = Schema("orders.v1.Order")["properties"]!;
        Assert.Equal("string", order["version"]!["type"]!.GetValue<string>());
        Assert.Equal("int64", order["version"]!["format"]!.GetValue<string>());
        Assert.Equal("date-time", order["createTime"]!["format"]!.GetValue<string>());
        Assert.Equal("When it was placed: when the suite accepted it, or the original time of an imported order.", order["createTime"]!["description"]!.GetValue<string>());
        Assert.Equal("#/components/schemas/orders.v1.OrderLine", order["lines"]!["items"]!["$ref"]!.GetValue<string>());
        Assert.Equal("integer", Schema("orders.v1.OrderLine")["properties"]!["quantity"]!["type"]!.GetValue<string>());
        Assert.Equal("string", Schema("google.type.Money")["properties"]!["units"]!["type"]!.GetValue<string>());

        var state = Schema("orders.v1.OrderState");
        Assert.Equal(
            ["ORDER_STATE_UNSPECIFIED", "ORDER_STATE_OPEN", "ORDER_STATE_COMPLETED", "ORDER_STATE_CANCELLED"],
            state["enum"]!.AsArray().Select(one => one!.GetValue<string>()));
        Assert.Contains("`ORDER_STATE_OPEN`: Accepted and not yet at its end.", state["description"]!.GetValue<string>(), StringComparison.Ordinal);
        // The header Idempotency-Key may stand in the place of requestId.
        Assert.Equal(["storeId", "customer", "shippingAddress", "lines"], Schema("orders.v1.PlaceOrderRequest")["required"]!.AsArray().Select(one => one!.GetValue<string>()));
    }

    [Fact]
    public void The_watch_is_a_stream_of_events()
    {
        var watch = Operation("get", "/v1/lookup/{code}:watch");
        Assert.NotNull(watch["responses"]!["200"]!["content"]!["text/event-stream"]);
        Assert.Equal(["code", "afterVersion", "storeId", "readMask", "Last-Event-ID"], watch["parameters"]!.AsArray().Select(one => one!["name"]!.GetValue<string>()));
    }

    [Theory]
    [InlineData("/v1/orders", "/v1/orders", "")]
    [InlineData("/v1/{name=orders/*}:cancel", "/v1/orders/{order}:cancel", "order")]
    [InlineData("/v1/{name=stores/*/products/*}/stock", "/v1/stores/{store}/products/{product}/stock", "store,product")]
    [InlineData("/v1/tracking/{tracking_number}", "/v1/tracking/{trackingNumber}", "trackingNumber")]
    public void Path_templates_read_as_OpenAPI_writes_them(string template, string path, string variables)
    {
        var parsed = PathTemplate.Parse(template);
        Assert.Equal(path, parsed.Path);
        Assert.Equal(variables, string.Join(',', parsed.Variables.Select(one => one.Name)));
    }

    [Fact]
    public void The_client_package_has_every_public_service()
    {
        var offered = PublicApi.Services.Select(service => service.FullName).Order(StringComparer.Ordinal).ToArray();
        Assert.Equal(offered, Client.CommerceClient.Files().SelectMany(file => file.Services).Select(service => service.FullName).Order(StringComparer.Ordinal));
        Assert.Equal(
            offered.Select(name => name[(name.LastIndexOf('.') + 1)..] + "Client").Order(StringComparer.Ordinal),
            typeof(Client.CommerceClient).GetProperties().Select(property => property.PropertyType.Name).Order(StringComparer.Ordinal));
    }

    [Fact]
    public void Who_calls_says_so_by_a_token_or_a_key()
    {
        var schemes = Document["components"]!["securitySchemes"]!;
        Assert.Equal(("http", "bearer"), (schemes["bearer"]!["type"]!.GetValue<string>(), schemes["bearer"]!["scheme"]!.GetValue<string>()));
        Assert.Equal(("header", "x-api-key"), (schemes["apiKey"]!["in"]!.GetValue<string>(), schemes["apiKey"]!["name"]!.GetValue<string>()));
        Assert.Equal(["bearer", "apiKey"], Document["security"]!.AsArray().SelectMany(one => one!.AsObject(), (_, scheme) => scheme.Key));
    }

    [Fact]
    public void What_anybody_may_call_asks_for_no_credential_and_everything_else_does()
    {
        var open = Document["paths"]!.AsObject().SelectMany(path => path.Value!.AsObject(), (path, verb) => (path.Key, verb.Value)).Where(one => one.Value!["security"] is not null).ToList();
        Assert.All(open, one => Assert.Empty(one.Value!["security"]!.AsArray()));
        Assert.Equal(["/v1/track/links/{link}", "/v1/track/{code}", "/v1/track/{code}:open"], open.Select(one => one.Key).Order(StringComparer.Ordinal));
    }

    [Fact]
    public void What_has_an_etag_is_read_and_changed_under_conditions()
    {
        Assert.Contains("If-None-Match", HeadersOf("get", "/v1/orders/{order}"));
        Assert.NotNull(Operation("get", "/v1/orders/{order}")["responses"]!["304"]);
        Assert.NotNull(Operation("get", "/v1/orders/{order}")["responses"]!["200"]!["headers"]!["ETag"]);
        Assert.Contains("If-None-Match", HeadersOf("get", "/v1/lookup/{code}"));
        Assert.DoesNotContain("If-None-Match", HeadersOf("get", "/v1/orders"));
        Assert.Contains("If-Match", HeadersOf("post", "/v1/orders/{order}:cancel"));
        Assert.Contains("If-Match", HeadersOf("patch", "/v1/stores/{store}"));
        Assert.DoesNotContain("If-Match", HeadersOf("post", "/v1/orders"));
    }

    [Fact]
    public void Every_write_is_safe_to_repeat()
    {
        // Reads by POST, among them what opens an order, whose second factor must not stand in an address; scans, which are kept once by what they say, and an end that is the same however often it is said.
        string[] others =
        [
            "/v1/apiKeys/{apiKey}:revoke", "/v1/auditEvents:search", "/v1/customerOrders:find", "/v1/customers:export", "/v1/lookup:batch", "/v1/rates:quote", "/v1/track/{code}:open",
            "/v1/tracking:detectCarrier", "/v1/tracking:ingestScans",
        ];
        foreach (var (path, item) in Document["paths"]!.AsObject())
        {
            foreach (var (verb, _) in item!.AsObject().Where(one => one.Key != "get" && !others.Contains(path)))
                Assert.Contains("Idempotency-Key", HeadersOf(verb, path));
        }
    }

    [Fact]
    public void Every_example_is_of_an_operation_that_there_is_and_shows_there()
    {
        var operations = Document["paths"]!.AsObject().SelectMany(path => path.Value!.AsObject()).ToDictionary(one => one.Value!["operationId"]!.GetValue<string>(), one => one.Value!);
        foreach (var name in Examples.Operations)
        {
            var operation = operations[name];
            Assert.Equal(Examples.BodyOf(name)?.ToJsonString(), operation["requestBody"]?["content"]!["application/json"]!["example"]!.ToJsonString());
            Assert.Equal(
                Examples.ParametersOf(name).Order(StringComparer.Ordinal),
                (operation["parameters"]?.AsArray() ?? []).Where(one => one!["example"] is not null).Select(one => one!["name"]!.GetValue<string>()).Order(StringComparer.Ordinal));
        }
    }

    private static string[] HeadersOf(string verb, string path) =>
        [.. (Operation(verb, path)["parameters"]?.AsArray() ?? []).Where(one => one!["in"]!.GetValue<string>() == "header").Select(one => one!["name"]!.GetValue<string>())];

    private static IEnumerable<string> References(JsonNode? node) => node switch
    {
        JsonObject one => one.SelectMany(member => member.Key == "$ref" ? [member.Value!.GetValue<string>()] : References(member.Value)),
        JsonArray many => many.SelectMany(References),
        _ => [],
    };
}

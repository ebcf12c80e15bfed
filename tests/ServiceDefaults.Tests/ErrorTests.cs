using System.Net;
using System.Net.Http.Headers;
using System.Text;
using System.Text.Json;
using Commerce.Orders.V1;
using Commerce.Types.V1;
using Google.Rpc;
using Grpc.Core;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Http;
using Microsoft.Extensions.Logging;
using Npgsql;

namespace Commerce.ServiceDefaults.Tests;

/// <summary>What goes wrong, as a caller sees it over gRPC and over REST.</summary>
public sealed class ErrorTests
{
    public static TheoryData<string, StatusCode, int> Reasons()
    {
        var data = new TheoryData<string, StatusCode, int>();
        foreach (var reason in Enum.GetValues<ErrorReason>().Where(r => r is not ErrorReason.Unspecified and not ErrorReason.Internal))
            data.Add(reason.ToString(), ErrorReasons.CodeOf(reason), HttpOf(reason));
        return data;
    }

    [Fact]
    public async Task Every_reason_has_its_code_over_gRPC_and_its_status_over_REST()
    {
        var behaviour = new OrderBehaviour { Get = (request, _) => throw new Failure(Enum.Parse<ErrorReason>(request.Name["orders/".Length..]), "What to do.") };
        await using var service = await TestService.Start(behaviour);
        foreach (var row in Reasons())
        {
            var (name, code, http) = row.Data;
            var error = await Refused(() => service.Orders.GetOrderAsync(new GetOrderRequest { Name = "orders/" + name }).ResponseAsync);
            Assert.Equal(code, error.StatusCode);
            Assert.Equal("What to do.", error.Status.Detail);
            var info = error.GetRpcStatus()!.GetDetail<ErrorInfo>()!;
            Assert.Equal("commerce", info.Domain);
            Assert.Equal(name, string.Concat(info.Reason.Split('_').Select(w => w[0] + w[1..].ToLowerInvariant())));

            using var response = await service.Rest.GetAsync("/v1/orders/" + name);
            Assert.Equal(http, (int)response.StatusCode);
            var problem = await ProblemOf(response);
            Assert.Equal(info.Reason, problem.GetProperty("reason").GetString());
            Assert.Equal("What to do.", problem.GetProperty("detail").GetString());
            Assert.Equal(http, problem.GetProperty("status").GetInt32());
        }
    }

    [Fact]
    public async Task Details_of_a_failure_arrive_over_gRPC_and_REST()
    {
        var behaviour = new OrderBehaviour
        {
            Get = (_, _) => throw new Failure(ErrorReason.OutOfStock, "Order fewer.", new FieldError("lines[2].quantity", "at most 3"))
            {
                Preconditions = [("STOCK", "sku-1", "3 available, 5 wanted")],
                Metadata = new Dictionary<string, string> { ["sku"] = "sku-1" },
                RetryAfter = TimeSpan.FromSeconds(90),
            },
        };
        await using var service = await TestService.Start(behaviour);

        var status = (await Refused(() => service.Orders.GetOrderAsync(new GetOrderRequest()).ResponseAsync)).GetRpcStatus()!;
        Assert.Equal("lines[2].quantity", status.GetDetail<BadRequest>()!.FieldViolations.Single().Field);
        Assert.Equal("sku-1", status.GetDetail<PreconditionFailure>()!.Violations.Single().Subject);
        Assert.Equal(90, status.GetDetail<RetryInfo>()!.RetryDelay.Seconds);
        Assert.Equal("sku-1", status.GetDetail<ErrorInfo>()!.Metadata["sku"]);

        using var response = await service.Rest.GetAsync("/v1/orders/x");
        var problem = await ProblemOf(response);
        Assert.Equal("lines[2].quantity", problem.GetProperty("errors")[0].GetProperty("field").GetString());
        Assert.Equal("3 available, 5 wanted", problem.GetProperty("preconditions")[0].GetProperty("description").GetString());
        Assert.Equal("sku-1", problem.GetProperty("metadata").GetProperty("sku").GetString());
        Assert.Equal("Out of stock", problem.GetProperty("title").GetString());
        Assert.Equal(TimeSpan.FromSeconds(90), response.Headers.RetryAfter!.Delta);
        Assert.Equal(32, problem.GetProperty("traceId").GetString()!.Length);
    }

    [Fact]
    public async Task Ten_thousand_wrong_fields_make_an_answer_that_still_arrives()
    {
        var fields = Enumerable.Range(0, 10_000).Select(i => new FieldError($"lines[{i}].sku", new string('é', 600))).ToArray();
        await using var service = await TestService.Start(new OrderBehaviour { Get = (_, _) => throw Failure.Invalid(fields) });
        var status = (await Refused(() => service.Orders.GetOrderAsync(new GetOrderRequest()).ResponseAsync)).GetRpcStatus()!;
        Assert.Equal("10000 fields are wrong.", status.Message);
        Assert.NotEmpty(status.GetDetail<BadRequest>()!.FieldViolations);
    }

    [Fact]
    public async Task A_fault_of_ours_tells_nothing_but_its_trace_and_is_logged_once()
    {
        await using var service = await TestService.Start(new OrderBehaviour { Get = (_, _) => throw new InvalidOperationException("secret of the house") });
        var error = await Refused(() => service.Orders.GetOrderAsync(new GetOrderRequest()).ResponseAsync);
        Assert.Equal(StatusCode.Internal, error.StatusCode);
        Assert.DoesNotContain("secret", error.ToString(), StringComparison.Ordinal);
        Assert.Equal(32, error.GetRpcStatus()!.GetDetail<ErrorInfo>()!.Metadata["trace_id"].Length);
        Assert.Single(service.Logs.Entries, entry => entry.Level == LogLevel.Error && entry.Text.Contains("secret of the house", StringComparison.Ordinal));

        using var response = await service.Rest.GetAsync("/v1/orders/x");
        Assert.Equal(HttpStatusCode.InternalServerError, response.StatusCode);
        Assert.DoesNotContain("secret", await response.Content.ReadAsStringAsync(), StringComparison.Ordinal);
        Assert.Equal(2, service.Logs.Entries.Count);
    }

    [Theory]
    [MemberData(nameof(Dependencies))]
    public async Task A_dependency_that_does_not_answer_is_unavailable_with_a_time_to_try_again(string name)
    {
        await using var service = await TestService.Start(new OrderBehaviour { Get = (_, _) => throw DependencyErrors[name] });
        var error = await Refused(() => service.Orders.GetOrderAsync(new GetOrderRequest()).ResponseAsync);
        Assert.Equal(StatusCode.Unavailable, error.StatusCode);
        Assert.Equal("DEPENDENCY_UNAVAILABLE", error.GetRpcStatus()!.GetDetail<ErrorInfo>()!.Reason);
        Assert.NotNull(error.GetRpcStatus()!.GetDetail<RetryInfo>());
        using var response = await service.Rest.GetAsync("/v1/orders/x");
        Assert.Equal(HttpStatusCode.ServiceUnavailable, response.StatusCode);
        Assert.NotNull(response.Headers.RetryAfter);
    }

    private static readonly Dictionary<string, Exception> DependencyErrors = new()
    {
        ["postgres cannot be reached"] = new NpgsqlException("x", new IOException()),
        ["postgres shuts down"] = new PostgresException("x", "FATAL", "FATAL", PostgresErrorCodes.AdminShutdown),
        ["redis"] = new StackExchange.Redis.RedisConnectionException(StackExchange.Redis.ConnectionFailureType.UnableToConnect, "x"),
        ["http"] = new HttpRequestException("x"),
        ["http timeout"] = new TaskCanceledException("x", new TimeoutException()),
        ["a service"] = new RpcException(new Grpc.Core.Status(StatusCode.Unavailable, "x")),
        ["wrapped"] = new InvalidOperationException("x", new System.Net.Sockets.SocketException()),
    };

    public static TheoryData<string> Dependencies() => [.. DependencyErrors.Keys];

    [Fact]
    public async Task A_status_of_another_of_our_services_passes_through_unchanged()
    {
        var theirs = new Google.Rpc.Status
        {
            Code = (int)Code.NotFound,
            Message = "There is no such payment.",
            Details = { Google.Protobuf.WellKnownTypes.Any.Pack(new ErrorInfo { Domain = "commerce", Reason = "PAYMENT_NOT_FOUND", Metadata = { ["a"] = "b" } }) },
        };
        await using var service = await TestService.Start(new OrderBehaviour { Get = (_, _) => throw theirs.ToRpcException() });
        var error = await Refused(() => service.Orders.GetOrderAsync(new GetOrderRequest()).ResponseAsync);
        Assert.Equal(theirs, error.GetRpcStatus());
        using var response = await service.Rest.GetAsync("/v1/orders/x");
        Assert.Equal(HttpStatusCode.NotFound, response.StatusCode);
    }

    [Fact]
    public async Task A_stream_that_fails_after_its_first_message_ends_with_the_reason()
    {
        await using var service = await TestService.Start(new OrderBehaviour
        {
            Watch = async (stream, _) =>
            {
                await stream.WriteAsync(new Gateway.V1.LookupView());
                throw new Failure(ErrorReason.CodeNotFound, "Gone.");
            },
        });
        using var call = new Gateway.V1.LookupService.LookupServiceClient(service.Channel).WatchLookup(new Gateway.V1.WatchLookupRequest());
        Assert.True(await call.ResponseStream.MoveNext(default));
        var error = await Refused(() => call.ResponseStream.MoveNext(default));
        Assert.Equal("CODE_NOT_FOUND", error.GetRpcStatus()!.GetDetail<ErrorInfo>()!.Reason);
    }

    [Theory]
    [InlineData(new byte[] { 0xFF, 0xFF, 0xFF }, "garbage")]
    [InlineData(new byte[] { 0x0A, 0x7F, 0x41 }, "truncated")]
    [InlineData(new byte[] { 0x0A, 0x03, 0x41, 0xC3, 0x28 }, "broken UTF-8")]
    public async Task Bytes_that_are_no_message_are_a_malformed_request(byte[] message, string _)
    {
        await using var service = await TestService.Start();
        var method = new Method<byte[], byte[]>(
            MethodType.Unary, "commerce.orders.v1.OrderService", "GetOrder", Marshallers.Create(b => b, b => b), Marshallers.Create(b => b, b => b));
        using var call = service.Channel.CreateCallInvoker().AsyncUnaryCall(method, null, new CallOptions(), message);
        var error = await Refused(() => call.ResponseAsync);
        Assert.Equal((StatusCode.InvalidArgument, "MALFORMED_REQUEST"), (error.StatusCode, error.GetRpcStatus()!.GetDetail<ErrorInfo>()!.Reason));
        Assert.Empty(service.Logs.Entries);
    }

    [Fact]
    public async Task An_unknown_method_and_a_giant_message_have_their_reasons_over_gRPC()
    {
        await using var service = await TestService.Start();
        var unknown = await Refused(() => new StoreService.StoreServiceClient(service.Channel).GetStoreAsync(new GetStoreRequest()).ResponseAsync);
        Assert.Equal((StatusCode.Unimplemented, "METHOD_NOT_FOUND"), (unknown.StatusCode, unknown.GetRpcStatus()!.GetDetail<ErrorInfo>()!.Reason));
        var unimplemented = await Refused(() => service.Orders.ReorderAsync(new ReorderRequest()).ResponseAsync);
        Assert.Equal("METHOD_NOT_FOUND", unimplemented.GetRpcStatus()!.GetDetail<ErrorInfo>()!.Reason);

        var giant = new PlaceOrderRequest { RequestId = new string('x', 5 * 1024 * 1024) };
        var error = await Refused(() => service.Orders.PlaceOrderAsync(giant).ResponseAsync);
        Assert.Equal((StatusCode.ResourceExhausted, "REQUEST_TOO_LARGE"), (error.StatusCode, error.GetRpcStatus()!.GetDetail<ErrorInfo>()!.Reason));
    }

    [Theory]
    [InlineData("{", "application/json", 400, "MALFORMED_REQUEST")]
    [InlineData("", "application/json", 400, "MALFORMED_REQUEST")]
    [InlineData("[]", "application/json", 400, "MALFORMED_REQUEST")]
    [InlineData("{\"lines\":3}", "application/json", 400, "MALFORMED_REQUEST")]
    [InlineData("{\"requestId\":7}", "application/json", 400, "MALFORMED_REQUEST")]
    [InlineData("{\"requestId\":\"\\ud800\"}", "application/json", 400, "MALFORMED_REQUEST")]
    [InlineData("{\"promisedDeliveryTime\":\"yesterday\"}", "application/json", 400, "MALFORMED_REQUEST")]
    [InlineData("{\"shippingCharge\":{\"units\":\"99999999999999999999\"}}", "application/json", 400, "MALFORMED_REQUEST")]
    [InlineData("requestId=1", "application/x-www-form-urlencoded", 415, "MALFORMED_REQUEST")]
    [InlineData("{}", "text/plain", 415, "MALFORMED_REQUEST")]
    public async Task JSON_that_cannot_be_read_is_a_problem(string body, string contentType, int status, string reason)
    {
        await using var service = await TestService.Start();
        using var content = new StringContent(body, Encoding.UTF8, contentType);
        using var response = await service.Rest.PostAsync("/v1/orders", content);
        var problem = await ProblemOf(response);
        Assert.Equal((status, reason), ((int)response.StatusCode, problem.GetProperty("reason").GetString()));
        Assert.Empty(service.Logs.Entries);
    }

    [Fact]
    public async Task Broken_UTF_8_in_JSON_is_a_malformed_request()
    {
        await using var service = await TestService.Start();
        using var content = new ByteArrayContent([.. "{\"requestId\":\"a"u8, 0xC3, 0x28, .. "\"}"u8]);
        content.Headers.ContentType = new MediaTypeHeaderValue("application/json");
        using var response = await service.Rest.PostAsync("/v1/orders", content);
        Assert.Equal("MALFORMED_REQUEST", (await ProblemOf(response)).GetProperty("reason").GetString());
    }

    [Theory]
    [InlineData(true)]
    [InlineData(false)]
    public async Task A_giant_body_is_refused_over_REST(bool tellsLength)
    {
        await using var service = await TestService.Start();
        using HttpContent content = tellsLength
            ? new StringContent("{\"requestId\":\"" + new string('x', 5 << 20) + "\"}", Encoding.UTF8, "application/json")
            : new Chunked("{\"requestId\":\"" + new string('x', 5 << 20) + "\"}");
        using var request = new HttpRequestMessage(HttpMethod.Post, "/v1/orders") { Content = content };
        using var response = await service.Rest.SendAsync(request);
        Assert.Equal(HttpStatusCode.RequestEntityTooLarge, response.StatusCode);
        Assert.Equal("REQUEST_TOO_LARGE", (await ProblemOf(response)).GetProperty("reason").GetString());
    }

    [Fact]
    public async Task Paths_and_verbs_that_do_not_exist_are_problems()
    {
        await using var service = await TestService.Start();
        using var missing = await service.Rest.GetAsync("/v1/nothing");
        Assert.Equal((HttpStatusCode.NotFound, "METHOD_NOT_FOUND"), (missing.StatusCode, (await ProblemOf(missing)).GetProperty("reason").GetString()));
        using var verb = await service.Rest.DeleteAsync("/v1/orders/x");
        Assert.Equal(HttpStatusCode.MethodNotAllowed, verb.StatusCode);
        Assert.Equal("METHOD_NOT_FOUND", (await ProblemOf(verb)).GetProperty("reason").GetString());
        using var query = await service.Rest.GetAsync("/v1/orders/x?minVersion=many");
        Assert.Equal("MALFORMED_REQUEST", (await ProblemOf(query)).GetProperty("reason").GetString());
    }

    [Fact]
    public async Task Plain_endpoints_throw_failures_too_and_keep_their_own_bodies()
    {
        await using var service = await TestService.Start(map: app =>
        {
            app.MapPost("/webhooks/x", IResult () => throw new Failure(ErrorReason.WebhookStale, "Sign it again."));
            app.MapGet("/teapot", () => Results.Text("short and stout", statusCode: 418));
            app.MapGet("/fault", IResult () => throw new InvalidOperationException("secret"));
        });
        using var refused = await service.Rest.PostAsync("/webhooks/x", null);
        Assert.Equal(HttpStatusCode.Unauthorized, refused.StatusCode);
        Assert.Equal("WEBHOOK_STALE", (await ProblemOf(refused)).GetProperty("reason").GetString());
        using var teapot = await service.Rest.GetAsync("/teapot");
        Assert.Equal("short and stout", await teapot.Content.ReadAsStringAsync());
        using var fault = await service.Rest.GetAsync("/fault");
        Assert.Equal("INTERNAL", (await ProblemOf(fault)).GetProperty("reason").GetString());
    }

    [Fact]
    public async Task Unknown_fields_are_ignored_and_64_bit_integers_are_strings()
    {
        await using var service = await TestService.Start();
        using var content = new StringContent("{\"requestId\":\"r\",\"future\":{\"x\":1}}", Encoding.UTF8, "application/json");
        using var response = await service.Rest.PostAsync("/v1/orders", content);
        var order = JsonDocument.Parse(await response.Content.ReadAsStringAsync()).RootElement;
        Assert.Equal("r", order.GetProperty("name").GetString());
        Assert.Equal("1152921504606846976", order.GetProperty("version").GetString());
    }

    [Theory]
    [InlineData("key-1", null, "key-1")]
    [InlineData("\"key-1\"", null, "key-1")]
    [InlineData("key-1", "key-1", "key-1")]
    [InlineData("key-1", "key-2", null)]
    [InlineData(null, "key-2", "key-2")]
    public async Task The_Idempotency_Key_is_the_request_id(string? header, string? field, string? expected)
    {
        await using var service = await TestService.Start();
        using var request = new HttpRequestMessage(HttpMethod.Post, "/v1/orders")
        {
            Content = new StringContent(field is null ? "{}" : $"{{\"requestId\":\"{field}\"}}", Encoding.UTF8, "application/json"),
        };
        if (header is not null)
            request.Headers.TryAddWithoutValidation("Idempotency-Key", header);
        using var response = await service.Rest.SendAsync(request);
        if (expected is null)
        {
            Assert.Equal(HttpStatusCode.BadRequest, response.StatusCode);
            Assert.Equal("request_id", (await ProblemOf(response)).GetProperty("errors")[0].GetProperty("field").GetString());
            return;
        }

        Assert.Equal(expected, JsonDocument.Parse(await response.Content.ReadAsStringAsync()).RootElement.GetProperty("name").GetString());
    }

    internal static async Task<RpcException> Refused(Func<Task> call) => await Assert.ThrowsAsync<RpcException>(call);

    private static async Task<JsonElement> ProblemOf(HttpResponseMessage response)
    {
        var body = await response.Content.ReadAsStringAsync();
        Assert.True(response.Content.Headers.ContentType?.MediaType == "application/problem+json", $"{(int)response.StatusCode} {response.Content.Headers.ContentType} {body}");
        return JsonDocument.Parse(body).RootElement;
    }

    private static int HttpOf(ErrorReason reason) => reason switch
    {
        ErrorReason.RequestTooLarge => 413,
        _ => ErrorReasons.CodeOf(reason) switch
        {
            StatusCode.InvalidArgument or StatusCode.FailedPrecondition => 400,
            StatusCode.Unauthenticated => 401,
            StatusCode.PermissionDenied => 403,
            StatusCode.NotFound => 404,
            StatusCode.Aborted or StatusCode.AlreadyExists => 409,
            StatusCode.Cancelled => 499,
            StatusCode.ResourceExhausted => 429,
            StatusCode.Unimplemented => 501,
            StatusCode.Unavailable => 503,
            StatusCode.DeadlineExceeded => 504,
            var code => throw new InvalidOperationException(code.ToString()),
        },
    };

    private sealed class Chunked : HttpContent
    {
        private readonly string _text;

        public Chunked(string text)
        {
            _text = text;
            Headers.ContentType = new MediaTypeHeaderValue("application/json");
        }

        protected override async Task SerializeToStreamAsync(Stream stream, TransportContext? context)
        {
            await stream.WriteAsync(Encoding.UTF8.GetBytes(_text));
        }

        protected override bool TryComputeLength(out long length)
        {
            length = 0;
            return false;
        }
    }
}

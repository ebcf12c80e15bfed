using System.IO.Compression;
using System.Net;
using System.Text;
using System.Text.Json;
using Commerce.Gateway.V1;
using Commerce.Orders.V1;
using Grpc.Core;
using Grpc.Net.Client;
using Grpc.Net.Client.Web;
using Microsoft.Extensions.Options;

namespace Commerce.Gateway.Tests;

/// <summary>What callers over the web get: gRPC-Web, CORS, compressed answers, conditional reads, problems, and the page to try it on.</summary>
public sealed class WebTests : IAsyncLifetime
{
    private const string Page = "https://shop.example";

    private Suite _suite = null!;

    private HttpClient Http => _suite.Node.Http;

    public async ValueTask InitializeAsync() => _suite = await Suite.Start(1, ("Gateway:CorsOrigins:0", Page));

    public async ValueTask DisposeAsync() => await _suite.DisposeAsync();

    [Fact]
    public async Task GRPC_Web_in_text_is_told_to_speak_binary()
    {
        using var content = new ByteArrayContent("AAAAAAA="u8.ToArray());
        content.Headers.ContentType = new("application/grpc-web-text");
        using var response = await Http.PostAsync("/commerce.orders.v1.OrderService/GetOrder", content);
        await IsProblem(response, HttpStatusCode.UnsupportedMediaType, "MALFORMED_REQUEST");
    }

    [Fact]
    public async Task GRPC_Web_reaches_the_Gateway_and_the_services_behind_it()
    {
        var id = _suite.World.Place();
        using var channel = WebChannel();
        Assert.Equal(id.ToString(), (await new LookupService.LookupServiceClient(channel).LookupAsync(new LookupRequest { Code = id.ToString() })).OrderId);

        var orders = new OrderService.OrderServiceClient(channel);
        Assert.Equal(id.ToString(), (await orders.GetOrderAsync(new GetOrderRequest { Name = $"orders/{id}" })).OrderId);

        // The status and its details are trailers, which HTTP/1.1 has not: they come in the body.
        var refused = await Assert.ThrowsAsync<RpcException>(() => orders.CancelOrderAsync(new CancelOrderRequest { Name = "orders/x" }).ResponseAsync);
        Assert.Equal((StatusCode.FailedPrecondition, "ORDER_STATE"), (refused.StatusCode, LookupTests.ReasonOf(refused)));
        var unknown = await Assert.ThrowsAsync<RpcException>(() => new LookupService.LookupServiceClient(channel).LookupAsync(new LookupRequest { Code = "" }).ResponseAsync);
        Assert.Equal((StatusCode.InvalidArgument, "INVALID_FIELD"), (unknown.StatusCode, LookupTests.ReasonOf(unknown)));
    }

    [Fact]
    public async Task A_stream_over_gRPC_Web_tells_of_each_change_when_it_happens()
    {
        var id = _suite.World.Place();
        using var channel = WebChannel();
        using var call = new LookupService.LookupServiceClient(channel).WatchLookup(new WatchLookupRequest { Code = id.ToString() });
        using var bound = new CancellationTokenSource(TimeSpan.FromSeconds(20), TimeProvider.System);
        Assert.True(await call.ResponseStream.MoveNext(bound.Token));
        Assert.Equal(1, call.ResponseStream.Current.Version);

        await _suite.Tell(_suite.World.AdvanceOrder(id));
        Assert.True(await call.ResponseStream.MoveNext(bound.Token));
        Assert.Equal(2, call.ResponseStream.Current.Version);
    }

    [Fact]
    public async Task A_service_that_is_down_is_unavailable_over_gRPC_Web_too()
    {
        _suite.Orders.Cut();
        using var channel = WebChannel();
        var refused = await Assert.ThrowsAsync<RpcException>(() => new OrderService.OrderServiceClient(channel).GetOrderAsync(new GetOrderRequest { Name = "orders/x" }).ResponseAsync);
        Assert.Equal((StatusCode.Unavailable, "DEPENDENCY_UNAVAILABLE"), (refused.StatusCode, LookupTests.ReasonOf(refused)));
        _suite.Orders.Restore();
    }

    [Theory]
    [InlineData(Page, true)]
    [InlineData("https://elsewhere.example", false)]
    public async Task Only_pages_of_the_configured_origins_may_call(string origin, bool allowed)
    {
        var id = _suite.World.Place();
        using var ask = new HttpRequestMessage(HttpMethod.Options, $"/v1/orders/{id}:cancel");
        ask.Headers.Add("Origin", origin);
        ask.Headers.Add("Access-Control-Request-Method", "POST");
        ask.Headers.Add("Access-Control-Request-Headers", "authorization, content-type, idempotency-key, x-grpc-web");
        using var preflight = await Http.SendAsync(ask);
        Assert.Equal(allowed, preflight.Headers.TryGetValues("Access-Control-Allow-Origin", out var origins) && origins.Single() == origin);
        Assert.False(preflight.Headers.Contains("Access-Control-Allow-Credentials"));

        using var call = new HttpRequestMessage(HttpMethod.Get, $"/v1/orders/{id}");
        call.Headers.Add("Origin", origin);
        using var response = await Http.SendAsync(call);
        Assert.Equal(allowed, response.Headers.Contains("Access-Control-Allow-Origin"));
        Assert.Equal(allowed, response.Headers.TryGetValues("Access-Control-Expose-Headers", out var exposed) && exposed.Single().Contains("ETag", StringComparison.Ordinal));
    }

    [Fact]
    public async Task By_default_no_page_may_call()
    {
        await using var suite = await Suite.Start();
        using var call = new HttpRequestMessage(HttpMethod.Get, "/v1/orders/x");
        call.Headers.Add("Origin", Page);
        using var response = await suite.Node.Http.SendAsync(call);
        Assert.DoesNotContain(response.Headers, header => header.Key.StartsWith("Access-Control", StringComparison.OrdinalIgnoreCase));
    }

    [Theory]
    [InlineData("*")]
    [InlineData("https://shop.example/")]
    [InlineData("shop.example")]
    public async Task What_is_no_origin_is_told_at_the_start(string origin) =>
        Assert.Contains(origin, (await Assert.ThrowsAsync<OptionsValidationException>(() => _suite.AddNode("Development", ("Gateway:CorsOrigins:0", origin)))).Message, StringComparison.Ordinal);

    [Theory]
    [InlineData("br")]
    [InlineData("gzip")]
    public async Task Answers_are_compressed_for_who_takes_it(string encoding)
    {
        var id = _suite.World.Place();
        foreach (var path in new[] { "/openapi/v1.json", $"/v1/orders/{id}", $"/v1/lookup/{id}" })
        {
            using var request = new HttpRequestMessage(HttpMethod.Get, path);
            request.Headers.TryAddWithoutValidation("Accept-Encoding", encoding);
            using var response = await Http.SendAsync(request);
            Assert.Equal([encoding], response.Content.Headers.ContentEncoding);
            await using var body = await response.Content.ReadAsStreamAsync();
            await using Stream plain = encoding == "br" ? new BrotliStream(body, CompressionMode.Decompress) : new GZipStream(body, CompressionMode.Decompress);
            using var json = await JsonDocument.ParseAsync(plain);
            Assert.Contains("Accept-Encoding", response.Headers.Vary);
        }
    }

    [Fact]
    public async Task A_stream_of_events_is_not_compressed_and_comes_at_once()
    {
        var id = _suite.World.Place();
        using var request = new HttpRequestMessage(HttpMethod.Get, $"/v1/lookup/{id}:watch");
        request.Headers.TryAddWithoutValidation("Accept-Encoding", "br, gzip");
        using var response = await Http.SendAsync(request, HttpCompletionOption.ResponseHeadersRead);
        Assert.Empty(response.Content.Headers.ContentEncoding);
        using var reader = new StreamReader(await response.Content.ReadAsStreamAsync());
        Assert.Equal("retry: 2000", await reader.ReadLineAsync());
    }

    [Fact]
    public async Task A_look_up_and_an_order_are_not_sent_again_to_who_has_them()
    {
        var id = _suite.World.Place();
        foreach (var path in new[] { $"/v1/lookup/{id}", $"/v1/orders/{id}" })
        {
            using var first = await Http.GetAsync(path);
            Assert.Equal("\"1\"", first.Headers.ETag?.ToString());
            using var request = new HttpRequestMessage(HttpMethod.Get, path);
            request.Headers.Add("If-None-Match", "\"1\"");
            request.Headers.TryAddWithoutValidation("Accept-Encoding", "br");
            using var second = await Http.SendAsync(request);
            Assert.Equal(HttpStatusCode.NotModified, second.StatusCode);
            Assert.Empty(second.Content.Headers.ContentEncoding);
            Assert.Empty(await second.Content.ReadAsByteArrayAsync());
        }
    }

    [Theory]
    [InlineData("GET", "/v1/nowhere", null, "application/json", HttpStatusCode.NotFound, "METHOD_NOT_FOUND")]
    [InlineData("DELETE", "/v1/lookup/x", null, "application/json", HttpStatusCode.MethodNotAllowed, "METHOD_NOT_FOUND")]
    [InlineData("DELETE", "/v1/orders/x", null, "application/json", HttpStatusCode.MethodNotAllowed, "METHOD_NOT_FOUND")]
    [InlineData("POST", "/v1/lookup:batch", "{", "application/json", HttpStatusCode.BadRequest, "MALFORMED_REQUEST")]
    [InlineData("POST", "/v1/orders/x:cancel", "{", "application/json", HttpStatusCode.BadRequest, "MALFORMED_REQUEST")]
    [InlineData("POST", "/v1/lookup:batch", "codes=x", "application/x-www-form-urlencoded", HttpStatusCode.UnsupportedMediaType, "MALFORMED_REQUEST")]
    [InlineData("POST", "/v1/orders/x:cancel", "<a/>", "application/xml", HttpStatusCode.UnsupportedMediaType, "MALFORMED_REQUEST")]
    public async Task What_cannot_be_answered_is_a_problem_here_and_behind(string verb, string path, string? body, string type, HttpStatusCode status, string reason)
    {
        using var request = new HttpRequestMessage(new HttpMethod(verb), path);
        if (body is not null)
            request.Content = new StringContent(body, Encoding.UTF8, type);
        request.Headers.TryAddWithoutValidation("Accept-Encoding", "br");
        using var response = await Http.SendAsync(request);
        await IsProblem(response, status, reason);
    }

    [Theory]
    [InlineData("/v1/lookup:batch")]
    [InlineData("/v1/orders/x:cancel")]
    public async Task What_is_too_large_is_a_problem_here_and_behind(string path)
    {
        using var content = new StringContent($"{{\"note\":\"{new string('x', 5 * 1024 * 1024)}\"}}", Encoding.UTF8, "application/json");
        using var response = await Http.PostAsync(path, content);
        await IsProblem(response, HttpStatusCode.RequestEntityTooLarge, "REQUEST_TOO_LARGE");
    }

    [Fact]
    public async Task The_page_to_try_it_on_comes_from_here_alone()
    {
        using var page = await Http.GetAsync("/docs");
        var html = await page.Content.ReadAsStringAsync();
        Assert.Equal(HttpStatusCode.OK, page.StatusCode);
        Assert.Contains("script-src 'self'", page.Headers.GetValues("Content-Security-Policy").Single(), StringComparison.Ordinal);
        var files = System.Text.RegularExpressions.Regex.Matches(html, "(?:src|href)=\"([^\"]+)\"").Select(match => match.Groups[1].Value).ToArray();
        Assert.NotEmpty(files);
        foreach (var file in files)
        {
            var address = new Uri(page.RequestMessage!.RequestUri!, file);
            Assert.Equal(Http.BaseAddress!.Authority, address.Authority);
            using var response = await Http.GetAsync(address);
            Assert.True(response.IsSuccessStatusCode, file);
        }
    }

    private GrpcChannel WebChannel() => GrpcChannel.ForAddress(Http.BaseAddress!, new GrpcChannelOptions
    {
        HttpHandler = new GrpcWebHandler(GrpcWebMode.GrpcWeb, _suite.Node.DeveloperHandler()),
        HttpVersion = HttpVersion.Version11,
    });

    private static async Task IsProblem(HttpResponseMessage response, HttpStatusCode status, string reason)
    {
        var body = await response.Content.ReadAsStringAsync();
        Assert.True(response.StatusCode == status, $"{(int)response.StatusCode}: {body}");
        Assert.Equal("application/problem+json", response.Content.Headers.ContentType?.MediaType);
        Assert.Empty(response.Content.Headers.ContentEncoding);
        using var problem = JsonDocument.Parse(body);
        Assert.Equal((reason, (int)status), (problem.RootElement.GetProperty("reason").GetString(), problem.RootElement.GetProperty("status").GetInt32()));
        Assert.StartsWith("urn:commerce:error:", problem.RootElement.GetProperty("type").GetString(), StringComparison.Ordinal);
    }
}

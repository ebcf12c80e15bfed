using System.IO.Compression;
using System.Net;
using System.Text;
using System.Text.Json;
using Commerce.Orders.V1;
using Commerce.Types.V1;
using Google.Protobuf;
using Grpc.Core;

namespace Commerce.ServiceDefaults.Tests;

/// <summary>ETag, If-None-Match and If-Match on REST, and which answers are compressed on gRPC.</summary>
public sealed class ConditionTests : IAsyncLifetime
{
    private readonly OrderBehaviour _behaviour = new() { Get = (request, _) => Task.FromResult(new Order { Name = request.Name, Version = 7, Etag = "\"7\"" }) };
    private TestService _service = null!;

    public async ValueTask InitializeAsync() => _service = await TestService.Start(_behaviour);

    public async ValueTask DisposeAsync() => await _service.DisposeAsync();

    [Fact]
    public async Task A_read_names_the_state_that_it_answers_with()
    {
        using var response = await _service.Rest.GetAsync("/v1/orders/x");
        Assert.Equal("\"7\"", response.Headers.ETag!.ToString());
        Assert.Equal("no-cache, private", response.Headers.CacheControl!.ToString());
        Assert.Contains("Authorization", response.Headers.Vary.SelectMany(one => one.Split(", ")));
    }

    [Theory]
    [InlineData("\"7\"", HttpStatusCode.NotModified)]
    [InlineData("W/\"7\"", HttpStatusCode.NotModified)]
    [InlineData("\"6\", \"7\"", HttpStatusCode.NotModified)]
    [InlineData("*", HttpStatusCode.NotModified)]
    [InlineData("\"6\"", HttpStatusCode.OK)]
    [InlineData("not an etag", HttpStatusCode.OK)]
    public async Task What_the_caller_has_already_is_not_sent_again(string header, HttpStatusCode expected)
    {
        using var response = await Get("/v1/orders/x", ("If-None-Match", header));
        Assert.Equal(expected, response.StatusCode);
        Assert.Equal("\"7\"", response.Headers.ETag!.ToString());
        var body = await response.Content.ReadAsStringAsync();
        Assert.Equal(expected == HttpStatusCode.NotModified, body.Length == 0);
        Assert.Equal(expected == HttpStatusCode.NotModified, response.Content.Headers.ContentType is null);
    }

    [Fact]
    public async Task An_error_is_told_whatever_the_caller_has()
    {
        _behaviour.Get = (_, _) => throw new Failure(ErrorReason.OrderNotFound, "No.");
        using var response = await Get("/v1/orders/x", ("If-None-Match", "*"));
        Assert.Equal(HttpStatusCode.NotFound, response.StatusCode);
        Assert.Equal("ORDER_NOT_FOUND", await ReasonOf(response));
        Assert.Null(response.Headers.ETag);
    }

    [Theory]
    [InlineData("\"7\"", "{}")]
    [InlineData("W/\"7\"", "{}")]
    [InlineData("\"7\"", "{\"etag\":\"\\\"7\\\"\"}")]
    [InlineData(null, "{\"etag\":\"\\\"7\\\"\"}")]
    [InlineData("*", "{\"etag\":\"\\\"7\\\"\"}")]
    public async Task If_Match_is_the_etag_that_the_method_expects(string? header, string body)
    {
        CancelOrderRequest? seen = null;
        _behaviour.Cancel = (request, _) => Task.FromResult(new Order { Name = (seen = request).Name, Etag = "\"8\"" });
        using var response = await Post("/v1/orders/x:cancel", body, header);
        Assert.Equal(HttpStatusCode.OK, response.StatusCode);
        Assert.Equal("\"7\"", seen!.Etag);
        Assert.Equal("\"8\"", response.Headers.ETag!.ToString());
    }

    [Fact]
    public async Task If_Match_reaches_the_resource_that_a_request_brings()
    {
        UpdateOrderRequest? seen = null;
        _behaviour.Update = (request, _) =>
        {
            seen = request;
            return Task.FromResult(request.Order);
        };
        using var request = new HttpRequestMessage(HttpMethod.Patch, "/v1/orders/x") { Content = Json("{\"updateMask\":\"customer\"}") };
        request.Headers.TryAddWithoutValidation("If-Match", "\"7\"");
        using var response = await _service.Rest.SendAsync(request);
        Assert.Equal(HttpStatusCode.OK, response.StatusCode);
        Assert.Equal(("orders/x", "\"7\""), (seen!.Order.Name, seen.Order.Etag));
    }

    [Theory]
    [InlineData("\"6\"", "{}", HttpStatusCode.PreconditionFailed)]
    [InlineData(null, "{\"etag\":\"\\\"6\\\"\"}", HttpStatusCode.Conflict)]
    public async Task A_state_that_is_over_is_412_for_the_header_and_a_conflict_for_the_field(string? header, string body, HttpStatusCode expected)
    {
        _behaviour.Cancel = (_, _) => throw new Failure(ErrorReason.EtagMismatch, "It changed.");
        using var response = await Post("/v1/orders/x:cancel", body, header);
        Assert.Equal(expected, response.StatusCode);
        using var problem = JsonDocument.Parse(await response.Content.ReadAsStringAsync());
        Assert.Equal("ETAG_MISMATCH", problem.RootElement.GetProperty("reason").GetString());
        Assert.Equal((int)expected, problem.RootElement.GetProperty("status").GetInt32());
    }

    [Theory]
    [InlineData("/v1/orders/x:cancel", "{\"etag\":\"\\\"6\\\"\"}", "If-Match", "\"7\"")]
    [InlineData("/v1/orders/x:cancel", "{}", "If-Match", "\"6\", \"7\"")]
    [InlineData("/v1/orders/x:cancel", "{}", "If-Match", "7")]
    [InlineData("/v1/orders", "{}", "If-Match", "\"7\"")]
    [InlineData("/v1/orders/x:cancel", "{}", "If-None-Match", "*")]
    public async Task A_condition_that_cannot_be_kept_is_refused_and_not_forgotten(string path, string body, string name, string value)
    {
        _behaviour.Cancel = (_, _) => throw new InvalidOperationException("Must not be reached.");
        using var request = new HttpRequestMessage(HttpMethod.Post, path) { Content = Json(body) };
        request.Headers.TryAddWithoutValidation(name, value);
        using var response = await _service.Rest.SendAsync(request);
        Assert.Equal(HttpStatusCode.BadRequest, response.StatusCode);
        Assert.Equal("INVALID_FIELD", await ReasonOf(response));
    }

    [Fact]
    public async Task A_body_that_is_compressed_is_refused_as_such()
    {
        using var content = new ByteArrayContent(Gzip("{}"u8.ToArray()));
        content.Headers.ContentType = new("application/json");
        content.Headers.ContentEncoding.Add("gzip");
        using var response = await _service.Rest.PostAsync("/v1/orders", content);
        Assert.Equal(HttpStatusCode.UnsupportedMediaType, response.StatusCode);
        Assert.Equal("MALFORMED_REQUEST", await ReasonOf(response));
    }

    [Theory]
    [InlineData("gzip", 5000, true)]
    [InlineData("gzip", 10, false)]
    [InlineData(null, 5000, false)]
    public async Task A_gRPC_answer_is_compressed_for_who_compresses_and_where_it_saves_something(string? encoding, int length, bool compressed)
    {
        _behaviour.Get = (request, _) => Task.FromResult(new Order { Name = new string('x', length) });
        using var handler = new SocketsHttpHandler();
        using var http = new HttpMessageInvoker(handler);
        using var request = new HttpRequestMessage(HttpMethod.Post, new Uri(_service.GrpcAddress, "/commerce.orders.v1.OrderService/GetOrder"))
        {
            Version = HttpVersion.Version20,
            VersionPolicy = HttpVersionPolicy.RequestVersionExact,
            Content = new ByteArrayContent([0, 0, 0, 0, 0]),
        };
        request.Content.Headers.ContentType = new("application/grpc");
        request.Headers.TE.Add(new("trailers"));
        request.Headers.Add("grpc-accept-encoding", "identity,gzip");
        request.Headers.Add(TokenMinter.Header, _service.Token);
        if (encoding is not null)
            request.Headers.Add("grpc-encoding", encoding);
        using var response = await http.SendAsync(request, CancellationToken.None);
        var body = await response.Content.ReadAsByteArrayAsync();
        Assert.Equal("0", response.TrailingHeaders.GetValues("grpc-status").Single());
        Assert.Equal(compressed ? 1 : 0, body[0]);
        Assert.Equal(compressed, body.Length < length);
    }

    [Fact]
    public async Task A_compressed_bomb_is_refused_when_it_has_grown_as_large_as_a_request_may_be()
    {
        // 64 MB of one letter in a field are some 60 KB on the wire.
        var bomb = Gzip(new GetOrderRequest { Name = new string('x', 64 * 1024 * 1024) }.ToByteArray());
        var frame = new byte[5 + bomb.Length];
        frame[0] = 1;
        System.Buffers.Binary.BinaryPrimitives.WriteInt32BigEndian(frame.AsSpan(1), bomb.Length);
        bomb.CopyTo(frame, 5);
        using var handler = new SocketsHttpHandler();
        using var http = new HttpMessageInvoker(handler);
        using var request = new HttpRequestMessage(HttpMethod.Post, new Uri(_service.GrpcAddress, "/commerce.orders.v1.OrderService/GetOrder"))
        {
            Version = HttpVersion.Version20,
            VersionPolicy = HttpVersionPolicy.RequestVersionExact,
            Content = new ByteArrayContent(frame),
        };
        request.Content.Headers.ContentType = new("application/grpc");
        request.Headers.Add("grpc-encoding", "gzip");
        using var response = await http.SendAsync(request, CancellationToken.None);
        await response.Content.ReadAsByteArrayAsync();
        var status = response.TrailingHeaders.TryGetValues("grpc-status", out var trailing) ? trailing : response.Headers.GetValues("grpc-status");
        Assert.Equal(((int)StatusCode.ResourceExhausted).ToString(System.Globalization.CultureInfo.InvariantCulture), status.Single());
    }

    private static byte[] Gzip(byte[] bytes)
    {
        using var stream = new MemoryStream();
        using (var gzip = new GZipStream(stream, CompressionLevel.Optimal))
            gzip.Write(bytes);
        return stream.ToArray();
    }

    private async Task<HttpResponseMessage> Get(string path, (string Name, string Value) header)
    {
        using var request = new HttpRequestMessage(HttpMethod.Get, path);
        request.Headers.TryAddWithoutValidation(header.Name, header.Value);
        return await _service.Rest.SendAsync(request);
    }

    private async Task<HttpResponseMessage> Post(string path, string body, string? ifMatch)
    {
        using var request = new HttpRequestMessage(HttpMethod.Post, path) { Content = Json(body) };
        if (ifMatch is not null)
            request.Headers.TryAddWithoutValidation("If-Match", ifMatch);
        return await _service.Rest.SendAsync(request);
    }

    private static StringContent Json(string body) => new(body, Encoding.UTF8, "application/json");

    private static async Task<string?> ReasonOf(HttpResponseMessage response)
    {
        Assert.Equal("application/problem+json", response.Content.Headers.ContentType?.MediaType);
        using var problem = JsonDocument.Parse(await response.Content.ReadAsStringAsync());
        return problem.RootElement.GetProperty("reason").GetString();
    }
}

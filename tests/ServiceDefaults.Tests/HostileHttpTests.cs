using System.Buffers.Binary;
using System.IO.Compression;
using System.Net;
using System.Net.Http.Headers;
using System.Net.Sockets;
using System.Text;
using Commerce.Orders.V1;
using Commerce.Testing;
using Google.Protobuf;
using Google.Rpc;
using Grpc.Core;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Http;

namespace Commerce.ServiceDefaults.Tests;

/// <summary>Those who speak HTTP badly on purpose, over real sockets: nothing of them stays, and others are served meanwhile.</summary>
public sealed class HostileHttpTests : IDisposable
{
    private const string GetOrder = "/commerce.orders.v1.OrderService/GetOrder";

    private static readonly TimeSpan Patience = TimeSpan.FromSeconds(30);
    private static readonly Dictionary<string, string?> Impatient = new()
    {
        ["Http:HeadersWithin"] = "00:00:00.500",
        ["Http:KeepAlive"] = "00:00:02",
        ["Http:SlowFor"] = "00:00:01.100",
        ["Http:StreamIdle"] = "00:00:00.300",
        ["Http:AbandonAfter"] = "00:00:00.500",
    };

    private readonly KestrelConnections _connections = new();

    public void Dispose() => _connections.Dispose();

    [Fact]
    public async Task Headers_that_never_end_are_not_waited_for_and_others_are_served_meanwhile()
    {
        await using var service = await TestService.Start(settings: Impatient);
        var slow = new List<TcpClient>();
        for (var i = 0; i < 100; i++)
        {
            slow.Add(await Connect(service.HttpAddress));
            await slow[^1].GetStream().WriteAsync("GET /alive HTTP/1.1\r\nHost: x\r\nX-Slow: "u8.ToArray());
        }

        using (var answer = await service.Rest.GetAsync("/alive"))
            Assert.Equal(HttpStatusCode.OK, answer.StatusCode);
        foreach (var one in slow)
        {
            var said = await ReadToEnd(one);
            Assert.True(said.Length == 0 || said.StartsWith("HTTP/1.1 408", StringComparison.Ordinal), said);
            one.Dispose();
        }

        await _connections.AreGone(service.HttpAddress.Port, 1, Patience);
    }

    [Fact]
    public async Task A_body_that_dribbles_is_not_waited_for()
    {
        await using var service = await TestService.Start(settings: Impatient);
        using var slow = await Connect(service.HttpAddress);
        await slow.GetStream().WriteAsync(Encoding.ASCII.GetBytes($"POST /v1/orders HTTP/1.1\r\nHost: x\r\ncommerce-token: {service.Token}\r\nContent-Type: application/json\r\nContent-Length: 1000\r\n\r\n{{"));
        var said = await ReadToEnd(slow);
        Assert.Matches("^HTTP/1.1 (408|400) ", said);
        await _connections.AreGone(service.HttpAddress.Port, 0, Patience);
    }

    [Fact]
    public async Task An_answer_that_nobody_reads_is_given_up()
    {
        // The server reckons how long what it wrote may take: at a slow rate that is long, and so is a test.
        var block = new byte[1 << 16];
        await using var service = await TestService.Start(settings: new Dictionary<string, string?>(Impatient) { ["Http:LeastBytesPerSecond"] = "1000000" }, map: app => app.MapGet("/long", async (HttpContext http) =>
        {
            for (var i = 0; i < 2000; i++)
                await http.Response.Body.WriteAsync(block, http.RequestAborted);
        }));
        using var deaf = await Connect(service.HttpAddress);
        await deaf.GetStream().WriteAsync("GET /long HTTP/1.1\r\nHost: x\r\n\r\n"u8.ToArray());
        await Eventually.True(() => Task.FromResult(_connections.Opened(service.HttpAddress.Port) > 0));
        await _connections.AreGone(service.HttpAddress.Port, 0, Patience);
    }

    public static TheoryData<string, string> Malformed() => new()
    {
        { "a long line", $"GET /{new string('x', 10_000)} HTTP/1.1\r\nHost: x\r\n\r\n" },
        { "many headers", $"GET /alive HTTP/1.1\r\nHost: x\r\n{string.Concat(Enumerable.Range(0, 200).Select(i => $"X-{i}: y\r\n"))}\r\n" },
        { "a long header", $"GET /alive HTTP/1.1\r\nHost: x\r\nX: {new string('y', 40_000)}\r\n\r\n" },
        { "no host", "GET /alive HTTP/1.1\r\n\r\n" },
        { "two hosts", "GET /alive HTTP/1.1\r\nHost: a\r\nHost: b\r\n\r\n" },
        { "an unknown version", "GET /alive HTTP/9.9\r\nHost: x\r\n\r\n" },
        { "no version", "GET /alive\r\n\r\n" },
        { "HTTP/2 without saying so", "PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n" },
        { "TLS", "\u0016\u0003\u0001\u0002\u0000\u0001\u0000\u0001\u00fc\u0003\u0003" },
        { "two lengths", "POST /v1/orders HTTP/1.1\r\nHost: x\r\nContent-Length: 1\r\nContent-Length: 2\r\n\r\nab" },
        { "no number of a length", "POST /v1/orders HTTP/1.1\r\nHost: x\r\nContent-Length: -1\r\n\r\n" },
        { "chunks that are none", "POST /v1/orders HTTP/1.1\r\nHost: x\r\nContent-Type: application/json\r\nTransfer-Encoding: chunked\r\n\r\nZZ\r\n{}\r\n0\r\n\r\n" },
        { "an unknown coding", "POST /v1/orders HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: gzip\r\n\r\n" },
        { "a NUL in a header", "GET /alive HTTP/1.1\r\nHost: x\r\nX-A: a\0b\r\n\r\n" },
        { "a folded header", "GET /alive HTTP/1.1\r\nHost: x\r\nX-A: a\r\n b\r\n\r\n" },
        { "a space before the colon", "GET /alive HTTP/1.1\r\nHost: x\r\nContent-Length : 3\r\n\r\n" },
        { "a NUL in the path", "GET /v1/orders/%00 HTTP/1.1\r\nHost: x\r\n\r\n" },
        { "a raw NUL in the path", "GET /v1/orders/\0 HTTP/1.1\r\nHost: x\r\n\r\n" },
        { "a tunnel", "CONNECT example.com:443 HTTP/1.1\r\nHost: example.com\r\n\r\n" },
        { "nonsense", "\r\n\r\n{}\0\u00ff\u00fe\r\n\r\n" },
    };

    [Theory]
    [MemberData(nameof(Malformed))]
    public async Task What_is_no_request_is_refused_and_ends(string what, string bytes)
    {
        await using var service = await TestService.Start(settings: Impatient);
        using var client = await Connect(service.HttpAddress);
        try
        {
            await client.GetStream().WriteAsync(Encoding.Latin1.GetBytes(bytes));
        }
        catch (IOException)
        {
            // Refused before it was all sent.
        }

        var said = await ReadToEnd(client);
        // A bare zero begins a frame of HTTP/2: it answers in the language it was spoken to.
        Assert.True(said is [] or ['\0', ..] || System.Text.RegularExpressions.Regex.IsMatch(said, "^HTTP/1.1 (4..|501|505) "), $"{what}: {said}");
        await _connections.AreGone(service.HttpAddress.Port, 0, Patience);
        Assert.DoesNotContain(service.Logs.Entries, entry => entry.Level >= Microsoft.Extensions.Logging.LogLevel.Error);
    }

    [Fact]
    public async Task A_request_with_both_a_length_and_chunks_is_one_request_and_no_other_hides_in_it()
    {
        await using var service = await TestService.Start(settings: Impatient);
        using var client = await Connect(service.HttpAddress);
        await client.GetStream().WriteAsync("POST /alive HTTP/1.1\r\nHost: x\r\nContent-Length: 4\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\nGET /hidden HTTP/1.1\r\nHost: x\r\n\r\n"u8.ToArray());
        var said = await ReadToEnd(client);
        // RFC 9112: chunks win and the connection ends, or it is refused.
        Assert.Single(System.Text.RegularExpressions.Regex.Matches(said, "HTTP/1.1 "));
    }

    [Fact]
    public async Task HTTP_1_at_the_endpoint_of_gRPC_is_told_so()
    {
        await using var service = await TestService.Start(settings: Impatient);
        using var client = await Connect(service.GrpcAddress);
        await client.GetStream().WriteAsync("GET /alive HTTP/1.1\r\nHost: x\r\n\r\n"u8.ToArray());
        Assert.StartsWith("HTTP/1.1 400", await ReadToEnd(client), StringComparison.Ordinal);
        await _connections.AreGone(service.GrpcAddress.Port, 0, Patience);
    }

    [Fact]
    public async Task gRPC_at_the_endpoint_of_HTTP_1_is_refused_and_no_fault()
    {
        await using var service = await TestService.Start();
        using var request = Message(GetOrder, service.Token, Framed(new GetOrderRequest { Name = "orders/x" }.ToByteArray()));
        (request.Version, request.RequestUri) = (HttpVersion.Version11, new Uri(service.HttpAddress, GetOrder));
        using var answer = await service.Rest.SendAsync(request);
        Assert.True((int)answer.StatusCode is 400 or 426 || answer.Headers.TryGetValues("grpc-status", out var status) && status.Single() is not ("2" or "13"), $"{answer}");
        Assert.DoesNotContain(service.Logs.Entries, entry => entry.Level >= Microsoft.Extensions.Logging.LogLevel.Error);
    }

    [Theory]
    [InlineData("GET", "application/grpc", 404)]
    [InlineData("POST", "text/plain", 415)]
    [InlineData("POST", "application/json", 415)]
    public async Task Another_verb_or_type_than_gRPC_has_is_a_problem(string verb, string type, int status)
    {
        await using var service = await TestService.Start();
        using var http2 = Http2(service);
        using var request = Message(GetOrder, service.Token, []);
        request.Method = new HttpMethod(verb);
        request.Content!.Headers.ContentType = MediaTypeHeaderValue.Parse(type);
        if (verb == "GET")
            request.Content = null;
        using var answer = await http2.SendAsync(request);
        Assert.Equal(status, (int)answer.StatusCode);
        Assert.Equal("application/problem+json", answer.Content.Headers.ContentType?.MediaType);
    }

    [Fact]
    public async Task A_message_that_would_unpack_to_more_than_a_message_may_be_is_not_unpacked()
    {
        await using var service = await TestService.Start();
        using var http2 = Http2(service);
        var bomb = Gzipped(new byte[1 << 28]);
        Assert.True(bomb.Length < Limits.RequestBytes);
        var before = GC.GetTotalAllocatedBytes();
        Assert.Equal(("8", "REQUEST_TOO_LARGE"), await Answer(http2, Message(GetOrder, service.Token, Framed(bomb, compressed: true), "gzip")));
        Assert.InRange(GC.GetTotalAllocatedBytes() - before, 0, 1 << 26);
        // In a stream too.
        Assert.Equal(("8", "REQUEST_TOO_LARGE"), await Answer(http2, Message("/commerce.orders.v1.OrderService/ImportOrders", service.Token, Framed(bomb, compressed: true), "gzip")));
        // And what is packed as it should be is read.
        Assert.Equal(("0", null), await Answer(http2, Message(GetOrder, service.Token, Framed(Gzipped(new GetOrderRequest { Name = "orders/x" }.ToByteArray()), compressed: true), "gzip")));
        Assert.DoesNotContain(service.Logs.Entries, entry => entry.Level >= Microsoft.Extensions.Logging.LogLevel.Error);
    }

    public static TheoryData<string, byte[], string?, string, string> Frames() => new()
    {
        { "gzip that is none", Framed([1, 2, 3, 4], compressed: true), "gzip", "3", "MALFORMED_REQUEST" },
        { "half of a gzip", Framed(Gzipped(Encoding.ASCII.GetBytes(string.Concat(Enumerable.Range(0, 1000))))[..500], compressed: true), "gzip", "3", "MALFORMED_REQUEST" },
        { "compressed by nothing", Framed([1, 2, 3], compressed: true), null, "3", "MALFORMED_REQUEST" },
        { "compressed by what is unknown", Framed([1, 2, 3], compressed: true), "zip", "3", "MALFORMED_REQUEST" },
        { "a length beyond all", [0, 0x7F, 0xFF, 0xFF, 0xFF, 1], null, "8", "REQUEST_TOO_LARGE" },
        { "a length that is no number", [0, 0xFF, 0xFF, 0xFF, 0xFF, 1], null, "3", "MALFORMED_REQUEST" },
        { "less than the length says", [0, 0, 0, 0, 200, 1, 2, 3], null, "3", "MALFORMED_REQUEST" },
        { "half a frame", [0, 0, 0], null, "3", "MALFORMED_REQUEST" },
        { "no frame", [], null, "3", "MALFORMED_REQUEST" },
        { "two messages where there is one", [.. Framed([]), .. Framed([])], null, "3", "MALFORMED_REQUEST" },
        { "a flag that is none", [7, 0, 0, 0, 0], null, "3", "MALFORMED_REQUEST" },
    };

    [Theory]
    [MemberData(nameof(Frames))]
    public async Task A_frame_that_is_not_right_is_a_malformed_request(string what, byte[] body, string? encoding, string status, string reason)
    {
        await using var service = await TestService.Start();
        using var http2 = Http2(service);
        foreach (var path in new[] { GetOrder, "/commerce.orders.v1.OrderService/ImportOrders" })
        {
            var answer = await Answer(http2, Message(path, service.Token, body, encoding));
            // A stream may be empty, and may bring several.
            if (path != GetOrder && what is "no frame" or "two messages where there is one")
                continue;
            Assert.True((status, reason) == answer, $"{what} to {path}: {answer}");
        }

        Assert.DoesNotContain(service.Logs.Entries, entry => entry.Level >= Microsoft.Extensions.Logging.LogLevel.Error);
    }

    [Fact]
    public async Task A_stream_of_a_client_that_brings_nothing_ends()
    {
        await using var service = await TestService.Start(settings: Impatient);
        using var silent = service.Orders.ImportOrders();
        await silent.RequestStream.WriteAsync(new ImportOrdersRequest());
        var error = await Assert.ThrowsAsync<RpcException>(async () => await silent);
        Assert.Equal((StatusCode.DeadlineExceeded, "STREAM_IDLE"), (error.StatusCode, error.GetRpcStatus()!.GetDetail<ErrorInfo>()!.Reason));

        // Bytes now and then are no message.
        using var http2 = Http2(service);
        using var request = Message("/commerce.orders.v1.OrderService/ImportOrders", service.Token, []);
        request.Content = new Dribble([0, 0, 0, 0, 200, .. new byte[200]], TimeSpan.FromMilliseconds(50)) { Headers = { ContentType = new MediaTypeHeaderValue("application/grpc") } };
        Assert.Equal(("4", "STREAM_IDLE"), await Answer(http2, request));
    }

    [Fact]
    public async Task A_call_whose_message_does_not_come_ends()
    {
        await using var service = await TestService.Start(settings: Impatient);
        using var http2 = Http2(service);
        foreach (var path in new[] { GetOrder, "/commerce.gateway.v1.LookupService/WatchLookup" })
        {
            using var request = Message(path, service.Token, []);
            request.Content = new Dribble([0, 0, 0, 0, 200, .. new byte[200]], TimeSpan.FromSeconds(2)) { Headers = { ContentType = new MediaTypeHeaderValue("application/grpc") } };
            var began = TimeProvider.System.GetTimestamp();
            try
            {
                var (status, _) = await Answer(http2, request).WaitAsync(Patience);
                Assert.NotEqual("0", status);
            }
            catch (Exception exception) when (exception is HttpRequestException or TaskCanceledException)
            {
                // The connection was given up.
            }

            Assert.True(TimeProvider.System.GetElapsedTime(began) < TimeSpan.FromSeconds(15), path);
        }
    }

    [Fact]
    public async Task A_flood_of_calls_that_are_reset_at_once_ends_its_connection_and_others_are_served()
    {
        await using var service = await TestService.Start(settings: Impatient);
        using var client = await Connect(service.GrpcAddress);
        var stream = client.GetStream();
        var flood = new MemoryStream();
        flood.Write("PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n"u8);
        flood.Write(Frame(4, 0, 0, []));
        byte[] headers = [0x83, 0x86, .. Literal(4, GetOrder), .. Literal(1, "x"), .. Literal(31, "application/grpc")];
        for (var id = 1; id < 20_000; id += 2)
        {
            flood.Write(Frame(1, 4, id, headers));
            flood.Write(Frame(3, 0, id, [0, 0, 0, 8]));
        }

        try
        {
            await stream.WriteAsync(flood.ToArray());
            // It ends before the client does.
            await ReadToEnd(client);
        }
        catch (IOException)
        {
            // It was ended while it was at it.
        }

        client.Dispose();

        await _connections.AreGone(service.GrpcAddress.Port, 0, Patience);
        await service.Orders.GetOrderAsync(new GetOrderRequest { Name = "orders/x" });
    }

    [Theory]
    [InlineData(1)]
    [InlineData(2)]
    public async Task A_connection_that_its_client_has_left_ends_although_a_call_on_it_never_does(int version)
    {
        var (begun, never) = (new TaskCompletionSource(), new TaskCompletionSource());
        var behaviour = new OrderBehaviour
        {
            Get = async (_, _) =>
            {
                begun.SetResult();
                await never.Task;
                return new Order();
            },
        };
        await using var service = await TestService.Start(behaviour, settings: Impatient);
        var address = version == 1 ? service.HttpAddress : service.GrpcAddress;
        using (var client = await Connect(address))
        {
            byte[] call = [.. "PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n"u8, .. Frame(4, 0, 0, []),
                .. Frame(1, 4, 1, [0x83, 0x86, .. Literal(4, GetOrder), .. Literal(1, "x"), .. Literal(31, "application/grpc"), .. Field(TokenMinter.Header, service.Token)]),
                .. Frame(0, 1, 1, Framed([]))];
            await client.GetStream().WriteAsync(version == 1 ? Encoding.ASCII.GetBytes($"GET /v1/orders/x HTTP/1.1\r\nHost: x\r\ncommerce-token: {service.Token}\r\n\r\n") : call);
            await begun.Task.WaitAsync(Patience);
        }

        await _connections.AreGone(address.Port, 0, Patience);
        never.SetResult();
    }

    [Fact]
    public async Task More_connections_than_there_may_be_are_closed()
    {
        await using var service = await TestService.Start(settings: new Dictionary<string, string?> { ["Http:Connections"] = "5" });
        var open = new List<TcpClient>();
        for (var i = 0; i < 5; i++)
            open.Add(await Connect(service.HttpAddress));
        await Eventually.True(() => Task.FromResult(_connections.Now(service.HttpAddress.Port) == 5));
        using (var more = await Connect(service.HttpAddress))
            Assert.Equal("", await ReadToEnd(more));
        open.ForEach(one => one.Dispose());
        await _connections.AreGone(service.HttpAddress.Port, 0, Patience);
        using var answer = await service.Rest.GetAsync("/alive");
        Assert.Equal(HttpStatusCode.OK, answer.StatusCode);
    }

    [Theory]
    [InlineData("a\0b")]
    [InlineData("\\ud800")]
    [InlineData("\\udc00\\ud800")]
    public async Task Text_that_can_be_stored_nowhere_is_named(string text)
    {
        await using var service = await TestService.Start();
        var json = "{\"lines\":[{},{\"sku\":\"" + text.Replace("\0", "\\u0000", StringComparison.Ordinal) + "\"}],\"requestId\":\"r\"}";
        using var body = new StringContent(json, Encoding.UTF8, "application/json");
        using var answer = await service.Rest.PostAsync("/v1/orders", body);
        var said = await answer.Content.ReadAsStringAsync();
        Assert.Equal(HttpStatusCode.BadRequest, answer.StatusCode);
        if (!text.Contains('\0'))
            return;
        Assert.Contains("lines[1].sku", said, StringComparison.Ordinal);
        var error = await Assert.ThrowsAsync<RpcException>(async () => await service.Orders.PlaceOrderAsync(new PlaceOrderRequest { Lines = { new OrderLine(), new OrderLine { Sku = text } } }));
        Assert.Equal("lines[1].sku", Assert.Single(error.GetRpcStatus()!.GetDetail<BadRequest>()!.FieldViolations).Field);
    }

    [Fact]
    public async Task What_a_caller_writes_begins_no_line_of_the_log()
    {
        const string Forged = "%0d%0a12:00:00 info: FORGED%1b[31m";
        var behaviour = new OrderBehaviour { Get = (_, _) => throw new HttpRequestException("away") };
        await using var service = await TestService.Start(behaviour, map: app => app.MapGet("/fails/{what}", string (string what) => throw new InvalidOperationException("ours")));
        foreach (var path in new[] { "/fails/" + Forged, "/v1/orders/" + Forged })
        {
            using var request = new HttpRequestMessage(HttpMethod.Get, path) { Headers = { { "User-Agent", "FORGED" } } };
            using var answer = await service.Rest.SendAsync(request);
            Assert.True((int)answer.StatusCode >= 500, $"{answer}");
        }

        Assert.Equal(2, service.Logs.Entries.Count);
        Assert.DoesNotContain(service.Logs.Entries, entry => entry.Text.Contains("FORGED", StringComparison.Ordinal));
    }

    private static async Task<TcpClient> Connect(Uri address)
    {
        var client = new TcpClient();
        await client.ConnectAsync(IPAddress.Loopback, address.Port);
        return client;
    }

    private static async Task<string> ReadToEnd(TcpClient client)
    {
        using var enough = new CancellationTokenSource(Patience);
        var said = new MemoryStream();
        try
        {
            await client.GetStream().CopyToAsync(said, enough.Token);
        }
        catch (IOException)
        {
            // Closed while it was still sending.
        }

        return Encoding.Latin1.GetString(said.ToArray());
    }

    private static HttpClient Http2(TestService service) => new(new SocketsHttpHandler { AllowAutoRedirect = false })
    {
        BaseAddress = service.GrpcAddress,
        DefaultRequestVersion = HttpVersion.Version20,
        DefaultVersionPolicy = HttpVersionPolicy.RequestVersionExact,
    };

    private static HttpRequestMessage Message(string path, string token, byte[] body, string? encoding = null)
    {
        var request = new HttpRequestMessage(HttpMethod.Post, path)
        {
            Version = HttpVersion.Version20,
            VersionPolicy = HttpVersionPolicy.RequestVersionExact,
            Content = new ByteArrayContent(body) { Headers = { ContentType = new MediaTypeHeaderValue("application/grpc") } },
            Headers = { { "te", "trailers" }, { TokenMinter.Header, token } },
        };
        if (encoding is not null)
            request.Headers.Add("grpc-encoding", encoding);
        return request;
    }

    private static async Task<(string? Status, string? Reason)> Answer(HttpClient client, HttpRequestMessage request)
    {
        using (request)
        {
            using var answer = await client.SendAsync(request, HttpCompletionOption.ResponseHeadersRead).WaitAsync(Patience);
            await answer.Content.ReadAsByteArrayAsync().WaitAsync(Patience);
            string? Of(string name) => answer.Headers.TryGetValues(name, out var values) || answer.TrailingHeaders.TryGetValues(name, out values) ? values.Single() : null;
            var details = Of("grpc-status-details-bin") is { } text ? Google.Rpc.Status.Parser.ParseFrom(Convert.FromBase64String(text)) : null;
            return (Of("grpc-status"), details?.GetDetail<ErrorInfo>()?.Reason);
        }
    }

    private static byte[] Framed(byte[] message, bool compressed = false)
    {
        var frame = new byte[5 + message.Length];
        frame[0] = compressed ? (byte)1 : (byte)0;
        BinaryPrimitives.WriteInt32BigEndian(frame.AsSpan(1), message.Length);
        message.CopyTo(frame, 5);
        return frame;
    }

    private static byte[] Gzipped(byte[] bytes)
    {
        var packed = new MemoryStream();
        using (var gzip = new GZipStream(packed, CompressionLevel.Optimal, leaveOpen: true))
            gzip.Write(bytes);
        return packed.ToArray();
    }

    private static byte[] Frame(byte type, byte flags, int id, byte[] payload)
    {
        var frame = new byte[9 + payload.Length];
        BinaryPrimitives.WriteInt32BigEndian(frame.AsSpan(0), payload.Length << 8 | type);
        frame[4] = flags;
        BinaryPrimitives.WriteInt32BigEndian(frame.AsSpan(5), id);
        payload.CopyTo(frame, 9);
        return frame;
    }

    // HPACK: a literal that is not kept, with a name of its own and a value of any length.
    private static byte[] Field(string name, string value)
    {
        var length = new List<byte> { 127 };
        var left = value.Length - 127;
        for (; left >= 128; left >>= 7)
            length.Add((byte)(left & 127 | 128));
        length.Add((byte)left);
        return [0, (byte)name.Length, .. Encoding.ASCII.GetBytes(name), .. length, .. Encoding.ASCII.GetBytes(value)];
    }

    // HPACK: a literal that is not kept, with a name of the static table.
    private static byte[] Literal(int name, string value) =>
        name < 15 ? [(byte)name, (byte)value.Length, .. Encoding.ASCII.GetBytes(value)] : [15, (byte)(name - 15), (byte)value.Length, .. Encoding.ASCII.GetBytes(value)];

    /// <summary>A body that comes byte by byte.</summary>
    private sealed class Dribble(byte[] bytes, TimeSpan pause) : HttpContent
    {
        protected override Task SerializeToStreamAsync(Stream stream, TransportContext? context) => SerializeToStreamAsync(stream, context, CancellationToken.None);

        protected override async Task SerializeToStreamAsync(Stream stream, TransportContext? context, CancellationToken cancellationToken)
        {
            foreach (var one in bytes)
            {
                await stream.WriteAsync(new[] { one }, cancellationToken);
                await stream.FlushAsync(cancellationToken);
                await Task.Delay(pause, TimeProvider.System, cancellationToken);
            }
        }

        protected override bool TryComputeLength(out long length)
        {
            length = 0;
            return false;
        }
    }
}

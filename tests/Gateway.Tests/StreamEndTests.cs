using System.Net;
using Commerce.Gateway.Access;
using Commerce.Gateway.V1;
using Commerce.Orders.V1;
using Commerce.Testing;
using CsCheck;
using Google.Protobuf.WellKnownTypes;
using Grpc.Core;
using Grpc.Net.Client;
using Grpc.Net.Client.Web;
using Microsoft.AspNetCore.Http;
using Microsoft.Extensions.Time.Testing;

namespace Commerce.Gateway.Tests;

/// <summary>A stream ends with what it was opened with, and its caller is told so.</summary>
public sealed class StreamEndTests : IAsyncLifetime
{
    private static readonly TimeSpan Bound = TimeSpan.FromSeconds(20);
    private static readonly (string, string)[] Settings = [("Shoppers:AnswerAfter", "00:00:00"), ("Gateway:Heartbeat", "00:05:00")];

    private Suite _suite = null!;

    public async ValueTask InitializeAsync() => _suite = await Suite.Start(nodes: 2, Settings);

    public async ValueTask DisposeAsync() => await _suite.DisposeAsync();

    [Fact]
    public async Task Every_stream_ends_when_its_token_is_over_and_not_before()
    {
        var (node, time) = await Timed();
        var id = _suite.World.Place();
        var token = _suite.Issuer.Token(life: TimeSpan.FromMinutes(25));
        await using var streams = await Streams.Open(node, id, token);
        Assert.Equal(1, node.Get<OpenStreams>().Watched);

        // Longer than it is believed without asking the issuer's keys again.
        time.Advance(TimeSpan.FromMinutes(24));
        await _suite.Tell(_suite.World.AdvanceOrder(id), node: 2);
        await streams.LookupComesAgain();

        // Times may be half a minute off.
        time.Advance(TimeSpan.FromSeconds(91));
        await streams.End("CREDENTIAL_EXPIRED");
        await Eventually.True(() => node.Get<OpenStreams>().Watched == 0);
    }

    [Fact]
    public async Task Every_stream_ends_at_once_on_every_Gateway_when_its_API_key_is_revoked()
    {
        var id = _suite.World.Place();
        var (key, other) = (await Key(), await Key());
        await using var streams = await Streams.Open(_suite.Nodes[1], id, key.Key);
        await using var others = await Streams.Open(_suite.Nodes[1], id, other.Key);

        await Access.RevokeApiKeyAsync(new RevokeApiKeyRequest { Name = key.Name });

        await streams.End("CREDENTIAL_REVOKED");
        await _suite.Tell(_suite.World.AdvanceOrder(id));
        await others.LookupComesAgain();
        var error = await Assert.ThrowsAsync<RpcException>(() => Streams.Open(_suite.Nodes[1], id, key.Key));
        Assert.Equal("UNAUTHENTICATED", LookupTests.ReasonOf(error));
    }

    [Fact]
    public async Task Without_Redis_they_end_when_what_is_known_of_the_key_is_asked_again()
    {
        var (node, time) = await Timed(("Access:KeyCacheFor", "00:00:10"));
        var id = _suite.World.Place();
        var key = await Key();
        await using var streams = await Streams.Open(node, id, key.Key);
        await _suite.CutRedis();
        await Access.RevokeApiKeyAsync(new RevokeApiKeyRequest { Name = key.Name });

        time.Advance(TimeSpan.FromSeconds(10));

        await streams.End("CREDENTIAL_REVOKED");
        _suite.Redis.Restore();
    }

    [Fact]
    public async Task What_was_opened_with_the_former_secret_of_a_key_ends_with_that()
    {
        var (node, time) = await Timed();
        var id = _suite.World.Place();
        var key = await Key();
        await using var former = await Streams.Open(node, id, key.Key);
        var rotated = await Access.RotateApiKeyAsync(new RotateApiKeyRequest { Name = key.Name, RequestId = "r", Overlap = Duration.FromTimeSpan(TimeSpan.FromMinutes(2)) });
        // Told by Redis.
        await Eventually.True(async () =>
        {
            using var rest = new HttpClient { BaseAddress = node.HttpAddress, DefaultRequestHeaders = { { "x-api-key", rotated.Key } } };
            using var answer = await rest.GetAsync("/v1/whoami");
            return answer.IsSuccessStatusCode;
        });
        await using var current = await Streams.Open(node, id, rotated.Key);

        time.Advance(TimeSpan.FromMinutes(1));
        await _suite.Tell(_suite.World.AdvanceOrder(id), node: 2);
        await former.LookupComesAgain();
        await current.LookupComesAgain();
        time.Advance(TimeSpan.FromMinutes(2));

        await former.End("CREDENTIAL_REVOKED");
        await _suite.Tell(_suite.World.AdvanceOrder(id), node: 2);
        await current.LookupComesAgain();
    }

    [Fact]
    public async Task A_shoppers_streams_end_with_their_session()
    {
        var (node, time) = await Timed();
        var id = _suite.World.Place();
        _suite.World.BelongsTo(id, ShopperTests.Ada(), ShopperTests.Address());
        var session = await new ShopperService.ShopperServiceClient(node.Strange).OpenOrderAsync(new OpenOrderRequest { Code = id.ToString(), Email = "ada@example.com" });
        await using var streams = await Streams.Open(node, id, session.Token, stock: false);

        time.Advance(TimeSpan.FromMinutes(29));
        await _suite.Tell(_suite.World.AdvanceOrder(id), node: 2);
        await streams.LookupComesAgain();
        time.Advance(TimeSpan.FromMinutes(1));

        await streams.End("CREDENTIAL_EXPIRED");
    }

    [Fact]
    public async Task A_stream_of_a_clients_ends_too()
    {
        var (node, time) = await Timed();
        using var import = new OrderService.OrderServiceClient(node.Strange).ImportOrders(Bearer(_suite.Issuer.Token(life: TimeSpan.FromMinutes(5))));
        await import.RequestStream.WriteAsync(new ImportOrdersRequest());
        await Eventually.True(() => node.Get<OpenStreams>().Watched == 1);

        time.Advance(TimeSpan.FromMinutes(6));

        var error = await Assert.ThrowsAsync<RpcException>(() => import.ResponseAsync.WaitAsync(Bound));
        Assert.Equal((StatusCode.Unauthenticated, "CREDENTIAL_EXPIRED"), (error.StatusCode, LookupTests.ReasonOf(error)));
    }

    [Fact]
    public async Task While_the_database_is_away_a_stream_goes_on_until_its_own_end()
    {
        var (node, time) = await Timed();
        var id = _suite.World.Place();
        var key = await Access.CreateApiKeyAsync(new CreateApiKeyRequest
        {
            RequestId = Guid.NewGuid().ToString(),
            DisplayName = "ends",
            StoreIds = { "main" },
            Scopes = { "orders.read", "stock.read" },
            ExpireTime = Timestamp.FromDateTimeOffset(TimeProvider.System.GetUtcNow().AddMinutes(30)),
        });
        await using var streams = await Streams.Open(node, id, key.Key);
        await Execute("ALTER TABLE api_keys RENAME TO api_keys_away");

        time.Advance(TimeSpan.FromMinutes(10));
        await _suite.Tell(_suite.World.AdvanceOrder(id), node: 2);
        await streams.LookupComesAgain();
        for (var i = 0; i < 21; i++)
            time.Advance(TimeSpan.FromMinutes(1));

        await streams.End("CREDENTIAL_EXPIRED");
        await Execute("ALTER TABLE api_keys_away RENAME TO api_keys");
    }

    [Fact]
    public async Task Over_gRPC_Web_it_is_told_alike()
    {
        var id = _suite.World.Place();
        var key = await Key();
        using var channel = GrpcChannel.ForAddress(_suite.Node.HttpAddress, new GrpcChannelOptions
        {
            HttpHandler = new GrpcWebHandler(GrpcWebMode.GrpcWeb, new HttpClientHandler()),
            HttpVersion = HttpVersion.Version11,
        });
        using var own = new LookupService.LookupServiceClient(channel).WatchLookup(new WatchLookupRequest { Code = id.ToString() }, Bearer(key.Key));
        using var forwarded = new StockService.StockServiceClient(channel).WatchStock(new WatchStockRequest { Parent = "stores/main", Skus = { BareServices.Live } }, Bearer(key.Key));
        Assert.True(await own.ResponseStream.MoveNext(CancellationToken.None));
        Assert.True(await forwarded.ResponseStream.MoveNext(CancellationToken.None));

        await Access.RevokeApiKeyAsync(new RevokeApiKeyRequest { Name = key.Name });

        await Streams.Refused(own.ResponseStream, "CREDENTIAL_REVOKED");
        await Streams.Refused(forwarded.ResponseStream, "CREDENTIAL_REVOKED");
    }

    [Theory]
    [InlineData("application/grpc", "")]
    [InlineData("", "text/event-stream")]
    public void What_is_passed_on_ends_between_two_messages_however_they_come_in_pieces(string asked, string answered) => Gen.Select(
        Gen.Byte.Array[0, 40].Array[1, 8], Gen.Int[1, 30].Array[1, 40], Gen.Int[0, 40]).Sample((messages, pieces, endBefore) =>
    {
        // Of an event a line feed is never the content's own beside another one.
        var whole = messages.Select(message => answered.Length == 0
            ? (byte[])[0, .. BitConverter.GetBytes(IPAddress.HostToNetworkOrder(message.Length)), .. message]
            : [.. "data: "u8, .. message.Where(b => b != '\n'), .. "\n\n"u8]).ToArray();
        var all = whole.SelectMany(bytes => bytes).ToArray();
        var http = new DefaultHttpContext { Request = { ContentType = asked }, Response = { ContentType = answered } };
        var (written, cuts) = (new MemoryStream(), 0);
        using var stream = new WholeMessages(written, http, () => cuts++);
        var (at, ended) = (0, false);
        for (var i = 0; at < all.Length && !ended; i++)
        {
            if (i == endBefore)
                stream.End();
            if (cuts > 0)
                break;
            var some = Math.Min(pieces[i % pieces.Length], all.Length - at);
            try
            {
                stream.WriteAsync(all.AsMemory(at, some)).AsTask().GetAwaiter().GetResult();
            }
            catch (OperationCanceledException)
            {
                ended = true;
            }

            at += some;
        }

        var boundaries = whole.Aggregate(new List<int> { 0 }, (list, one) => [.. list, list[^1] + one.Length]);
        Assert.Contains((int)written.Length, boundaries);
        Assert.Equal(all[..(int)written.Length], written.ToArray());
        Assert.Equal(cuts > 0 ? 1 : 0, cuts);
        // Where it was not ended all of it came, and where it was, no message more than the one that was on its way.
        Assert.True(cuts > 0 || written.Length == all.Length);
        Assert.True(cuts == 0 || written.Length <= boundaries.First(boundary => boundary >= at - (ended ? pieces.Max() : 0)) + pieces.Max());
    });

    private AccessService.AccessServiceClient Access => new(_suite.Node.Channel);

    // Its clock begins now, so that tokens of the issuer are good.
    private async Task<(GatewayNode Node, FakeTimeProvider Time)> Timed(params (string, string)[] settings)
    {
        var time = new FakeTimeProvider(TimeProvider.System.GetUtcNow());
        var node = await _suite.AddNode("Development", time, [.. Settings, .. settings]);
        // The probes of Redis, by which it hears what is told.
        time.Advance(TimeSpan.FromSeconds(1));
        return (node, time);
    }

    private async Task<V1.ApiKey> Key() => await Access.CreateApiKeyAsync(new CreateApiKeyRequest
    {
        RequestId = Guid.NewGuid().ToString(),
        DisplayName = "streams",
        StoreIds = { "main" },
        Scopes = { "orders.read", "stock.read" },
    });

    private async Task Execute(string sql)
    {
        await using var database = Npgsql.NpgsqlDataSource.Create(_suite.Database.ConnectionString);
        await using var command = database.CreateCommand(sql);
        await command.ExecuteNonQueryAsync();
    }

    private static Metadata Bearer(string credential) => new() { { "authorization", "Bearer " + credential } };

    /// <summary>Streams of all kinds: of the Gateway's own and of a service behind it, over gRPC and as events.</summary>
    private sealed class Streams : IAsyncDisposable
    {
        private readonly HttpClient _http;
        private readonly AsyncServerStreamingCall<LookupView> _lookup;
        private readonly AsyncServerStreamingCall<WatchStockResponse>? _stock;
        private readonly List<StreamReader> _events = [];

        private Streams(GatewayNode node, OrderId id, string credential, bool stock)
        {
            _http = new HttpClient { BaseAddress = node.HttpAddress, DefaultRequestHeaders = { { "Authorization", "Bearer " + credential } } };
            _lookup = new LookupService.LookupServiceClient(node.Strange).WatchLookup(new WatchLookupRequest { Code = id.ToString() }, Bearer(credential));
            if (stock)
                _stock = new StockService.StockServiceClient(node.Strange).WatchStock(new WatchStockRequest { Parent = "stores/main", Skus = { BareServices.Live } }, Bearer(credential));
        }

        public static async Task<Streams> Open(GatewayNode node, OrderId id, string credential, bool stock = true)
        {
            var streams = new Streams(node, id, credential, stock);
            Assert.True(await streams._lookup.ResponseStream.MoveNext(CancellationToken.None).WaitAsync(Bound));
            if (stock)
                Assert.True(await streams._stock!.ResponseStream.MoveNext(CancellationToken.None).WaitAsync(Bound));
            foreach (var path in stock ? [$"/v1/lookup/{id}:watch", "/v1/stores/main/stock:watch"] : new[] { $"/v1/lookup/{id}:watch" })
            {
                var reader = new StreamReader(await streams._http.GetStreamAsync(path));
                streams._events.Add(reader);
                await LineOf(reader, "data:");
            }

            return streams;
        }

        public async Task LookupComesAgain()
        {
            Assert.True(await _lookup.ResponseStream.MoveNext(CancellationToken.None).WaitAsync(Bound));
            Assert.StartsWith("data:", await LineOf(_events[0], "data:"), StringComparison.Ordinal);
        }

        public async Task End(string reason)
        {
            await Refused(_lookup.ResponseStream, reason);
            if (_stock is not null)
                await Refused(_stock.ResponseStream, reason);
            foreach (var reader in _events)
            {
                Assert.Equal("event: problem", await LineOf(reader, "event:"));
                Assert.Contains("\"status\":401", await LineOf(reader, "data:"), StringComparison.Ordinal);
                Assert.Equal("", await reader.ReadToEndAsync().WaitAsync(Bound) is { } rest ? rest.Trim() : null);
            }
        }

        public static async Task Refused<T>(IAsyncStreamReader<T> stream, string reason)
        {
            var error = await Assert.ThrowsAsync<RpcException>(() => stream.MoveNext(CancellationToken.None).WaitAsync(Bound));
            Assert.Equal((StatusCode.Unauthenticated, reason), (error.StatusCode, LookupTests.ReasonOf(error)));
        }

        public ValueTask DisposeAsync()
        {
            _lookup.Dispose();
            _stock?.Dispose();
            _events.ForEach(reader => reader.Dispose());
            _http.Dispose();
            return ValueTask.CompletedTask;
        }

        private static async Task<string> LineOf(StreamReader reader, string begin)
        {
            string? line;
            do
            {
                line = await reader.ReadLineAsync().WaitAsync(Bound);
            }
            while (line is not null && !line.StartsWith(begin, StringComparison.Ordinal));
            return line ?? throw new EndOfStreamException("The stream ended without " + begin);
        }
    }
}

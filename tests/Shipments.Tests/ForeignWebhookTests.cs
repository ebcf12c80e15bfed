using System.Globalization;
using System.Net;
using System.Security.Cryptography;
using System.Text;
using Commerce.ServiceDefaults;
using Commerce.Shipments.V1;
using Commerce.Testing;

namespace Commerce.Shipments.Tests;

/// <summary>Webhooks of aggregators and carriers, in their own shapes and signed in their own ways.</summary>
public sealed class ForeignWebhookTests(ShipmentsApp fixture) : IClassFixture<ShipmentsApp>
{
    private readonly ShipmentsApp _app = fixture.Required;

    [Fact]
    public async Task EasyPosts_own_signature_with_an_accented_secret_is_accepted_and_a_forged_one_is_not()
    {
        var parcel = Assert.Single(await _app.Ship(_app.Orders.Add("a")));
        var body = Tracker(parcel.TrackingNumber);
        // The secret's form is NFKD: "e" and a combining accent.
        var signature = "hmac-sha256-hex=" + Convert.ToHexStringLower(HMACSHA256.HashData(Encoding.UTF8.GetBytes("se\u0301cret"), body));

        using var accepted = await _app.Post("easypost", body, ("X-Hmac-Signature", signature));
        using var forged = await _app.Post("easypost", Tracker(parcel.TrackingNumber, "x"), ("X-Hmac-Signature", signature));
        using var unsigned = await _app.Post("easypost", body);
        using var again = await _app.Post("easypost", body, ("X-Hmac-Signature", signature));

        Assert.Equal(HttpStatusCode.OK, accepted.StatusCode);
        Assert.Equal(HttpStatusCode.Unauthorized, forged.StatusCode);
        Assert.Equal(HttpStatusCode.Unauthorized, unsigned.StatusCode);
        // EasyPost repeats a delivery byte for byte: what is known changes nothing.
        Assert.Contains("\"known\":2", await again.Content.ReadAsStringAsync(), StringComparison.Ordinal);
        var seen = await _app.Parcel(parcel);
        Assert.Equal(TrackingStatus.Delivered, seen.Status);
        Assert.Equal(["easypost", "easypost"], seen.Scans.Select(scan => scan.Reporter));
        Assert.Equal("delivered", seen.Scans[0].ReporterStatus);
    }

    [Fact]
    public async Task The_recorded_delivery_of_EasyPost_fits_its_recorded_signature()
    {
        var body = File.ReadAllBytes(Recorded("event-body.json"));
        using var vector = System.Text.Json.JsonDocument.Parse(File.ReadAllBytes(Recorded("vector.json")));

        using var answer = await _app.Post("easypost", body, (vector.RootElement.GetProperty("header").GetString()!, vector.RootElement.GetProperty("signature").GetString()!));

        Assert.Equal(HttpStatusCode.OK, answer.StatusCode);
    }

    [Fact]
    public async Task AfterShips_Shippos_and_ShipEngines_signatures_are_accepted_and_stale_ones_are_not()
    {
        var body = "{\"event\":\"tracking_update\",\"msg\":{\"tracking_number\":\"1Z999AA10123456784\",\"slug\":\"ups\",\"tag\":\"Delivered\",\"subtag\":\"Delivered_001\",\"updated_at\":\"2024-01-01T00:00:00Z\",\"checkpoints\":[]}}"u8.ToArray();
        var secret = Encoding.UTF8.GetBytes(ShipmentsApp.Secret);
        using var afterShip = await _app.Post("aftership", body, ("aftership-hmac-sha256", Convert.ToBase64String(HMACSHA256.HashData(secret, body))));
        using var forged = await _app.Post("aftership", body, ("aftership-hmac-sha256", Convert.ToBase64String(new byte[32])));
        using var shippo = await _app.Post("shippo", body, ("Shippo-Auth-Signature", Shippo(body, TimeSpan.Zero)));
        using var shippoStale = await _app.Post("shippo", body, ("Shippo-Auth-Signature", Shippo(body, TimeSpan.FromHours(1))));
        using var shipEngine = await _app.Post("shipengine", body, ShipEngine(body, TimeSpan.Zero));
        using var shipEngineStale = await _app.Post("shipengine", body, ShipEngine(body, TimeSpan.FromHours(1)));
        using var shipEngineForged = await _app.Post("shipengine", [.. body, (byte)' '], ShipEngine(body, TimeSpan.Zero));

        Assert.Equal(HttpStatusCode.OK, afterShip.StatusCode);
        Assert.Equal(HttpStatusCode.Unauthorized, forged.StatusCode);
        Assert.Equal(HttpStatusCode.OK, shippo.StatusCode);
        Assert.Contains("WEBHOOK_STALE", await shippoStale.Content.ReadAsStringAsync(), StringComparison.Ordinal);
        Assert.Equal(HttpStatusCode.OK, shipEngine.StatusCode);
        Assert.Contains("WEBHOOK_STALE", await shipEngineStale.Content.ReadAsStringAsync(), StringComparison.Ordinal);
        Assert.Equal(HttpStatusCode.Unauthorized, shipEngineForged.StatusCode);
    }

    [Fact]
    public async Task A_delivery_that_is_replayed_byte_for_byte_is_refused()
    {
        var body = Tracker("1Z999AA10123456784");
        var signature = Shippo(body, TimeSpan.Zero);

        using var first = await _app.Post("shippo", body, ("Shippo-Auth-Signature", signature));
        using var replayed = await _app.Post("shippo", body, ("Shippo-Auth-Signature", signature));

        Assert.Equal(HttpStatusCode.OK, first.StatusCode);
        Assert.Equal(HttpStatusCode.Conflict, replayed.StatusCode);
        Assert.Contains("WEBHOOK_REPLAYED", await replayed.Content.ReadAsStringAsync(), StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("ups")]
    [InlineData("easypost")]
    [InlineData("hermes")]
    public async Task A_payload_that_comes_to_another_endpoint_loses_nothing(string endpoint)
    {
        var number = $"9400{Random.Shared.NextInt64(1_000_000_000_000, 9_999_999_999_999)}";
        var body = $$"""{"trackingNumber":"{{number}}","uniqueMailPieceID":"1","trackingEvents":[{"eventType":"Delivered, Parcel Locker","eventTimestamp":"2024-11-22T13:58:00","GMTOffset":"-05:00","eventCity":"HERNANDO","eventCode":"01"}]}""";

        using var answer = await _app.Post(endpoint, body, secret: endpoint == "easypost" ? "sécret" : ShipmentsApp.Secret);

        Assert.Contains("\"readAs\":\"usps\"", await answer.Content.ReadAsStringAsync(), StringComparison.Ordinal);
        Assert.Equal(1, await _app.Count($"SELECT count(*) FROM unclaimed_scans WHERE tracking_number = '{number}' AND carrier = 'usps'"));
    }

    [Fact]
    public async Task XML_is_read_and_a_bomb_is_refused()
    {
        const string Good = "<itemTracking><itemCode>323212345659900040669030</itemCode><stateInfo><time>2012-11-23T09:31:07.427+01:00</time><stateCode>U01</stateCode><stateDescription>DistributedNormally - regular</stateDescription></stateInfo></itemTracking>";
        using var read = await _app.Post("bpost", Good);
        using var bomb = await _app.Post("bpost", "<!DOCTYPE lolz [<!ENTITY lol \"lol\">]><itemTracking>&lol;</itemTracking>");

        Assert.Contains("\"unclaimed\":1", await read.Content.ReadAsStringAsync(), StringComparison.Ordinal);
        Assert.Equal(HttpStatusCode.BadRequest, bomb.StatusCode);
    }

    [Fact]
    public async Task Scans_over_gRPC_are_kept_once_in_calls_and_streams_and_what_is_wrong_is_named()
    {
        var parcel = Assert.Single(await _app.Ship(_app.Orders.Add("a")));
        ReportedScan Scan(string code, int hour) => new() { Carrier = "ups", TrackingNumber = parcel.TrackingNumber, CarrierCode = code, LocalTime = string.Create(CultureInfo.InvariantCulture, $"2025-03-01T{hour:00}:00:00-03:00") };

        var first = await _app.Tracking.IngestScansAsync(new IngestScansRequest { Scans = { Scan("P", 1), Scan("I", 2), new ReportedScan { Carrier = "ups", TrackingNumber = "?" } } });
        using var stream = _app.Tracking.StreamScans();
        for (var hour = 1; hour < 6; hour++)
            await stream.RequestStream.WriteAsync(new StreamScansRequest { Scans = { Scan("I", hour), Scan("D", 23) } });
        await stream.RequestStream.CompleteAsync();
        var all = await stream;

        Assert.Equal((2, 0), (first.KeptCount, first.KnownCount));
        Assert.Equal(2, Assert.Single(first.Rejected).Index);
        Assert.Equal(10, all.KeptCount + all.KnownCount);
        var seen = await _app.Parcel(parcel);
        Assert.Equal(TrackingStatus.Delivered, seen.Status);
        Assert.Equal(7, seen.Scans.Count);
        // A webhook of the same scan brings nothing new.
        using var webhook = await _app.Webhook("ups", ShipmentsApp.Event(parcel.TrackingNumber, "P", 1).Replace("\"city\":\"Cajamar\",\"region\":\"SP\",\"country_code\":\"BR\",\"postal_code\":\"07750\"", "", StringComparison.Ordinal));
        Assert.Contains("\"known\":1", await webhook.Content.ReadAsStringAsync(), StringComparison.Ordinal);
    }

    [Fact]
    public async Task A_shop_brings_scans_of_its_own_parcels_and_of_no_others_whether_there_are_such()
    {
        var (own, others) = (Assert.Single(await _app.Ship(_app.Orders.Add("a"))), Assert.Single(await _app.Ship(_app.Orders.Add("a"))));
        await using (var moved = _app.Database.CreateCommand("UPDATE shipments SET store_id = 'outlet' WHERE tracking_number = $1"))
        {
            moved.Parameters.Add(new Npgsql.NpgsqlParameter<string> { TypedValue = others.TrackingNumber });
            await moved.ExecuteNonQueryAsync();
        }

        var nobodys = "1ZNOBODY" + Guid.NewGuid().ToString("N")[..8].ToUpperInvariant();
        using var channel = Grpc.Net.Client.GrpcChannel.ForAddress(_app.GrpcAddress);
        var (tracking, shop) = (new TrackingService.TrackingServiceClient(channel), TestAccess.As("shipments", new Principal(PrincipalKind.Shop, "shop", ScopeSet.All, ["main"])));
        ReportedScan Scan(string number, int hour = 1) => new() { Carrier = "ups", TrackingNumber = number, CarrierCode = "I", LocalTime = string.Create(CultureInfo.InvariantCulture, $"2025-03-01T{hour:00}:00:00-03:00") };

        var answer = await tracking.IngestScansAsync(new IngestScansRequest { Scans = { Scan(others.TrackingNumber), Scan("?"), Scan(own.TrackingNumber), Scan(nobodys), Scan(others.TrackingNumber, 2) } }, shop);
        Assert.Equal((1, 0, 0), (answer.KeptCount, answer.KnownCount, answer.UnclaimedCount));
        Assert.Equal([0, 1, 3, 4], answer.Rejected.Select(one => one.Index));
        Assert.Single(answer.Rejected.Where(one => one.Index != 1).Select(one => one.Reason).Distinct());
        using var stream = tracking.StreamScans(shop);
        await stream.RequestStream.WriteAsync(new StreamScansRequest { Scans = { Scan(own.TrackingNumber, 3) } });
        await stream.RequestStream.WriteAsync(new StreamScansRequest { Scans = { Scan(others.TrackingNumber, 3) } });
        await stream.RequestStream.CompleteAsync();
        var streamed = await stream;
        Assert.Equal((1, 1), (streamed.KeptCount, Assert.Single(streamed.Rejected).Index));

        Assert.Equal(2, (await _app.Parcel(own)).Scans.Count);
        Assert.Empty((await _app.Parcel(others)).Scans);
        Assert.Equal(0, await _app.Count($"SELECT count(*) FROM unclaimed_scans WHERE tracking_number = '{nobodys}'"));
        // Whoever is of all stores brings any.
        Assert.Equal((1, 1), ((await _app.Tracking.IngestScansAsync(new IngestScansRequest { Scans = { Scan(others.TrackingNumber), Scan(nobodys) } })) is var all ? (all.KeptCount, all.UnclaimedCount) : default));
    }

    [Fact]
    public async Task A_parcel_is_told_in_the_vocabularies_of_aggregators()
    {
        var parcel = Assert.Single(await _app.Ship(_app.Orders.Add("a")));
        using var scan = await _app.Webhook("ups", ShipmentsApp.Event(parcel.TrackingNumber, "D", 9, "DELIVERED"));

        var easyPost = await _app.Tracking.GetTrackingAsAsync(new GetTrackingAsRequest { TrackingNumber = parcel.TrackingNumber, Vocabulary = "easypost" });
        var rest = await _app.Http.GetStringAsync(new Uri($"/v1/tracking/{parcel.TrackingNumber}/as/aftership", UriKind.Relative));
        var unknown = await Assert.ThrowsAsync<Grpc.Core.RpcException>(async () => await _app.Tracking.GetTrackingAsAsync(new GetTrackingAsRequest { TrackingNumber = parcel.TrackingNumber, Vocabulary = "klingon" }));

        Assert.Equal("delivered", easyPost.Fields["status"].StringValue);
        Assert.Equal("DELIVERED", easyPost.Fields["tracking_details"].ListValue.Values[0].StructValue.Fields["message"].StringValue);
        Assert.Contains("\"Delivered_001\"", rest, StringComparison.Ordinal);
        Assert.Equal(Grpc.Core.StatusCode.NotFound, unknown.StatusCode);
    }

    [Fact]
    public async Task Whoever_watches_a_number_sees_each_change_and_resumes_after_a_version()
    {
        var parcel = Assert.Single(await _app.Ship(_app.Orders.Add("a")));
        using var watch = _app.Tracking.WatchTracking(new WatchTrackingRequest { TrackingNumber = parcel.TrackingNumber });
        Assert.True(await watch.ResponseStream.MoveNext(CancellationToken.None));
        var first = watch.ResponseStream.Current;
        using var resumed = _app.Tracking.WatchTracking(new WatchTrackingRequest { TrackingNumber = parcel.TrackingNumber, AfterVersion = first.Version });

        using var scan = await _app.Webhook("ups", ShipmentsApp.Event(parcel.TrackingNumber, "O", 8));

        Assert.True(await watch.ResponseStream.MoveNext(CancellationToken.None));
        Assert.True(watch.ResponseStream.Current.Version > first.Version);
        Assert.True(await resumed.ResponseStream.MoveNext(CancellationToken.None));
        Assert.True(resumed.ResponseStream.Current.Version > first.Version);
        var unknown = _app.Tracking.WatchTracking(new WatchTrackingRequest { TrackingNumber = "1ZNOBODY12345" });
        Assert.Equal(Grpc.Core.StatusCode.NotFound, (await Assert.ThrowsAsync<Grpc.Core.RpcException>(() => unknown.ResponseStream.MoveNext(CancellationToken.None))).StatusCode);
    }

    private static string Recorded(string file)
    {
        var roots = new List<string>();
        if (Environment.GetEnvironmentVariable("COMMERCE_DATA") is { Length: > 0 } given)
            roots.Add(given);
        for (var folder = new DirectoryInfo(AppContext.BaseDirectory); folder is not null; folder = folder.Parent)
            roots.Add(Path.Combine(folder.FullName, "shared", "data"));
        return roots.Select(root => Path.Combine(root, "carrier-payloads/easypost/webhook", file)).FirstOrDefault(File.Exists)
            ?? throw Commerce.Testing.TestServers.Missing($"The reference data {file} is not here; set COMMERCE_DATA to the folder that holds it.");
    }

    private static byte[] Tracker(string number, string words = "Delivered") => Encoding.UTF8.GetBytes(
        $$"""
        {"object":"Tracker","tracking_code":"{{number}}","carrier":"UPS","status":"delivered","tracking_details":[
          {"message":"Out for delivery","status":"out_for_delivery","datetime":"2024-01-02T08:00:00Z","carrier_code":"O"},
          {"message":"{{words}}","status":"delivered","datetime":"2024-01-02T12:00:00Z","carrier_code":"D"}]}
        """);

    private static string Shippo(byte[] body, TimeSpan age)
    {
        var at = (TimeProvider.System.GetUtcNow() - age).ToUnixTimeSeconds().ToString(CultureInfo.InvariantCulture);
        return $"t={at},v1={Convert.ToHexStringLower(HMACSHA256.HashData(Encoding.UTF8.GetBytes(ShipmentsApp.Secret), Encoding.UTF8.GetBytes(at + ".").Concat(body).ToArray()))}";
    }

    private (string, string)[] ShipEngine(byte[] body, TimeSpan age)
    {
        var at = (TimeProvider.System.GetUtcNow() - age).ToString("O", CultureInfo.InvariantCulture);
        return
        [
            ("x-shipengine-timestamp", at),
            ("x-shipengine-rsa-sha256-signature", Convert.ToBase64String(_app.ShipEngineKey.SignData([.. Encoding.UTF8.GetBytes(at + "."), .. body], HashAlgorithmName.SHA256, RSASignaturePadding.Pkcs1))),
        ];
    }
}

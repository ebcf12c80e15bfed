using System.Net;
using Commerce.Shipments.V1;

namespace Commerce.Shipments.Tests;

public sealed class WebhookTests(ShipmentsApp fixture) : IClassFixture<ShipmentsApp>
{
    private readonly ShipmentsApp _app = fixture.Required;

    // A journey as UPS tells it, with a failed attempt on the way.
    private static readonly (string Code, string Words)[] Journey =
    [
        ("M", ""), ("P", ""), ("I", "Departed"), ("I", "Arrived"), ("O", ""), ("X", "The receiver was not available for delivery."), ("O", ""), ("D", ""),
    ];

    [Fact]
    public async Task However_a_journey_is_told_it_ends_the_same()
    {
        var random = new Random(7);
        var parcels = await _app.Ship(_app.Orders.Add([.. Enumerable.Range(0, 8).Select(place => $"p{place}")]));

        await Task.WhenAll(parcels.Select(async parcel =>
        {
            var events = Journey.Select((scan, hour) => ShipmentsApp.Event(parcel.TrackingNumber, scan.Code, hour, scan.Words)).ToArray();
            var told = events.Concat(events.Where(_ => random.Next(2) == 0)).ToArray();
            lock (random)
                random.Shuffle(told);
            // At the same time, one by one and in pairs.
            await Task.WhenAll(told.Chunk(2).Select(async pair =>
            {
                using var answer = await _app.Webhook("ups", pair);
                Assert.Equal(HttpStatusCode.OK, answer.StatusCode);
            }));
        }));

        foreach (var parcel in await _app.Parcels(new() { OrderId = parcels[0].OrderId }))
        {
            Assert.Equal(TrackingStatus.Delivered, parcel.Status);
            Assert.Equal(Journey.Length, parcel.Scans.Count);
            Assert.NotNull(parcel.DeliveredTime);
            Assert.True(parcel.Scans.Select(scan => scan.Time).SequenceEqual(parcel.Scans.Select(scan => scan.Time).OrderDescending()));
            // One fact a version, and not one more than there were scans.
            var facts = await _app.Facts(parcel.ShipmentId);
            Assert.Equal(Enumerable.Range(1, facts.Count).Select(version => (long)version), facts.Select(fact => fact.Version));
            Assert.Equal(parcel.Version, facts.Count);
            Assert.InRange(facts.Count(fact => fact.Fact == "ParcelTracked"), 1, Journey.Length);
        }
    }

    [Fact]
    public async Task What_brings_nothing_new_writes_nothing()
    {
        var parcel = Assert.Single(await _app.Ship(_app.Orders.Add("a")));
        var scan = ShipmentsApp.Event(parcel.TrackingNumber, "P", 1);
        using var first = await _app.Webhook("ups", scan, scan);
        var once = await _app.Parcel(parcel);

        using var again = await _app.Webhook("ups", scan);

        Assert.Contains("\"known\":1", await again.Content.ReadAsStringAsync(), StringComparison.Ordinal);
        var twice = await _app.Parcel(parcel);
        Assert.Equal(once.Stored(), twice.Stored());
        Assert.Equal(3, twice.Version);
        Assert.Single(twice.Scans);
    }

    [Fact]
    public async Task One_bad_event_costs_no_other_and_is_named()
    {
        var parcel = Assert.Single(await _app.Ship(_app.Orders.Add("a")));

        using var answer = await _app.Webhook("ups", "null", """{"code":"P"}""", """{"tracking_number":"\ud800"}""", ShipmentsApp.Event(parcel.TrackingNumber, "P", 1), "[]");

        Assert.Equal(HttpStatusCode.OK, answer.StatusCode);
        var said = await answer.Content.ReadAsStringAsync();
        foreach (var index in (int[])[0, 1, 2, 4])
            Assert.True(said.Contains($"\"index\":{index}", StringComparison.Ordinal), said);
        Assert.Equal(TrackingStatus.PickedUp, (await _app.Parcel(parcel)).Status);
    }

    [Fact]
    public async Task An_unknown_code_with_unknown_words_is_kept_and_changes_nothing()
    {
        var parcel = Assert.Single(await _app.Ship(_app.Orders.Add("a")));
        using var first = await _app.Webhook("ups", ShipmentsApp.Event(parcel.TrackingNumber, "I", 1));
        using var second = await _app.Webhook("ups", ShipmentsApp.Event(parcel.TrackingNumber, "??", 2, "…"));

        var seen = await _app.Parcel(parcel);
        Assert.Equal(TrackingStatus.InTransit, seen.Status);
        Assert.Equal("??", seen.Scans[0].CarrierCode);
    }

    [Fact]
    public async Task Another_carriers_parcel_with_the_same_number_is_another_parcel()
    {
        var parcel = Assert.Single(await _app.Ship(_app.Orders.Add("a")));

        using var answer = await _app.Webhook("dhl", ShipmentsApp.Event(parcel.TrackingNumber, "OK", 1));

        Assert.Contains("\"unclaimed\":1", await answer.Content.ReadAsStringAsync(), StringComparison.Ordinal);
        Assert.Equal(TrackingStatus.PreTransit, (await _app.Parcel(parcel)).Status);
    }

    [Fact]
    public async Task Only_who_knows_the_secret_and_says_it_now_is_heard()
    {
        var body = $$"""{"events":[{{ShipmentsApp.Event("1Z999AA10123456784", "P", 1)}}]}""";

        using var unsigned = await _app.Post("ups", body, withSignature: false);
        using var forged = await _app.Post("ups", body, secret: "another secret");
        using var stale = await _app.Post("ups", body, age: TimeSpan.FromMinutes(6));
        using var early = await _app.Post("ups", body, age: TimeSpan.FromMinutes(-6));
        using var nobody = await _app.Post("nobody", body);

        Assert.Equal(HttpStatusCode.Unauthorized, unsigned.StatusCode);
        Assert.Equal(HttpStatusCode.Unauthorized, forged.StatusCode);
        Assert.Contains("WEBHOOK_STALE", await stale.Content.ReadAsStringAsync(), StringComparison.Ordinal);
        Assert.Contains("WEBHOOK_STALE", await early.Content.ReadAsStringAsync(), StringComparison.Ordinal);
        Assert.Equal(HttpStatusCode.NotFound, nobody.StatusCode);
        Assert.Equal(0, await _app.Count("SELECT count(*) FROM unclaimed_scans WHERE tracking_number = '1Z999AA10123456784'"));
    }

    [Theory]
    [InlineData("")]
    [InlineData("nonsense")]
    [InlineData("[]")]
    [InlineData("{}")]
    [InlineData("{\"events\":{}}")]
    [InlineData("{\"events\":[")]
    [InlineData("\"\\ud800\"")]
    public async Task A_body_that_holds_no_events_is_refused_with_what_is_wrong(string body)
    {
        using var answer = await _app.Post("ups", body);

        Assert.Equal(HttpStatusCode.BadRequest, answer.StatusCode);
        Assert.Equal("application/problem+json", answer.Content.Headers.ContentType?.MediaType);
    }

    [Fact]
    public async Task A_giant_and_a_deep_body_are_refused()
    {
        using var giant = await _app.Post("ups", new string(' ', 8 * 1024 * 1024 + 1));
        using var deep = await _app.Post("ups", new string('[', 5000));

        Assert.Contains("REQUEST_TOO_LARGE", await giant.Content.ReadAsStringAsync(), StringComparison.Ordinal);
        Assert.Equal(HttpStatusCode.BadRequest, deep.StatusCode);
    }

    [Fact]
    public async Task Ten_thousand_scans_in_one_body_are_kept()
    {
        var parcel = Assert.Single(await _app.Ship(_app.Orders.Add("a")));
        var strangers = Enumerable.Range(0, 9000).Select(at => ShipmentsApp.Event($"1ZSTRANGE{at:000000}", "I", at % 100));
        var own = Enumerable.Range(0, 1000).Select(hour => ShipmentsApp.Event(parcel.TrackingNumber, "I", hour % 600, $"Scan {hour}")).Select((scan, at) => scan.Replace("\"I\"", $"\"I{at}\"", StringComparison.Ordinal));

        using var answer = await _app.Webhook("ups", [.. strangers, .. own]);

        var said = await answer.Content.ReadAsStringAsync();
        Assert.Contains("\"kept\":1000", said, StringComparison.Ordinal);
        Assert.Contains("\"unclaimed\":9000", said, StringComparison.Ordinal);
        Assert.Equal(1000, (await _app.Parcel(parcel)).Scans.Count);
    }

    [Fact]
    public async Task Whatever_text_a_carrier_sends_is_stored_or_refused()
    {
        var parcel = Assert.Single(await _app.Ship(_app.Orders.Add("a")));
        var random = new Random(11);
        // Any UTF-16 at all, half characters and NUL among it, as JSON can write it.
        var texts = Enumerable.Range(0, 200).Select(_ => string.Concat(Enumerable.Range(0, random.Next(40)).Select(_ => $"\\u{random.Next(3) switch
        {
            0 => random.Next(0x20),
            1 => random.Next(0xD800, 0xE000),
            _ => random.Next(0x10000),
        }:x4}"))).ToArray();

        using var answer = await _app.Webhook("ups", [.. texts.Select((text, at) =>
            $$$"""{"tracking_number":"{{{parcel.TrackingNumber}}}","code":"Z{{{at}}}","description":"{{{text}}}","occurred_at":"{{{text}}}","location":{"city":"{{{text}}}"}}""")]);

        Assert.Equal(HttpStatusCode.OK, answer.StatusCode);
        Assert.Equal(texts.Length, (await _app.Parcel(parcel)).Scans.Count);
    }
}

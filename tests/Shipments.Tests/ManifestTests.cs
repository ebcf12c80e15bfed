using System.Net;
using Commerce.Shipments.V1;
using Grpc.Core;

namespace Commerce.Shipments.Tests;

public sealed class ManifestTests(ShipmentsApp fixture) : IClassFixture<ShipmentsApp>
{
    private readonly ShipmentsApp _app = fixture.Required;

    [Fact]
    public async Task Each_label_is_on_one_manifest_and_closing_twice_is_the_same()
    {
        var place = Place();
        Assert.Equal("MANIFEST_EMPTY", (await Assert.ThrowsAsync<RpcException>(() => Close(place))).Reason());
        var parcel = Assert.Single(await _app.Ship(_app.Orders.Add(place)));
        var other = Assert.Single(await _app.Ship(_app.Orders.Add(place)));

        var requestId = Guid.NewGuid().ToString();
        var manifest = await Close(place, requestId);
        Assert.Equal((1, 2, 1200L, "ups", place), (manifest.Number, manifest.ParcelCount, manifest.WeightGrams, manifest.Carrier, manifest.LocationId));
        Assert.Equal(new[] { parcel.TrackingNumber, other.TrackingNumber }.Order(StringComparer.Ordinal), manifest.Lines.Select(line => line.TrackingNumber));
        Assert.Equal(manifest, await Close(place, requestId));
        Assert.Equal(manifest, await Close(place));
        Assert.Equal(manifest.Name, (await _app.Parcel(parcel)).Manifest);

        var late = Assert.Single(await _app.Ship(_app.Orders.Add(place)));
        var second = await Close(place);
        Assert.Equal((2, late.TrackingNumber), (second.Number, Assert.Single(second.Lines).TrackingNumber));

        Assert.Equal(manifest, await _app.Shipments.GetManifestAsync(new GetManifestRequest { Name = manifest.Name }));
        var listed = await _app.Shipments.ListManifestsAsync(new ListManifestsRequest { StoreId = "main", Carrier = "ups", PageSize = 500 });
        Assert.Equal([second.Name, manifest.Name], listed.Manifests.Where(one => one.LocationId == place).Select(one => one.Name));
        Assert.All(listed.Manifests, one => Assert.Empty(one.Lines));
    }

    [Fact]
    public async Task Two_that_close_at_the_same_time_put_no_label_on_two_lists()
    {
        var place = Place();
        var parcels = await Task.WhenAll(Enumerable.Range(0, 6).Select(async _ => Assert.Single(await _app.Ship(_app.Orders.Add(place)))));
        var closed = await Task.WhenAll(Enumerable.Range(0, 4).Select(_ => Close(place)));
        Assert.Single(closed.Select(one => one.Name).Distinct());
        Assert.Equal(parcels.Length, closed[0].ParcelCount);
        Assert.Equal(1, await _app.Count($"SELECT count(*) FROM manifests WHERE location_id = '{place}'"));
    }

    [Fact]
    public async Task A_void_label_is_on_no_list_and_the_label_that_takes_its_place_waits_for_the_next()
    {
        var place = Place();
        var cancelled = _app.Orders.Add(place);
        var gone = Assert.Single(await _app.Ship(cancelled));
        await _app.Cancel(cancelled);
        await _app.Parcel(gone, one => one.Status == TrackingStatus.Cancelled);
        var order = _app.Orders.Add(place);
        var kept = Assert.Single(await _app.Ship(order));
        Assert.Equal(kept.TrackingNumber, Assert.Single((await Close(place)).Lines).TrackingNumber);

        await _app.Edit(_app.Orders.Readdress(order, "Rua Augusta 900"));
        var moved = await _app.Parcel(kept, one => one.TrackingNumber.Length > 0 && one.TrackingNumber != kept.TrackingNumber);
        Assert.Equal("", moved.Manifest);
        Assert.Equal(moved.TrackingNumber, Assert.Single((await Close(place)).Lines).TrackingNumber);
    }

    [Fact]
    public async Task Over_rest_it_is_a_pdf_to_sign()
    {
        var place = Place();
        Assert.Single(await _app.Ship(_app.Orders.Add(place)));
        var manifest = await Close(place);
        using var pdf = await _app.Http.GetAsync($"/v1/{manifest.Name}:render");
        Assert.Equal((HttpStatusCode.OK, "application/pdf"), (pdf.StatusCode, pdf.Content.Headers.ContentType!.MediaType));
        using var unknown = await _app.Http.GetAsync($"/v1/manifests/{Guid.NewGuid():N}");
        Assert.Equal(HttpStatusCode.NotFound, unknown.StatusCode);
        Assert.Equal("CARRIER_NOT_FOUND", (await Assert.ThrowsAsync<RpcException>(async () => await _app.Shipments.CreateManifestAsync(
            new CreateManifestRequest { StoreId = "main", Carrier = "nobody", RequestId = "r" }))).Reason());
    }

    private static string Place() => $"place-{Guid.NewGuid():N}"[..20];

    private async Task<Manifest> Close(string place, string? requestId = null) => await _app.Shipments.CreateManifestAsync(
        new CreateManifestRequest { StoreId = "main", Carrier = "ups", LocationId = place, RequestId = requestId ?? Guid.NewGuid().ToString() });
}

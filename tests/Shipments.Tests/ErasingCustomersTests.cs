using Commerce.Shipments.V1;
using Grpc.Core;

namespace Commerce.Shipments.Tests;

/// <summary>A customer is erased: nobody is to be found on their parcels, whatever the carrier still tells.</summary>
public sealed class ErasingCustomersTests(ShipmentsApp fixture) : IClassFixture<ShipmentsApp>
{
    private const string Proof = ""","proof_of_delivery":{"signed_by":"J. Needle","photo_reference":"photo_needle","latitude":-23.5,"longitude":-46.6,"left_at":"needle porch"}}""";

    private readonly ShipmentsApp _app = fixture.Required;

    [Fact]
    public async Task A_parcel_keeps_its_journey_and_loses_whom_it_went_to_and_takes_no_proof_any_more()
    {
        var parcel = Assert.Single(await _app.Ship(_app.Orders.Add("a")));
        using (await _app.Webhook("ups", ShipmentsApp.Event(parcel.TrackingNumber, "D", 34)[..^1] + Proof))
            parcel = await _app.Parcel(parcel, one => one.Status == TrackingStatus.Delivered);
        Assert.NotEmpty(parcel.ShipTo.AddressLines);
        Assert.True(await _app.Count("SELECT count(*) FROM proofs_of_delivery WHERE signed_by LIKE '%Needle%'") > 0);

        await _app.Erase(parcel);

        var erased = await _app.Parcel(parcel, one => one.ShipTo.AddressLines.Count == 0);
        Assert.Equal(("", "", "", parcel.ShipTo.RegionCode), (string.Concat(erased.ShipTo.Recipients), erased.ShipTo.Locality, erased.ShipTo.PostalCode, erased.ShipTo.RegionCode));
        Assert.Equal((parcel.TrackingNumber, TrackingStatus.Delivered, parcel.DeliveredTime), (erased.TrackingNumber, erased.Status, erased.DeliveredTime));
        Assert.Equal(parcel.Scans.Select(scan => (scan.ScanId, scan.Status, scan.Time)), erased.Scans.Select(scan => (scan.ScanId, scan.Status, scan.Time)));
        Assert.All(erased.Scans, scan => Assert.Equal("", scan.Description));
        await NoProof(parcel);

        // The carrier corrects itself: the status is taken, and who signed is not.
        using (await _app.Webhook("ups", ShipmentsApp.Event(parcel.TrackingNumber, "D", 35)[..^1] + Proof))
            await _app.Parcel(parcel, one => one.Scans.Count > parcel.Scans.Count);
        await NoProof(parcel);
        Assert.Equal(0, await _app.Count($"SELECT count(*) FROM scans WHERE shipment_id = '{parcel.ShipmentId}' AND (description <> '' OR place ->> 'locality' <> '')"));
        Assert.Equal(0, await _app.Count($"SELECT count(*) FROM parcel_paths WHERE shipment_id = '{parcel.ShipmentId}'"));
    }

    private async Task NoProof(V1.Shipment parcel) => Assert.Equal(
        "PROOF_OF_DELIVERY_NOT_FOUND",
        (await Assert.ThrowsAsync<RpcException>(async () => await _app.Tracking.GetProofOfDeliveryAsync(new GetProofOfDeliveryRequest { TrackingNumber = parcel.TrackingNumber }))).Reason());
}

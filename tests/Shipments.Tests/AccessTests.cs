using Commerce.ServiceDefaults;
using Commerce.Shipments.V1;
using Commerce.Testing;
using Grpc.Net.Client;

namespace Commerce.Shipments.Tests;

/// <summary>Who is let in at the service itself.</summary>
public sealed class AccessTests(ShipmentsApp app) : IClassFixture<ShipmentsApp>
{
    [Fact]
    public async Task Every_method_refuses_every_credential_that_is_not_good_enough()
    {
        var methods = app.Service<AccessControl>().Methods;
        using var channel = GrpcChannel.ForAddress(app.GrpcAddress);
        var cases = methods.SelectMany(method => WrongCredentials.At("shipments", method), (method, wrong) => (method, wrong));
        Assert.NotEmpty(methods);
        var differing = await WrongCredentials.Try(channel.CreateCallInvoker(), cases);
        Assert.True(differing.Count == 0, string.Join("\n", differing));
    }

    [Fact]
    public async Task What_is_a_stores_is_found_and_changed_by_its_own_callers_and_does_not_exist_for_those_of_another()
    {
        var place = "apart" + Guid.NewGuid().ToString("N")[..8];
        var order = app.Orders.Add(place);
        var parcel = Assert.Single(await app.Ship(order));
        var manifest = await app.Shipments.CreateManifestAsync(new CreateManifestRequest { StoreId = "main", Carrier = parcel.Carrier, LocationId = place, RequestId = place });
        var late = Assert.Single(await app.Ship(app.Orders.Add(place)));
        using (var scanned = await app.Webhook(parcel.Carrier, ShipmentsApp.Event(parcel.TrackingNumber, "P", 1)))
            scanned.EnsureSuccessStatusCode();
        await app.Parcel(parcel, one => one.Exception is not null);
        var resolution = await app.Exceptions.ResolveExceptionAsync(new ResolveExceptionRequest { Name = parcel.Name, RequestId = place, Action = ResolutionAction.Dismiss });
        var delivered = Assert.Single(await app.Ship(app.Orders.Add(place)));
        using (var scanned = await app.Webhook(delivered.Carrier, ShipmentsApp.Event(delivered.TrackingNumber, "D", 34)[..^1] + ""","proof_of_delivery":{"signed_by":"J. Souza"}}"""))
            scanned.EnsureSuccessStatusCode();
        var customs = new CustomsDeclaration
        {
            Contents = CustomsDeclaration.Types.Contents.Gift,
            Lines = { new CustomsLine { Description = "Desk lamp", Quantity = 2, Value = new Money(40_00, "BRL").ToProto(), WeightGrams = 600, HsCode = "940521", OriginRegionCode = "BR" } },
        };
        var soon = TimeProvider.System.GetUtcNow().AddDays(5);
        using var channel = GrpcChannel.ForAddress(app.GrpcAddress);

        var wrong = await OtherStores.Try(
            channel.CreateCallInvoker(), "shipments", app.Service<AccessControl>().Methods, "main", order.OrderId,
            new GetShipmentRequest { Name = parcel.Name },
            new ListShipmentsRequest { OrderId = order.OrderId },
            new GetLabelRequest { Name = late.Name },
            new BatchGetLabelsRequest { Names = { late.Name } },
            new DeclareCustomsRequest { Name = late.Name, RequestId = place + "1", Customs = customs },
            new GetManifestRequest { Name = manifest.Name },
            new RenderManifestRequest { Name = manifest.Name },
            new GetTrackingRequest { TrackingNumber = parcel.TrackingNumber },
            new BatchGetTrackingRequest { TrackingNumbers = { parcel.TrackingNumber } },
            new GetTrackingAsRequest { TrackingNumber = parcel.TrackingNumber, Vocabulary = "aftership" },
            new WatchTrackingRequest { TrackingNumber = parcel.TrackingNumber },
            new ResolveExceptionRequest { Name = parcel.Name, RequestId = place + "2", Action = ResolutionAction.Dismiss },
            new GetResolutionRequest { Name = resolution.Name },
            new ListResolutionsRequest { Parent = parcel.Name },
            new RescheduleDeliveryRequest { Name = late.Name, RequestId = place + "3", PreferredDay = new Google.Type.Date { Year = soon.Year, Month = soon.Month, Day = soon.Day } },
            new RedirectDeliveryRequest { Name = late.Name, RequestId = place + "4", LeaveAt = "the shed" },
            new RegisterTrackingRequest { OrderId = order.OrderId, TrackingNumber = parcel.TrackingNumber, Carrier = parcel.Carrier, RequestId = place + "5" },
            new CorrectTrackingRequest { Name = parcel.Name, Carrier = "usps", RequestId = place + "6" },
            new GetProofOfDeliveryRequest { TrackingNumber = delivered.TrackingNumber },
            new IngestScansRequest { Scans = { Scan(delivered) } },
            new StreamScansRequest { Scans = { Scan(delivered) } },
            new GetCarrierPerformanceRequest(),
            new GetBottlenecksRequest());

        Assert.True(wrong.Count == 0, string.Join("\n", wrong));

        static ReportedScan Scan(V1.Shipment of) => new() { Carrier = of.Carrier, TrackingNumber = of.TrackingNumber, CarrierCode = "I", LocalTime = "2025-03-02T09:00:00-03:00" };
    }
}

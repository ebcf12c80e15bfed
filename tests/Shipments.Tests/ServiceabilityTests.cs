using System.IO.Compression;
using System.Net;
using System.Text;
using Commerce.Shipments.V1;
using Commerce.Testing;
using Google.Protobuf;
using Grpc.Core;
using Basis = Commerce.Shipments.V1.CarrierServiceability.Types.Basis;
using Match = Commerce.Shipments.V1.Serviceability.Types.Match;
using Source = Commerce.Shipments.V1.LoadPostalCodesRequest.Types.Source;

namespace Commerce.Shipments.Tests;

/// <summary>What is at a postal code and who goes there, over the service's own surface.</summary>
public sealed class ServiceabilityTests(ShipmentsApp fixture) : IClassFixture<ShipmentsApp>
{
    private const string Offices =
        """
        pincode,office,type,delivery,division,region,circle,taluk,district,state,lat,lng
        110001,Baroda House SO,PO,Non Delivery,d,r,c,,NEW DELHI,DELHI,28.6174,77.2129
        110001,Parliament House SO,PO,Delivery,d,r,c,,NEW DELHI,DELHI,28.6200,77.2000
        110002,Darya Ganj SO,PO,Non Delivery,d,r,c,,CENTRAL,DELHI,28.6400,77.2400
        560001,Bangalore GPO,HO,Delivery,d,r,c,,BENGALURU,KARNATAKA,12.9800,77.6000
        99,Nowhere,PO,Delivery,d,r,c,,,,,
        """;

    private readonly ShipmentsApp _app = fixture.Required;

    [Fact]
    public async Task A_loaded_list_answers_with_place_position_and_delivery_in_however_many_pieces_it_came()
    {
        var loaded = await Load(Source.India, Encoding.UTF8.GetBytes(Offices), pieces: 7);

        Assert.Equal((5, 1), (loaded.Lines, loaded.Skipped));
        Assert.Equal(("IN", 3), (Assert.Single(loaded.Countries).RegionCode, loaded.Countries[0].Codes));
        var answer = await Get("in", "110 001");
        Assert.Equal(("110001", Match.Exact, "DELHI", "NEW DELHI", true), (answer.PostalCode, answer.Match, answer.AdministrativeArea, answer.District, answer.PostDelivers));
        Assert.Equal(["Baroda House SO", "Parliament House SO"], answer.Places);
        Assert.Equal(28.6187, answer.Position.Latitude, 3);
        Assert.False((await Get("IN", "110002")).PostDelivers);
        Assert.Equal(Match.NoData, (await Get("DE", "10115")).Match);
    }

    [Fact]
    public async Task A_code_that_does_not_exist_says_so_with_the_one_that_was_meant()
    {
        await Load(Source.India, Gzip(Offices));

        var unknown = await Assert.ThrowsAsync<RpcException>(() => Get("IN", "110010"));
        Assert.Equal(StatusCode.NotFound, unknown.StatusCode);
        Assert.Equal("POSTAL_CODE_NOT_FOUND", unknown.GetRpcStatus()!.GetDetail<Google.Rpc.ErrorInfo>()!.Reason);
        Assert.Equal("110001", unknown.GetRpcStatus()!.GetDetail<Google.Rpc.ErrorInfo>()!.Metadata["meant"]);

        var malformed = await Assert.ThrowsAsync<RpcException>(() => Get("IN", "11OOO1"));
        Assert.Equal(StatusCode.InvalidArgument, malformed.StatusCode);
        Assert.Equal("110001", malformed.GetRpcStatus()!.GetDetail<Google.Rpc.ErrorInfo>()!.Metadata["meant"]);
        Assert.Equal(StatusCode.InvalidArgument, (await Assert.ThrowsAsync<RpcException>(() => Get("UK", "M9 8AB"))).StatusCode);
        Assert.Equal(StatusCode.NotFound, (await Assert.ThrowsAsync<RpcException>(() => Get("IN", "110001", "teleport"))).StatusCode);
    }

    [Fact]
    public async Task A_carriers_list_counts_as_a_whole_and_the_same_list_again_changes_nothing()
    {
        await Load(Source.India, Encoding.UTF8.GetBytes(Offices));
        const string List = "country_code,postal_code,delivery,pickup,cash_on_delivery,same_day\nIN,110001,yes,yes,no,yes\nIN,560*,yes,no,yes,no\nIN,999999,yes,no,no,no\n";

        var first = await Upload("ups", List);
        Assert.Equal((3, 0, 1, false), (first.Lines, first.ProblemCount, first.OddityCount, first.Unchanged));
        Assert.True(first.Version > 0);
        var again = await Upload("ups", List);
        Assert.Equal((first.Version, true), (again.Version, again.Unchanged));

        var served = Assert.Single((await Get("IN", "110001", "ups")).Carriers);
        Assert.Equal((Basis.List, true, true, false, true, first.Version), (served.Basis, served.Delivery, served.Pickup, served.CashOnDelivery, served.SameDay, served.ListVersion));
        Assert.False(Assert.Single((await Get("IN", "110002", "ups")).Carriers).Delivery);
        Assert.True(Assert.Single((await Get("IN", "560001", "ups")).Carriers).CashOnDelivery);
        Assert.Equal(Match.CarrierOnly, (await Get("IN", "999999", "ups")).Match);
        Assert.Equal(Basis.Unknown, (await Get("IN", "110001")).Carriers.Single(one => one.Carrier == "dhl").Basis);

        var broken = await Upload("ups", "country_code,postal_code,delivery\nIN,110001,yes\nIN,2134,yes\nIN,110002,perhaps\n");
        Assert.Equal((0L, 2), (broken.Version, broken.ProblemCount));
        Assert.Equal([(3, "postal_code", "2134"), (4, "delivery", "perhaps")], broken.Problems.Select(one => (one.Line, one.Column, one.Value)));
        Assert.True(Assert.Single((await Get("IN", "560001", "ups")).Carriers).CashOnDelivery);

        var next = await Upload("ups", "country_code,postal_code\nIN,110002\n");
        Assert.Equal(first.Version + 1, next.Version);
        Assert.True(Assert.Single((await Get("IN", "110002", "ups")).Carriers).Delivery);
        Assert.False(Assert.Single((await Get("IN", "110001", "ups")).Carriers).Delivery);
        var carrier = (await _app.Carriers.ListCarriersAsync(new ListCarriersRequest())).Carriers.Single(one => one.Carrier_ == "ups");
        Assert.Equal((next.Version, 1), (carrier.ServiceabilityVersion, carrier.ServiceabilityLines));
    }

    [Fact]
    public async Task An_upload_that_is_no_list_is_refused_with_why()
    {
        await Refused("csv", () => Upload("dhl", ""));
        await Refused("csv", () => Upload("dhl", "a,b\n1,2\n"));
        await Refused("csv", () => Upload("dhl", [0, 1, 2, 3]));
        await Refused("data", () => Load(Source.Geonames, Encoding.UTF8.GetBytes("hello")));
        await Refused("source", () => Load(Source.Unspecified, Encoding.UTF8.GetBytes(Offices)));
        Assert.Equal(StatusCode.NotFound, (await Assert.ThrowsAsync<RpcException>(() => Upload("teleport", "x"))).StatusCode);
        var shopper = TestAccess.As("shipments", "shopper/anna");
        using var call = _app.Carriers.UploadServiceability(shopper);
        Assert.Equal(StatusCode.PermissionDenied, (await Assert.ThrowsAsync<RpcException>(async () => await call)).StatusCode);
    }

    [Fact]
    public async Task Rest_answers_the_same()
    {
        await Load(Source.India, Encoding.UTF8.GetBytes(Offices));

        var found = await _app.Http.GetAsync("/v1/serviceability/IN/560%20001");
        Assert.Equal(HttpStatusCode.OK, found.StatusCode);
        Assert.Contains("\"postalCode\": \"560001\"", (await found.Content.ReadAsStringAsync()).Replace("\":\"", "\": \"", StringComparison.Ordinal), StringComparison.Ordinal);
        Assert.Equal(HttpStatusCode.NotFound, (await _app.Http.GetAsync("/v1/serviceability/IN/999998")).StatusCode);
    }

    private async Task<V1.Serviceability> Get(string country, string code, string carrier = "") =>
        await _app.Carriers.GetServiceabilityAsync(new GetServiceabilityRequest { RegionCode = country, PostalCode = code, Carrier = carrier });

    private static async Task Refused(string field, Func<Task> upload)
    {
        var refused = await Assert.ThrowsAsync<RpcException>(upload);
        Assert.Equal(StatusCode.InvalidArgument, refused.StatusCode);
        Assert.Equal(field, Assert.Single(refused.GetRpcStatus()!.GetDetail<Google.Rpc.BadRequest>()!.FieldViolations).Field);
    }

    private static byte[] Gzip(string text)
    {
        using var packed = new MemoryStream();
        using (var gzip = new GZipStream(packed, CompressionLevel.Fastest))
            gzip.Write(Encoding.UTF8.GetBytes(text));
        return packed.ToArray();
    }

    private Task<UploadServiceabilityResponse> Upload(string carrier, string text) => Upload(carrier, Encoding.UTF8.GetBytes(text));

    private async Task<UploadServiceabilityResponse> Upload(string carrier, byte[] bytes)
    {
        using var call = _app.Carriers.UploadServiceability();
        await call.RequestStream.WriteAsync(new UploadServiceabilityRequest { Carrier = carrier, Csv = ByteString.CopyFrom(bytes) });
        await call.RequestStream.CompleteAsync();
        return await call;
    }

    private async Task<LoadPostalCodesResponse> Load(Source source, byte[] bytes, int pieces = 1)
    {
        using var call = _app.Carriers.LoadPostalCodes();
        foreach (var piece in bytes.Chunk((bytes.Length / pieces) + 1))
            await call.RequestStream.WriteAsync(new LoadPostalCodesRequest { Source = source, Data = ByteString.CopyFrom(piece) });
        await call.RequestStream.CompleteAsync();
        return await call;
    }
}

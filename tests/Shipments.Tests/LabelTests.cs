using System.Net;
using System.Text;
using Commerce.Shipments.V1;
using Grpc.Core;

namespace Commerce.Shipments.Tests;

public sealed class LabelTests(ShipmentsApp fixture) : IClassFixture<ShipmentsApp>, IDisposable
{
    private readonly ShipmentsApp _app = fixture.Required;

    public void Dispose()
    {
        (_app.Ups.Serves, _app.Dhl.Serves) = (true, true);
        _app.Ups.BeforeLabel = () => Task.CompletedTask;
    }

    [Fact]
    public async Task A_label_is_had_as_pdf_zpl_and_png_and_is_the_same_each_time()
    {
        var parcel = Assert.Single(await _app.Ship(_app.Orders.Add("a")));
        foreach (var (type, contentType, begin) in new[]
        {
            (LabelFormat.Types.Type.Unspecified, "application/pdf", "%PDF"), (LabelFormat.Types.Type.Pdf, "application/pdf", "%PDF"),
            (LabelFormat.Types.Type.Zpl, "application/zpl", "^XA"), (LabelFormat.Types.Type.Png, "image/png", "\u0089PNG"),
        })
        {
            var request = new GetLabelRequest { Name = parcel.Name, Format = new LabelFormat { Type = type } };
            var label = await _app.Shipments.GetLabelAsync(request);
            Assert.Equal(contentType, label.ContentType);
            Assert.StartsWith(begin, Encoding.Latin1.GetString(label.Data.Span[..8]), StringComparison.Ordinal);
            Assert.Equal(label.Data, (await _app.Shipments.GetLabelAsync(request)).Data);
        }

        var zpl = await Zpl(parcel);
        Assert.Contains(parcel.TrackingNumber, zpl, StringComparison.Ordinal);
        Assert.Contains("^FDAna Souza^FS", zpl, StringComparison.Ordinal);
        Assert.Contains("^FDUPS^FS", zpl, StringComparison.Ordinal);
    }

    [Fact]
    public async Task Over_rest_the_file_itself_is_the_answer()
    {
        var parcel = Assert.Single(await _app.Ship(_app.Orders.Add("a")));
        using var pdf = await _app.Http.GetAsync($"/v1/{parcel.Name}:label");
        Assert.Equal((HttpStatusCode.OK, "application/pdf"), (pdf.StatusCode, pdf.Content.Headers.ContentType!.MediaType));
        Assert.StartsWith("%PDF", Encoding.Latin1.GetString(await pdf.Content.ReadAsByteArrayAsync()), StringComparison.Ordinal);
        using var png = await _app.Http.GetAsync($"/v1/{parcel.Name}:label?format.type=TYPE_PNG&format.dotsPerInch=300");
        Assert.Equal((HttpStatusCode.OK, "image/png"), (png.StatusCode, png.Content.Headers.ContentType!.MediaType));
        using var wrong = await _app.Http.GetAsync($"/v1/{parcel.Name}:label?format.dotsPerInch=96");
        Assert.Equal((HttpStatusCode.BadRequest, "application/problem+json"), (wrong.StatusCode, wrong.Content.Headers.ContentType!.MediaType));
    }

    [Fact]
    public async Task Parcels_of_one_order_say_which_of_how_many_they_are()
    {
        var parcels = await _app.Ship(_app.Orders.Add("a", "b", "c"));
        Assert.Equal([(1, 3), (2, 3), (3, 3)], parcels.Select(one => (one.Piece, one.Pieces)));
        Assert.Equal(3, parcels.Select(one => one.TrackingNumber).Distinct().Count());
        Assert.Contains("^FD2 of 3^FS", await Zpl(parcels[1]), StringComparison.Ordinal);
    }

    [Fact]
    public async Task A_void_label_is_not_printed()
    {
        var order = _app.Orders.Add("a");
        var parcel = Assert.Single(await _app.Ship(order));
        await _app.Cancel(order);
        await _app.Parcel(parcel, one => one.Status == TrackingStatus.Cancelled);
        var refused = await Assert.ThrowsAsync<RpcException>(async () => await _app.Shipments.GetLabelAsync(new GetLabelRequest { Name = parcel.Name }));
        Assert.Equal("LABEL_VOID", refused.Reason());
    }

    [Fact]
    public async Task Before_it_is_bought_there_is_none_and_the_reason_is_said()
    {
        (_app.Ups.Serves, _app.Dhl.Serves) = (false, false);
        var order = _app.Orders.Add("a");
        await _app.Confirm(order);
        var parcel = Assert.Single(await _app.Parcels(order, all => all is [{ Exception: not null }]));
        var refused = await Assert.ThrowsAsync<RpcException>(async () => await _app.Shipments.GetLabelAsync(new GetLabelRequest { Name = parcel.Name }));
        Assert.Equal("LABEL_NOT_BOUGHT", refused.Reason());
        Assert.Contains("No carrier takes this parcel", refused.Status.Detail, StringComparison.Ordinal);
        var unknown = await Assert.ThrowsAsync<RpcException>(async () => await _app.Shipments.GetLabelAsync(new GetLabelRequest { Name = $"shipments/{Guid.NewGuid():N}" }));
        Assert.Equal("SHIPMENT_NOT_FOUND", unknown.Reason());
    }

    [Fact]
    public async Task A_parcel_that_crosses_a_border_is_declared_to_customs()
    {
        var order = _app.Orders.Add("a");
        order.ShippingAddress.RegionCode = "PT";
        var parcel = Assert.Single(await _app.Ship(order));
        var line = Assert.Single(parcel.Customs.Lines);
        Assert.Equal(("A thing", 2, 20L, 600), (line.Description, line.Quantity, line.Value.Units, line.WeightGrams));
        Assert.Contains("CUSTOMS DECLARATION", await Zpl(parcel), StringComparison.Ordinal);

        var said = new CustomsDeclaration { Contents = CustomsDeclaration.Types.Contents.Gift, Reference = "IOSS IM1234567890" };
        said.Lines.Add(new CustomsLine { Description = "Desk lamp", Quantity = 2, Value = line.Value, WeightGrams = 600, HsCode = "940521", OriginRegionCode = "BR" });
        var request = new DeclareCustomsRequest { Name = parcel.Name, RequestId = Guid.NewGuid().ToString(), Customs = said };
        Assert.Equal(said, (await _app.Shipments.DeclareCustomsAsync(request)).Customs);
        Assert.Equal(said, (await _app.Shipments.DeclareCustomsAsync(request)).Customs);
        var zpl = await Zpl(parcel);
        Assert.Contains("940521", zpl, StringComparison.Ordinal);
        Assert.Contains("IOSS IM1234567890", zpl, StringComparison.Ordinal);

        said.Lines[0].HsCode = "94.05.21";
        said.Lines[0].OriginRegionCode = "XX";
        var wrong = await Assert.ThrowsAsync<RpcException>(async () => await _app.Shipments.DeclareCustomsAsync(new DeclareCustomsRequest { Name = parcel.Name, RequestId = "r", Customs = said }));
        Assert.Equal(["customs.lines[0].hs_code", "customs.lines[0].origin_region_code"], wrong.Fields());
    }

    [Fact]
    public async Task Within_one_country_nothing_is_declared()
    {
        var parcel = Assert.Single(await _app.Ship(_app.Orders.Add("a")));
        Assert.Null(parcel.Customs);
        Assert.DoesNotContain("CUSTOMS", await Zpl(parcel), StringComparison.Ordinal);
    }

    [Fact]
    public async Task Wishes_stand_on_the_label()
    {
        var order = _app.Orders.Add("a");
        order.DeliveryWishes = new Commerce.Types.V1.DeliveryWishes { SignatureWanted = true, Fragile = true, Neighbour = "Silva, no. 12", LeaveAt = "porch ^XA" };
        var parcel = Assert.Single(await _app.Ship(order));
        var zpl = await Zpl(parcel);
        foreach (var wish in (string[])["SIGNATURE REQUIRED", "FRAGILE", "Neighbour: Silva, no. 12", "Leave at: porch _5EXA"])
            Assert.Contains(wish, zpl, StringComparison.Ordinal);
        Assert.True(parcel.DeliveryWishes.Fragile);
    }

    [Fact]
    public async Task Many_labels_come_as_one_file_with_progress_and_what_cannot_be_had_is_named()
    {
        var parcels = (await _app.Ship(_app.Orders.Add("a", "b", "c", "d"))).ToList();
        var gone = $"shipments/{Guid.NewGuid():N}";
        var request = new BatchGetLabelsRequest { Names = { parcels.Select(one => one.Name).Append(gone) }, Format = new LabelFormat { Type = LabelFormat.Types.Type.Zpl } };
        var (file, leftOut, contentType, done) = await Batch(request);
        Assert.Equal(("application/zpl", 5), (contentType, done));
        Assert.Equal([(gone, "SHIPMENT_NOT_FOUND")], leftOut);
        Assert.Equal(4, file.Split("^XA").Length - 1);
        Assert.All(parcels, one => Assert.Contains(one.TrackingNumber, file, StringComparison.Ordinal));

        request.Format = new LabelFormat { Paper = LabelFormat.Types.Paper.A4 };
        var (pdf, _, _, _) = await Batch(request);
        Assert.StartsWith("%PDF", pdf, StringComparison.Ordinal);

        request.Format = new LabelFormat { Type = LabelFormat.Types.Type.Png };
        Assert.Equal(["format.type"], (await Assert.ThrowsAsync<RpcException>(() => Batch(request))).Fields());
        request = new BatchGetLabelsRequest { Names = { parcels[0].Name, parcels[0].Name } };
        Assert.Equal(["names"], (await Assert.ThrowsAsync<RpcException>(() => Batch(request))).Fields());
        request = new BatchGetLabelsRequest { Names = { gone } };
        Assert.Equal("", (await Batch(request)).File);
    }

    private async Task<(string File, List<(string, string)> LeftOut, string ContentType, int Done)> Batch(BatchGetLabelsRequest request)
    {
        using var call = _app.Shipments.BatchGetLabels(request);
        var (file, leftOut, contentType, done) = (new StringBuilder(), new List<(string, string)>(), "", 0);
        await foreach (var said in call.ResponseStream.ReadAllAsync())
        {
            Assert.True(said.Done >= done && said.Total == request.Names.Count);
            done = said.Done;
            leftOut.AddRange(said.LeftOut.Select(one => (one.Name, one.Reason)));
            contentType += said.ContentType;
            file.Append(Encoding.Latin1.GetString(said.Content.Span));
        }

        return (file.ToString(), leftOut, contentType, done);
    }

    private async Task<string> Zpl(V1.Shipment parcel) => Encoding.UTF8.GetString(
        (await _app.Shipments.GetLabelAsync(new GetLabelRequest { Name = parcel.Name, Format = new LabelFormat { Type = LabelFormat.Types.Type.Zpl } })).Data.Span);
}

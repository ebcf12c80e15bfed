using System.Buffers;
using System.Text;
using Commerce.Orders.ExportingOrders;
using Commerce.Orders.V1;
using Google.Rpc;
using Grpc.Core;

namespace Commerce.Orders.Tests;

public class ExportTests(OrdersService service) : OrdersServiceTests(service)
{
    [Theory]
    [InlineData("plain", "plain")]
    [InlineData("", "")]
    [InlineData("a,b", "\"a,b\"")]
    [InlineData("say \"hi\"", "\"say \"\"hi\"\"\"")]
    [InlineData("two\r\nlines", "\"two\r\nlines\"")]
    [InlineData(" padded", "\" padded\"")]
    [InlineData("=1+1", "'=1+1")]
    [InlineData("+44 20", "'+44 20")]
    [InlineData("-2", "'-2")]
    [InlineData("@SUM(A1)", "'@SUM(A1)")]
    [InlineData("\t=1", "'\t=1")]
    [InlineData("  =1", "'  =1")]
    [InlineData("＝1", "'＝1")]
    [InlineData("=HYPERLINK(\"http://x\",\"y\")", "\"'=HYPERLINK(\"\"http://x\"\",\"\"y\"\")\"")]
    public void A_text_is_quoted_and_never_a_formula(string text, string field)
    {
        var buffer = new ArrayBufferWriter<byte>();
        new CsvRow(buffer).Text(text).Plain("-2.00").End();
        Assert.Equal(field + ",-2.00\r\n", Encoding.UTF8.GetString(buffer.WrittenSpan));
    }

    [Fact]
    public async Task An_export_holds_every_order_of_the_filter_once_oldest_first()
    {
        await Service.Stores.CreateStoreAsync(new CreateStoreRequest { Store = FindingTests.Shop("exported", "EXP") });
        var placed = new List<V1.Order>();
        for (var i = 0; i < 12; i++)
        {
            placed.Add(await Service.Orders.PlaceOrderAsync(Request.Order(Request.Line("a", 2), Request.Line("b", 1)).With(r =>
            {
                r.StoreId = "exported";
                r.Customer.Name = i == 3 ? "=cmd|' /C calc'!A0" : "Ada, \"the first\"";
                r.Adjustments.Add(new Adjustment { Label = "voucher", Amount = Request.Euro(-250) });
                r.PaymentParts[0].Amount = Request.Euro(2750);
            })));
        }

        await Service.Orders.CancelOrderAsync(new CancelOrderRequest { Name = placed[5].Name, RequestId = "x-5" });
        var csv = await Export(new OrderFilter { StoreId = "exported", States = { OrderState.Open } });
        var lines = csv.Split("\r\n");
        Assert.Equal(13, lines.Length);
        Assert.StartsWith("order_id,external_id,store_id,create_time", lines[0], StringComparison.Ordinal);
        Assert.Equal(placed.Where((_, i) => i != 5).Select(order => order.OrderId), lines[1..^1].Select(line => line[..line.IndexOf(',', StringComparison.Ordinal)]));
        Assert.Contains("\"Ada, \"\"the first\"\"\",ada@example.com,'+442079460000", lines[1], StringComparison.Ordinal);
        Assert.Contains(",2 x a Article a; 1 x b Article b,3,EUR,30.00,0.00,-2.50,27.50,", lines[1], StringComparison.Ordinal);
        Assert.Contains(",'=cmd|' /C calc'!A0,", lines[4], StringComparison.Ordinal);
        Assert.Equal("", lines[^1]);

        var rest = await Service.Rest.GetAsync(new Uri("/v1/orders:export?filter.storeId=exported&filter.states=ORDER_STATE_OPEN&filter.totalFrom.units=1&filter.totalFrom.currencyCode=EUR", UriKind.Relative), TestContext.Current.CancellationToken);
        Assert.Equal("text/csv", rest.Content.Headers.ContentType!.MediaType);
        Assert.Equal(csv, await rest.Content.ReadAsStringAsync(TestContext.Current.CancellationToken));
    }

    [Fact]
    public async Task An_export_of_nothing_is_a_header_and_a_wrong_filter_is_an_error_and_no_file()
    {
        Assert.Single((await Export(new OrderFilter { StoreId = "main", Email = "nobody@example.com" })).Split("\r\n", StringSplitOptions.RemoveEmptyEntries));
        var error = await Assert.ThrowsAsync<RpcException>(() => Export(new OrderFilter { Email = "x" }));
        Assert.Equal("INVALID_FIELD", error.GetRpcStatus()!.GetDetail<ErrorInfo>()!.Reason);

        foreach (var query in new[] { "filter.email=x", "email=a@example.com", "filter.storeId=main&filter.states=HAPPY", "filter.storeId=main&filter.nonsense=1" })
        {
            using var rest = await Service.Rest.GetAsync(new Uri("/v1/orders:export?" + query, UriKind.Relative), TestContext.Current.CancellationToken);
            Assert.Equal(System.Net.HttpStatusCode.BadRequest, rest.StatusCode);
            Assert.Equal("application/problem+json", rest.Content.Headers.ContentType!.MediaType);
        }
    }

    [Fact]
    public async Task The_memory_of_an_export_does_not_grow_with_it()
    {
        await Service.Stores.CreateStoreAsync(new CreateStoreRequest { Store = FindingTests.Shop("bulky", "BLK") });
        var order = await Service.Orders.PlaceOrderAsync(Request.Order().With(r => r.StoreId = "bulky"));
        await using (var copies = Service.Database.CreateCommand(
            """
            INSERT INTO orders SELECT (jsonb_populate_record(o, jsonb_build_object('order_id', i, 'create_time', o.create_time - i * interval '1 second'))).*
            FROM orders o, generate_series(1, 5000) i WHERE o.store_id = 'bulky'
            """))
            await copies.ExecuteNonQueryAsync(TestContext.Current.CancellationToken);

        using var call = Service.Orders.ExportOrders(new ExportOrdersRequest { Filter = new() { StoreId = "bulky" } });
        long bytes = 0, lines = 0;
        var pieces = 0;
        while (await call.ResponseStream.MoveNext(TestContext.Current.CancellationToken))
        {
            var piece = call.ResponseStream.Current.Data;
            Assert.True(piece.Length <= 128 * 1024);
            Assert.Equal((byte)'\n', piece[^1]);
            bytes += piece.Length;
            lines += piece.Span.Count((byte)'\n');
            pieces++;
        }

        Assert.Equal(5002, lines);
        Assert.True(pieces > 5 && bytes > 500_000, $"{bytes} bytes in {pieces} pieces of {order.OrderId}");
    }

    private async Task<string> Export(OrderFilter filter)
    {
        using var call = Service.Orders.ExportOrders(new ExportOrdersRequest { Filter = filter });
        var text = new StringBuilder();
        while (await call.ResponseStream.MoveNext(TestContext.Current.CancellationToken))
            text.Append(call.ResponseStream.Current.Data.ToStringUtf8());
        return text.ToString();
    }
}

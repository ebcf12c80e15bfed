using System.Net;
using System.Text;
using Commerce.Orders.V1;
using Google.Protobuf.WellKnownTypes;
using Grpc.Core;

namespace Commerce.Orders.Tests;

/// <summary>Whatever is wrong is named by its path, and nothing of it is stored.</summary>
public class BadInputTests(OrdersService service) : OrdersServiceTests(service)
{
    public static TheoryData<string, string[]> Wrong => new()
    {
        { "no request_id", ["request_id"] },
        { "a request_id with a space", ["request_id"] },
        { "an unknown currency", ["currency_code"] },
        { "another currency on one line", ["lines[0].unit_price"] },
        { "a negative price", ["lines[0].unit_price"] },
        { "half a cent", ["lines[0].unit_price"] },
        { "units and nanos of two signs", ["lines[0].unit_price"] },
        { "an amount beyond 64 bits", ["lines[0].unit_price"] },
        { "a sum beyond all bounds", ["lines[0].quantity", "lines"] },
        { "no lines", ["lines"] },
        { "ten thousand lines", ["lines"] },
        { "no pieces", ["lines[0].quantity"] },
        { "two milliards of pieces", ["lines[0].quantity"] },
        { "an empty sku", ["lines[0].sku"] },
        { "a sku with a slash", ["lines[0].sku"] },
        { "a title of 301 characters", ["lines[0].title"] },
        { "a title with NUL", ["lines[0].title"] },
        { "a negative weight", ["lines[0].dimensions.weight_grams"] },
        { "a place without a country", ["lines[0].ship_from.region_code"] },
        { "no customer", ["customer"] },
        { "an empty name", ["customer.name"] },
        { "a name of spaces", ["customer.name"] },
        { "a name with a line break", ["customer.name"] },
        { "neither e-mail nor phone", ["customer.email"] },
        { "no e-mail address", ["customer.email"] },
        { "a phone number without a country", ["customer.phone"] },
        { "no language", ["customer.language_code"] },
        { "no address", ["shipping_address"] },
        { "a country in words", ["shipping_address.region_code"] },
        { "no postal code", ["shipping_address.postal_code"] },
        { "no address lines", ["shipping_address.address_lines"] },
        { "an empty address line", ["shipping_address.address_lines[1]"] },
        { "no payment", ["payment_parts"] },
        { "a payment that is too small", ["payment_parts"] },
        { "a payment of nothing", ["payment_parts[0].amount"] },
        { "no token", ["payment_parts[0].token"] },
        { "49 instalments", ["payment_parts[0].instalments"] },
        { "an unknown method", ["payment_parts[0].method"] },
        { "a discount of more than everything", ["adjustments"] },
        { "a discount of nothing", ["adjustments[0].amount"] },
        { "a discount without a label", ["adjustments[0].label"] },
        { "a negative shipping charge", ["shipping_charge"] },
        { "a promise in the past", ["promised_delivery_time"] },
        { "a promise in two years", ["promised_delivery_time"] },
        { "a promise beyond time", ["promised_delivery_time"] },
        { "everything at once", ["customer", "shipping_address", "lines[0].sku", "lines[0].quantity", "payment_parts[0].token", "external_id"] },
    };

    [Theory]
    [MemberData(nameof(Wrong))]
    public async Task Each_wrong_field_is_named_and_nothing_is_stored(string what, string[] fields)
    {
        var request = Spoil(Request.Order(), what);
        var before = await Stored();
        var (code, info, named, _) = await Refusal.Of(Service.Orders.PlaceOrderAsync(request));
        Assert.Equal((StatusCode.InvalidArgument, "INVALID_FIELD"), (code, info.Reason));
        Assert.Equal(fields.Order(), named.Keys.Order());
        Assert.Equal(before, await Stored());
    }

    [Fact]
    public async Task A_payment_that_does_not_fit_is_told_both_sums()
    {
        var (_, _, fields, _) = await Refusal.Of(Service.Orders.PlaceOrderAsync(Spoil(Request.Order(), "a payment that is too small")));
        Assert.Contains("19.99 EUR", fields["payment_parts"], StringComparison.Ordinal);
        Assert.Contains("20.00 EUR", fields["payment_parts"], StringComparison.Ordinal);
    }

    [Fact]
    public async Task Of_very_many_errors_the_first_are_named_and_the_rest_counted()
    {
        var lines = Enumerable.Range(0, 500).Select(_ => new OrderLine { Sku = "no sku" }).ToArray();
        var (_, _, fields, error) = await Refusal.Of(Service.Orders.PlaceOrderAsync(Request.Order().With(r =>
        {
            r.Lines.Clear();
            r.Lines.AddRange(lines);
        })));
        Assert.Equal(50, fields.Count);
        Assert.Contains("1000 fields", error.Status.Detail, StringComparison.Ordinal);
    }

    [Fact]
    public async Task A_store_that_is_not_there_is_not_found()
    {
        await Refusal.Is("STORE_NOT_FOUND", Service.Orders.PlaceOrderAsync(Request.Order().With(r => r.StoreId = "nowhere")));
        await Refusal.Is("STORE_NOT_FOUND", Service.Orders.PlaceOrderAsync(Request.Order().With(r => r.StoreId = "'; DROP TABLE")));
    }

    [Fact]
    public async Task The_largest_order_is_accepted_and_reads_back()
    {
        var lines = Enumerable.Range(0, 500).Select(i => Request.Line("big-" + i, 100_000, 2_000_00)).ToArray();
        var placed = await Service.Orders.PlaceOrderAsync(Request.Order(lines));
        Assert.Equal(500, placed.Lines.Count);
        Assert.Equal(placed, await Service.OrderWith(placed.OrderId));
    }

    [Fact]
    public async Task Broken_utf8_is_refused_over_grpc_and_rest()
    {
        var before = await Stored();
        var broken = Google.Protobuf.ByteString.CopyFrom(0xC3, 0x28);
        // A Contact whose name is not UTF-8, written by hand because no generated class would.
        var bytes = Google.Protobuf.MessageExtensions.ToByteArray(Request.Order().With(r => r.Customer.Name = "AB"));
        var at = bytes.AsSpan().IndexOf("AB"u8);
        broken.CopyTo(bytes, at);
        var method = new Method<byte[], byte[]>(
            MethodType.Unary, "commerce.orders.v1.OrderService", "PlaceOrder",
            Marshallers.Create(b => b, b => b), Marshallers.Create(b => b, b => b));
        var (code, _, _, _) = await Refusal.Of(Service.Channel.CreateCallInvoker().AsyncUnaryCall(method, null, new CallOptions(), bytes));
        Assert.Equal(StatusCode.InvalidArgument, code);

        using var json = new ByteArrayContent([.. "{\"storeId\":\"ma"u8, 0xC3, 0x28, .. "\"}"u8]);
        json.Headers.ContentType = new("application/json");
        using var response = await Service.Rest.PostAsync(new Uri("/v1/orders", UriKind.Relative), json);
        Assert.Equal(HttpStatusCode.BadRequest, response.StatusCode);
        using var cut = await Service.Rest.PostAsync(new Uri("/v1/orders", UriKind.Relative), new StringContent("{\"storeId\":", Encoding.UTF8, "application/json"));
        Assert.Equal(HttpStatusCode.BadRequest, cut.StatusCode);
        Assert.Equal(before, await Stored());
    }

    [Fact]
    public async Task A_deadline_that_is_over_stores_nothing()
    {
        var request = Request.Order();
        var call = Service.Orders.PlaceOrderAsync(request, deadline: TimeProvider.System.GetUtcNow().UtcDateTime.AddSeconds(-1));
        var exception = await Assert.ThrowsAsync<RpcException>(async () => await call);
        Assert.Equal(StatusCode.DeadlineExceeded, exception.StatusCode);
        Assert.Equal(0, await Service.Count("FROM messaging.requests WHERE request_id = $1", request.RequestId));
    }

    private async Task<long> Stored() =>
        await Service.Count("FROM orders") + await Service.Count("FROM order_lines") + await Service.Count("FROM order_timeline")
        + await Service.Count("FROM messaging.requests") + await Service.Count("FROM messaging.recovery_points");

    private static PlaceOrderRequest Spoil(PlaceOrderRequest r, string what)
    {
        var (line, part) = (r.Lines[0], r.PaymentParts[0]);
        switch (what)
        {
            case "no request_id": r.RequestId = ""; break;
            case "a request_id with a space": r.RequestId = "a b"; break;
            case "an unknown currency": r.CurrencyCode = "XXQ"; break;
            case "another currency on one line": line.UnitPrice = Request.Amount(1000, "USD"); break;
            case "a negative price": line.UnitPrice = Request.Euro(-1); break;
            case "half a cent": line.UnitPrice.Nanos = 5_000_000; break;
            case "units and nanos of two signs": line.UnitPrice.Nanos = -10_000_000; break;
            case "an amount beyond 64 bits": line.UnitPrice.Units = long.MaxValue; break;
            case "a sum beyond all bounds": (line.Quantity, line.UnitPrice) = (100_000, Request.Euro(1_000_000_000_000_000)); break;
            case "no lines": r.Lines.Clear(); break;
            case "ten thousand lines": r.Lines.AddRange(Enumerable.Repeat(line, 9_999)); break;
            case "no pieces": line.Quantity = 0; break;
            case "two milliards of pieces": line.Quantity = 2_000_000_000; break;
            case "an empty sku": line.Sku = ""; break;
            case "a sku with a slash": line.Sku = "a/b"; break;
            case "a title of 301 characters": line.Title = new string('x', 301); break;
            case "a title with NUL": line.Title = "a\0b"; break;
            case "a negative weight": line.Dimensions = new() { WeightGrams = -1 }; break;
            case "a place without a country": line.ShipFrom = new() { LocationId = "wh" }; break;
            case "no customer": r.Customer = null; break;
            case "an empty name": r.Customer.Name = ""; break;
            case "a name of spaces": r.Customer.Name = "   "; break;
            case "a name with a line break": r.Customer.Name = "Ada\nExample"; break;
            case "neither e-mail nor phone": (r.Customer.Email, r.Customer.Phone) = ("", ""); break;
            case "no e-mail address": r.Customer.Email = "ada@"; break;
            case "a phone number without a country": r.Customer.Phone = "020 7946 0000"; break;
            case "no language": r.Customer.LanguageCode = "english!"; break;
            case "no address": r.ShippingAddress = null; break;
            case "a country in words": r.ShippingAddress.RegionCode = "Germany"; break;
            case "no postal code": r.ShippingAddress.PostalCode = ""; break;
            case "no address lines": r.ShippingAddress.AddressLines.Clear(); break;
            case "an empty address line": r.ShippingAddress.AddressLines.Add(""); break;
            case "no payment": r.PaymentParts.Clear(); break;
            case "a payment that is too small": (part.Amount, r.Customer.LanguageCode) = (Request.Euro(1999), "en"); break;
            case "a payment of nothing": part.Amount = Request.Euro(0); break;
            case "no token": part.Token = ""; break;
            case "49 instalments": part.Instalments = 49; break;
            case "an unknown method": part.Method = (PaymentMethod)77; break;
            case "a discount of more than everything": r.Adjustments.Add(new Adjustment { Label = "all", Amount = Request.Euro(-2001) }); break;
            case "a discount of nothing": r.Adjustments.Add(new Adjustment { Label = "none", Amount = Request.Euro(0) }); break;
            case "a discount without a label": r.Adjustments.Add(new Adjustment { Amount = Request.Euro(100) }); part.Amount = Request.Euro(2100); break;
            case "a negative shipping charge": r.ShippingCharge = Request.Euro(-1); break;
            case "a promise in the past": r.PromisedDeliveryTime = Timestamp.FromDateTimeOffset(TimeProvider.System.GetUtcNow().AddHours(-1)); break;
            case "a promise in two years": r.PromisedDeliveryTime = Timestamp.FromDateTimeOffset(TimeProvider.System.GetUtcNow().AddDays(730)); break;
            case "a promise beyond time": r.PromisedDeliveryTime = new Timestamp { Seconds = long.MaxValue }; break;
            case "everything at once":
                (r.Customer, r.ShippingAddress, r.ExternalId) = (null, null, new string('x', 65));
                (line.Sku, line.Quantity) = ("", -1);
                part.Token = "";
                break;
            default: throw new ArgumentOutOfRangeException(nameof(what), what, "No such spoiling.");
        }

        return r;
    }
}

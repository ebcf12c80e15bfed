using Commerce.Orders.V1;
using Commerce.Types.V1;
using Google.Rpc;
using Google.Type;
using Grpc.Core;

namespace Commerce.Orders.Tests;

/// <summary>Requests that are right, for tests to spoil.</summary>
internal static class Request
{
    public static Google.Type.Money Euro(long cents) => Amount(cents, "EUR");

    public static Google.Type.Money Amount(long minor, string currency) => new Commerce.Money(minor, currency).ToProto();

    public static OrderLine Line(string sku, int quantity, long cents = 1000) =>
        new() { Sku = sku, Title = "Article " + sku, Quantity = quantity, UnitPrice = Euro(cents) };

    public static PlaceOrderRequest Order(params OrderLine[] lines)
    {
        if (lines.Length == 0)
            lines = [Line("free-1", 2)];
        var total = lines.Sum(line => line.Quantity * (line.UnitPrice?.Units ?? 10)) * 100;
        return new PlaceOrderRequest
        {
            RequestId = Guid.NewGuid().ToString(),
            StoreId = "main",
            Customer = new Contact { Name = "Ada Example", Email = "ada@example.com", Phone = "+442079460000", LanguageCode = "en-GB" },
            ShippingAddress = new PostalAddress { RegionCode = "GB", PostalCode = "SW1A 1AA", Locality = "London", AddressLines = { "1 Example Street" } },
            Lines = { lines },
            PaymentParts = { new PaymentPart { Method = PaymentMethod.Card, Token = "tok_ok", Amount = Euro(total) } },
        };
    }

    public static PlaceOrderRequest With(this PlaceOrderRequest request, Action<PlaceOrderRequest> change)
    {
        change(request);
        return request;
    }
}

/// <summary>Errors, as a caller sees them.</summary>
internal static class Refusal
{
    public static async Task<(StatusCode Code, ErrorInfo Info, IReadOnlyDictionary<string, string> Fields, RpcException Error)> Of<T>(AsyncUnaryCall<T> call)
    {
        var exception = await Assert.ThrowsAsync<RpcException>(async () => await call);
        var status = exception.GetRpcStatus() ?? throw new InvalidOperationException($"No google.rpc.Status: {exception.Status}");
        var info = status.GetDetail<ErrorInfo>() ?? throw new InvalidOperationException($"No ErrorInfo: {status}");
        var fields = status.GetDetail<BadRequest>()?.FieldViolations.GroupBy(v => v.Field).ToDictionary(v => v.Key, v => v.First().Description) ?? [];
        Assert.Equal("commerce", info.Domain);
        return (exception.StatusCode, info, fields, exception);
    }

    public static async Task Is<T>(string reason, AsyncUnaryCall<T> call) => Assert.Equal(reason, (await Of(call)).Info.Reason);
}

// Places an order, follows it until it is paid, and sees what a refusal looks like.
// COMMERCE_GATEWAY_GRPC=http://localhost:8081 COMMERCE_TOKEN=… dotnet run --project samples/FollowOrder
using Commerce.Client;
using Commerce.Orders.V1;
using Commerce.Types.V1;
using Google.Type;
using Microsoft.Extensions.DependencyInjection;

var services = new ServiceCollection();
services.AddCommerceClient(options =>
{
    options.Address = new Uri(Environment.GetEnvironmentVariable("COMMERCE_GATEWAY_GRPC") ?? "http://localhost:8081");
    options.ApiKey = Environment.GetEnvironmentVariable("COMMERCE_TOKEN");
});
await using var provider = services.BuildServiceProvider();
var commerce = provider.GetRequiredService<CommerceClient>();

var order = await commerce.Orders.PlaceOrderAsync(new PlaceOrderRequest
{
    StoreId = "main",
    Customer = new Contact { Name = "Ada Example", Email = "ada@example.com" },
    ShippingAddress = new PostalAddress { RegionCode = "GB", PostalCode = "SW1A 1AA", Locality = "London", AddressLines = { "1 Example Street" } },
    CurrencyCode = "GBP",
    Lines = { new OrderLine { Sku = "84945", Title = "T-light holder", Quantity = 12, UnitPrice = Pounds(0, 85) } },
    PaymentParts = { new PaymentPart { Method = PaymentMethod.Card, Token = "tok_ok", Amount = Pounds(10, 20) } },
});
Console.WriteLine($"placed {order.OrderId}");

// It reconnects by itself, and goes on from the last version seen.
await foreach (var view in commerce.WatchLookup(order.OrderId))
{
    Console.WriteLine($"version {view.Version}: {view.Order.PaymentState}, {view.Order.FulfilmentState}");
    if (view.Order.PaymentState == PaymentState.Paid)
        break;
}

try
{
    await commerce.Orders.CancelOrderAsync(new CancelOrderRequest { Name = order.Name, Etag = order.Etag });
}
catch (CommerceException error) when (error.KnownReason == ErrorReason.EtagMismatch)
{
    // Somebody changed it meanwhile: read it again, and decide again.
    Console.WriteLine($"refused: {error.Reason}");
}

static Money Pounds(long pounds, int pence) => new() { CurrencyCode = "GBP", Units = pounds, Nanos = pence * 10_000_000 };

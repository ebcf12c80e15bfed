using System.Globalization;
using Commerce.Orders.V1;
using Commerce.Types.V1;
using Google.Type;

namespace Commerce.Bench.Orders;

/// <summary>A shop with a shelf, and orders of two of its articles.</summary>
internal static class BenchOrders
{
    public const int Articles = 1_000;
    public const string Email = "ada@example.com";

    public static string Sku(int article) => string.Create(CultureInfo.InvariantCulture, $"A-{article:D4}");

    public static async Task Stock(OrdersProcess orders)
    {
        var products = new BatchUpdateProductsRequest { Parent = "stores/main" };
        var levels = new BatchSetStockRequest { Parent = "stores/main" };
        for (var article = 0; article < Articles; article++)
        {
            products.Products.Add(new Product { Sku = Sku(article), Title = "Silver T-light holder", UnitPrice = Euro(10), StockTracked = true });
            levels.Levels.Add(new StockLevel { Sku = Sku(article), OnHand = 10_000_000 });
        }

        await orders.Catalogue.BatchUpdateProductsAsync(products);
        await orders.Stock.BatchSetStockAsync(levels);
    }

    public static PlaceOrderRequest Request(int first, int second) => new()
    {
        RequestId = Guid.NewGuid().ToString(),
        StoreId = "main",
        Customer = new Contact { Name = "Ada Example", Email = Email, Phone = "+442079460000", LanguageCode = "en-GB" },
        ShippingAddress = new PostalAddress { RegionCode = "GB", PostalCode = "SW1A 1AA", Locality = "London", AddressLines = { "1 Example Street" } },
        Lines = { new OrderLine { Sku = Sku(first), Quantity = 2 }, new OrderLine { Sku = Sku(second), Quantity = 1 } },
        PaymentParts = { new PaymentPart { Method = PaymentMethod.Card, Token = "tok_ok", Amount = Euro(30) } },
    };

    private static Google.Type.Money Euro(long units) => new() { CurrencyCode = "EUR", Units = units };
}

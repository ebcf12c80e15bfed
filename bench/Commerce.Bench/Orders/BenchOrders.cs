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

    /// <summary>Places an order of two articles and catches the rows that it wrote.</summary>
    public static async Task<CaughtOrder> Catch(OrdersProcess orders)
    {
        const int first = 1, second = (Articles / 2) + 1;
        // The words of an article are written with its first order alone.
        await orders.Orders.PlaceOrderAsync(Request(first, second));
        var request = Request(first, second);
        Commerce.Orders.V1.Order placed = null!;
        var rows = await WrittenRows.Catch(orders.Database, async () => placed = await orders.Orders.PlaceOrderAsync(request));
        return OrderId.TryParse(placed.OrderId, out var id)
            ? new CaughtOrder(id, request.RequestId, rows, Sku(first), Sku(second))
            : throw new InvalidOperationException($"{placed.OrderId} is no Order ID.");
    }

    private static Google.Type.Money Euro(long units) => new() { CurrencyCode = "EUR", Units = units };
}

/// <summary>An order that was placed, and what it wrote.</summary>
internal sealed record CaughtOrder(OrderId Id, string RequestId, WrittenRows Rows, string FirstSku, string SecondSku)
{
    /// <summary>What stands for the order and its articles in its rows.</summary>
    /// <param name="id">An SQL expression for the order's value.</param>
    /// <param name="article">An SQL expression of type text for a SKU, given what it begins with and the article that it was caught with.</param>
    public IEnumerable<(string Text, string Expression)> Instead(string id, Func<string, string, string> article) =>
    [
        (Id.Value.ToString(CultureInfo.InvariantCulture), id),
        .. from sku in (string[])[FirstSku, SecondSku]
           from text in (string[])[sku, sku.ToLowerInvariant()]
           select (text, article(text[..2], sku)),
    ];
}

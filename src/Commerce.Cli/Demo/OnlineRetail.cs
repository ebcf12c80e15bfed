using System.Globalization;
using Commerce.Orders.V1;
using Commerce.Types.V1;
using CsvHelper;
using CsvHelper.Configuration;

namespace Commerce.Cli.Demo;

/// <summary>Real baskets of a British gift shop (see docs/samples/README.md), as orders of the store "gifts".</summary>
internal static class OnlineRetail
{
    public const string Store = "gifts";
    private const string Currency = "GBP";

    // The data has countries and no addresses: the recipients are invented, each at a real town with its postal code.
    private static readonly Dictionary<string, Recipient> Recipients = new(StringComparer.Ordinal)
    {
        ["United Kingdom"] = new("GB", "M1 1AE", "Manchester", "England", "en-GB", "12 Example Lane"),
        ["EIRE"] = new("IE", "D02 AF30", "Dublin", "Leinster", "en-IE", "4 Sample Quay"),
        ["Spain"] = new("ES", "28013", "Madrid", "Madrid", "es-ES", "Calle de Ejemplo 5"),
        ["Poland"] = new("PL", "00-001", "Warszawa", "Mazowieckie", "pl-PL", "ul. Przykładowa 7"),
    };

    private static readonly string[] Names = ["Ada Example", "Grace Sample", "Alan Muster", "Edsger Voorbeeld", "Barbara Ejemplo", "Donald Przykład", "Katherine Demo", "Dennis Model", "Margaret Test", "John Trial", "Frances Case"];

    public static IReadOnlyList<Basket> Read(string file)
    {
        using var reader = new StreamReader(file);
        using var csv = new CsvReader(reader, new CsvConfiguration(CultureInfo.InvariantCulture));
        return [.. csv.GetRecords<Row>().ToList()
            .GroupBy(row => row.InvoiceNo)
            .Select(invoice => new Basket(
                invoice.Key,
                invoice.First().Country,
                [.. invoice.GroupBy(row => (row.StockCode, row.UnitPrice)).Select(line => new BasketLine(
                    line.Key.StockCode,
                    line.First().Description,
                    line.Sum(row => row.Quantity),
                    (long)decimal.Round(line.Key.UnitPrice * 100)))]))];
    }

    public static Store StoreSettings { get; } = new()
    {
        StoreId = Store,
        DisplayName = "Gifts & Things",
        OrderPrefix = "GIFT",
        CurrencyCode = Currency,
        LanguageCode = "en-GB",
        TimeZone = "Europe/London",
        SenderEmail = "orders@gifts.example",
        ShipFrom = new Place { Locality = "Birmingham", AdministrativeArea = "England", PostalCode = "B1 1AA", RegionCode = "GB" },
        Colour = "#7c3aed",
    };

    public static IEnumerable<Product> Products(IEnumerable<Basket> baskets) => baskets
        .SelectMany(basket => basket.Lines)
        .GroupBy(line => line.Sku)
        .Select(lines => new Product
        {
            Sku = lines.Key,
            Title = lines.First().Title,
            UnitPrice = Pounds(lines.First().UnitPrice),
            StockTracked = true,
            Dimensions = new Dimensions { WeightGrams = 150 },
        });

    public static PlaceOrderRequest Request(Basket basket, int number)
    {
        var recipient = Recipients.GetValueOrDefault(basket.Country, Recipients["United Kingdom"]);
        var name = Names[number % Names.Length];
        var charge = recipient.Country == "GB" ? 395L : 995L;
        var total = charge + basket.Lines.Sum(line => line.UnitPrice * line.Quantity);
        var request = new PlaceOrderRequest
        {
            RequestId = Guid.CreateVersion7().ToString(),
            StoreId = Store,
            CurrencyCode = Currency,
            Customer = new Contact { Name = name, Email = name.Split(' ')[0].ToLowerInvariant() + "@example.com", LanguageCode = recipient.Language },
            ShippingAddress = new Google.Type.PostalAddress
            {
                RegionCode = recipient.Country,
                PostalCode = recipient.PostalCode,
                Locality = recipient.Town,
                AdministrativeArea = recipient.Region,
                AddressLines = { recipient.Street },
                Recipients = { name },
            },
            ShippingCharge = Pounds(charge),
            PaymentParts = { new PaymentPart { Method = PaymentMethod.Card, Token = "tok_ok", Amount = Pounds(total), Instalments = 1 } },
        };
        request.Lines.AddRange(basket.Lines.Select(line => new OrderLine
        {
            Sku = line.Sku,
            Title = line.Title,
            Quantity = line.Quantity,
            UnitPrice = Pounds(line.UnitPrice),
            // The same article had several prices in the shop's month.
            PriceAgreed = true,
        }));
        return request;
    }

    private static Google.Type.Money Pounds(long pence) => new() { CurrencyCode = Currency, Units = pence / 100, Nanos = (int)(pence % 100) * 10_000_000 };

    private sealed record Recipient(string Country, string PostalCode, string Town, string Region, string Language, string Street);

    private sealed class Row
    {
        public string InvoiceNo { get; set; } = "";

        public string StockCode { get; set; } = "";

        public string Description { get; set; } = "";

        public int Quantity { get; set; }

        public decimal UnitPrice { get; set; }

        public string Country { get; set; } = "";
    }
}

/// <summary>One invoice.</summary>
internal sealed record Basket(string Invoice, string Country, IReadOnlyList<BasketLine> Lines);

/// <summary>Price in pence.</summary>
internal sealed record BasketLine(string Sku, string Title, int Quantity, long UnitPrice);

using Commerce.Orders.V1;

namespace Commerce.Orders.Tests;

/// <summary>Stores, products and stock.</summary>
public class ShopTests(OrdersService service) : OrdersServiceTests(service)
{
    [Fact]
    public async Task A_stores_tax_and_logo_are_kept_and_what_is_no_picture_or_too_large_is_refused()
    {
        var png = Convert.FromBase64String("iVBORw0KGgoAAAANSUhEUgAAAAIAAAABCAIAAAB7QOjdAAAAD0lEQVR4nGP4z8DA0MAAAAcBAYCZKJN9AAAAAElFTkSuQmCC");
        UpdateStoreRequest Update(int tax, byte[] logo) => new()
        {
            Store = new Store { Name = "stores/main", TaxBasisPoints = tax, LogoImage = Google.Protobuf.ByteString.CopyFrom(logo) },
            UpdateMask = new Google.Protobuf.WellKnownTypes.FieldMask { Paths = { "tax_basis_points", "logo_image" } },
            RequestId = Guid.NewGuid().ToString(),
        };
        var updated = await Service.Stores.UpdateStoreAsync(Update(1900, png));
        Assert.Equal((1900, png.Length), (updated.TaxBasisPoints, updated.LogoImage.Length));
        Assert.Equal(updated, await Service.Stores.GetStoreAsync(new GetStoreRequest { Name = "stores/main" }));
        Assert.All((await Service.Stores.ListStoresAsync(new ListStoresRequest())).Stores, store => Assert.True(store.LogoImage.IsEmpty));

        // A header that says a million pixels, one that is cut off, a text, a large file, and a JPEG whose segments lead nowhere.
        var huge = png.ToArray();
        huge[17] = 0x0F;
        foreach (var wrong in new[] { huge, png[..20], "GIF89a"u8.ToArray(), [.. png, .. new byte[70_000]], [0xFF, 0xD8, 0xFF, 0xE0, 0x00, 0x00, 0xFF, 0xFF], [0xFF, 0xD8, 0xFF] })
            Assert.Contains("store.logo_image", (await Refusal.Of(Service.Stores.UpdateStoreAsync(Update(0, wrong)))).Fields.Keys);
        foreach (var tax in new[] { -1, 10_001 })
            Assert.Contains("store.tax_basis_points", (await Refusal.Of(Service.Stores.UpdateStoreAsync(Update(tax, [])))).Fields.Keys);
        byte[] jpeg = [0xFF, 0xD8, 0xFF, 0xE0, 0x00, 0x04, 0x00, 0x00, 0xFF, 0xC0, 0x00, 0x0B, 0x08, 0x00, 0x10, 0x00, 0x20, 0x01];
        Assert.Equal(jpeg.Length, (await Service.Stores.UpdateStoreAsync(Update(0, jpeg))).LogoImage.Length);
    }

    [Fact]
    public async Task A_new_installation_has_a_store_to_order_from()
    {
        var main = await Service.Stores.GetStoreAsync(new GetStoreRequest { Name = "stores/main" });
        Assert.Equal(("ORD", "EUR", "en-GB"), (main.OrderPrefix, main.CurrencyCode, main.LanguageCode));
    }

    [Fact]
    public async Task A_store_is_made_once_and_gives_its_orders_its_prefix()
    {
        var store = FindingTests.Shop("once", "ONE");
        var made = await Service.Stores.CreateStoreAsync(new CreateStoreRequest { RequestId = "s-1", Store = store });
        Assert.Equal("stores/once", made.Name);
        Assert.Equal(made, await Service.Stores.CreateStoreAsync(new CreateStoreRequest { RequestId = "s-1", Store = store }));
        Assert.Equal(made, await Service.Stores.CreateStoreAsync(new CreateStoreRequest { Store = store }));
        Assert.Equal(made, await Service.Stores.GetStoreAsync(new GetStoreRequest { Name = "stores/once" }));

        var other = store.Clone();
        other.DisplayName = "Another";
        await Refusal.Is("STORE_EXISTS", Service.Stores.CreateStoreAsync(new CreateStoreRequest { Store = other }));
        await Refusal.Is("REQUEST_ID_REUSED", Service.Stores.CreateStoreAsync(new CreateStoreRequest { RequestId = "s-1", Store = other }));
        await Refusal.Is("STORE_EXISTS", Service.Stores.CreateStoreAsync(new CreateStoreRequest { Store = FindingTests.Shop("twice", "ONE") }));

        var order = await Service.Orders.PlaceOrderAsync(Request.Order().With(r => r.StoreId = "once"));
        Assert.StartsWith("ONE-", order.OrderId, StringComparison.Ordinal);
        Assert.Equal("PT", order.Lines[0].ShipFrom.RegionCode);
    }

    [Fact]
    public async Task A_store_says_what_is_wrong_with_it()
    {
        var (_, info, fields, _) = await Refusal.Of(Service.Stores.CreateStoreAsync(new CreateStoreRequest
        {
            Store = new Store { StoreId = "9", OrderPrefix = "ord", CurrencyCode = "EURO", LanguageCode = "x", TimeZone = "Mars/Base", Colour = "red", LogoUri = "http://x" },
        }));
        Assert.Equal("INVALID_FIELD", info.Reason);
        Assert.Equal(
            ["store.colour", "store.currency_code", "store.display_name", "store.language_code", "store.logo_uri", "store.order_prefix", "store.sender_email", "store.ship_from", "store.store_id", "store.time_zone"],
            fields.Keys.Order());
    }

    [Fact]
    public async Task Stores_are_listed_page_by_page()
    {
        await Service.Stores.CreateStoreAsync(new CreateStoreRequest { Store = FindingTests.Shop("list-a", "LSA") });
        await Service.Stores.CreateStoreAsync(new CreateStoreRequest { Store = FindingTests.Shop("list-b", "LSB") });
        var request = new ListStoresRequest { PageSize = 1 };
        var names = new List<string>();
        do
        {
            var page = await Service.Stores.ListStoresAsync(request);
            names.AddRange(page.Stores.Select(store => store.StoreId));
            request.PageToken = page.NextPageToken;
        }
        while (request.PageToken.Length > 0);
        Assert.Equal(names.Distinct().Order(StringComparer.Ordinal), names);
        Assert.Subset(names.ToHashSet(), new HashSet<string> { "main", "list-a", "list-b" });
    }

    [Fact]
    public async Task Products_are_replaced_all_or_none_and_listed_by_sku()
    {
        await Service.Stores.CreateStoreAsync(new CreateStoreRequest { Store = FindingTests.Shop("goods", "GDS") });
        var lamp = new Product { Sku = "lamp", Title = "Lamp", UnitPrice = Request.Euro(1000), UnitCost = Request.Euro(400), Category = "light" };
        var bulb = new Product { Sku = "Bulb", Title = "Bulb", UnitPrice = Request.Euro(100), StockTracked = true };
        var update = new BatchUpdateProductsRequest { Parent = "stores/goods", RequestId = "p-1", Products = { lamp, bulb } };
        var made = await Service.Catalogue.BatchUpdateProductsAsync(update);
        Assert.Equal(["lamp", "Bulb"], made.Products.Select(product => product.Sku));
        Assert.Equal(made, await Service.Catalogue.BatchUpdateProductsAsync(update));
        Assert.Equal(made.Products[0], await Service.Catalogue.GetProductAsync(new GetProductRequest { Name = "stores/goods/products/lamp" }));

        lamp.Title = "";
        bulb.UnitPrice = Request.Euro(200);
        var (_, _, fields, _) = await Refusal.Of(Service.Catalogue.BatchUpdateProductsAsync(new BatchUpdateProductsRequest { Parent = "stores/goods", Products = { bulb, lamp, bulb } }));
        Assert.Equal(["products[1].title", "products[2].sku"], fields.Keys.Order());
        Assert.Equal(Request.Euro(100), (await Service.Catalogue.GetProductAsync(new GetProductRequest { Name = "stores/goods/products/Bulb" })).UnitPrice);

        var first = await Service.Catalogue.ListProductsAsync(new ListProductsRequest { Parent = "stores/goods", PageSize = 1 });
        Assert.Equal("Bulb", Assert.Single(first.Products).Sku);
        var second = await Service.Catalogue.ListProductsAsync(new ListProductsRequest { Parent = "stores/goods", PageSize = 1, PageToken = first.NextPageToken });
        Assert.Equal("lamp", Assert.Single(second.Products).Sku);
        Assert.Empty(second.NextPageToken);
        await Refusal.Is("PRODUCT_NOT_FOUND", Service.Catalogue.GetProductAsync(new GetProductRequest { Name = "stores/goods/products/none" }));
        await Refusal.Is("STORE_NOT_FOUND", Service.Catalogue.GetProductAsync(new GetProductRequest { Name = "stores/none/products/none" }));
    }

    [Fact]
    public async Task An_article_has_the_tax_of_its_own_or_the_stores_and_its_orders_say_so()
    {
        Product Of(string sku, int? rate)
        {
            var product = new Product { Sku = sku, Title = sku, UnitPrice = Request.Euro(1000) };
            if (rate is { } given)
                product.TaxBasisPoints = given;
            return product;
        }

        var made = await Service.Catalogue.BatchUpdateProductsAsync(new BatchUpdateProductsRequest { Parent = "stores/main", Products = { Of("tax-book", 700), Of("tax-stamp", 0), Of("tax-lamp", null) } });
        Assert.Equal([(true, 700), (true, 0), (false, 0)], made.Products.Select(product => (product.HasTaxBasisPoints, product.TaxBasisPoints)));
        var placed = await Service.Orders.PlaceOrderAsync(Request.Order(Request.Line("tax-book", 1), Request.Line("tax-stamp", 1), Request.Line("tax-lamp", 1)));
        Assert.Equal([(true, 700), (true, 0), (false, 0)], (await Service.OrderWith(placed.OrderId)).Lines.Select(line => (line.HasTaxBasisPoints, line.TaxBasisPoints)));
        var (_, _, fields, _) = await Refusal.Of(Service.Catalogue.BatchUpdateProductsAsync(new BatchUpdateProductsRequest { Parent = "stores/main", Products = { Of("tax-wrong", 10_001) } }));
        Assert.Contains("products[0].tax_basis_points", fields.Keys);
    }

    [Fact]
    public async Task Stock_cannot_be_set_below_what_orders_hold()
    {
        await Service.Stocked(10, "held");
        await Service.Orders.PlaceOrderAsync(Request.Order(Request.Line("held", 4)));
        BatchSetStockRequest Level(string sku, long onHand) => new() { Parent = "stores/main", Levels = { new StockLevel { Sku = sku, OnHand = onHand } } };
        var (_, _, fields, _) = await Refusal.Of(Service.Stock.BatchSetStockAsync(Level("held", 3)));
        Assert.Contains("4", fields["levels[0].on_hand"], StringComparison.Ordinal);
        Assert.Equal(0, (await Service.Stock.BatchSetStockAsync(Level("held", 4))).Stock[0].Available);
        await Refusal.Is("PRODUCT_NOT_FOUND", Service.Stock.BatchSetStockAsync(Level("unheard-of", 1)));
        await Refusal.Is("INVALID_FIELD", Service.Stock.BatchSetStockAsync(Level("held", -1)));
        await Refusal.Is("PRODUCT_NOT_FOUND", Service.Stock.GetStockAsync(new GetStockRequest { Name = "stores/main/products/unheard-of/stock" }));
        await Refusal.Is("INVALID_FIELD", Service.Stock.GetStockAsync(new GetStockRequest { Name = "stores/main/products/held" }));
    }
}

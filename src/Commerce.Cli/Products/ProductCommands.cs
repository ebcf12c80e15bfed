using System.CommandLine;
using Commerce.Cli.Api;
using Commerce.Cli.Orders;
using Commerce.Cli.Payments;
using Commerce.Orders.V1;
using Grpc.Core;
using Spectre.Console;

namespace Commerce.Cli.Products;

/// <summary>`./commerce product …`.</summary>
internal static class ProductCommands
{
    public static Command Create() => new("product", "What a store sells: price, cost, tax, whether stock is counted.") { Get(), List(), Set() };

    private static Command Get()
    {
        var (sku, store, json) = (Sku(), Listing.Store(), OrderCommands.JsonOption());
        var command = new Command("get", "Show an article.\n\nExample: ./commerce product get LAMP-7") { sku, store, json };
        command.SetAction((parse, cancellationToken) => ApiCall.Run(
            async api =>
            {
                var name = $"stores/{parse.GetValue(store)}/products/{parse.GetRequiredValue(sku)}";
                Write(await api.Catalogue.GetProductAsync(new GetProductRequest { Name = name }, OrderCommands.Options(cancellationToken)), parse.GetValue(json));
                return Exit.Done;
            },
            cancellationToken));
        return command;
    }

    private static Command List()
    {
        var (store, limit, json) = (Listing.Store(), Listing.Limit("articles", 100), OrderCommands.JsonOption());
        var command = new Command("list", "List a store's articles, by SKU.\n\nExample: ./commerce product list --limit 20") { store, limit, json };
        command.SetAction((parse, cancellationToken) => ApiCall.Run(
            api => Listing.Show<ListProductsResponse, Product>(
                parse.GetValue(limit),
                parse.GetValue(json),
                async (size, token) => await api.Catalogue.ListProductsAsync(
                    new ListProductsRequest { Parent = $"stores/{parse.GetValue(store)}", PageSize = size, PageToken = token }, OrderCommands.Options(cancellationToken)),
                page => (page.Products, page.NextPageToken),
                product => Write(product, json: false)),
            cancellationToken));
        return command;
    }

    private static Command Set()
    {
        var (sku, store, json) = (Sku(), Listing.Store(), OrderCommands.JsonOption());
        var title = new Option<string?>("--title") { Description = "What it is called; needed for a new one." };
        var price = new Option<string?>("--price") { Description = "Of one piece, tax included, in the store's currency, for example 12.50; needed for a new one." };
        var cost = new Option<string?>("--cost") { Description = "What it costs the shop." };
        var tax = new Option<decimal?>("--tax") { Description = "The tax that its price includes, in percent, for example 7; none given: as it was, and the store's for a new one." };
        var category = new Option<string?>("--category") { Description = "For reports." };
        var counted = new Option<bool?>("--count-stock") { Description = "Whether its stock is counted." };
        var backorder = new Option<bool?>("--backorder") { Description = "Whether it may be ordered beyond what is on the shelf." };
        var command = new Command("set", "Make an article, or change what is given of it.\n\nExample: ./commerce product set LAMP-7 --title \"Desk lamp\" --price 39.90 --tax 7 --count-stock true")
        {
            sku, title, price, cost, tax, category, counted, backorder, store, json,
        };
        command.SetAction((parse, cancellationToken) => ApiCall.Run(
            async api =>
            {
                var parent = $"stores/{parse.GetValue(store)}";
                var product = await Find(api, $"{parent}/products/{parse.GetRequiredValue(sku)}", cancellationToken) ?? new Product { Sku = parse.GetRequiredValue(sku) };
                var currency = product.UnitPrice?.CurrencyCode
                    ?? (await api.Stores.GetStoreAsync(new GetStoreRequest { Name = parent }, OrderCommands.Options(cancellationToken))).CurrencyCode;
                product.Title = parse.GetValue(title) ?? product.Title;
                product.Category = parse.GetValue(category) ?? product.Category;
                product.StockTracked = parse.GetValue(counted) ?? product.StockTracked;
                product.Backorder = parse.GetValue(backorder) ?? product.Backorder;
                if (parse.GetValue(price) is { } asked)
                    product.UnitPrice = PaymentCommands.Amount(asked, currency);
                if (parse.GetValue(cost) is { } paid)
                    product.UnitCost = PaymentCommands.Amount(paid, currency);
                if (parse.GetValue(tax) is { } percent)
                    product.TaxBasisPoints = percent is >= 0 and <= 100 && percent * 100 == decimal.Truncate(percent * 100)
                        ? (int)(percent * 100)
                        : throw new UsageException($"--tax {percent}: give a percentage between 0 and 100 with at most two decimals.");
                var updated = await api.Catalogue.BatchUpdateProductsAsync(
                    new BatchUpdateProductsRequest { Parent = parent, RequestId = Guid.CreateVersion7().ToString(), Products = { product } }, OrderCommands.Options(cancellationToken));
                Write(updated.Products[0], parse.GetValue(json));
                return Exit.Done;
            },
            cancellationToken));
        return command;
    }

    private static async Task<Product?> Find(SuiteApi api, string name, CancellationToken cancellationToken)
    {
        try
        {
            return await api.Catalogue.GetProductAsync(new GetProductRequest { Name = name }, OrderCommands.Options(cancellationToken));
        }
        catch (RpcException exception) when (exception.StatusCode == StatusCode.NotFound)
        {
            return null;
        }
    }

    private static Argument<string> Sku() => new("SKU") { Description = "The store's code of the article." };

    private static void Write(Product product, bool json)
    {
        if (json)
        {
            Print.Json(product);
            return;
        }

        var tax = product.HasTaxBasisPoints ? FormattableString.Invariant($"tax {product.TaxBasisPoints / 100m:0.##} %") : "tax as the store";
        var stock = product.StockTracked ? product.Backorder ? "stock counted, may be ordered beyond" : "stock counted" : "stock not counted";
        AnsiConsole.MarkupLine($"[bold]{Print.Escape(product.Sku)}[/]  {Print.Escape(product.Title)}  {Print.Amount(product.UnitPrice)}  [dim]{tax}, {stock} {Print.Escape(product.Category)}[/]");
    }
}

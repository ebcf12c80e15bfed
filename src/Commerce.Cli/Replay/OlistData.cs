using System.Globalization;
using CsvHelper;
using CsvHelper.Configuration;

namespace Commerce.Cli.Replay;

/// <summary>The Olist sample as it lies in a folder: real orders of Brazilian market-place sellers.</summary>
internal sealed class OlistData
{
    private OlistData(IReadOnlyList<OlistOrder> orders, IReadOnlyDictionary<string, OlistProduct> products)
    {
        Orders = orders;
        Products = products;
    }

    /// <summary>By the time of purchase.</summary>
    public IReadOnlyList<OlistOrder> Orders { get; }

    public IReadOnlyDictionary<string, OlistProduct> Products { get; }

    /// <exception cref="Api.UsageException">The folder lacks a file, or a file is not what it should be.</exception>
    public static OlistData Read(string folder)
    {
        var customers = Rows(folder, "olist_customers_dataset.csv").ToDictionary(row => row["customer_id"], row => row);
        var sellers = Rows(folder, "olist_sellers_dataset.csv").ToDictionary(row => row["seller_id"], row => row);
        var names = Rows(folder, "product_category_name_translation.csv")
            .ToDictionary(row => row["product_category_name"], row => row["product_category_name_english"]);
        var products = Rows(folder, "olist_products_dataset.csv").ToDictionary(
            row => row["product_id"],
            row => new OlistProduct(
                row["product_id"],
                names.GetValueOrDefault(row["product_category_name"], row["product_category_name"]) is { Length: > 0 } name ? name.Replace('_', ' ') : "article",
                Whole(row["product_weight_g"]),
                Whole(row["product_length_cm"]) * 10,
                Whole(row["product_width_cm"]) * 10,
                Whole(row["product_height_cm"]) * 10));
        var items = Rows(folder, "olist_order_items_dataset.csv").ToLookup(row => row["order_id"]);
        var payments = Rows(folder, "olist_order_payments_dataset.csv").ToLookup(row => row["order_id"]);

        var orders = Rows(folder, "olist_orders_dataset.csv").Select(row =>
        {
            var customer = customers[row["customer_id"]];
            return new OlistOrder(
                row["order_id"],
                row["order_status"],
                DateTime.ParseExact(row["order_purchase_timestamp"], "yyyy-MM-dd HH:mm:ss", CultureInfo.InvariantCulture),
                customer["customer_unique_id"],
                customer["customer_zip_code_prefix"],
                customer["customer_city"],
                customer["customer_state"],
                [.. items[row["order_id"]].OrderBy(item => Whole(item["order_item_id"])).Select(item => new OlistItem(
                    item["product_id"],
                    item["seller_id"],
                    sellers[item["seller_id"]]["seller_zip_code_prefix"],
                    sellers[item["seller_id"]]["seller_city"],
                    sellers[item["seller_id"]]["seller_state"],
                    Centavos(item["price"]),
                    Centavos(item["freight_value"])))],
                [.. payments[row["order_id"]].OrderBy(payment => Whole(payment["payment_sequential"])).Select(payment => new OlistPayment(
                    payment["payment_type"],
                    Math.Max(1, Whole(payment["payment_installments"])),
                    Centavos(payment["payment_value"])))]);
        });
        return new OlistData([.. orders.OrderBy(order => order.PurchasedAt).ThenBy(order => order.Id, StringComparer.Ordinal)], products);
    }

    private static List<IReadOnlyDictionary<string, string>> Rows(string folder, string file)
    {
        var path = Path.Combine(folder, file);
        if (!File.Exists(path))
            throw new Api.UsageException($"{path} is missing. Expected the Olist data set: the folder that holds olist_orders_dataset.csv and its siblings.");
        using var reader = new StreamReader(path);
        using var csv = new CsvReader(reader, new CsvConfiguration(CultureInfo.InvariantCulture) { BadDataFound = null });
        var rows = new List<IReadOnlyDictionary<string, string>>();
        csv.Read();
        csv.ReadHeader();
        var header = csv.HeaderRecord!;
        while (csv.Read())
            rows.Add(header.ToDictionary(column => column.TrimStart('\uFEFF'), column => csv.GetField(column) ?? ""));
        return rows;
    }

    private static int Whole(string text) =>
        decimal.TryParse(text, NumberStyles.Number, CultureInfo.InvariantCulture, out var value) ? (int)value : 0;

    private static long Centavos(string text) => (long)decimal.Round(decimal.Parse(text, CultureInfo.InvariantCulture) * 100);
}

/// <summary>Amounts in centavos.</summary>
internal sealed record OlistOrder(
    string Id,
    string Status,
    DateTime PurchasedAt,
    string CustomerId,
    string PostalCode,
    string City,
    string State,
    IReadOnlyList<OlistItem> Items,
    IReadOnlyList<OlistPayment> Payments)
{
    /// <summary>What the data says was paid.</summary>
    public long Paid => Payments.Sum(payment => payment.Amount);
}

internal sealed record OlistItem(string ProductId, string SellerId, string SellerPostalCode, string SellerCity, string SellerState, long Price, long Freight);

internal sealed record OlistPayment(string Type, int Instalments, long Amount);

internal sealed record OlistProduct(string Id, string Title, int WeightGrams, int LengthMm, int WidthMm, int HeightMm);

using Commerce.Promising;
using Commerce.Promising.Backtesting;

namespace Commerce.Cli.Eta;

/// <summary>
/// The journeys of the orders in an Olist folder. What is known at purchase alone becomes part of a consignment: neither the review, nor
/// how the order ended, nor the limit for the hand-over, which is set when the payment is confirmed.
/// </summary>
internal static class OlistJourneys
{
    private const string Country = "BR";

    // The data's times are Brasília's.
    private static readonly TimeSpan Offset = TimeSpan.FromHours(-3);

    /// <exception cref="Api.UsageException">The orders are missing.</exception>
    public static IReadOnlyList<Journey> Read(string folder, RowProblems problems)
    {
        var customers = ByKey(folder, "olist_customers_dataset.csv", problems, "customer_id", row => new Locality(Country, row["customer_state"], row["customer_zip_code_prefix"]));
        var sellers = ByKey(folder, "olist_sellers_dataset.csv", problems, "seller_id", row => new Locality(Country, row["seller_state"], row["seller_zip_code_prefix"]));
        var products = ByKey(folder, "olist_products_dataset.csv", problems, "product_id", row => (
            Category: row["product_category_name"],
            Grams: row.Number("product_weight_g"),
            Litres: row.Number("product_length_cm") * row.Number("product_height_cm") * row.Number("product_width_cm") / 1000));
        var positions = Positions(folder, problems);
        var items = CsvTable.Rows(folder, "olist_order_items_dataset.csv", problems, required: false, "order_id", "seller_id")
            .Select(row => (Order: row["order_id"], Number: row.Number("order_item_id") ?? 0, Seller: row["seller_id"], Product: row["product_id"], Price: row.Number("price"), Freight: row.Number("freight_value")))
            .ToLookup(item => item.Order);
        var payments = CsvTable.Rows(folder, "olist_order_payments_dataset.csv", problems, required: false, "order_id", "payment_type")
            .Select(row => (Order: row["order_id"], Type: row["payment_type"], Value: row.Number("payment_value") ?? 0))
            .ToLookup(payment => payment.Order);

        const string Orders = "olist_orders_dataset.csv";
        var seen = new HashSet<string>(StringComparer.Ordinal);
        var journeys = new List<Journey>();
        foreach (var row in CsvTable.Rows(folder, Orders, problems, required: true, "order_id", "customer_id", "order_purchase_timestamp", "order_delivered_customer_date", "order_estimated_delivery_date"))
        {
            var id = row["order_id"];
            if (id.Length == 0 || row.Time("order_purchase_timestamp") is not { } purchased)
            {
                problems.Add(Orders, "no order id, or no time of purchase", row.Line);
                continue;
            }

            if (!seen.Add(id))
            {
                problems.Add(Orders, "the order occurs twice; the first counts", row.Line);
                continue;
            }

            var delivered = row.Time("order_delivered_customer_date");
            if (delivered is null && row["order_delivered_customer_date"].Length > 0)
            {
                problems.Add(Orders, "the time of delivery is not a time", row.Line);
                continue;
            }

            if (delivered <= purchased)
            {
                problems.Add(Orders, "delivered before it was bought", row.Line);
                continue;
            }

            var promised = row.Time("order_estimated_delivery_date");
            if (promised is null)
                problems.Add(Orders, "no promised date; counts for the ETA alone", row.Line);
            var handedOver = row.Time("order_delivered_carrier_date") is { } time && time >= purchased ? time : (DateTime?)null;
            journeys.Add(new Journey(
                Consignment(id, purchased, promised, customers.GetValueOrDefault(row["customer_id"]) ?? new Locality(Country, "", ""), [.. items[id].OrderBy(item => item.Number)]),
                At(handedOver),
                At(delivered)));
        }

        return journeys;

        Consignment Consignment(
            string id, DateTime purchased, DateTime? promised, Locality to, List<(string Order, double Number, string Seller, string Product, double? Price, double? Freight)> lines)
        {
            var from = lines.Count > 0 && sellers.TryGetValue(lines[0].Seller, out var place) ? place : new Locality(Country, "", "");
            var goods = lines.Select(line => products.GetValueOrDefault(line.Product)).ToList();
            return new Consignment(id, At(purchased)!.Value)
            {
                PromisedAt = At(promised),
                Sender = lines.Count > 0 ? lines[0].Seller : "",
                From = from,
                To = to,
                Category = goods.Select(product => product.Category).LastOrDefault(category => !string.IsNullOrEmpty(category)) ?? "",
                Payment = payments[id].OrderByDescending(payment => payment.Value).Select(payment => payment.Type).FirstOrDefault() ?? "",
                DistanceKm = positions.TryGetValue(from.PostalCode, out var start) && positions.TryGetValue(to.PostalCode, out var end) ? Kilometres(start, end) : null,
                WeightGrams = Sum(goods.Select(product => product.Grams)),
                VolumeLitres = Sum(goods.Select(product => product.Litres)),
                Price = Sum(lines.Select(line => line.Price)),
                Freight = Sum(lines.Select(line => line.Freight)),
                Pieces = lines.Count > 0 ? lines.Count : null,
                Senders = lines.Count > 0 ? lines.Select(line => line.Seller).Distinct(StringComparer.Ordinal).Count() : null,
            };
        }
    }

    private static Dictionary<string, T> ByKey<T>(string folder, string file, RowProblems problems, string key, Func<CsvRow, T> read)
    {
        var rows = new Dictionary<string, T>(StringComparer.Ordinal);
        foreach (var row in CsvTable.Rows(folder, file, problems, required: false, key))
        {
            if (row[key].Length == 0)
                problems.Add(file, $"no {key}", row.Line);
            else
                rows.TryAdd(row[key], read(row));
        }

        return rows;
    }

    // The mean position of each postal prefix; from the single positions where nobody has taken it yet.
    private static Dictionary<string, (double Latitude, double Longitude)> Positions(string folder, RowProblems problems)
    {
        const string Means = "geolocation_zip_mean.csv";
        var (file, prefix, latitude, longitude) = File.Exists(Path.Combine(folder, Means))
            ? (Means, "zip_prefix", "lat", "lng")
            : ("olist_geolocation_dataset.csv", "geolocation_zip_code_prefix", "geolocation_lat", "geolocation_lng");
        var sums = new Dictionary<string, (double Latitude, double Longitude, int Count)>(StringComparer.Ordinal);
        foreach (var row in CsvTable.Rows(folder, file, problems, required: false, prefix, latitude, longitude))
        {
            if (row.Number(latitude) is not (>= -90 and <= 90 and var north) || row.Number(longitude) is not (>= -180 and <= 180 and var east))
            {
                problems.Add(file, "not a position", row.Line);
                continue;
            }

            var sum = sums.GetValueOrDefault(row[prefix]);
            sums[row[prefix]] = (sum.Latitude + north, sum.Longitude + east, sum.Count + 1);
        }

        return sums.ToDictionary(one => one.Key, one => (one.Value.Latitude / one.Value.Count, one.Value.Longitude / one.Value.Count), StringComparer.Ordinal);
    }

    private static double Kilometres((double Latitude, double Longitude) from, (double Latitude, double Longitude) to)
    {
        const double EarthDiameter = 12742;
        var (south, north) = (double.DegreesToRadians(from.Latitude), double.DegreesToRadians(to.Latitude));
        var rise = Math.Sin((north - south) / 2);
        var turn = Math.Sin(double.DegreesToRadians(to.Longitude - from.Longitude) / 2);
        return EarthDiameter * Math.Asin(Math.Min(1, Math.Sqrt((rise * rise) + (Math.Cos(south) * Math.Cos(north) * turn * turn))));
    }

    private static double? Sum(IEnumerable<double?> values)
    {
        double? sum = null;
        foreach (var value in values)
            sum = value is null ? sum : (sum ?? 0) + value;
        return sum;
    }

    private static DateTimeOffset? At(DateTime? time) => time is { } value ? new DateTimeOffset(value, Offset) : null;
}

using Commerce.Messaging;
using Commerce.Orders.Checking;
using Commerce.Orders.PlacingOrder;
using Commerce.Orders.Storage;
using Commerce.Orders.Stores;
using Commerce.Orders.V1;
using Commerce.ServiceDefaults;
using Npgsql;

namespace Commerce.Orders.Catalogue;

/// <summary>Makes or replaces products, all or none.</summary>
public sealed class UpdateProducts(NpgsqlDataSource database, StoreBook stores, ProductBook products, Requests requests)
{
    private const int MostAtOnce = 1_000;

    /// <exception cref="Failure">INVALID_FIELD, STORE_NOT_FOUND, REQUEST_ID_REUSED.</exception>
    public async Task<BatchUpdateProductsResponse> Update(BatchUpdateProductsRequest request, RequestKey? key, CancellationToken cancellationToken)
    {
        var store = await stores.Get(Names.Store("parent", request.Parent), cancellationToken);
        var rows = Check(request, store);

        await using var batch = database.CreateBatch();
        if (key is not null)
            batch.With(requests.Record(key, store.Name, 1));
        batch.With(Sql.Command(
            """
            INSERT INTO products (store_id, sku, title, unit_price_minor, unit_cost_minor, weight_grams, length_mm, width_mm, height_mm,
              from_location_id, from_locality, from_administrative_area, from_postal_code, from_region_code, stock_tracked, category, backorder, tax_basis_points, version)
            SELECT $1, *, 1 FROM unnest($2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14, $15, $16, $17, $18)
            ON CONFLICT (store_id, sku) DO UPDATE SET
              title = excluded.title, unit_price_minor = excluded.unit_price_minor, unit_cost_minor = excluded.unit_cost_minor,
              weight_grams = excluded.weight_grams, length_mm = excluded.length_mm, width_mm = excluded.width_mm, height_mm = excluded.height_mm,
              from_location_id = excluded.from_location_id, from_locality = excluded.from_locality,
              from_administrative_area = excluded.from_administrative_area, from_postal_code = excluded.from_postal_code,
              from_region_code = excluded.from_region_code, stock_tracked = excluded.stock_tracked, category = excluded.category, backorder = excluded.backorder,
              tax_basis_points = excluded.tax_basis_points,
              version = products.version + 1
            """)
            .With(store.StoreId)
            .With(rows.Column(r => r.Product.Sku)).With(rows.Column(r => r.Product.Title)).With(rows.Column(r => r.Price)).With(rows.Column(r => r.Cost))
            .With(rows.Column(r => r.Product.Dimensions?.WeightGrams ?? 0)).With(rows.Column(r => r.Product.Dimensions?.LengthMm ?? 0))
            .With(rows.Column(r => r.Product.Dimensions?.WidthMm ?? 0)).With(rows.Column(r => r.Product.Dimensions?.HeightMm ?? 0))
            .With(rows.Column(r => r.From?.LocationId)).With(rows.Column(r => r.From?.Locality)).With(rows.Column(r => r.From?.AdministrativeArea))
            .With(rows.Column(r => r.From?.PostalCode)).With(rows.Column(r => r.From?.RegionCode))
            .With(rows.Column(r => r.Product.StockTracked)).With(rows.Column(r => r.Product.Category)).With(rows.Column(r => r.Product.Backorder))
            .With(rows.Column(r => r.Product.HasTaxBasisPoints ? r.Product.TaxBasisPoints : (int?)null)));

        // What is counted has a row from the start: nothing on the shelf yet is a number too.
        batch.With(Sql.Command(
            """
            INSERT INTO stock (store_id, sku, on_hand, reserved, backorder)
            SELECT p.store_id, p.sku, 0, 0, p.backorder FROM products p WHERE p.store_id = $1 AND p.sku = ANY ($2) ORDER BY p.sku
            ON CONFLICT DO NOTHING
            """).With(store.StoreId).With(rows.Where(r => r.Product.StockTracked).Select(r => r.Product.Sku).ToArray()));
        // Only where the policy changed: no order has to wait for a new title.
        batch.With(Sql.Command(
            """
            UPDATE stock s SET backorder = p.backorder FROM products p
            WHERE s.store_id = $1 AND s.sku = ANY ($2) AND p.store_id = s.store_id AND p.sku = s.sku AND s.backorder <> p.backorder
            """).With(store.StoreId).With(rows.Column(r => r.Product.Sku)));
        try
        {
            await batch.ExecuteNonQueryAsync(cancellationToken);
        }
        catch (PostgresException exception) when (key is not null && exception.ConstraintName == Requests.Constraint)
        {
            // The first call did the work; its answer is the products, read below. A changed payload is refused here.
            await requests.Find(key, cancellationToken);
        }
        catch (PostgresException exception) when (exception.ConstraintName == "stock_not_oversold")
        {
            throw Failure.Invalid(new FieldError("products", "Orders hold more of a product than is on the shelf; its backorder cannot be ended before there is enough."));
        }

        var now = (await products.Find(store.StoreId, [.. rows.Select(r => r.Product.Sku)], cancellationToken)).ToDictionary(p => p.Sku, StringComparer.Ordinal);
        return new BatchUpdateProductsResponse { Products = { request.Products.Select(p => now[p.Sku]) } };
    }

    // In the order of SKUs: two calls with the same products lock them in the same order.
    private static List<Row> Check(BatchUpdateProductsRequest request, Store store)
    {
        var errors = new FieldErrors();
        errors.RequestId(request.RequestId, required: false);
        errors.Count("products", request.Products.Count, 1, MostAtOnce, "products");
        if (request.Products.Count > MostAtOnce)
            errors.ThrowIfAny();

        var rows = new SortedDictionary<string, Row>(StringComparer.Ordinal);
        for (var i = 0; i < request.Products.Count; i++)
        {
            var (product, field) = (request.Products[i], $"products[{i}]");
            errors.Sku(field + ".sku", product.Sku);
            errors.Required(field + ".title", product.Title, 300);
            errors.Optional(field + ".category", product.Category, 100);
            if (product.HasTaxBasisPoints)
                errors.Between(field + ".tax_basis_points", product.TaxBasisPoints, 0, 10_000);
            errors.Dimensions(field + ".dimensions", product.Dimensions);
            errors.Place(field + ".ship_from", product.ShipFrom);
            var price = errors.Amount(field + ".unit_price", product.UnitPrice, store.CurrencyCode, 0, PlaceOrderCheck.MostMinor);
            var cost = product.UnitCost is null ? null : errors.Amount(field + ".unit_cost", product.UnitCost, store.CurrencyCode, 0, PlaceOrderCheck.MostMinor);
            var from = product.ShipFrom is { } place && place.CalculateSize() > 0 ? place : null;
            if (!rows.TryAdd(product.Sku, new Row(product, price ?? 0, cost, from)))
                errors.Add(field + ".sku", "Is given twice.");
        }

        errors.ThrowIfAny();
        return [.. rows.Values];
    }

    private sealed record Row(Product Product, long Price, long? Cost, Types.V1.Place? From);
}

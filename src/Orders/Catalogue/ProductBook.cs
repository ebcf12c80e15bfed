using Commerce.Orders.Storage;
using Commerce.Orders.Stores;
using Commerce.Orders.V1;
using Commerce.Types.V1;
using Microsoft.Extensions.Caching.Memory;
using Microsoft.Extensions.Options;
using Npgsql;

namespace Commerce.Orders.Catalogue;

/// <summary>A product, as far as pricing needs it.</summary>
/// <param name="Version">Counts the product's changes from 1.</param>
public sealed record CatalogueProduct(string Title, Money UnitPrice, Dimensions Dimensions, Place? ShipFrom, bool StockTracked, long Version)
{
    /// <summary>Whether it may be ordered beyond what is on the shelf.</summary>
    public bool Backorder { get; init; }
}

/// <summary>
/// Reads the catalogue. For pricing, products are kept in memory, and that a SKU is in no catalogue too: an order that was
/// priced from this copy asserts its versions in its own transaction, so a stale copy costs another try and never a wrong
/// price. Nothing needs to be told when products change, in this process or another.
/// </summary>
public sealed class ProductBook(NpgsqlDataSource database, StoreBook stores, IOptions<OrdersOptions> options) : IDisposable
{
    private const string Columns =
        """
        SELECT sku, title, unit_price_minor, unit_cost_minor, weight_grams, length_mm, width_mm, height_mm,
               from_location_id, from_locality, from_administrative_area, from_postal_code, from_region_code, stock_tracked, category, version, backorder, tax_basis_points
        FROM products
        """;

    private static readonly IReadOnlyDictionary<string, CatalogueProduct> Empty = new Dictionary<string, CatalogueProduct>();

    private readonly MemoryCache _cache = new(new MemoryCacheOptions { SizeLimit = options.Value.CachedProducts });

    /// <summary>Those of the SKUs that are in the catalogue, perhaps as they were.</summary>
    public async Task<IReadOnlyDictionary<string, CatalogueProduct>> Copy(Store store, IEnumerable<string> skus, CancellationToken cancellationToken)
    {
        Dictionary<string, CatalogueProduct>? known = null;
        List<string>? missing = null;
        foreach (var sku in skus.Distinct(StringComparer.Ordinal))
        {
            if (!_cache.TryGetValue((store.StoreId, sku), out CatalogueProduct? product))
                (missing ??= []).Add(sku);
            else if (product is not null)
                (known ??= new(StringComparer.Ordinal))[sku] = product;
        }

        if (missing is null)
            return known ?? Empty;
        var read = await Fresh(store, missing, cancellationToken);
        if (known is null)
            return read;
        foreach (var (sku, product) in read)
            known[sku] = product;
        return known;
    }

    /// <summary>Those of the SKUs that are in the catalogue, as they are now.</summary>
    public async Task<IReadOnlyDictionary<string, CatalogueProduct>> Fresh(Store store, IReadOnlyCollection<string> skus, CancellationToken cancellationToken)
    {
        var read = new Dictionary<string, CatalogueProduct>(StringComparer.Ordinal);
        await using var command = database.CreateCommand(Columns + " WHERE store_id = $1 AND sku = ANY ($2)").With(store.StoreId).With(skus.ToArray());
        await using var reader = await command.ExecuteReaderAsync(cancellationToken);
        while (await reader.ReadAsync(cancellationToken))
        {
            read[reader.GetString(0)] = new CatalogueProduct(
                reader.GetString(1), new Money(reader.GetInt64(2), store.CurrencyCode), ReadDimensions(reader), ReadPlace(reader), reader.GetBoolean(13), reader.GetInt64(15))
            {
                Backorder = reader.GetBoolean(16),
            };
        }

        foreach (var sku in skus)
            _cache.Set((store.StoreId, sku), read.GetValueOrDefault(sku), new MemoryCacheEntryOptions { Size = 1 });
        return read;
    }

    /// <summary>The products with these SKUs, by SKU.</summary>
    public async Task<List<Product>> Find(string storeId, string[] skus, CancellationToken cancellationToken)
    {
        var store = await stores.Get(storeId, cancellationToken);
        return await Read(store, database.CreateCommand(Columns + " WHERE store_id = $1 AND sku = ANY ($2) ORDER BY sku").With(storeId).With(skus), cancellationToken);
    }

    /// <summary>Products after a SKU, by SKU.</summary>
    public async Task<List<Product>> List(string storeId, string after, int limit, CancellationToken cancellationToken)
    {
        var store = await stores.Get(storeId, cancellationToken);
        return await Read(
            store, database.CreateCommand(Columns + " WHERE store_id = $1 AND sku > $2 ORDER BY sku LIMIT $3").With(storeId).With(after).With(limit), cancellationToken);
    }

    public void Dispose() => _cache.Dispose();

    private static async Task<List<Product>> Read(Store store, NpgsqlCommand query, CancellationToken cancellationToken)
    {
        await using var command = query;
        await using var reader = await command.ExecuteReaderAsync(cancellationToken);
        var products = new List<Product>();
        while (await reader.ReadAsync(cancellationToken))
        {
            var product = new Product
            {
                Name = $"stores/{store.StoreId}/products/{reader.GetString(0)}",
                Sku = reader.GetString(0),
                Title = reader.GetString(1),
                UnitPrice = new Money(reader.GetInt64(2), store.CurrencyCode).ToProto(),
                UnitCost = reader.IsDBNull(3) ? null : new Money(reader.GetInt64(3), store.CurrencyCode).ToProto(),
                Dimensions = ReadDimensions(reader),
                ShipFrom = ReadPlace(reader),
                StockTracked = reader.GetBoolean(13),
                Category = reader.GetString(14),
                Backorder = reader.GetBoolean(16),
            };
            if (!reader.IsDBNull(17))
                product.TaxBasisPoints = reader.GetInt32(17);
            products.Add(product);
        }

        return products;
    }

    private static Dimensions ReadDimensions(NpgsqlDataReader reader) =>
        new() { WeightGrams = reader.GetInt32(4), LengthMm = reader.GetInt32(5), WidthMm = reader.GetInt32(6), HeightMm = reader.GetInt32(7) };

    private static Place? ReadPlace(NpgsqlDataReader reader) => reader.IsDBNull(8)
        ? null
        : new Place
        {
            LocationId = reader.GetString(8),
            Locality = reader.GetString(9),
            AdministrativeArea = reader.GetString(10),
            PostalCode = reader.GetString(11),
            RegionCode = reader.GetString(12),
        };
}

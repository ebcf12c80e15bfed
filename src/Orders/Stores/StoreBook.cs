using System.Collections.Concurrent;
using Commerce.Orders.ReturningItems;
using Commerce.Orders.Storage;
using Commerce.Orders.V1;
using Commerce.ServiceDefaults;
using Commerce.Types.V1;
using Npgsql;

namespace Commerce.Orders.Stores;

/// <summary>
/// The stores. One that was read is kept in memory for a while: there are few, they hardly ever change, and what an order needs
/// of one (prefix, currency) never does. That there is none is always asked again.
/// </summary>
public sealed class StoreBook(NpgsqlDataSource database, TimeProvider clock)
{
    // Another process may have changed it: so long its old name, language or place may still be used here.
    private static readonly TimeSpan Kept = TimeSpan.FromSeconds(10);

    private const string Columns =
        """
        SELECT store_id, display_name, order_prefix, currency, language_code, time_zone, sender_email,
               from_location_id, from_locality, from_administrative_area, from_postal_code, from_region_code, colour, logo_uri,
               return_policy, version, capture_mode, tax_basis_points, logo_image
        FROM stores
        """;

    private readonly ConcurrentDictionary<string, (Store Store, long ReadAt)> _known = new(StringComparer.Ordinal);

    /// <summary>1 to 40 of lower-case letters, digits and '-', beginning with a letter.</summary>
    public static bool IsStoreId(string text) =>
        text.Length is > 0 and <= 40 && char.IsAsciiLetterLower(text[0]) && text.All(c => char.IsAsciiLetterLower(c) || char.IsAsciiDigit(c) || c == '-');

    /// <exception cref="Failure">STORE_NOT_FOUND.</exception>
    public async ValueTask<Store> Get(string storeId, CancellationToken cancellationToken) =>
        await Find(storeId, cancellationToken)
        ?? throw new Failure(
            ErrorReason.StoreNotFound,
            IsStoreId(storeId) ? $"There is no store \"{storeId}\"." : "There is no such store: a store's id is 1 to 40 of lower-case letters, digits and '-', beginning with a letter.");

    public async ValueTask<Store?> Find(string storeId, CancellationToken cancellationToken)
    {
        if (_known.TryGetValue(storeId, out var known) && clock.GetElapsedTime(known.ReadAt) < Kept)
            return known.Store;
        return await FindFresh(storeId, cancellationToken);
    }

    /// <summary>As it is in the database now.</summary>
    /// <exception cref="Failure">STORE_NOT_FOUND.</exception>
    public async Task<Store> GetFresh(string storeId, CancellationToken cancellationToken) =>
        await FindFresh(storeId, cancellationToken) ?? await Get(storeId, cancellationToken);

    private async Task<Store?> FindFresh(string storeId, CancellationToken cancellationToken)
    {
        if (!IsStoreId(storeId))
            return null;
        var readAt = clock.GetTimestamp();
        var read = (await Read(database.CreateCommand(Columns + " WHERE store_id = $1").With(storeId), cancellationToken)).SingleOrDefault();
        if (read is not null)
            _known[storeId] = (read, readAt);
        return read;
    }

    public Task<List<Store>> List(string after, int limit, CancellationToken cancellationToken) =>
        Read(database.CreateCommand(Columns.Replace("logo_image", "''::bytea", StringComparison.Ordinal) + " WHERE store_id > $1 AND ($3::text[] IS NULL OR store_id = ANY ($3)) ORDER BY store_id LIMIT $2")
        .With(after).With(limit).With(Principal.Current?.Stores?.ToArray()), cancellationToken);

    private static async Task<List<Store>> Read(NpgsqlCommand query, CancellationToken cancellationToken)
    {
        await using var command = query;
        await using var reader = await command.ExecuteReaderAsync(cancellationToken);
        var stores = new List<Store>();
        while (await reader.ReadAsync(cancellationToken))
        {
            stores.Add(new Store
            {
                Name = "stores/" + reader.GetString(0),
                StoreId = reader.GetString(0),
                DisplayName = reader.GetString(1),
                OrderPrefix = reader.GetString(2),
                CurrencyCode = reader.GetString(3),
                LanguageCode = reader.GetString(4),
                TimeZone = reader.GetString(5),
                SenderEmail = reader.GetString(6),
                ShipFrom = new Place
                {
                    LocationId = reader.GetString(7),
                    Locality = reader.GetString(8),
                    AdministrativeArea = reader.GetString(9),
                    PostalCode = reader.GetString(10),
                    RegionCode = reader.GetString(11),
                },
                Colour = reader.GetString(12),
                LogoUri = reader.GetString(13),
                ReturnPolicy = ReturnPolicies.FromJson(reader.TextOrNull(14)),
                Etag = OrderMessage.EtagOf(reader.GetInt64(15)),
                CaptureMode = (CaptureMode)reader.GetInt16(16),
                TaxBasisPoints = reader.GetInt32(17),
                LogoImage = Google.Protobuf.ByteString.CopyFrom(reader.GetFieldValue<byte[]>(18)),
            });
        }

        return stores;
    }
}

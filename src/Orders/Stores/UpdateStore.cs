using Commerce.Messaging;
using Commerce.Orders.Checking;
using Commerce.Orders.ReturningItems;
using Commerce.Orders.Storage;
using Commerce.Orders.V1;
using Commerce.ServiceDefaults;
using Commerce.Types.V1;
using Npgsql;

namespace Commerce.Orders.Stores;

/// <summary>Changes a store: everything but what its orders bear.</summary>
public sealed class UpdateStore(NpgsqlDataSource database, StoreBook stores, Requests requests)
{
    private static readonly string[] Changeable =
        ["display_name", "language_code", "time_zone", "sender_email", "ship_from", "colour", "logo_uri", "return_policy", "capture_mode", "tax_basis_points", "logo_image"];

    /// <exception cref="Failure">INVALID_FIELD, STORE_NOT_FOUND, ETAG_MISMATCH, REQUEST_ID_REUSED.</exception>
    public async Task<Store> Update(UpdateStoreRequest request, RequestKey key, CancellationToken cancellationToken)
    {
        var mask = Check(request);
        var storeId = Names.Store("store.name", request.Store.Name);
        while (true)
        {
            var now = await stores.GetFresh(storeId, cancellationToken);
            if (await requests.Find(key, cancellationToken) is not null)
                return now;
            if (request.Store.Etag.Length > 0 && request.Store.Etag != now.Etag)
            {
                throw new Failure(
                    ErrorReason.EtagMismatch, $"Store \"{storeId}\" changed since its etag {request.Store.Etag} was read; read it again.",
                    new FieldError("store.etag", "Not the store's etag any more."));
            }

            try
            {
                if (await Write(now, Changed(now, request.Store, mask), key, cancellationToken))
                    return await stores.GetFresh(storeId, cancellationToken);
            }
            catch (PostgresException exception) when (Requests.IsRepeated(exception))
            {
                // The same request at the same time: the next look finds what it made.
            }
        }
    }

    private static Store Changed(Store now, Store wanted, IReadOnlyList<string> mask)
    {
        var store = now.Clone();
        foreach (var path in mask)
        {
            var accessor = Store.Descriptor.FindFieldByName(path).Accessor;
            if (accessor.GetValue(wanted) is { } value)
                accessor.SetValue(store, value);
            else
                accessor.Clear(store);
        }

        var errors = new FieldErrors();
        CreateStore.Check(errors, store);
        errors.ThrowIfAny();
        CreateStore.FillIn(store);
        return store;
    }

    // False if somebody else changed it since it was read: look again.
    private async Task<bool> Write(Store now, Store store, RequestKey key, CancellationToken cancellationToken)
    {
        var from = store.ShipFrom;
        await using var connection = await database.OpenConnectionAsync(cancellationToken);
        await using var transaction = await connection.BeginTransactionAsync(cancellationToken);
        await using var batch = new NpgsqlBatch(connection, transaction);
        var update = Sql.Command(
            """
            UPDATE stores SET display_name = $3, language_code = $4, time_zone = $5, sender_email = $6, from_location_id = $7, from_locality = $8,
              from_administrative_area = $9, from_postal_code = $10, from_region_code = $11, colour = $12, logo_uri = $13, return_policy = $14,
              capture_mode = $15, tax_basis_points = $16, logo_image = $17, version = version + 1
            WHERE store_id = $1 AND '"' || version || '"' = $2
            """)
            .With(store.StoreId).With(now.Etag).With(store.DisplayName).With(store.LanguageCode).With(store.TimeZone).With(store.SenderEmail)
            .With(from.LocationId).With(from.Locality).With(from.AdministrativeArea).With(from.PostalCode).With(from.RegionCode)
            .With(store.Colour).With(store.LogoUri).WithJson(ReturnPolicies.ToJson(store.ReturnPolicy)).With((short)store.CaptureMode)
            .With(store.TaxBasisPoints).With(store.LogoImage.ToByteArray());
        batch.With(requests.Record(key, store.Name, 1)).With(update);
        await batch.ExecuteNonQueryAsync(cancellationToken);
        if (update.RecordsAffected == 0)
            return false;
        await transaction.CommitAsync(cancellationToken);
        return true;
    }

    private static List<string> Check(UpdateStoreRequest request)
    {
        var errors = new FieldErrors();
        errors.RequestId(request.RequestId, required: true);
        if (request.Store is null)
        {
            errors.Add("store", "Give the store with its name and what is to be changed.");
            errors.ThrowIfAny();
        }

        errors.Etag("store.etag", request.Store!.Etag);
        var mask = request.UpdateMask?.Paths.Distinct().Take(FieldErrors.MostNamed).ToList() ?? [];
        if (mask.Count == 0)
            errors.Add("update_mask", $"Name what is to be changed: {string.Join(", ", Changeable)}.");
        foreach (var path in mask.Where(path => !Changeable.Contains(path)))
            errors.Add("update_mask", $"\"{(path.Length <= 60 ? path : path[..60])}\" cannot be changed; {string.Join(", ", Changeable)} can.");
        errors.ThrowIfAny();
        return mask;
    }
}

using Commerce.Messaging;
using Commerce.Orders.Checking;
using Commerce.Orders.ReturningItems;
using Commerce.Orders.Storage;
using Commerce.Orders.V1;
using Commerce.ServiceDefaults;
using Commerce.Types.V1;
using Npgsql;

namespace Commerce.Orders.Stores;

/// <summary>Makes a store.</summary>
public sealed class CreateStore(NpgsqlDataSource database, StoreBook stores, Requests requests, TimeProvider clock)
{
    /// <exception cref="Failure">INVALID_FIELD, STORE_EXISTS, REQUEST_ID_REUSED.</exception>
    public async Task<Store> Create(CreateStoreRequest request, RequestKey? key, CancellationToken cancellationToken)
    {
        var store = Check(request);
        var from = store.ShipFrom;
        await using var batch = database.CreateBatch();
        if (key is not null)
            batch.With(requests.Record(key, store.Name, 1));
        batch.With(Sql.Command(
            """
            INSERT INTO stores (store_id, display_name, order_prefix, currency, language_code, time_zone, sender_email,
              from_location_id, from_locality, from_administrative_area, from_postal_code, from_region_code, colour, logo_uri, create_time, return_policy, capture_mode, tax_basis_points, logo_image)
            VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14, $15, $16, $17, $18, $19)
            """)
            .With(store.StoreId).With(store.DisplayName).With(store.OrderPrefix).With(store.CurrencyCode).With(store.LanguageCode)
            .With(store.TimeZone).With(store.SenderEmail).With(from.LocationId).With(from.Locality).With(from.AdministrativeArea)
            .With(from.PostalCode).With(from.RegionCode).With(store.Colour).With(store.LogoUri).With(clock.Now())
            .WithJson(ReturnPolicies.ToJson(store.ReturnPolicy)).With((short)store.CaptureMode)
            .With(store.TaxBasisPoints).With(store.LogoImage.ToByteArray()));
        try
        {
            await batch.ExecuteNonQueryAsync(cancellationToken);
            return store;
        }
        catch (PostgresException exception) when (exception.SqlState == PostgresErrorCodes.UniqueViolation)
        {
            if (key is not null && await requests.Find(key, cancellationToken) is { } answer)
                return await stores.Get(answer.Resource["stores/".Length..], cancellationToken);
            return await Existing(store, cancellationToken);
        }
    }

    private async Task<Store> Existing(Store store, CancellationToken cancellationToken)
    {
        var existing = await stores.Find(store.StoreId, cancellationToken);
        if (existing is not null && store.Equals(new Store(existing) { Etag = store.Etag }))
            return existing;
        throw new Failure(
            ErrorReason.StoreExists,
            existing is null
                ? $"The order_prefix {store.OrderPrefix} belongs to another store; choose another."
                : $"Store \"{store.StoreId}\" exists already with other settings.");
    }

    private static Store Check(CreateStoreRequest request)
    {
        var errors = new FieldErrors();
        errors.RequestId(request.RequestId, required: false);
        if (request.Store is null)
        {
            errors.Add("store", "Say what the store is.");
            errors.ThrowIfAny();
        }

        var store = request.Store!.Clone();
        if (!StoreBook.IsStoreId(store.StoreId))
            errors.Add("store.store_id", "Give 1 to 40 of lower-case letters, digits and '-', beginning with a letter.");
        if (!OrderId.IsPrefix(store.OrderPrefix))
            errors.Add("store.order_prefix", "Give 1 to 6 capital letters A-Z, for example \"ORD\".");
        if (!Currencies.Exists(store.CurrencyCode))
            errors.Add("store.currency_code", "Is not an active ISO 4217 currency; use a code such as EUR.");
        Check(errors, store);
        errors.ThrowIfAny();

        store.Name = "stores/" + store.StoreId;
        store.Etag = OrderMessage.EtagOf(1);
        FillIn(store);
        return store;
    }

    /// <summary>The defaults of what says nothing.</summary>
    internal static void FillIn(Store store)
    {
        store.ReturnPolicy = ReturnPolicies.Effective(store.ReturnPolicy);
        if (store.CaptureMode == CaptureMode.Unspecified)
            store.CaptureMode = CaptureMode.Automatic;
    }

    /// <summary>What can be changed of a store, too.</summary>
    internal static void Check(FieldErrors errors, Store store)
    {
        errors.Required("store.display_name", store.DisplayName, 100);
        if (!Plausible.Language(store.LanguageCode))
            errors.Add("store.language_code", "Is not a BCP 47 language tag; give one such as \"en-GB\".");
        if (store.TimeZone.Length > 64 || !TimeZoneInfo.TryFindSystemTimeZoneById(store.TimeZone, out var zone) || !zone.HasIanaId)
            errors.Add("store.time_zone", "Is not an IANA time zone; give one such as \"Europe/London\".");
        if (!Plausible.Email(store.SenderEmail))
            errors.Add("store.sender_email", "Is not an e-mail address.");
        if (store.ShipFrom is null || store.ShipFrom.CalculateSize() == 0)
            errors.Add("store.ship_from", "Say where its goods leave from.");
        errors.Place("store.ship_from", store.ShipFrom);
        if (store.Colour.Length > 0 && !(store.Colour.Length == 7 && store.Colour[0] == '#' && store.Colour.Skip(1).All(char.IsAsciiHexDigit)))
            errors.Add("store.colour", "Is not a CSS colour of the form #rrggbb.");
        if (store.LogoUri.Length > 0 && !(store.LogoUri.Length <= 1000 && Uri.TryCreate(store.LogoUri, UriKind.Absolute, out var uri) && uri.Scheme == Uri.UriSchemeHttps))
            errors.Add("store.logo_uri", "Is not an https address of at most 1,000 characters.");
        errors.Policy("store.return_policy", store.ReturnPolicy, store.CurrencyCode);
        if (!Enum.IsDefined(store.CaptureMode))
            errors.Add("store.capture_mode", "Is not a mode that is known here.");
        errors.Between("store.tax_basis_points", store.TaxBasisPoints, 0, 10_000);
        if (store.LogoImage.Length > 0 && !LogoImages.IsAcceptable(store.LogoImage.Span))
            errors.Add("store.logo_image", "Is not a PNG or JPEG of at most 64 KiB and 2,000 pixels each way.");
    }
}

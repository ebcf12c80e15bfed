using System.Text.Json;
using Commerce.Orders.Checking;
using Commerce.Orders.PlacingOrder;
using Commerce.Orders.V1;
using Commerce.ServiceDefaults;
using Commerce.Types.V1;
using Google.Protobuf.WellKnownTypes;
using Npgsql;

namespace Commerce.Orders.Storage;

/// <summary>Reads orders to be shown: each whole and as of one version.</summary>
public sealed class OrderReader(NpgsqlDataSource database)
{
    private const string OrderColumns =
        $"""
        SELECT o.order_id, s.order_prefix, o.store_id, o.external_id, o.state, o.payment_state, o.fulfilment_state, o.version,
               o.create_time, o.update_time, o.currency, o.subtotal_minor, o.shipping_minor, o.total_minor, o.promised_delivery_time,
               o.cancel_reason, o.cancel_note, o.cancel_time, {RecipientColumns.Names}, o.adjustments, o.payment_parts, o.import_time, o.customer_id, o.capture_mode,
               o.pending_change, o.delivery_wishes, o.exchange_of, o.erase_time
        FROM orders o JOIN stores s USING (store_id) WHERE o.order_id = ANY ($1)
        """;

    private const string LineColumns =
        """
        SELECT l.order_id, l.line_number, l.sku, l.title, l.quantity, l.unit_price_minor, l.price_agreed, l.weight_grams, l.length_mm, l.width_mm, l.height_mm,
               l.from_location_id, l.from_locality, l.from_administrative_area, l.from_postal_code, l.from_region_code, l.cancelled, l.returned, p.tax_basis_points
        FROM order_lines l LEFT JOIN products p USING (store_id, sku) WHERE l.order_id = ANY ($1) ORDER BY l.order_id, l.line_number
        """;

    private const string ParcelColumns =
        """
        SELECT order_id, shipment_id, carrier, tracking_number, line_numbers, quantities, state
        FROM order_parcels WHERE order_id = ANY ($1) ORDER BY order_id, position
        """;

    // Every statement of the batch sees what was committed before it began. If no version moved from the first to the last,
    // then nothing moved between: one round trip, and no transaction for a snapshot.
    private const string VersionColumns = "SELECT order_id, version FROM orders WHERE order_id = ANY ($1)";

    private const int MostAttempts = 20;

    /// <summary>The order with this value, null if there is none that whoever calls may see.</summary>
    public async Task<V1.Order?> Find(long orderId, CancellationToken cancellationToken) =>
        (await Find([orderId], cancellationToken)).GetValueOrDefault(orderId);

    /// <summary>Those of the orders that exist, by value; those of a store that is not the caller's do not exist for it.</summary>
    public async Task<Dictionary<long, V1.Order>> Find(long[] orderIds, CancellationToken cancellationToken)
    {
        var found = new Dictionary<long, V1.Order>(orderIds.Length);
        var wanted = orderIds;
        for (var attempt = 0; wanted.Length > 0 && attempt < MostAttempts; attempt++)
        {
            var moved = await Read(wanted, found, cancellationToken);
            foreach (var orderId in moved)
                found.Remove(orderId);
            wanted = moved;
        }

        foreach (var (orderId, _) in found.Where(one => !Principal.CurrentMaySee(one.Value.StoreId)).ToList())
            found.Remove(orderId);
        return wanted.Length == 0
            ? found
            : throw new InvalidOperationException($"{wanted.Length} orders changed while they were read, {MostAttempts} times over.");
    }

    private async Task<long[]> Read(long[] wanted, Dictionary<long, V1.Order> found, CancellationToken cancellationToken)
    {
        await using var batch = database.CreateBatch();
        batch.With(Sql.Command(OrderColumns).With(wanted)).With(Sql.Command(LineColumns).With(wanted))
            .With(Sql.Command(ParcelColumns).With(wanted)).With(Sql.Command(VersionColumns).With(wanted));
        await using var reader = await batch.ExecuteReaderAsync(cancellationToken);

        while (await reader.ReadAsync(cancellationToken))
            found[reader.GetInt64(0)] = ReadOrder(reader);
        await reader.NextResultAsync(cancellationToken);
        while (await reader.ReadAsync(cancellationToken))
        {
            if (found.TryGetValue(reader.GetInt64(0), out var order))
                order.Lines.Add(ReadLine(reader, order.Total.CurrencyCode));
        }

        await reader.NextResultAsync(cancellationToken);
        while (await reader.ReadAsync(cancellationToken))
        {
            if (found.TryGetValue(reader.GetInt64(0), out var order))
                order.Parcels.Add(ReadParcel(reader));
        }

        List<long>? moved = null;
        await reader.NextResultAsync(cancellationToken);
        while (await reader.ReadAsync(cancellationToken))
        {
            // An order that the first statement did not see yet was placed only now, and counts as not there.
            if (found.TryGetValue(reader.GetInt64(0), out var order) && order.Version != reader.GetInt64(1))
                (moved ??= []).Add(reader.GetInt64(0));
        }

        return moved?.ToArray() ?? [];
    }

    private static V1.Order ReadOrder(NpgsqlDataReader reader)
    {
        var currency = reader.GetString(10);
        var order = OrderMessage.New(
            new OrderId(reader.GetString(1), reader.GetInt64(0)), reader.GetString(2), reader.GetInt64(7),
            (OrderState)reader.GetInt16(4), (PaymentState)reader.GetInt16(5), (FulfilmentState)reader.GetInt16(6),
            reader.IsDBNull(15)
                ? null
                : new OrderCancellation((CancelReason)reader.GetInt16(15), reader.GetString(16), reader.GetFieldValue<DateTimeOffset>(17)),
            (CaptureMode)reader.GetInt16(36));
        order.ExternalId = reader.TextOrNull(3) ?? "";
        order.CustomerId = reader.TextOrNull(35) ?? "";
        order.ExchangeOf = reader.TextOrNull(39) ?? "";
        order.CreateTime = reader.GetFieldValue<DateTimeOffset>(8).ToTimestamp();
        order.UpdateTime = reader.GetFieldValue<DateTimeOffset>(9).ToTimestamp();
        order.Subtotal = new Commerce.Money(reader.GetInt64(11), currency).ToProto();
        order.ShippingCharge = new Commerce.Money(reader.GetInt64(12), currency).ToProto();
        order.Total = new Commerce.Money(reader.GetInt64(13), currency).ToProto();
        order.ImportTime = reader.TimeOrNull(34)?.ToTimestamp();
        order.EraseTime = reader.TimeOrNull(40)?.ToTimestamp();
        order.PendingChange = OrderMessage.Pending(LineStore.ReadPending(reader, 37), currency);
        order.DeliveryWishes = Wishes.OfJson(reader.TextOrNull(38));
        order.PromisedDeliveryTime = reader.TimeOrNull(14)?.ToTimestamp();
        order.Customer = RecipientColumns.ReadContact(reader, 18);
        order.ShippingAddress = RecipientColumns.ReadAddress(reader, 18 + RecipientColumns.OfContact);
        OrderMessage.AddParts(
            order, currency,
            JsonSerializer.Deserialize<AdjustmentRow[]>(reader.GetString(32), OrderJson.Options)!,
            JsonSerializer.Deserialize<PaymentPartRow[]>(reader.GetString(33), OrderJson.Options)!);
        return order;
    }

    private static OrderLine ReadLine(NpgsqlDataReader reader, string currency)
    {
        var line = Line(reader, currency);
        if (!reader.IsDBNull(18))
            line.TaxBasisPoints = reader.GetInt32(18);
        return line;
    }

    private static OrderLine Line(NpgsqlDataReader reader, string currency) => OrderMessage.Line(
        new DraftLine(
            reader.GetInt32(1), reader.GetString(2), reader.GetString(3), reader.GetInt32(4), reader.GetInt64(5), reader.GetBoolean(6),
            new Dimensions { WeightGrams = reader.GetInt32(7), LengthMm = reader.GetInt32(8), WidthMm = reader.GetInt32(9), HeightMm = reader.GetInt32(10) },
            new Place
            {
                LocationId = reader.GetString(11),
                Locality = reader.GetString(12),
                AdministrativeArea = reader.GetString(13),
                PostalCode = reader.GetString(14),
                RegionCode = reader.GetString(15),
            },
            ProductVersion: 0,
            Held: 0)
        {
            Cancelled = reader.GetInt32(16),
            Returned = reader.GetInt32(17),
        },
        currency);

    private static Parcel ReadParcel(NpgsqlDataReader reader)
    {
        var (numbers, quantities) = (reader.GetFieldValue<int[]>(4), reader.GetFieldValue<int[]>(5));
        return new Parcel
        {
            Shipment = "shipments/" + reader.GetString(1),
            Carrier = reader.GetString(2),
            TrackingNumber = reader.GetString(3),
            Lines = { numbers.Zip(quantities, (number, quantity) => new ParcelLine { LineNumber = number, Quantity = quantity }) },
            State = (ParcelState)reader.GetInt16(6),
        };
    }
}

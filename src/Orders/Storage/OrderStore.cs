using System.Text.Json;
using Commerce.Facts;
using Commerce.Messaging;
using Commerce.Orders.Checking;
using Commerce.Orders.FindingOrders;
using Commerce.Orders.PlacingOrder;
using Commerce.Orders.V1;
using Commerce.ServiceDefaults;
using Commerce.Types.V1;
using Google.Type;
using Npgsql;

namespace Commerce.Orders.Storage;

/// <summary>Writes orders, and reads and locks them for a change. <see cref="OrderReader"/> reads them to be shown.</summary>
public sealed class OrderStore(Outbox outbox, Requests requests, RecoveryPoints recoveryPoints, ArticleWords articles)
{
    /// <summary>The primary key's name: a violation means that a new Order ID was taken already.</summary>
    public const string PrimaryKey = "orders_pkey";

    /// <summary>The index that keeps a shop's own numbers apart.</summary>
    public const string ExternalIdKey = "orders_external_id_key";

    /// <summary>
    /// Adds new orders to the batch, a statement for all of them each. Whatever one transaction may wait for in another, all take
    /// in the same order: requests, then the shops' own numbers, then articles' words, then stock, each by its key. Stock comes
    /// last: its rows are what orders wait for, so they are locked for as short as possible.
    /// </summary>
    public void Insert(NpgsqlBatch batch, IReadOnlyList<NewOrder> news)
    {
        var orders = news.OrderBy(o => o.Order.StoreId, StringComparer.Ordinal).ThenBy(o => o.Draft.ExternalId, StringComparer.Ordinal).ToList();
        batch.With(requests.Record([.. orders.Select(o => (o.Request, OrderMessage.NameOf(o.Order.Id), o.Order.Version))]));
        recoveryPoints.Add(batch, [.. orders.Where(o => o.Confirmed is null)
            .Select(o => (new RecoveryPoint(Order.ExpiryKind, o.Order.Id.ToString(), DueAt: o.ExpiresAt), o.TraceParent))]);
        InsertOrders(batch, orders);
        InsertLines(batch, [.. orders.SelectMany(o => o.Draft.Lines, (o, line) => (o.Order, line))]);
        OrderTerms.Add(batch, [.. orders.SelectMany(o => OrderTerms.Of(o.Draft), (o, term) => (o.Order.StoreId, term, o.Placed.Moment.Time, o.Order.Id.Value))]);
        articles.Add(batch, orders.SelectMany(o => o.Draft.Lines, (o, line) => (o.Order.StoreId, line.Sku, line.Title)));
        AddTimeline(batch, [.. orders.Select(o => (o.Order.Id, o.Placed))]);
        outbox.Add(batch, [.. orders.Select(o => ((IFact)o.Placed.Fact, o.TraceParent))]);

        foreach (var order in orders)
        {
            if (order.Confirmed is { } confirmed)
                Save(batch, order.Order, confirmed);
            if (order.ExchangeOf is { } exchangeOf)
                batch.With(Sql.Command("UPDATE orders SET exchange_of = $2 WHERE order_id = $1").With(order.Order.Id.Value).With(exchangeOf));
        }

        AssertProducts(batch, [.. orders.SelectMany(o => o.Draft.Lines, (o, line) => (o.Order.StoreId, line.Sku, line.ProductVersion)).Distinct()]);
        ReserveStock(batch, orders.SelectMany(o => o.Draft.Lines, (o, line) => (o.Order.StoreId, line.Sku, line.Held, o.Order.Id)));
    }

    private static void InsertOrders(NpgsqlBatch batch, List<NewOrder> orders)
    {
        var lines = new int[orders.Count];
        var recipients = new int[orders.Count];
        for (var i = 0; i < orders.Count; i++)
        {
            var to = orders[i].Draft.ShippingAddress;
            (lines[i], recipients[i]) = (to.AddressLines.Count, to.Recipients.Count);
        }

        // Arrays of arrays must be rectangular, so those of all orders are one, and each order has its part.
        batch.With(Sql.Command(
            """
            INSERT INTO orders (
              order_id, store_id, external_id, state, payment_state, fulfilment_state, version, create_time, update_time, currency,
              subtotal_minor, shipping_minor, total_minor, promised_delivery_time,
              customer_name, customer_email, customer_phone, customer_language, email_key,
              to_region_code, to_language_code, to_postal_code, to_sorting_code, to_administrative_area, to_locality, to_sublocality,
              to_address_lines, to_recipients, to_organization, adjustments, payment_parts, customer_id, capture_mode, delivery_wishes, terms_version)
            SELECT o.id, o.store, o.external, o.state, o.payment, o.fulfilment, o.version, o.time, o.time, o.currency,
              o.subtotal, o.shipping, o.total, o.promised, o.name, o.email, o.phone, o.language, o.key,
              o.region, o.to_language, o.postal, o.sorting, o.area, o.locality, o.sublocality,
              ($32)[o.lines_to - o.lines + 1 : o.lines_to], ($33)[o.recipients_to - o.recipients + 1 : o.recipients_to],
              o.organization, o.adjustments, o.parts, o.customer, o.capture, o.wishes, 1
            FROM unnest($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14, $15, $16, $17, $18, $19, $20, $21, $22, $23, $24, $25, $26, $27, $28, $29, $30, $31, $34, $35, $36, $37)
              AS o (id, store, external, state, payment, fulfilment, version, time, currency, subtotal, shipping, total, promised,
                    name, email, phone, language, key, region, to_language, postal, sorting, area, locality, sublocality, organization,
                    adjustments, parts, customer, capture, wishes, lines, lines_to, recipients, recipients_to)
            """)
            .With(orders.Column(o => o.Order.Id.Value)).With(orders.Column(o => o.Order.StoreId)).With(orders.Column(o => o.Draft.ExternalId))
            .With(orders.Column(o => (short)o.Order.State)).With(orders.Column(o => (short)o.Order.PaymentState)).With(orders.Column(o => (short)o.Order.FulfilmentState))
            .With(orders.Column(o => o.Order.Version)).With(orders.Column(o => o.Placed.Moment.Time)).With(orders.Column(o => o.Draft.Currency))
            .With(orders.Column(o => o.Draft.SubtotalMinor)).With(orders.Column(o => o.Draft.ShippingMinor)).With(orders.Column(o => o.Draft.TotalMinor))
            .With(orders.Column(o => o.Draft.PromisedDeliveryTime))
            .WithRecipients([.. orders.Select(o => (o.Draft.Customer, o.Draft.ShippingAddress))])
            .WithJson(orders.Column(o => JsonSerializer.Serialize(o.Draft.Adjustments, OrderJson.Options)))
            .WithJson(orders.Column(o => JsonSerializer.Serialize(o.Draft.PaymentParts, OrderJson.Options)))
            .With(orders.Column(o => o.Draft.CustomerId)).With(orders.Column(o => (short)o.Draft.CaptureMode))
            .WithJson(orders.Column(o => Wishes.ToJson(o.Draft.DeliveryWishes)))
            .With(orders.SelectMany(o => o.Draft.ShippingAddress.AddressLines).ToArray())
            .With(orders.SelectMany(o => o.Draft.ShippingAddress.Recipients).ToArray())
            .With(lines).With(Sums(lines)).With(recipients).With(Sums(recipients)));

        static int[] Sums(int[] counts)
        {
            var (sums, sum) = (new int[counts.Length], 0);
            for (var i = 0; i < counts.Length; i++)
                sums[i] = sum += counts[i];
            return sums;
        }
    }

    private static void InsertLines(NpgsqlBatch batch, List<(Order Order, DraftLine Line)> lines) =>
        batch.With(Sql.Command(
            """
            INSERT INTO order_lines (
              order_id, store_id, line_number, sku, title, quantity, unit_price_minor, price_agreed,
              weight_grams, length_mm, width_mm, height_mm,
              from_location_id, from_locality, from_administrative_area, from_postal_code, from_region_code, held)
            SELECT * FROM unnest($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14, $15, $16, $17, $18)
            """)
            .With(lines.Column(l => l.Order.Id.Value)).With(lines.Column(l => l.Order.StoreId))
            .With(lines.Column(l => l.Line.LineNumber)).With(lines.Column(l => l.Line.Sku)).With(lines.Column(l => l.Line.Title))
            .With(lines.Column(l => l.Line.Quantity)).With(lines.Column(l => l.Line.UnitPriceMinor)).With(lines.Column(l => l.Line.PriceAgreed))
            .With(lines.Column(l => l.Line.Dimensions.WeightGrams)).With(lines.Column(l => l.Line.Dimensions.LengthMm))
            .With(lines.Column(l => l.Line.Dimensions.WidthMm)).With(lines.Column(l => l.Line.Dimensions.HeightMm))
            .With(lines.Column(l => l.Line.ShipFrom.LocationId)).With(lines.Column(l => l.Line.ShipFrom.Locality))
            .With(lines.Column(l => l.Line.ShipFrom.AdministrativeArea)).With(lines.Column(l => l.Line.ShipFrom.PostalCode))
            .With(lines.Column(l => l.Line.ShipFrom.RegionCode)).With(lines.Column(l => l.Line.Held)));

    /// <summary>Reads an order and keeps others from changing it until the transaction ends; null if there is none.</summary>
    public static async Task<Order?> Lock(NpgsqlConnection connection, NpgsqlTransaction transaction, OrderId id, CancellationToken cancellationToken)
    {
        await using var batch = new NpgsqlBatch(connection, transaction)
            .With(Sql.Command(
                """
                SELECT o.store_id, s.order_prefix, o.external_id, o.promised_delivery_time, o.state, o.payment_state, o.fulfilment_state,
                       o.cancel_reason, o.cancel_note, o.cancel_time, o.version, o.capture_mode, o.changes, o.pending_change,
                       CASE WHEN o.import_time IS NOT NULL THEN coalesce(o.imported_delivery_time, o.create_time) END, o.erase_time IS NOT NULL
                FROM orders o JOIN stores s USING (store_id) WHERE o.order_id = $1 FOR UPDATE OF o
                """).With(id.Value))
            .With(Sql.Command("SELECT line_number, sku, quantity, held, returned, counted FROM order_lines WHERE order_id = $1 ORDER BY line_number").With(id.Value))
            .With(Sql.Command(
                """
                SELECT shipment_id, position, carrier, tracking_number, state, line_numbers, quantities,
                       CASE WHEN state = 3 AND delivered_time IS NULL
                         THEN (SELECT max(t.time) FROM order_timeline t WHERE t.order_id = p.order_id AND t.detail = 'shipments/' || p.shipment_id || ' DELIVERED')
                         ELSE delivered_time END
                FROM order_parcels p WHERE order_id = $1 ORDER BY position
                """).With(id.Value));
        await using var reader = await batch.ExecuteReaderAsync(cancellationToken);

        if (!await reader.ReadAsync(cancellationToken) || reader.GetString(1) != id.Prefix || !Principal.CurrentMaySee(reader.GetString(0)))
            return null;
        var (storeId, externalId, promised) = (reader.GetString(0), reader.TextOrNull(2), reader.TimeOrNull(3));
        var (state, payment, fulfilment) = ((OrderState)reader.GetInt16(4), (PaymentState)reader.GetInt16(5), (FulfilmentState)reader.GetInt16(6));
        var cancellation = reader.IsDBNull(7)
            ? null
            : new OrderCancellation((CancelReason)reader.GetInt16(7), reader.GetString(8), reader.GetFieldValue<DateTimeOffset>(9));
        var (version, captureMode) = (reader.GetInt64(10), (CaptureMode)reader.GetInt16(11));
        var (changes, pending, importedDelivery, erased) = (reader.GetInt32(12), LineStore.ReadPending(reader, 13), reader.TimeOrNull(14), reader.GetBoolean(15));

        var lines = new List<HeldLine>();
        await reader.NextResultAsync(cancellationToken);
        while (await reader.ReadAsync(cancellationToken))
            lines.Add(new HeldLine(reader.GetInt32(0), reader.GetString(1), reader.GetInt32(2), reader.GetInt32(3), reader.GetInt32(4), reader.GetBoolean(5)));

        var parcels = new List<OrderParcel>();
        await reader.NextResultAsync(cancellationToken);
        while (await reader.ReadAsync(cancellationToken))
        {
            var (numbers, quantities) = (reader.GetFieldValue<int[]>(5), reader.GetFieldValue<int[]>(6));
            parcels.Add(new OrderParcel(
                reader.GetString(0), reader.GetInt32(1), reader.GetString(2), reader.GetString(3), (ParcelState)reader.GetInt16(4),
                [.. numbers.Zip(quantities, (number, quantity) => new ShipmentLineFact(number, quantity))],
                reader.TimeOrNull(7)));
        }

        return Order.Restore(id, storeId, externalId, promised, lines, parcels, state, payment, fulfilment, cancellation, version, captureMode, importedDelivery).RestoreChanges(changes, pending).RestoreErased(erased);
    }

    /// <summary>Adds a change of a locked order to the batch, with its entry on the timeline and its fact.</summary>
    public void Save(NpgsqlBatch batch, Order order, OrderChange change)
    {
        batch.With(Sql.Command(
            """
            UPDATE orders SET state = $2, payment_state = $3, fulfilment_state = $4, version = $5, update_time = $6,
                              cancel_reason = $7, cancel_note = $8, cancel_time = $9
            WHERE order_id = $1
            """)
            .With(order.Id.Value).With((short)order.State).With((short)order.PaymentState).With((short)order.FulfilmentState)
            .With(order.Version).With(change.Moment.Time)
            .With((short?)order.Cancellation?.Reason).With(order.Cancellation?.Note).With(order.Cancellation?.Time));
        AddTimeline(batch, [(order.Id, change)]);
        outbox.Add(batch, change.Fact);
        OrdersTelemetry.OrderChanged(change);

        if (change.Parcel is { } parcel)
        {
            batch.With(Sql.Command(
                """
                INSERT INTO order_parcels (order_id, shipment_id, position, carrier, tracking_number, state, line_numbers, quantities, delivered_time)
                VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9)
                ON CONFLICT (order_id, shipment_id) DO UPDATE
                SET carrier = excluded.carrier, tracking_number = excluded.tracking_number, state = excluded.state, delivered_time = excluded.delivered_time
                """)
                .With(order.Id.Value).With(parcel.ShipmentId).With(parcel.Position).With(parcel.Carrier).With(parcel.TrackingNumber)
                .With((short)parcel.State).With(parcel.Content.Column(c => c.LineNumber)).With(parcel.Content.Column(c => c.Quantity))
                .With(parcel.DeliveredAt?.ToUniversalTime()));
        }

        if (change.Fact is OrderCancelled && order.Cancellation is { Note.Length: > 0 } cancellation)
            OrderTerms.AddNote(batch, order.Id.Value, cancellation.Note);

        // The timer is of use only while nothing is known of the payment.
        if (change.Fact is OrderConfirmed or OrderCancelled)
            RecoveryPoints.Remove(batch, Order.ExpiryKind, order.Id.ToString());

        EndHolds(batch, order, change.Stock);
        Hold(batch, order, change.Holds);
        if (change.Lines is { } lines)
            LineStore.Save(batch, order, lines, articles);
        if (change.ChangesPending)
            LineStore.SavePending(batch, order);
        if (change.Then is { } then)
            Save(batch, order, then);
    }

    /// <summary>Whom to reach, where and how it goes, of a locked order.</summary>
    public static async Task<(Contact Contact, PostalAddress Address, DeliveryWishes? Wishes)> Recipient(
        NpgsqlConnection connection, NpgsqlTransaction transaction, OrderId id, CancellationToken cancellationToken)
    {
        await using var command = new NpgsqlCommand($"SELECT {RecipientColumns.Names}, o.delivery_wishes FROM orders o WHERE o.order_id = $1", connection, transaction).With(id.Value);
        await using var reader = await command.ExecuteReaderAsync(cancellationToken);
        await reader.ReadAsync(cancellationToken);
        return (
            RecipientColumns.ReadContact(reader, 0), RecipientColumns.ReadAddress(reader, RecipientColumns.OfContact),
            Wishes.OfJson(reader.TextOrNull(RecipientColumns.OfContact + RecipientColumns.OfAddress)));
    }

    /// <summary>Adds a changed recipient to the batch.</summary>
    public static void SaveRecipient(NpgsqlBatch batch, OrderId id, Contact customer, PostalAddress to, DeliveryWishes? wishes) =>
        batch.With(Sql.Command(
            """
            UPDATE orders SET customer_name = $2, customer_email = $3, customer_phone = $4, customer_language = $5, email_key = $6,
              to_region_code = $7, to_language_code = $8, to_postal_code = $9, to_sorting_code = $10, to_administrative_area = $11,
              to_locality = $12, to_sublocality = $13, to_address_lines = $14, to_recipients = $15, to_organization = $16, delivery_wishes = $17
            WHERE order_id = $1
            """)
            .With(id.Value).WithRecipient(customer, to).WithJson(Wishes.ToJson(wishes)));

    /// <summary>Tells the relay that a change was committed, where nobody else does: consumers and timers are woken for.</summary>
    public void Committed() => outbox.Wake();

    /// <summary>As above, for an order that was just placed.</summary>
    public void Committed(OrderDraft draft)
    {
        Committed();
        articles.Kept(draft.Lines.Select(line => (draft.Store.StoreId, line.Sku, line.Title)));
    }

    private static void AddTimeline(NpgsqlBatch batch, List<(OrderId Id, OrderChange Change)> entries) =>
        batch.With(Sql.Command("INSERT INTO order_timeline (order_id, version, time, event, actor, detail) SELECT * FROM unnest($1, $2, $3, $4, $5, $6)")
            .With(entries.Column(e => e.Id.Value)).With(entries.Column(e => e.Change.Fact.Version)).With(entries.Column(e => e.Change.Moment.Time))
            .With(entries.Column(e => e.Change.Event)).With(entries.Column(e => e.Change.Moment.Actor)).With(entries.Column(e => e.Change.Detail)));

    /// <summary>Adds the assertion that products are still what they were priced from to the batch.</summary>
    public static void AssertProducts(NpgsqlBatch batch, IReadOnlyList<(string StoreId, string Sku, long Version)> priced) =>
        batch.With(Sql.Command("SELECT assert_products($1, $2, $3)")
            .With(priced.Column(l => l.StoreId)).With(priced.Column(l => l.Sku)).With(priced.Column(l => l.Version)));

    /// <summary>Adds the reservation of pieces to the batch.</summary>
    public static void ReserveStock(NpgsqlBatch batch, IEnumerable<(string StoreId, string Sku, int Held, OrderId Order)> pieces)
    {
        var wanted = pieces.Where(line => line.Held > 0)
            .GroupBy(line => (line.StoreId, line.Sku, line.Order.Value), (of, lines) => (of.StoreId, of.Sku, Order: of.Value, Pieces: lines.Sum(line => (long)line.Held)))
            .ToList();
        if (wanted.Count > 0)
        {
            batch.With(Sql.Command("SELECT reserve_stock($1, $2, $3, $4)")
                .With(wanted.Column(w => w.StoreId)).With(wanted.Column(w => w.Sku)).With(wanted.Column(w => w.Pieces)).With(wanted.Column(w => w.Order)));
        }
    }

    private static void Hold(NpgsqlBatch batch, Order order, IReadOnlyList<StockHold> holds)
    {
        if (holds.Count == 0)
            return;
        batch.With(Sql.Command(
            """
            UPDATE order_lines l SET held = l.held + h.pieces
            FROM unnest($2, $3) AS h (line_number, pieces) WHERE l.order_id = $1 AND l.line_number = h.line_number
            """)
            .With(order.Id.Value).With(holds.Column(h => h.LineNumber)).With(holds.Column(h => h.Pieces)));
        ReserveStock(batch, holds.Select(h => (order.StoreId, h.Sku, h.Pieces, order.Id)));
    }

    private static void EndHolds(NpgsqlBatch batch, Order order, IReadOnlyList<StockMove> moves)
    {
        if (moves.Count == 0)
            return;
        batch.With(Sql.Command(
            """
            UPDATE order_lines l SET held = l.held - m.ended, counted = true
            FROM unnest($2, $3) AS m (line_number, ended) WHERE l.order_id = $1 AND l.line_number = m.line_number
            """)
            .With(order.Id.Value).With(moves.Column(m => m.LineNumber)).With(moves.Column(m => m.Shipped + m.Released)));

        var bySku = moves
            .GroupBy(m => m.Sku, (sku, of) => of.Aggregate(
                (Sku: sku, Shipped: 0L, Released: 0L, Unheld: 0L), (sum, m) => (sku, sum.Shipped + m.Shipped, sum.Released + m.Released, sum.Unheld + m.ShippedUnheld)))
            .OrderBy(m => m.Sku, StringComparer.Ordinal)
            .ToList();
        batch.With(Sql.Command("SELECT end_reservation($1, $2, $3, $4, $5, $6)")
            .With(order.StoreId).With(bySku.Column(m => m.Sku)).With(bySku.Column(m => m.Shipped)).With(bySku.Column(m => m.Released)).With(bySku.Column(m => m.Unheld))
            .With(order.Id.Value));
    }
}

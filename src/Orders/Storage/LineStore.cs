using System.Text.Json;
using Commerce.Messaging;
using Commerce.Orders.ChangingLines;
using Commerce.Orders.FindingOrders;
using Commerce.Orders.PlacingOrder;
using Npgsql;

namespace Commerce.Orders.Storage;

/// <summary>Reads and writes what changes with an order's lines.</summary>
public static class LineStore
{
    /// <summary>What a locked order costs.</summary>
    public static async Task<OrderSums> Sums(NpgsqlConnection connection, NpgsqlTransaction transaction, OrderId id, CancellationToken cancellationToken)
    {
        await using var batch = new NpgsqlBatch(connection, transaction)
            .With(Sql.Command("SELECT currency, subtotal_minor, shipping_minor, total_minor, adjustments, payment_parts, import_time IS NOT NULL FROM orders WHERE order_id = $1").With(id.Value))
            .With(Sql.Command(
                "SELECT line_number, sku, title, quantity, unit_price_minor, price_agreed, discount_minor FROM order_lines WHERE order_id = $1 ORDER BY line_number").With(id.Value));
        await using var reader = await batch.ExecuteReaderAsync(cancellationToken);
        await reader.ReadAsync(cancellationToken);
        var sums = new OrderSums(
            reader.GetString(0), reader.GetInt64(1), reader.GetInt64(2), reader.GetInt64(3),
            JsonSerializer.Deserialize<AdjustmentRow[]>(reader.GetString(4), OrderJson.Options)!,
            JsonSerializer.Deserialize<PaymentPartRow[]>(reader.GetString(5), OrderJson.Options)!,
            [])
        {
            Imported = reader.GetBoolean(6),
        };
        var lines = new List<PricedLine>();
        await reader.NextResultAsync(cancellationToken);
        while (await reader.ReadAsync(cancellationToken))
        {
            lines.Add(new PricedLine(
                reader.GetInt32(0), reader.GetString(1), reader.GetString(2), reader.GetInt32(3), reader.GetInt64(4), reader.GetBoolean(5),
                reader.IsDBNull(6) ? null : reader.GetInt64(6)));
        }

        return sums with { Lines = lines };
    }

    /// <summary>
    /// Adds changed lines and sums to the batch. Reservations that ended are to be added before: a line never holds more than it
    /// has.
    /// </summary>
    public static void Save(NpgsqlBatch batch, Order order, LinesChange change, ArticleWords articles)
    {
        var after = change.After;
        batch.With(Sql.Command(
            """
            UPDATE orders SET subtotal_minor = $2, total_minor = $3, adjustments = $4, payment_parts = $5,
                              untaken_minor = greatest(0, untaken_minor - greatest(0, total_minor - $3))
            WHERE order_id = $1
            """)
            .With(order.Id.Value).With(after.SubtotalMinor).With(after.TotalMinor)
            .WithJson(JsonSerializer.Serialize(after.Adjustments, OrderJson.Options))
            .WithJson(JsonSerializer.Serialize(after.PaymentParts, OrderJson.Options)));

        var fresh = change.Deltas.Where(delta => delta.New).ToList();
        if (fresh.Count > 0)
        {
            batch.With(Sql.Command(
                """
                INSERT INTO order_lines (
                  order_id, store_id, line_number, sku, title, quantity, unit_price_minor, price_agreed, weight_grams, length_mm, width_mm, height_mm,
                  from_location_id, from_locality, from_administrative_area, from_postal_code, from_region_code, held)
                SELECT $1, $2, * FROM unnest($3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14, $15, $16, $17, $18)
                """)
                .With(order.Id.Value).With(order.StoreId)
                .With(fresh.Column(d => d.LineNumber)).With(fresh.Column(d => d.Sku)).With(fresh.Column(d => d.Title)).With(fresh.Column(d => d.Pieces))
                .With(fresh.Column(d => d.UnitPriceMinor)).With(fresh.Column(d => d.PriceAgreed))
                .With(fresh.Column(d => d.Size[0])).With(fresh.Column(d => d.Size[1])).With(fresh.Column(d => d.Size[2])).With(fresh.Column(d => d.Size[3]))
                .With(fresh.Column(d => d.ShipFrom[0])).With(fresh.Column(d => d.ShipFrom[1])).With(fresh.Column(d => d.ShipFrom[2]))
                .With(fresh.Column(d => d.ShipFrom[3])).With(fresh.Column(d => d.ShipFrom[4])).With(fresh.Column(d => d.Held)));
            OrderTerms.AddSkus(batch, order.Id.Value, fresh.Select(delta => delta.Sku));
            articles.Add(batch, fresh.Select(delta => (order.StoreId, delta.Sku, delta.Title)));
        }

        var known = change.Deltas.Where(delta => !delta.New).ToList();
        batch.With(Sql.Command(
            """
            UPDATE order_lines l SET quantity = l.quantity + m.pieces, cancelled = l.cancelled + greatest(0, -m.pieces), held = l.held + m.held
            FROM unnest($2, $3, $4) AS m (line_number, pieces, held) WHERE l.order_id = $1 AND l.line_number = m.line_number
            """)
            .With(order.Id.Value).With(known.Column(d => d.LineNumber)).With(known.Column(d => d.Pieces)).With(known.Column(d => d.Held)));
        batch.With(Sql.Command(
            "UPDATE order_lines l SET discount_minor = m.discount FROM unnest($2, $3) AS m (line_number, discount) WHERE l.order_id = $1 AND l.line_number = m.line_number")
            .With(order.Id.Value).With(after.Lines.Column(l => l.LineNumber)).With(after.Lines.Column(l => l.DiscountMinor ?? 0)));
    }

    /// <summary>Adds the change that waits now, or that none does any more, to the batch.</summary>
    public static void SavePending(NpgsqlBatch batch, Order order)
    {
        batch.With(Sql.Command("UPDATE orders SET changes = $2, pending_change = $3 WHERE order_id = $1").With(order.Id.Value).With(order.Changes)
            .WithJson(order.Pending is null ? null : JsonSerializer.Serialize(order.Pending, OrderJson.Options)));
        // Of use only while it waits.
        if (order.Pending is null)
            RecoveryPoints.Remove(batch, Order.ChangeExpiryKind, Order.ChangeKey(order.Id, order.Changes));
    }

    public static WaitingChange? ReadPending(NpgsqlDataReader reader, int column) =>
        reader.IsDBNull(column) ? null : JsonSerializer.Deserialize<WaitingChange>(reader.GetString(column), OrderJson.Options);

    /// <summary>Locks the stock of SKUs in their order, for a change that both takes and releases: two of them never deadlock.</summary>
    public static void LockStock(NpgsqlBatch batch, string storeId, IEnumerable<string> skus) =>
        batch.With(Sql.Command("SELECT FROM stock WHERE store_id = $1 AND sku = ANY ($2) ORDER BY sku FOR UPDATE").With(storeId).With(skus.Distinct(StringComparer.Ordinal).ToArray()));
}

using Commerce.Facts;
using Commerce.Messaging;
using Commerce.Shipments.Storage;
using Npgsql;

namespace Commerce.Shipments.ErasingCustomers;

/// <summary>
/// Takes what is personal from the parcels of an order, its returns' among them. Countries and regions stay, by which carriers are
/// measured; so do the times of scans, and their places but for the recipient's own. What was counted of parcels over all of them stays
/// counted, and its tie to the parcel goes.
/// </summary>
internal sealed class EraseOrder(TimeProvider time)
{
    private const string Service = "shipments";

    // A parcel of a return comes from its shopper and goes to the shop.
    private const string Addresses =
        """
        UPDATE shipments SET
          ship_to = CASE WHEN return_number = 0 THEN jsonb_build_object('name', '', 'lines', '[]'::jsonb, 'locality', '', 'region', ship_to -> 'region', 'postalCode', '', 'country', ship_to -> 'country') ELSE ship_to END,
          ship_from = CASE WHEN return_number > 0 THEN ship_from || '{"locality": "", "postalCode": ""}' ELSE ship_from END,
          next_ship_to = NULL, delivery_change = NULL,
          customs = CASE WHEN customs IS NOT NULL THEN customs || '{"reference": ""}' END,
          exception_message = CASE WHEN exception_message IS NOT NULL THEN '' END,
          erased = true
        WHERE order_id = $1
        """;

    // Before the addresses: by them the recipient's own town is known.
    private const string Scans =
        """
        UPDATE scans SET description = '', place = place || CASE
            WHEN lower(place ->> 'locality') IN (lower(s.ship_to ->> 'locality'), lower(s.ship_from ->> 'locality')) OR place ->> 'postalCode' = s.ship_to ->> 'postalCode'
            THEN '{"locality": "", "postalCode": ""}' ELSE '{}' END::jsonb
        FROM shipments s WHERE s.order_id = $1 AND scans.shipment_id = s.id
        """;

    // Whoever counts has this lock: what was read before is not written after.
    private const string Counting = "SELECT pg_advisory_xact_lock(hashtextextended('follow-paths', 0))";

    private const string Paths = "DELETE FROM parcel_paths WHERE shipment_id IN (SELECT id FROM shipments WHERE order_id = $1)";

    private const string FormerNumbers =
        """
        UPDATE former_tracking_numbers SET note = '',
          scans = (SELECT coalesce(jsonb_agg(scan || jsonb_build_object('description', '', 'place', (scan -> 'place') || '{"locality": "", "postalCode": ""}')), '[]') FROM jsonb_array_elements(scans) AS s (scan))
        WHERE shipment_id IN (SELECT id FROM shipments WHERE order_id = $1)
        """;

    // Of a number that the parcel bore: its carrier told of it under another name.
    private const string Unclaimed =
        """
        DELETE FROM unclaimed_scans u USING shipments s
        WHERE s.order_id = $1 AND u.tracking_number = s.tracking_number AND (u.carrier = s.carrier OR u.carrier = s.buying_carrier)
        """;

    private const string Proofs = "DELETE FROM proofs_of_delivery WHERE shipment_id IN (SELECT id FROM shipments WHERE order_id = $1)";

    private const string Words = "UPDATE resolutions SET note = '', outcome = '' WHERE shipment_id IN (SELECT id FROM shipments WHERE order_id = $1) AND (note <> '' OR outcome <> '')";

    private const string Manifests =
        """
        UPDATE manifests SET lines = (
          SELECT jsonb_agg(CASE WHEN line ->> 'orderId' = $1 THEN line || '{"postalCode": ""}' ELSE line END ORDER BY n) FROM jsonb_array_elements(lines) WITH ORDINALITY AS l (line, n))
        WHERE id IN (SELECT manifest_id FROM shipments WHERE order_id = $1 AND manifest_id IS NOT NULL)
        """;

    /// <summary>Does it in the transaction of the fact that wants it, and tells.</summary>
    public async Task Erase(OrderErased fact, FactContext context)
    {
        await using var batch = new NpgsqlBatch(context.Connection, context.Transaction);
        // Whoever changes a parcel, or brings scans of it, has its row; from here on they find it erased.
        batch.BatchCommands.Add(ShipmentStore.OrderLock(fact.OrderId));
        batch.BatchCommands.Add(new NpgsqlBatchCommand(Counting));
        (string Kind, NpgsqlBatchCommand Command)[] kinds =
        [
            ("words of scans, and their places at the recipient's", Of(Scans)),
            ("words of former numbers", Of(FormerNumbers)),
            ("scans that no parcel claimed", Of(Unclaimed)),
            ("proofs of delivery", Of(Proofs)),
            ("words about exceptions", Of(Words)),
            ("postal codes on manifests", Of(Manifests)),
            ("paths that were counted", Of(Paths)),
            ("names, addresses and wishes of parcels", Of(Addresses)),
        ];
        foreach (var (_, command) in kinds)
            batch.BatchCommands.Add(command);
        await batch.ExecuteNonQueryAsync(context.CancellationToken);
        context.Tell(new PersonalDataErased(
            fact.ErasureId, fact.OrderId, fact.StoreId, time.GetUtcNow(), Service,
            [
                .. kinds.Select(one => new ErasedItem(one.Kind, (long)one.Command.Rows)),
                new ErasedItem("tracking numbers, statuses, countries and times", 0, (long)kinds[^1].Command.Rows, "Carriers are paid and measured by them; they name nobody."),
            ]));

        NpgsqlBatchCommand Of(string sql) => new(sql) { Parameters = { new NpgsqlParameter<string> { TypedValue = fact.OrderId } } };
    }
}

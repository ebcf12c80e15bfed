using Commerce.ServiceDefaults;
using Npgsql;
using Kind = Commerce.Notifications.V1.Notification.Types.Kind;
using State = Commerce.Notifications.V1.Notification.Types.State;

namespace Commerce.Notifications.Storage;

/// <summary>Messages in Postgres.</summary>
internal sealed class NotificationStore(NpgsqlDataSource database)
{
    private const string Columns = "id, seq, store_id, order_id, shipment_id, kind, channel, carrier, tracking_number, state, attempts, created_at, sent_at, event, return_number, amount_minor, currency, reason";

    public static NpgsqlBatchCommand Insert(Notification n) => new(
        """
        INSERT INTO notifications (id, store_id, order_id, shipment_id, kind, channel, carrier, tracking_number, state, created_at, event, return_number, amount_minor, currency, reason)
        VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14, $15) ON CONFLICT DO NOTHING
        """)
    {
        Parameters =
        {
            new NpgsqlParameter<Guid> { TypedValue = n.Id },
            new NpgsqlParameter<string> { TypedValue = n.StoreId },
            new NpgsqlParameter<string> { TypedValue = n.OrderId },
            new NpgsqlParameter<string> { TypedValue = n.ShipmentId },
            new NpgsqlParameter<short> { TypedValue = (short)n.Kind },
            new NpgsqlParameter<string> { TypedValue = n.Channel },
            new NpgsqlParameter<string> { TypedValue = n.Carrier },
            new NpgsqlParameter<string> { TypedValue = n.TrackingNumber },
            new NpgsqlParameter<short> { TypedValue = (short)n.State },
            new NpgsqlParameter<DateTimeOffset> { TypedValue = n.CreatedAt },
            new NpgsqlParameter<string> { TypedValue = n.Event },
            new NpgsqlParameter<int> { TypedValue = n.ReturnNumber },
            new NpgsqlParameter<long?> { TypedValue = n.Amount?.Minor },
            new NpgsqlParameter<string?> { TypedValue = n.Amount?.Currency },
            new NpgsqlParameter<string> { TypedValue = n.Reason },
        },
    };

    public static NpgsqlBatchCommand Settle(Guid id, State state, int attempts, DateTimeOffset? sentAt) => new(
        "UPDATE notifications SET state = $2, attempts = $3, sent_at = $4 WHERE id = $1")
    {
        Parameters =
        {
            new NpgsqlParameter<Guid> { TypedValue = id },
            new NpgsqlParameter<short> { TypedValue = (short)state },
            new NpgsqlParameter<int> { TypedValue = attempts },
            new NpgsqlParameter<DateTimeOffset?> { TypedValue = sentAt },
        },
    };

    /// <summary>Counts a refusal of the mail server.</summary>
    public static NpgsqlBatchCommand Refused(Guid id) =>
        new("UPDATE notifications SET refusals = refusals + 1 WHERE id = $1") { Parameters = { new NpgsqlParameter<Guid> { TypedValue = id } } };

    /// <summary>What was told about the parcel, and whether the order's cancellation was.</summary>
    public static async Task<HashSet<Kind>> Told(NpgsqlConnection connection, NpgsqlTransaction transaction, string orderId, string shipmentId, CancellationToken cancellationToken)
    {
        await using var command = new NpgsqlCommand("SELECT kind FROM notifications WHERE order_id = $1 AND shipment_id IN ($2, '')", connection, transaction)
        {
            Parameters = { new NpgsqlParameter<string> { TypedValue = orderId }, new NpgsqlParameter<string> { TypedValue = shipmentId } },
        };
        await using var reader = await command.ExecuteReaderAsync(cancellationToken);
        var told = new HashSet<Kind>();
        while (await reader.ReadAsync(cancellationToken))
            told.Add((Kind)reader.GetInt16(0));
        return told;
    }

    /// <summary>What was told of an order to be given back, in minor units.</summary>
    public static async Task<long> ToldRefunded(NpgsqlConnection connection, NpgsqlTransaction transaction, string orderId, CancellationToken cancellationToken)
    {
        await using var command = new NpgsqlCommand("SELECT coalesce(sum(amount_minor), 0)::bigint FROM notifications WHERE order_id = $1 AND kind = $2", connection, transaction)
        {
            Parameters = { new NpgsqlParameter<string> { TypedValue = orderId }, new NpgsqlParameter<short> { TypedValue = (short)Kind.Refunded } },
        };
        return (long)(await command.ExecuteScalarAsync(cancellationToken))!;
    }

    /// <summary>The message, whether an earlier one of its order still waits, whether its parcel's delivery was told meanwhile, and how often it was refused.</summary>
    public async Task<(Notification Notification, bool EarlierWaits, bool DeliveryTold, int Refusals)?> FindToSend(Guid id, CancellationToken cancellationToken)
    {
        await using var command = database.CreateCommand(
            $"""
            SELECT {Columns},
              EXISTS (SELECT 1 FROM notifications e WHERE e.order_id = n.order_id AND e.seq < n.seq AND e.shipment_id = n.shipment_id AND e.state = $2 AND e.kind <> $4),
              EXISTS (SELECT 1 FROM notifications d WHERE d.order_id = n.order_id AND d.shipment_id = n.shipment_id AND d.kind = $3),
              n.refusals
            FROM notifications n WHERE id = $1
            """);
        command.Parameters.Add(new NpgsqlParameter<Guid> { TypedValue = id });
        command.Parameters.Add(new NpgsqlParameter<short> { TypedValue = (short)State.Pending });
        command.Parameters.Add(new NpgsqlParameter<short> { TypedValue = (short)Kind.Delivered });
        // It may wait for its link, and nobody waits for it.
        command.Parameters.Add(new NpgsqlParameter<short> { TypedValue = (short)Kind.PaymentActionRequired });
        await using var reader = await command.ExecuteReaderAsync(cancellationToken);
        return await reader.ReadAsync(cancellationToken) ? (Read(reader), reader.GetBoolean(18), reader.GetBoolean(19), reader.GetInt32(20)) : null;
    }

    /// <summary>An order's messages after the given place, oldest first.</summary>
    public async Task<IReadOnlyList<Notification>> OfOrder(string orderId, long after, int limit, CancellationToken cancellationToken)
    {
        await using var command = database.CreateCommand($"SELECT {Columns} FROM notifications WHERE order_id = $1 AND seq > $2 AND ($4::text[] IS NULL OR store_id = ANY ($4)) ORDER BY seq LIMIT $3");
        command.Parameters.Add(new NpgsqlParameter<string> { TypedValue = orderId });
        command.Parameters.Add(new NpgsqlParameter<long> { TypedValue = after });
        command.Parameters.Add(new NpgsqlParameter<int> { TypedValue = limit });
        command.Parameters.Add(new NpgsqlParameter<string[]?> { TypedValue = Principal.Current?.Stores?.ToArray() });
        await using var reader = await command.ExecuteReaderAsync(cancellationToken);
        var notifications = new List<Notification>();
        while (await reader.ReadAsync(cancellationToken))
            notifications.Add(Read(reader));
        return notifications;
    }

    private static Notification Read(NpgsqlDataReader r) => new(
        r.GetGuid(0), r.GetInt64(1), r.GetString(2), r.GetString(3), r.GetString(4), (Kind)r.GetInt16(5), r.GetString(6), r.GetString(7),
        r.GetString(8), (State)r.GetInt16(9), r.GetInt32(10), r.GetFieldValue<DateTimeOffset>(11), r.IsDBNull(12) ? null : r.GetFieldValue<DateTimeOffset>(12))
    {
        Event = r.GetString(13),
        ReturnNumber = r.GetInt32(14),
        Amount = r.IsDBNull(15) ? null : new Money(r.GetInt64(15), r.GetString(16)),
        Reason = r.GetString(17),
    };
}

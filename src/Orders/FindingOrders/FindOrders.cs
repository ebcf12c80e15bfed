using Commerce.Orders.Checking;
using Commerce.Orders.Storage;
using Commerce.Orders.V1;
using Commerce.ServiceDefaults;
using Commerce.Types.V1;
using Google.Protobuf.WellKnownTypes;
using Npgsql;

namespace Commerce.Orders.FindingOrders;

/// <summary>Finds orders by their Order ID.</summary>
public sealed class FindOrders(NpgsqlDataSource database, OrderReader orders)
{
    public const int MostAtOnce = 500;

    private const string Prefix = "orders/";
    private static readonly TimeSpan VersionRetry = TimeSpan.FromMilliseconds(50);

    /// <exception cref="Failure">ORDER_ID_MISTYPED, ORDER_NOT_FOUND, VERSION_NOT_REACHED, INVALID_FIELD.</exception>
    public async Task<V1.Order> Get(string name, long minVersion, CancellationToken cancellationToken)
    {
        if (minVersion < 0)
            throw Failure.Invalid(new FieldError("min_version", "Give 0 or a version that a write answered with."));
        var id = await Resolve(name, cancellationToken);
        var order = await Find(id, cancellationToken) ?? throw NotFound(id);
        if (order.Version < minVersion)
        {
            throw new Failure(ErrorReason.VersionNotReached, FieldErrors.Text($"Order {id} is at version {order.Version} here, not yet at {minVersion}; try again."))
            {
                RetryAfter = VersionRetry,
                Metadata = new Dictionary<string, string> { ["version"] = FieldErrors.Text($"{order.Version}") },
            };
        }

        return order;
    }

    /// <exception cref="Failure">INVALID_FIELD.</exception>
    public async Task<BatchGetOrdersResponse> BatchGet(IReadOnlyList<string> names, CancellationToken cancellationToken)
    {
        if (names.Count is 0 or > MostAtOnce)
            throw Failure.Invalid(new FieldError("names", FieldErrors.Text($"Has {names.Count} names; 1 to {MostAtOnce} are allowed.")));

        var ids = names.Select(name => OrderId.TryParse(CodeOf(name), out var id) ? id : (OrderId?)null).ToList();
        var found = await orders.Find([.. ids.OfType<OrderId>().Select(id => id.Value).Distinct()], cancellationToken);
        var response = new BatchGetOrdersResponse();
        for (var i = 0; i < names.Count; i++)
        {
            if (ids[i] is { } id && found.TryGetValue(id.Value, out var order) && order.Name == OrderMessage.NameOf(id))
                response.Orders.Add(order);
            else
                response.NotFound.Add(names[i]);
        }

        return response;
    }

    /// <exception cref="Failure">ORDER_ID_MISTYPED, ORDER_NOT_FOUND, INVALID_FIELD.</exception>
    public async Task<OrderTimeline> Timeline(string name, CancellationToken cancellationToken)
    {
        var id = await Resolve(name, cancellationToken);
        await using var command = database.CreateCommand(
            """
            SELECT t.version, t.time, t.event, t.actor, t.detail
            FROM order_timeline t JOIN orders o USING (order_id) JOIN stores s USING (store_id)
            WHERE t.order_id = $1 AND s.order_prefix = $2 AND ($3 IS NULL OR o.store_id = ANY ($3)) ORDER BY t.version
            """).With(id.Value).With(id.Prefix);
        command.Parameters.Add(new NpgsqlParameter
        {
            Value = Principal.Current?.Stores is { } stores ? stores.ToArray() : DBNull.Value,
            NpgsqlDbType = NpgsqlTypes.NpgsqlDbType.Array | NpgsqlTypes.NpgsqlDbType.Text,
        });
        await using var reader = await command.ExecuteReaderAsync(cancellationToken);
        var timeline = new OrderTimeline();
        while (await reader.ReadAsync(cancellationToken))
        {
            timeline.Entries.Add(new TimelineEntry
            {
                Version = reader.GetInt64(0),
                Time = reader.GetFieldValue<DateTimeOffset>(1).ToTimestamp(),
                Event = reader.GetString(2),
                Actor = reader.GetString(3),
                Detail = reader.GetString(4),
            });
        }

        return timeline.Entries.Count > 0 ? timeline : throw NotFound(id);
    }

    /// <summary>The id that a resource name means.</summary>
    /// <exception cref="Failure">
    /// INVALID_FIELD: not an order's name. ORDER_ID_MISTYPED, naming in its metadata the order that was meant, but only if
    /// there is one: two wrong symbols can look like one wrong symbol of a code that nobody has.
    /// </exception>
    public async Task<OrderId> Resolve(string name, CancellationToken cancellationToken)
    {
        var reading = OrderId.Read(CodeOf(name));
        if (reading.Kind == OrderIdReadingKind.Valid)
        {
            OrdersTelemetry.About(reading.Id);
            return reading.Id;
        }

        if (reading.Kind == OrderIdReadingKind.NotAnOrderId)
            throw Failure.Invalid(new FieldError("name", "Give \"orders/\" and an Order ID, for example \"orders/ORD-7K3M9QX-T2F8CRW\"."));
        if (reading.Meant is { } meant && await Find(meant, cancellationToken) is not null)
        {
            throw new Failure(ErrorReason.OrderIdMistyped, $"The Order ID is mistyped. Did you mean {meant}?")
            {
                Metadata = new Dictionary<string, string> { ["meant"] = meant.ToString() },
            };
        }

        throw new Failure(ErrorReason.OrderIdMistyped, "The Order ID is mistyped: its check symbols do not agree with it. Compare it with the original.");
    }

    /// <exception cref="Failure">Always to be thrown: ORDER_NOT_FOUND.</exception>
    public static Failure NotFound(OrderId id) => new(ErrorReason.OrderNotFound, $"There is no order {id}.");

    // The value alone is the key; a code with another store's prefix is not this order's code.
    private async Task<V1.Order?> Find(OrderId id, CancellationToken cancellationToken)
    {
        var order = await orders.Find(id.Value, cancellationToken);
        return order?.Name == OrderMessage.NameOf(id) ? order : null;
    }

    private static string? CodeOf(string name) => name.StartsWith(Prefix, StringComparison.Ordinal) ? name[Prefix.Length..] : null;
}

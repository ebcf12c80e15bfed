using Commerce.Facts;
using Commerce.Messaging;
using Commerce.Orders.Storage;
using Commerce.Orders.V1;
using Commerce.ServiceDefaults;
using Commerce.Types.V1;
using Google.Protobuf.WellKnownTypes;
using Npgsql;

namespace Commerce.Orders.ErasingCustomers;

/// <summary>Erasures and how far they are.</summary>
public sealed class ErasureStore(NpgsqlDataSource database)
{
    private const string Prefix = "erasures/";

    // Who else keeps what is personal. Notifications keeps none, and the Gateway forgets its copies as each of these tells.
    private static readonly string[] Services = ["payments", "shipments"];

    private const string Columns =
        """
        SELECT e.erasure_id, e.store_id, e.creator, e.create_time, e.order_ids, e.items,
               ARRAY(SELECT s.service FROM erasure_steps s WHERE s.erasure_id = e.erasure_id AND s.time IS NOT NULL ORDER BY s.service, s.order_id),
               ARRAY(SELECT s.items::text FROM erasure_steps s WHERE s.erasure_id = e.erasure_id AND s.time IS NOT NULL ORDER BY s.service, s.order_id),
               ARRAY(SELECT DISTINCT s.service FROM erasure_steps s WHERE s.erasure_id = e.erasure_id AND s.time IS NULL ORDER BY 1),
               (SELECT max(s.time) FROM erasure_steps s WHERE s.erasure_id = e.erasure_id)
        FROM erasures e
        """;

    public static string NameOf(Guid id) => Prefix + id.ToString("N");

    /// <summary>Executes the batch with an erasure that Orders has done, and what is left to the others.</summary>
    internal static async Task Insert(
        NpgsqlBatch done, Guid id, string storeId, Moment moment, IReadOnlyList<Order> orders, IReadOnlyList<ErasedItem> items, CancellationToken cancellationToken)
    {
        string[] names = [.. orders.Select(order => order.Id.ToString())];
        await using var batch = new NpgsqlBatch(done.Connection, done.Transaction)
            .With(Sql.Command("INSERT INTO erasures (erasure_id, store_id, creator, create_time, order_ids, items) VALUES ($1, $2, $3, $4, $5, $6)")
                .With(id).With(storeId).With(moment.Actor).With(moment.Time).With(names).WithJson(PersonalColumns.ToJson(items)))
            .With(Sql.Command("INSERT INTO erasure_steps (erasure_id, order_id, service) SELECT $1, o.id, s.name FROM unnest($2) AS o (id) CROSS JOIN unnest($3) AS s (name)")
                .With(id).With(names).With(Services));
        await batch.ExecuteNonQueryAsync(cancellationToken);
    }

    /// <summary>Keeps what a service told.</summary>
    public static void Heard(PersonalDataErased fact, FactContext context) => context.Batch.With(Sql.Command(
        "UPDATE erasure_steps SET time = $4, items = $5 WHERE erasure_id = $1 AND order_id = $2 AND service = $3 AND time IS NULL")
        .With(Guid.ParseExact(fact.ErasureId, "N")).With(fact.OrderId).With(fact.Service).With(fact.OccurredAt.ToUniversalTime()).WithJson(PersonalColumns.ToJson(fact.Items)));

    /// <exception cref="Failure">ERASURE_NOT_FOUND, INVALID_FIELD.</exception>
    public async Task<Erasure> Get(string name, CancellationToken cancellationToken)
    {
        await using var command = database.CreateCommand(Columns + " WHERE e.erasure_id = $1").With(IdOf(name));
        return (await Read(command, cancellationToken)).SingleOrDefault() ?? throw new Failure(ErrorReason.ErasureNotFound, "There is no such erasure.");
    }

    /// <exception cref="Failure">INVALID_FIELD.</exception>
    public static Guid IdOf(string name) => name.StartsWith(Prefix, StringComparison.Ordinal) && Guid.TryParseExact(name.AsSpan(Prefix.Length), "N", out var id)
        ? id
        : throw Failure.Invalid(new FieldError("name", "Give \"erasures/{erasure}\", as EraseCustomer answered."));

    /// <summary>Newest first, after the one that the page before ended with.</summary>
    public async Task<IReadOnlyList<Erasure>> List((DateTimeOffset Time, Guid Id)? after, int most, CancellationToken cancellationToken)
    {
        await using var command = database.CreateCommand(Columns + " WHERE (e.create_time, e.erasure_id) < ($1, $2) ORDER BY e.create_time DESC, e.erasure_id DESC LIMIT $3")
            .With(after?.Time ?? new DateTimeOffset(9999, 1, 1, 0, 0, 0, TimeSpan.Zero)).With(after?.Id ?? Guid.AllBitsSet).With(most);
        return await Read(command, cancellationToken);
    }

    internal static Erasure Validated(string storeId, Moment moment, IReadOnlyList<Order> orders, IReadOnlyList<ErasedItem> items) => new()
    {
        StoreId = storeId,
        State = Erasure.Types.State.Validated,
        Creator = moment.Actor,
        CreateTime = moment.Time.ToTimestamp(),
        Orders = { orders.Select(order => OrderMessage.NameOf(order.Id)) },
        Items = { Messages("orders", items) },
    };

    private static async Task<IReadOnlyList<Erasure>> Read(NpgsqlCommand command, CancellationToken cancellationToken)
    {
        await using var reader = await command.ExecuteReaderAsync(cancellationToken);
        var found = new List<Erasure>();
        while (await reader.ReadAsync(cancellationToken))
        {
            var (services, told, waiting) = (reader.GetFieldValue<string[]>(6), reader.GetFieldValue<string[]>(7), reader.GetFieldValue<string[]>(8));
            var items = services.Zip(told).GroupBy(one => one.First, one => PersonalColumns.OfJson(one.Second));
            found.Add(new Erasure
            {
                Name = NameOf(reader.GetGuid(0)),
                StoreId = reader.GetString(1),
                State = waiting.Length == 0 ? Erasure.Types.State.Done : Erasure.Types.State.Running,
                Creator = reader.GetString(2),
                CreateTime = reader.GetFieldValue<DateTimeOffset>(3).ToTimestamp(),
                CompleteTime = waiting.Length == 0 ? reader.TimeOrNull(9)?.ToTimestamp() : null,
                Orders = { reader.GetFieldValue<string[]>(4).Select(id => "orders/" + id) },
                Items = { Messages("orders", PersonalColumns.OfJson(reader.GetString(5))), items.SelectMany(service => Messages(service.Key, service.SelectMany(one => one))) },
                WaitingFor = { waiting },
            });
        }

        return found;
    }

    // Of each kind one line, however many orders it is about.
    private static IEnumerable<Erasure.Types.Item> Messages(string service, IEnumerable<ErasedItem> items) =>
        items.GroupBy(item => (item.Kind, item.Reason)).Select(kind => new Erasure.Types.Item
        {
            Service = service,
            Kind = kind.Key.Kind,
            RemovedCount = kind.Sum(item => item.Removed),
            KeptCount = kind.Sum(item => item.Kept),
            Reason = kind.Key.Reason,
            KeepUntil = kind.Max(item => item.KeepUntil) is { } until ? new Google.Type.Date { Year = until.Year, Month = until.Month, Day = until.Day } : null,
        });
}

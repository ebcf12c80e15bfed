using System.Globalization;
using System.Net.Http.Headers;
using System.Text;
using System.Text.Json.Nodes;
using Commerce.Orders.V1;
using Npgsql;

namespace Commerce.SystemTests;

/// <summary>What the suite knows about an order that did not come to its end: asked only on failure.</summary>
internal static class Evidence
{
    private const int LogLines = 40;
    private const int LineLength = 400;

    private static readonly string[] Services = ["orders", "payments", "shipments", "notifications"];

    /// <summary>The order's rows in every service, what waits anywhere, the broker's queues, every service's health and its latest warnings.</summary>
    public static string Of(Suite suite, string orderId) => Collect(suite, orderId).GetAwaiter().GetResult();

    private static async Task<string> Collect(Suite suite, string orderId)
    {
        var text = new StringBuilder();
        var keys = new List<string> { orderId };
        await Try(text, "shipmentsdb", async () => keys.AddRange(await Column(suite, "shipmentsdb", "SELECT replace(id::text, '-', '') FROM shipments WHERE order_id = $1", orderId)));
        await Try(text, "order", async () => text.AppendLine((await suite.Orders.GetOrderAsync(new GetOrderRequest { Name = "orders/" + orderId })).ToString()));
        await Query(text, suite, "shipmentsdb", "SELECT * FROM shipments WHERE order_id = $1", orderId);
        await Query(text, suite, "notificationsdb", "SELECT seq, shipment_id, kind, state, attempts, created_at, sent_at FROM notifications WHERE order_id = $1 ORDER BY seq", orderId);
        foreach (var service in Services)
        {
            var database = service + "db";
            await Query(text, suite, database, "SELECT consumer, key, version FROM messaging.inbox_versions WHERE key = ANY($1)", (object)keys.ToArray());
            await Query(text, suite, database, "SELECT consumer, key, version, fact, parked_at FROM messaging.parked_facts ORDER BY parked_at LIMIT 20");
            await Query(text, suite, database, "SELECT consumer, key, version, fact, attempts, last_error FROM messaging.failed_facts ORDER BY failed_at LIMIT 20");
            await Query(text, suite, database, "SELECT id, fact, key, version, attempts, last_error, enqueued_at FROM messaging.outbox ORDER BY id LIMIT 20");
            await Query(text, suite, database, "SELECT kind, count(*), min(due_at), max(attempts), max(last_error) FROM messaging.recovery_points GROUP BY kind");
        }

        await Try(text, "queues", async () => await Queues(text, suite));
        foreach (var name in (string[])[.. Services, "gateway", "messaging"])
        {
            await Try(text, name, async () => await Process(text, suite, name));
        }

        return text.ToString();
    }

    private static async Task Query(StringBuilder text, Suite suite, string database, string sql, params object[] parameters) => await Try(text, sql, async () =>
    {
        await using var source = NpgsqlDataSource.Create(suite.Run.Find(database)!.ConnectionString!);
        await using var command = source.CreateCommand(sql);
        foreach (var parameter in parameters)
            command.Parameters.Add(new NpgsqlParameter { Value = parameter });
        await using var reader = await command.ExecuteReaderAsync();
        while (await reader.ReadAsync())
        {
            var values = Enumerable.Range(0, reader.FieldCount).Select(i => string.Create(CultureInfo.InvariantCulture, $"{reader.GetName(i)}={reader.GetValue(i)}"));
            text.AppendLine(CultureInfo.InvariantCulture, $"{database} {sql.Split(' ').SkipWhile(word => word != "FROM").ElementAt(1)}: {string.Join(' ', values)}");
        }
    });

    private static async Task<List<string>> Column(Suite suite, string database, string sql, string parameter)
    {
        await using var source = NpgsqlDataSource.Create(suite.Run.Find(database)!.ConnectionString!);
        await using var command = source.CreateCommand(sql);
        command.Parameters.Add(new NpgsqlParameter { Value = parameter });
        await using var reader = await command.ExecuteReaderAsync();
        var values = new List<string>();
        while (await reader.ReadAsync())
            values.Add(reader.GetString(0));
        return values;
    }

    private static async Task Queues(StringBuilder text, Suite suite)
    {
        var broker = suite.Run.Find("messaging")!;
        using var client = new HttpClient { BaseAddress = new Uri(broker.Endpoints["management"]) };
        client.DefaultRequestHeaders.Authorization = new AuthenticationHeaderValue(
            "Basic", Convert.ToBase64String(Encoding.UTF8.GetBytes(Uri.UnescapeDataString(new Uri(broker.ConnectionString!).UserInfo))));
        foreach (var queue in JsonNode.Parse(await client.GetStringAsync("/api/queues"))!.AsArray())
            text.AppendLine(CultureInfo.InvariantCulture, $"queue {queue!["name"]}: {queue["messages_ready"]} ready, {queue["messages_unacknowledged"]} unacknowledged, {queue["consumers"]} consumers, {queue["state"]}");
    }

    private static async Task Process(StringBuilder text, Suite suite, string name)
    {
        var resource = suite.Run.Find(name)!;
        text.AppendLine(CultureInfo.InvariantCulture, $"{name}: {resource.State}, restarts {resource.Restarts}");
        if (resource.Log is { } log)
        {
            await using var stream = new FileStream(log, FileMode.Open, FileAccess.Read, FileShare.ReadWrite);
            using var reader = new StreamReader(stream);
            foreach (var line in (await reader.ReadToEndAsync()).Split('\n').TakeLast(LogLines))
                text.AppendLine(CultureInfo.InvariantCulture, $"    {(line.Length > LineLength ? line[..LineLength] + " …" : line)}");
        }

        if (resource.Endpoints.TryGetValue("http", out var address))
        {
            using var client = new HttpClient();
            using var health = await client.GetAsync(new Uri(new Uri(address), "/health"));
            text.AppendLine(CultureInfo.InvariantCulture, $"    health: {await health.Content.ReadAsStringAsync()}");
        }
    }

    // One source of evidence that is away must not hide the others.
    private static async Task Try(StringBuilder text, string what, Func<Task> read)
    {
        try
        {
            await read();
        }
        catch (Exception exception)
        {
            text.AppendLine(CultureInfo.InvariantCulture, $"{what}: {exception.GetType().Name}: {exception.Message}");
        }
    }
}

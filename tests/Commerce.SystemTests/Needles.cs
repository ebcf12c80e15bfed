using System.Buffers;
using System.Globalization;
using System.Net.Http.Headers;
using System.Net.Http.Json;
using System.Text;
using System.Text.Json.Nodes;
using Commerce.Facts;
using Npgsql;
using StackExchange.Redis;

namespace Commerce.SystemTests;

/// <summary>
/// Texts that stand nowhere but in one person's data, and where the suite keeps them: every row of every table of every database,
/// every key and value in Redis, every message in every queue, every log and every span. In plain, in any case, in hex (as binary
/// columns show themselves), in base64 and percent-encoded.
/// </summary>
internal sealed class Needles(Suite suite, IReadOnlyDictionary<string, string> needles)
{
    private static readonly string[] Databases = ["ordersdb", "paymentsdb", "shipmentsdb", "notificationsdb", "gatewaydb"];

    private readonly (string What, string[] Forms)[] _forms = [.. needles.Select(one => (one.Key, FormsOf(one.Value)))];

    // All of them in one pass: nearly every row has none.
    private readonly SearchValues<string> _any = SearchValues.Create([.. needles.Values.SelectMany(FormsOf).Distinct()], StringComparison.OrdinalIgnoreCase);

    /// <summary>Which needle is where: each pair once.</summary>
    public async Task<IReadOnlyCollection<(string What, string Where)>> Find()
    {
        var found = new HashSet<(string, string)>();
        foreach (var database in Databases)
            await Tables(database, found);
        await Redis(found);
        await Queues(found);
        found.UnionWith(await Told());
        return found;
    }

    /// <summary>The queues that hear of placed orders.</summary>
    public static IReadOnlyList<string> OfPlacedOrders { get; } = [.. Subscriptions.All.Where(one => one.Facts.Contains(typeof(OrderPlaced))).Select(one => one.Queue)];

    /// <summary>Puts the fact of an order where facts wait that could not be handled: in the error queues, and set aside and parked by Notifications.</summary>
    public async Task Fail(string orderId, string customerId)
    {
        var fact = new JsonObject { ["orderId"] = orderId, ["storeId"] = "main", ["version"] = 1, ["occurredAt"] = "2026-01-01T00:00:00+00:00", ["externalId"] = "", ["customerId"] = customerId };
        var envelope = new JsonObject { ["messageId"] = Guid.NewGuid().ToString(), ["messageType"] = new JsonArray("urn:message:Commerce.Facts:OrderPlaced"), ["message"] = fact.DeepClone() };
        using var client = Broker();
        foreach (var queue in OfPlacedOrders)
        {
            using var sent = await client.PostAsJsonAsync(
                $"/api/exchanges/{Uri.EscapeDataString(VirtualHost)}/amq.default/publish",
                new { properties = new { message_id = Guid.NewGuid().ToString(), content_type = "application/vnd.masstransit+json" }, routing_key = queue + "_error", payload = envelope.ToJsonString(), payload_encoding = "string" });
            sent.EnsureSuccessStatusCode();
            Assert.True(JsonNode.Parse(await sent.Content.ReadAsStringAsync())!["routed"]!.GetValue<bool>(), queue);
        }

        await using var database = NpgsqlDataSource.Create(suite.Run.Find("notificationsdb")!.ConnectionString!);
        await using var command = database.CreateCommand(
            """
            WITH failed AS (INSERT INTO messaging.failed_facts (consumer, message_id, key, version, fact, body, attempts, next_at, last_error, failed_at)
              VALUES ('notifications.orders', gen_random_uuid(), $1, 1, 'OrderPlaced', $2, 9, now() + interval '1 day', 'it failed', now()))
            INSERT INTO messaging.parked_facts (consumer, key, version, message_id, fact, body, parked_at) VALUES ('notifications.orders', $1, 1, gen_random_uuid(), 'OrderPlaced', $2, now())
            """);
        command.Parameters.Add(new NpgsqlParameter<string> { TypedValue = orderId });
        command.Parameters.Add(new NpgsqlParameter<string> { TypedValue = fact.ToJsonString() });
        await command.ExecuteNonQueryAsync();
    }

    /// <summary>The facts of an order that wait so, as they are now.</summary>
    public async Task<IReadOnlyList<string>> Failed(string orderId)
    {
        var bodies = new List<string>();
        using var client = Broker();
        foreach (var queue in OfPlacedOrders)
        {
            using var answer = await client.PostAsJsonAsync(
                $"/api/queues/{Uri.EscapeDataString(VirtualHost)}/{queue}_error/get", new { count = 10_000, ackmode = "ack_requeue_true", encoding = "auto" });
            answer.EnsureSuccessStatusCode();
            bodies.Add(JsonNode.Parse(await answer.Content.ReadAsStringAsync())!.AsArray().Select(one => one!["payload"]!.GetValue<string>()).Single(one => one.Contains(orderId, StringComparison.Ordinal)));
        }

        await using var database = NpgsqlDataSource.Create(suite.Run.Find("notificationsdb")!.ConnectionString!);
        await using var command = database.CreateCommand("SELECT body FROM messaging.failed_facts WHERE key = $1 UNION ALL SELECT body FROM messaging.parked_facts WHERE key = $1");
        command.Parameters.Add(new NpgsqlParameter<string> { TypedValue = orderId });
        await using var reader = await command.ExecuteReaderAsync();
        while (await reader.ReadAsync())
            bodies.Add(reader.GetString(0));
        return bodies;
    }

    /// <summary>A mail was refused, and waits to be sent again.</summary>
    public async Task<bool> MailsWereRefused()
    {
        await using var database = NpgsqlDataSource.Create(suite.Run.Find("notificationsdb")!.ConnectionString!);
        await using var command = database.CreateCommand("SELECT EXISTS (SELECT FROM messaging.recovery_points WHERE attempts > 0 AND last_error IS NOT NULL)");
        return (bool)(await command.ExecuteScalarAsync())!;
    }

    /// <summary>Takes them away again, for whoever comes after and wants nothing to have failed.</summary>
    public async Task Unfail(string orderId)
    {
        using var client = Broker();
        foreach (var queue in OfPlacedOrders)
        {
            using var emptied = await client.DeleteAsync($"/api/queues/{Uri.EscapeDataString(VirtualHost)}/{queue}_error/contents");
            emptied.EnsureSuccessStatusCode();
        }

        await using var database = NpgsqlDataSource.Create(suite.Run.Find("notificationsdb")!.ConnectionString!);
        await using var command = database.CreateCommand("WITH failed AS (DELETE FROM messaging.failed_facts WHERE key = $1) DELETE FROM messaging.parked_facts WHERE key = $1");
        command.Parameters.Add(new NpgsqlParameter<string> { TypedValue = orderId });
        await command.ExecuteNonQueryAsync();
    }

    /// <summary>What the suite told about its work: logs and traces.</summary>
    public async Task<IReadOnlyCollection<(string What, string Where)>> Told()
    {
        var found = new HashSet<(string, string)>();
        foreach (var resource in suite.Run.Resources.Where(resource => resource.Log is not null))
        {
            await using var stream = new FileStream(resource.Log!, FileMode.Open, FileAccess.Read, FileShare.ReadWrite);
            using var reader = new StreamReader(stream);
            while (await reader.ReadLineAsync() is { } line)
                Look(line, $"log of {resource.Name}", found);
        }

        Look(suite.Output(), "output of the engine", found);
        foreach (var span in suite.Telemetry.Spans)
            Look($"{span.Name} {string.Join(' ', span.Attributes.Select(one => $"{one.Key}={one.Value}"))}", $"span {span.Name}", found);
        return found;
    }

    private async Task Tables(string database, HashSet<(string, string)> found)
    {
        await using var source = NpgsqlDataSource.Create(suite.Run.Find(database)!.ConnectionString!);
        var tables = new List<string>();
        await using (var list = source.CreateCommand("SELECT format('%I.%I', schemaname, tablename) FROM pg_tables WHERE schemaname <> 'information_schema' AND schemaname NOT LIKE 'pg\\_%'"))
        await using (var reader = await list.ExecuteReaderAsync())
        {
            while (await reader.ReadAsync())
                tables.Add(reader.GetString(0));
        }

        Assert.NotEmpty(tables);
        foreach (var table in tables)
        {
            await using var rows = source.CreateCommand($"SELECT t::text FROM {table} t");
            await using var reader = await rows.ExecuteReaderAsync();
            while (await reader.ReadAsync())
                Look(reader.GetString(0), $"{database} {table}", found);
        }
    }

    private async Task Redis(HashSet<(string, string)> found)
    {
        await using var redis = await ConnectionMultiplexer.ConnectAsync(suite.Run.Find("redis")!.ConnectionString!);
        var database = redis.GetDatabase();
        await foreach (var key in redis.GetServers().Single().KeysAsync())
        {
            var text = new StringBuilder(key.ToString());
            switch (await database.KeyTypeAsync(key))
            {
                case RedisType.String:
                    Add(await database.StringGetAsync(key));
                    break;
                case RedisType.Hash:
                    foreach (var entry in await database.HashGetAllAsync(key))
                    {
                        Add(entry.Name);
                        Add(entry.Value);
                    }

                    break;
                case RedisType.List:
                    foreach (var value in await database.ListRangeAsync(key))
                        Add(value);
                    break;
                case RedisType.Set:
                    foreach (var value in await database.SetMembersAsync(key))
                        Add(value);
                    break;
                case RedisType.SortedSet:
                    foreach (var value in await database.SortedSetRangeByRankAsync(key))
                        Add(value);
                    break;
                case RedisType.None:
                    break;
                case var other:
                    throw new InvalidOperationException($"{key} is a {other}, which nobody looks into.");
            }

            Look(text.ToString(), "Redis", found);

            // Byte by byte: what is no text must not hide what is.
            void Add(RedisValue value) => text.Append('\n').Append(Encoding.Latin1.GetString((byte[]?)value ?? []));
        }
    }

    private async Task Queues(HashSet<(string, string)> found)
    {
        using var client = Broker();
        foreach (var queue in JsonNode.Parse(await client.GetStringAsync("/api/queues"))!.AsArray())
        {
            var name = queue!["name"]!.GetValue<string>();
            using var answer = await client.PostAsJsonAsync(
                $"/api/queues/{Uri.EscapeDataString(queue["vhost"]!.GetValue<string>())}/{Uri.EscapeDataString(name)}/get", new { count = 10_000, ackmode = "ack_requeue_true", encoding = "auto" });
            answer.EnsureSuccessStatusCode();
            Look(await answer.Content.ReadAsStringAsync(), $"queue {name}", found);
        }
    }

    private string VirtualHost => new Uri(suite.Run.Find("messaging")!.ConnectionString!).AbsolutePath is { Length: > 1 } path ? Uri.UnescapeDataString(path[1..]) : "/";

    private HttpClient Broker()
    {
        var broker = suite.Run.Find("messaging")!;
        var client = new HttpClient { BaseAddress = new Uri(broker.Endpoints["management"]) };
        client.DefaultRequestHeaders.Authorization = new AuthenticationHeaderValue(
            "Basic", Convert.ToBase64String(Encoding.UTF8.GetBytes(Uri.UnescapeDataString(new Uri(broker.ConnectionString!).UserInfo))));
        return client;
    }

    private void Look(string text, string where, HashSet<(string, string)> found)
    {
        if (!text.AsSpan().ContainsAny(_any))
            return;
        foreach (var (what, forms) in _forms)
        {
            if (forms.Any(form => text.Contains(form, StringComparison.OrdinalIgnoreCase)))
                found.Add((what, where));
        }
    }

    private static string[] FormsOf(string needle)
    {
        var bytes = Encoding.UTF8.GetBytes(needle);
        // Base64 has three looks of the same bytes, by where they begin; the first and last symbols depend on their neighbours.
        var base64 = Enumerable.Range(0, 3).Select(offset => Convert.ToBase64String([.. new byte[offset], .. bytes]).TrimEnd('=')[(offset == 0 ? 0 : offset + 1)..^1]);
        return [.. base64.Where(form => form.Length >= 8).Append(needle).Append(Convert.ToHexString(bytes)).Append(Uri.EscapeDataString(needle)).Distinct()];
    }

    /// <summary>For a failure: one line a place.</summary>
    public static string Tell(IEnumerable<(string What, string Where)> found) =>
        string.Join('\n', found.GroupBy(one => one.Where, one => one.What).OrderBy(place => place.Key, StringComparer.Ordinal).Select(place => string.Create(CultureInfo.InvariantCulture, $"{place.Key}: {string.Join(", ", place)}")));
}

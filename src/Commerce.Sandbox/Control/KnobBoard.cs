using System.Text.Json;
using System.Text.Json.Nodes;
using Commerce.Sandbox.Books;
using Commerce.Sandbox.Http;

namespace Commerce.Sandbox.Control;

/// <summary>The knobs in force: from configuration at first, then as they were last turned, a restart included.</summary>
internal sealed class KnobBoard
{
    private readonly BookKeeper _books;
    private volatile Knobs _current;

    public KnobBoard(BookKeeper books, IConfiguration configuration)
    {
        _books = books;
        var turned = books.Read(page => page.First("SELECT value FROM settings WHERE name = 'knobs'", r => r.GetString(0)));
        _current = turned is null ? FromConfiguration(configuration.GetSection("Sandbox:Knobs")) : JsonSerializer.Deserialize<Knobs>(turned, Json.Options)!;
    }

    public Knobs Current => _current;

    public async Task<Knobs> ReplaceAsync(byte[] body) => await KeepAsync(Json.Read<Knobs>(body).Checked());

    /// <summary>RFC 7396: what is not named stays, in a carrier's own knobs too, and null takes one of those back.</summary>
    public async Task<Knobs> MergeAsync(byte[] body)
    {
        var patch = Json.Read<JsonObject>(body);
        var merged = JsonSerializer.SerializeToNode(_current, Json.Options)!.AsObject();
        foreach (var (name, value) in patch) merged[name] = value is JsonObject given ? Merged(merged[name] as JsonObject ?? [], given) : value?.DeepClone();
        return await KeepAsync(Json.Read<Knobs>(Json.Write(merged)).Checked());
    }

    private static JsonObject Merged(JsonObject before, JsonObject patch)
    {
        foreach (var (name, value) in patch)
        {
            if (value is null) before.Remove(name);
            else before[name] = value is JsonObject given ? Merged(before[name] as JsonObject ?? [], given) : value.DeepClone();
        }

        return before;
    }

    private static Knobs FromConfiguration(IConfigurationSection section) => Json.Read<Knobs>(Json.Write(Given(section))).Checked();

    // Configuration spells a knob as its JSON does (day_seconds) or as .NET does (DaySeconds).
    private static JsonObject Given(IConfigurationSection section)
    {
        var given = new JsonObject();
        foreach (var child in section.GetChildren())
            given[JsonNamingPolicy.SnakeCaseLower.ConvertName(child.Key)] = child.Value is { } text ? JsonNode.Parse(text) : Given(child);
        return given;
    }

    private async Task<Knobs> KeepAsync(Knobs knobs)
    {
        var text = Json.Text(knobs);
        await _books.WriteAsync(page => page.Execute("INSERT INTO settings (name, value) VALUES ('knobs', $1) ON CONFLICT (name) DO UPDATE SET value = excluded.value", text));
        return _current = knobs;
    }
}

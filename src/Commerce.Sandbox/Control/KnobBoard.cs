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

    /// <summary>RFC 7396: what is not named stays.</summary>
    public async Task<Knobs> MergeAsync(byte[] body)
    {
        var patch = Json.Read<JsonObject>(body);
        var merged = JsonSerializer.SerializeToNode(_current, Json.Options)!.AsObject();
        foreach (var (name, value) in patch) merged[name] = value?.DeepClone();
        return await KeepAsync(Json.Read<Knobs>(Json.Write(merged)).Checked());
    }

    private static Knobs FromConfiguration(IConfigurationSection section)
    {
        // Configuration spells a knob as its JSON does (day_seconds) or as .NET does (DaySeconds).
        var given = new JsonObject();
        foreach (var child in section.GetChildren())
        {
            if (child.Value is { } text) given[JsonNamingPolicy.SnakeCaseLower.ConvertName(child.Key)] = JsonNode.Parse(text);
        }

        return Json.Read<Knobs>(Json.Write(given)).Checked();
    }

    private async Task<Knobs> KeepAsync(Knobs knobs)
    {
        var text = Json.Text(knobs);
        await _books.WriteAsync(page => page.Execute("INSERT INTO settings (name, value) VALUES ('knobs', $1) ON CONFLICT (name) DO UPDATE SET value = excluded.value", text));
        return _current = knobs;
    }
}

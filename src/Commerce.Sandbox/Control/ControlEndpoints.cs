using Commerce.Sandbox.Books;
using Commerce.Sandbox.Http;

namespace Commerce.Sandbox.Control;

/// <summary>Knobs and scenarios.</summary>
internal static class ControlEndpoints
{
    private const int MaxReference = 200;

    public static void MapControl(this IEndpointRouteBuilder app)
    {
        var control = app.MapGroup("/control");
        control.MapGet("/knobs", (KnobBoard board) => Answer.Ok(board.Current));
        control.MapPut("/knobs", async (HttpContext context, KnobBoard board) => Answer.Ok(await board.ReplaceAsync(await Json.ReadBodyAsync(context))));
        control.MapPatch("/knobs", async (HttpContext context, KnobBoard board) => Answer.Ok(await board.MergeAsync(await Json.ReadBodyAsync(context))));

        control.MapPut("/scenarios/{orderReference}", async (string orderReference, HttpContext context, BookKeeper books) =>
        {
            var scenario = Json.Read<Scenario>(await Json.ReadBodyAsync(context));
            return await PutAsync(books, new Dictionary<string, Scenario> { [orderReference] = scenario }, "");
        });
        control.MapPut("/scenarios", async (HttpContext context, BookKeeper books) =>
        {
            var many = Json.Read<Scenarios>(await Json.ReadBodyAsync(context)).ByReference;
            if (many is null) throw Refusal.Unprocessable("invalid_request", "scenarios is required: an object from order reference to scenario.");
            return await PutAsync(books, many, "scenarios.");
        });
        control.MapGet("/scenarios/{orderReference}", (string orderReference, BookKeeper books) =>
            books.Read(page => ScenarioBook.Find(page, orderReference)) is { } kept
                ? Answer.Ok(new Scenario(kept.EndsAt?.ToString(), (int)kept.RefusalsLeft, kept.Silent))
                : throw Refusal.NotFound("scenario for", orderReference));
    }

    private static async Task<IResult> PutAsync(BookKeeper books, Dictionary<string, Scenario> scenarios, string path)
    {
        var check = new Validation();
        foreach (var (reference, scenario) in scenarios)
        {
            var at = path.Length == 0 ? "" : $"{path}{reference}.";
            check.Text(reference, "order_reference", MaxReference);
            check.Require(scenario is not null, at, "must be a scenario, not null");
            scenario?.Check(check, at);
        }

        check.ThrowIfInvalid();
        await books.WriteAsync(page =>
        {
            foreach (var (reference, scenario) in scenarios) ScenarioBook.Put(page, reference, scenario);
        });
        return Answer.Ok(new { scenarios = scenarios.Count });
    }

    private sealed record Scenarios([property: System.Text.Json.Serialization.JsonPropertyName("scenarios")] Dictionary<string, Scenario>? ByReference);
}

using Commerce.Sandbox.Books;
using Commerce.Sandbox.Control;
using Commerce.Sandbox.Http;
using Commerce.Sandbox.Payments;

namespace Commerce.Sandbox.Carriers;

/// <summary>The carriers' HTTP side, with its faults.</summary>
internal static class CarrierEndpoints
{
    public static void MapCarriers(this IEndpointRouteBuilder app)
    {
        var carriers = app.MapGroup("/carriers/{carrier}/v1").AddEndpointFilter<Latency>().AddEndpointFilter(FailSometimesAsync);

        carriers.MapPost("/rates", async (string carrier, HttpContext context) =>
        {
            var by = Find(carrier);
            var request = Json.Read<RatesRequest>(await Json.ReadBodyAsync(context)).Checked();
            var rates = Rating.Quote(by, request.ShipFrom!.Place, request.ShipTo!.Place, request.Parcel!, request.Value!.Money.Code);
            return Answer.Ok(new { rates });
        });
        carriers.MapPost("/labels", async (string carrier, HttpContext context, LabelDesk desk) =>
        {
            var by = Find(carrier);
            var call = await IdempotentRequest.ReadAsync(context, $"carriers/{by.Id}");
            var here = $"{context.Request.Scheme}://{context.Request.Host}/carriers/{by.Id}/v1/labels";
            return await desk.BuyAsync(call, by, Json.Read<LabelRequest>(call.Body).Checked(), here);
        });
        carriers.MapDelete("/labels/{id}", async (string carrier, string id, LabelDesk desk) =>
        {
            await desk.VoidAsync(Find(carrier), id);
            return Results.NoContent();
        });
        carriers.MapPost("/labels/{id}/delivery", async (string carrier, string id, HttpContext context, LabelDesk desk) =>
        {
            var by = Find(carrier);
            var call = await IdempotentRequest.ReadAsync(context, $"carriers/{by.Id}");
            return await desk.ChangeAsync(call, by, id, Json.Read<DeliveryRequest>(call.Body).Checked());
        });
        carriers.MapGet("/labels/{id}/label.txt", (string carrier, string id, BookKeeper books) =>
        {
            var by = Find(carrier);
            var label = books.Read(page => LabelBook.Find(page, by.Id, id)) ?? throw Refusal.NotFound("label", id);
            return Results.Text(LabelText.Render(by, label));
        });
        carriers.MapPost("/claims", async (string carrier, HttpContext context, ClaimDesk desk) =>
        {
            var by = Find(carrier);
            var call = await IdempotentRequest.ReadAsync(context, $"carriers/{by.Id}");
            return await desk.FileAsync(call, by, Json.Read<ClaimRequest>(call.Body).Checked());
        });
        carriers.MapGet("/claims/{id}", (string carrier, string id, ClaimDesk desk) => Answer.Ok(desk.Find(Find(carrier), id)));
        carriers.MapGet("/tracking/{number}", (string carrier, string number, BookKeeper books) =>
        {
            var by = Find(carrier);
            var label = books.Read(page => LabelBook.WithNumber(page, by.Id, number)) ?? throw Refusal.NotFound($"{by.Name} parcel", number);
            return Answer.Ok(new { tracking_number = number, events = label.Happened.Select(s => s.View(by, number)) });
        });
    }

    private static Carrier Find(string id) => CarrierProfiles.All.GetValueOrDefault(id)
        ?? throw new Refusal(404, "unknown_carrier", $"There is no carrier {id}; there are {string.Join(", ", CarrierProfiles.All.Keys)}.");

    private static ValueTask<object?> FailSometimesAsync(EndpointFilterInvocationContext context, EndpointFilterDelegate next)
    {
        var services = context.HttpContext.RequestServices;
        var carrier = context.HttpContext.GetRouteValue("carrier") is string code ? CarrierProfiles.All.GetValueOrDefault(code) : null;
        var rate = services.GetRequiredService<KnobBoard>().Current.Of(carrier).ErrorRate;
        return services.GetRequiredService<Chance>().HitsNext(rate, "carrier_error")
            ? throw new Refusal(503, "carrier_unavailable", "The carrier's system is not available; nothing was done. Try again.")
            : next(context);
    }
}

/// <summary>A label that a person can read.</summary>
internal static class LabelText
{
    public static string Render(Carrier carrier, Label label)
    {
        var to = Json.Read<Address>(System.Text.Encoding.UTF8.GetBytes(label.ShipTo));
        var lines = new List<string?> { to.Name };
        lines.AddRange(to.StreetLines ?? [to.Street ?? ""]);
        lines.AddRange([$"{to.PostalCode} {to.City} {to.Region}".Trim(), to.CountryCode]);
        var banner = label.VoidedAt is null ? "" : "*** VOID ***\n";
        return $"""
            {banner}{carrier.Name} · {label.Service} · {label.WeightGrams} g
            {Authorization.Rfc3339(label.CreatedAt)}

            SHIP TO
              {string.Join("\n  ", lines.Where(l => !string.IsNullOrWhiteSpace(l)))}

            TRACKING {label.TrackingNumber}
            REF {label.Reference} · {label.OrderReference}

            """;
    }
}

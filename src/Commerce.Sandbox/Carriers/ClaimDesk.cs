using Commerce.Sandbox.Books;
using Commerce.Sandbox.Control;
using Commerce.Sandbox.Http;

namespace Commerce.Sandbox.Carriers;

internal sealed record ClaimRequest(string? TrackingNumber, Amount? Amount)
{
    public ClaimRequest Checked()
    {
        var check = new Validation();
        check.Text(TrackingNumber, "tracking_number", 50);
        Amount.Check(check, Amount, "amount", min: 1);
        check.ThrowIfInvalid();
        return this;
    }
}

internal sealed record ClaimView(string Id, string TrackingNumber, string State, Amount Amount, string Why);

/// <summary>Pays for parcels that a carrier lost. It takes a carrier's day to decide, and one that arrived is not paid for.</summary>
internal sealed class ClaimDesk(BookKeeper books, KnobBoard knobs, TimeProvider time)
{
    public Task<Answer> FileAsync(IdempotentRequest call, Carrier carrier, ClaimRequest request) => books.WriteAsync(page => page.Once(call, p =>
    {
        var label = LabelBook.WithNumber(p, carrier.Id, request.TrackingNumber!) ?? throw Refusal.NotFound($"{carrier.Name} parcel", request.TrackingNumber!);
        var now = time.GetUtcNow();
        var id = $"clm_{Guid.CreateVersion7(now):N}";
        p.Execute(
            "INSERT INTO claims (id, carrier, label, currency, amount, created_at) VALUES ($1, $2, $3, $4, $5, $6)",
            id, carrier.Id, label.Seq, request.Amount!.Code, request.Amount.Value, now.ToUnixTimeMilliseconds());
        return Answer.Created(new ClaimView(id, label.TrackingNumber, "open", request.Amount, ""));
    }));

    public ClaimView Find(Carrier carrier, string id) => books.Read(page =>
    {
        var claim = page.First(
            "SELECT label, currency, amount, created_at FROM claims WHERE id = $1 AND carrier = $2",
            r => (Label: r.GetInt64(0), Amount: new Amount(r.GetString(1), r.GetInt64(2)), At: r.GetInt64(3)).ToTuple(), id, carrier.Id)
            ?? throw Refusal.NotFound("claim", id);
        var label = LabelBook.Find(page, claim.Item1)!;
        var decided = DateTimeOffset.FromUnixTimeMilliseconds(claim.Item3).AddSeconds(knobs.Current.DaySeconds) <= time.GetUtcNow();
        var (state, why) = (decided, label) switch
        {
            (false, _) => ("open", ""),
            (_, { HandedOver: false }) => ("rejected", $"{carrier.Name} never had this parcel."),
            _ when label.Happened.Any(scan => scan.Step == Step.Delivered) => ("rejected", $"{carrier.Name} delivered this parcel."),
            _ => ("accepted", ""),
        };
        return new ClaimView(id, label.TrackingNumber, state, claim.Item2, why);
    });
}

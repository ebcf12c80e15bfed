using Commerce.Sandbox.Books;
using Commerce.Sandbox.Control;
using Commerce.Sandbox.Http;
using Commerce.Sandbox.Payments;
using Commerce.Sandbox.Webhooks;

namespace Commerce.Sandbox.Carriers;

/// <summary>Sells labels, and moves their parcels when a scan is due.</summary>
internal sealed class LabelDesk(BookKeeper books, WebhookBook webhooks, JourneyPlanner planner, KnobBoard knobs, Chance chance, TimeProvider time)
{
    private static readonly TimeSpan Overlap = TimeSpan.FromMilliseconds(250);

    public async Task<Answer> BuyAsync(IdempotentRequest call, Carrier carrier, LabelRequest request, string labelBase)
    {
        var orderReference = string.IsNullOrWhiteSpace(request.OrderReference) ? request.Reference! : request.OrderReference;
        var answer = await books.WriteAsync(page =>
        {
            if (!page.Knows(call) && ScenarioBook.Find(page, orderReference) is { RefusalsLeft: > 0 })
            {
                // The count must be kept, so this refusal cannot be an exception, which would undo it.
                ScenarioBook.CountRefusal(page, orderReference);
                return null;
            }

            return page.Once(call, p => Buy(p, carrier, request, orderReference, labelBase));
        });
        return answer ?? throw Refused("The carrier cannot accept shipments for this account at the moment.");
    }

    public Task VoidAsync(Carrier carrier, string id) => books.WriteAsync(page =>
    {
        var label = LabelBook.Find(page, carrier.Id, id) ?? throw Refusal.NotFound("label", id);
        if (label.VoidedAt is not null) return;
        if (label.HandedOver) throw Refusal.Conflict("already_handed_over", $"{carrier.Name} has scanned {label.TrackingNumber}; it can be voided no more.");
        LabelBook.Void(page, label.Seq, time.GetUtcNow().ToUnixTimeMilliseconds());
    });

    /// <summary>Delivers otherwise, until the parcel is on the van.</summary>
    public Task<Answer> ChangeAsync(IdempotentRequest call, Carrier carrier, string id, DeliveryRequest request) => books.WriteAsync(page => page.Once(call, p =>
    {
        var label = LabelBook.Find(p, carrier.Id, id) ?? throw Refusal.NotFound("label", id);
        if (label.VoidedAt is not null) throw Refusal.Conflict("voided", $"The label of {label.TrackingNumber} is void.");
        if (label.Happened.LastOrDefault() is { Step: Step.OutForDelivery or Step.Delivered or Step.Returning } last)
            throw Refusal.Conflict("out_for_delivery", $"{label.TrackingNumber} cannot be changed any more: {carrier.Words[last.Step].Description}.");
        var before = Json.Read<Address>(System.Text.Encoding.UTF8.GetBytes(label.ShipTo));
        if (!carrier.Habits.Reschedules && request.Delivery?.Day is { Length: > 0 })
            throw Refusal.Unprocessable("not_offered", $"{carrier.Name} delivers on the day that comes, and takes no wishes for another.");
        if (request.ShipTo is { } to && to.CountryCode != before.CountryCode)
            throw Refusal.Unprocessable("another_country", $"{carrier.Name} redirects within {before.CountryCode} only.");
        var recipient = request.ShipTo ?? before;
        var now = time.GetUtcNow();
        var journey = planner.Replan(carrier, label, recipient, request.Delivery, request.ShipTo is not null, now);
        var next = label.Position < journey.Count ? journey[label.Position].DueAt : (long?)null;
        var delivered = journey.LastOrDefault(scan => scan.Step == Step.Delivered)?.DueAt ?? label.EstimatedDeliveryAt;
        LabelBook.Replan(p, label.Seq, Json.Text(recipient), journey, delivered, next);
        return Answer.Ok(new { id, tracking_number = label.TrackingNumber, estimated_delivery_at = Authorization.Rfc3339(delivered) });
    }));

    /// <summary>A parcel's next scan is due: it happens, and is told in this carrier's manner.</summary>
    public void Scan(WritingPage page, long seq)
    {
        var label = LabelBook.Find(page, seq);
        if (label is null || label.VoidedAt is not null || label.Position >= label.Journey.Count) return;
        var scan = label.Journey[label.Position];
        var now = time.GetUtcNow().ToUnixTimeMilliseconds();
        if (scan.DueAt > now)
        {
            page.Remind(Errand.Scan, seq, DateTimeOffset.FromUnixTimeMilliseconds(scan.DueAt));
            return;
        }

        var position = label.Position + 1;
        var next = position < label.Journey.Count ? label.Journey[position].DueAt : (long?)null;
        var announced = scan.WithNext ? label.Announced : position;
        LabelBook.Advance(page, seq, position, announced, next);
        if (scan.WithNext) return;

        var overtaken = TimeSpan.FromMilliseconds(Math.Max(0, (next ?? now) - now)) + Overlap;
        Announce(page, label, label.Journey.Skip(label.Announced).Take(position - label.Announced), overtaken, scan.Overtaken);
        if (scan.Repeated) Announce(page, label, [scan], overtaken, heldBack: false);
    }

    private static Refusal Refused(string why) => Refusal.Unprocessable("label_refused", why);

    private Answer Buy(WritingPage page, Carrier carrier, LabelRequest request, string orderReference, string labelBase)
    {
        if (chance.HitsNext(knobs.Current.Of(carrier).LabelRefuseRate, "label_refuse")) throw Refused("The address could not be validated.");
        var to = request.ShipTo!;
        if (string.IsNullOrWhiteSpace(to.Name)) throw Refused("ship_to.name is missing: who receives the parcel?");
        if (string.IsNullOrWhiteSpace(to.City)) throw Refused("ship_to.city is missing.");
        if (to.StreetLines is not { Length: > 0 } && string.IsNullOrWhiteSpace(to.Street)) throw Refused("ship_to.street_lines is missing: at least one line is needed.");
        var rate = Rating.Quote(carrier, request.ShipFrom!.Place, to.Place, request.Parcel!, request.Value!.Money.Code).Find(r => r.Service == request.Service)
            ?? throw Refused($"{carrier.Name} does not offer {request.Service} for this parcel from {request.ShipFrom.CountryCode} {request.ShipFrom.PostalCode} to {to.CountryCode} {to.PostalCode}.");

        var now = time.GetUtcNow();
        var id = $"lbl_{Guid.CreateVersion7(now):N}";
        var level = carrier.Services.Single(s => s.Code == request.Service);
        var label = new Label(
            0,
            id,
            carrier.Id,
            TrackingNumbers.Next(page, carrier.Id, level.NumberCode),
            request.Reference!,
            orderReference,
            rate.Service,
            rate.Price.Code,
            rate.Price.Value,
            Json.Text(to),
            request.Parcel!.WeightGrams!.Value,
            now.ToUnixTimeMilliseconds(),
            now.AddSeconds(rate.TransitDaysMax * knobs.Current.DaySeconds).ToUnixTimeMilliseconds(),
            null,
            planner.Plan(carrier, request.Reference!, id, request.ShipFrom.Place, to, request.Delivery, rate, now, ScenarioBook.Find(page, orderReference)),
            0,
            0);
        LabelBook.Insert(page, label);
        return Answer.Created(View(label, labelBase));
    }

    private static LabelView View(Label label, string labelBase) => new(
        label.Id,
        label.TrackingNumber,
        label.Service,
        new Amount(label.Currency, label.Price),
        "txt",
        $"{labelBase}/{label.Id}/label.txt",
        Authorization.Rfc3339(label.CreatedAt),
        Authorization.Rfc3339(label.EstimatedDeliveryAt));

    private void Announce(WritingPage page, Label label, IEnumerable<PlannedScan> scans, TimeSpan overtakenAfter, bool heldBack)
    {
        var carrier = CarrierProfiles.All[label.Carrier];
        var id = $"whk_{Guid.CreateVersion7(time.GetUtcNow()):N}";
        var body = Json.Write(new
        {
            id,
            type = "tracking.updated",
            created_at = Authorization.Rfc3339(time.GetUtcNow().ToUnixTimeMilliseconds()),
            events = scans.Select(s => s.View(carrier, label.TrackingNumber)),
        });
        webhooks.Add(page, WebhookBook.Shipments, $"webhooks/carriers/{label.Carrier}", id, body, overtakenAfter, heldBack, carrier);
    }
}

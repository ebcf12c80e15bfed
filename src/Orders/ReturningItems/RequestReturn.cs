using Commerce.Facts;
using Commerce.Messaging;
using Commerce.Orders.Catalogue;
using Commerce.Orders.Checking;
using Commerce.Orders.FindingOrders;
using Commerce.Orders.PlacingOrder;
using Commerce.Orders.Stores;
using Commerce.Orders.V1;
using Commerce.ServiceDefaults;
using Commerce.Types.V1;

namespace Commerce.Orders.ReturningItems;

/// <summary>Somebody, the shopper or the shop for them, wants to give delivered goods back.</summary>
public sealed class RequestReturn(FindOrders find, StoreBook stores, ProductBook products, ReturnChanges changes)
{
    private const int MostLines = 500;
    private const int MostPhotos = 10;
    private const int LongestPhoto = 1_000;
    private const int LongestNote = 500;

    // Nobody sends goods back that often; it bounds what is read with every change.
    private const int MostReturns = 100;

    /// <exception cref="Failure">
    /// NOT_RETURNABLE, RETURN_WINDOW, INVALID_FIELD, SKU_UNKNOWN, PAYMENT_ELSEWHERE, PERMISSION_DENIED, ORDER_ID_MISTYPED, ORDER_NOT_FOUND, ETAG_MISMATCH, REQUEST_ID_REUSED.
    /// </exception>
    public async Task<V1.Return> Request(RequestReturnRequest request, RequestKey key, Principal caller, CancellationToken cancellationToken)
    {
        Check(request);
        if (request.OverrideWindow && caller.Kind == PrincipalKind.Shopper)
            throw new Failure(ErrorReason.PermissionDenied, "Only the shop may take a return after its window.");
        var id = await find.Resolve(request.Parent, cancellationToken);
        var replacement = request.Outcome == ReturnOutcome.Exchange ? await Price(request, id, cancellationToken) : null;
        return await changes.Once(id, key, decision => Decide(request, decision, replacement), cancellationToken);
    }

    /// <summary>At today's prices, which are kept for when the goods are there.</summary>
    private async Task<ReplacementContent> Price(RequestReturnRequest request, OrderId id, CancellationToken cancellationToken)
    {
        var order = await find.Get(OrderMessage.NameOf(id), 0, cancellationToken);
        var store = await stores.Get(order.StoreId, cancellationToken);
        var wanted = request.Replacement;
        var catalogue = await products.Fresh(store, [.. wanted.Lines.Select(line => line.Sku).Distinct(StringComparer.Ordinal)], cancellationToken);
        var unknown = new List<FieldError>();
        var lines = new List<ReplacementRow>();
        Int128 total = 0;
        for (var i = 0; i < wanted.Lines.Count; i++)
        {
            if (!catalogue.TryGetValue(wanted.Lines[i].Sku, out var product) || product.UnitPrice.Currency != order.Total.CurrencyCode)
            {
                unknown.Add(new FieldError($"replacement.lines[{i}].sku", $"\"{wanted.Lines[i].Sku}\" is not in the catalogue of store \"{store.StoreId}\" with a price in {order.Total.CurrencyCode}."));
                continue;
            }

            lines.Add(new ReplacementRow(wanted.Lines[i].Sku, product.Title, wanted.Lines[i].Quantity, product.UnitPrice.Minor));
            total += (Int128)wanted.Lines[i].Quantity * product.UnitPrice.Minor;
        }

        if (unknown.Count > 0)
            throw new Failure(ErrorReason.SkuUnknown, unknown[0].Description, [.. unknown.Take(FieldErrors.MostNamed)]);
        if (total > PlaceOrderCheck.MostMinor)
            throw Failure.Invalid(new FieldError("replacement.lines", "Come to more than an order may."));
        return new ReplacementContent(
            lines, wanted.PaymentPart is not { } part ? null : new PaymentPartRow(
                part.Method == PaymentMethod.Unspecified ? PaymentMethod.Card : part.Method, part.Token, 0, Math.Max(part.Instalments, 1)));
    }

    internal static Return Decide(RequestReturnRequest request, ReturnDecision decision, ReplacementContent? replacement = null)
    {
        var (known, order, now) = (decision.Returns, decision.Order, decision.Moment.Time);
        if (request.Etag.Length > 0 && request.Etag != OrderMessage.EtagOf(order.Version))
        {
            throw new Failure(
                ErrorReason.EtagMismatch,
                $"Order {order.Id} changed since its etag {request.Etag} was read; read it again.",
                new FieldError("etag", "Not the order's etag any more."));
        }

        if (known.Returns.Count >= MostReturns)
            throw new Failure(ErrorReason.NotReturnable, FieldErrors.Text($"Order {order.Id} has {MostReturns} returns, the most that an order may."));
        Returnable.Require(known, request.Lines, request.OverrideWindow, now);
        if (known.Policy.PhotosNeeded && request.Photos.Count == 0)
            throw new Failure(ErrorReason.NotReturnable, "The store wants to see at least one photo.", new FieldError("photos", "Give at least one."));

        if (request.Outcome is ReturnOutcome.StoreCredit or ReturnOutcome.Exchange && order.ImportedDelivery is not null)
        {
            throw ReceiveReturn.PaidElsewhere(
                order.Id, "Ask for the money as the outcome; for store credit grant it with GrantStoreCredit, and for other goods place an order.", "outcome");
        }

        var one = Return.Request(order.Id, order.StoreId, known.Returns.Count + 1, Content(request, known, decision.Moment) with { Replacement = replacement }, now);
        if (replacement is { Part: null } && replacement.TotalMinor > Math.Min(one.DueMinor, known.AvailableMinor))
        {
            throw Failure.Invalid(new FieldError(
                "replacement.payment_part",
                $"The replacement costs {new Money(replacement.TotalMinor, known.Currency)}, and {new Money(Math.Min(one.DueMinor, known.AvailableMinor), known.Currency)} comes back for the goods; say how the difference is paid."));
        }

        var what = string.Join(", ", request.Lines.Take(5).Select(line => FieldErrors.Text($"{line.Quantity} of line {line.LineNumber} {FactName.Of(line.Reason)}")))
            + (request.Lines.Count > 5 ? FieldErrors.Text($", {request.Lines.Count - 5} more lines") : "")
            + (request.Outcome is ReturnOutcome.StoreCredit or ReturnOutcome.Exchange ? $"; for {FactName.Of(request.Outcome)}" : "")
            + (request.OverrideWindow ? "; taken whatever the window" : "");
        decision.Tell(one, what, version => new ReturnRequested(order.Id.ToString(), order.StoreId, version, now, one.Number));
        // What somebody had to overrule a rule for, somebody looks at.
        if (known.Policy.AutoApprove && !request.OverrideWindow)
            DecideReturn.Approve(decision, one, "", labelWanted: true);
        return one;
    }

    private static ReturnContent Content(RequestReturnRequest request, ReturnsOfOrder known, Moment moment)
    {
        var policy = known.Policy;
        var lines = request.Lines.OrderBy(line => line.LineNumber).Select(asked =>
        {
            var line = known.Order.Lines.Single(l => l.LineNumber == asked.LineNumber);
            var before = known.Returns.Sum(r => r.IsLive ? r.Takes(line.LineNumber) : 0) + line.Returned;
            return new ReturnLineRow(
                line.LineNumber, line.Sku, known.Lines.Single(l => l.LineNumber == line.LineNumber).Title, asked.Quantity, asked.Reason, asked.Note,
                known.Paid.Pieces(line.LineNumber, before, asked.Quantity));
        }).ToList();
        var last = known.Order.Lines.All(line =>
            line.Returned + (lines.Find(l => l.LineNumber == line.LineNumber)?.Quantity ?? 0) >= line.Quantity);
        var shopperPays = lines.All(line => policy.ShopperPaysReasons.Contains(line.Reason));
        return new ReturnContent
        {
            Currency = known.Currency,
            Lines = lines,
            Note = request.Note,
            Photos = [.. request.Photos],
            RequestedBy = moment.Actor,
            Policy = ReturnPolicies.ToJson(policy),
            WindowOverridden = request.OverrideWindow,
            Outcome = request.Outcome == ReturnOutcome.Unspecified ? ReturnOutcome.Refund : request.Outcome,
            ShopperPays = shopperPays,
            PostageMinor = policy.ReturnPostage is not null && policy.ReturnPostage.TryToMoney(out var postage, out _) && postage.Currency == known.Currency
                ? postage.Minor
                : null,
            ProposedShippingMinor = policy.RefundShipping && last ? known.Paid.ShippingMinor : 0,
        };
    }

    private static void Check(RequestReturnRequest request)
    {
        var errors = new FieldErrors();
        errors.RequestId(request.RequestId, required: true);
        errors.Etag("etag", request.Etag);
        errors.Optional("note", request.Note, LongestNote);
        errors.Count("lines", request.Lines.Count, 1, MostLines, "lines");
        var seen = new HashSet<int>();
        for (var i = 0; i < request.Lines.Count && i < MostLines; i++)
        {
            var (line, field) = (request.Lines[i], $"lines[{i}]");
            errors.Between(field + ".quantity", line.Quantity, 1, PlacingOrder.PlaceOrderCheck.MostPieces);
            errors.Optional(field + ".note", line.Note, LongestNote);
            if (!Enum.IsDefined(line.Reason) || line.Reason == ReturnReason.Unspecified)
                errors.Add(field + ".reason", "Say why it comes back.");
            if (!seen.Add(line.LineNumber))
                errors.Add(field + ".line_number", "Is given twice.");
        }

        Check(errors, request.Outcome, request.Replacement);
        errors.Count("photos", request.Photos.Count, 0, MostPhotos, "photos");
        for (var i = 0; i < request.Photos.Count && i < MostPhotos; i++)
            Photo(errors, $"photos[{i}]", request.Photos[i]);
        errors.ThrowIfAny();
    }

    private static void Check(FieldErrors errors, ReturnOutcome outcome, Replacement? replacement)
    {
        if (!Enum.IsDefined(outcome))
            errors.Add("outcome", "Is not an outcome that is known here.");
        if (replacement is null != (outcome != ReturnOutcome.Exchange))
            errors.Add("replacement", outcome == ReturnOutcome.Exchange ? "Say what is to be sent instead." : "Is of use only for an exchange.");
        if (replacement is null)
            return;
        errors.Count("replacement.lines", replacement.Lines.Count, 1, PlaceOrderCheck.MostLines, "lines");
        for (var i = 0; i < replacement.Lines.Count && i < PlaceOrderCheck.MostLines; i++)
        {
            errors.Sku($"replacement.lines[{i}].sku", replacement.Lines[i].Sku);
            errors.Between($"replacement.lines[{i}].quantity", replacement.Lines[i].Quantity, 1, PlaceOrderCheck.MostPieces);
        }

        if (replacement.PaymentPart is not { } part)
            return;
        if (!Enum.IsDefined(part.Method) || part.Method == PaymentMethod.StoreCredit)
            errors.Add("replacement.payment_part.method", "Give a means of payment other than store credit.");
        errors.Required("replacement.payment_part.token", part.Token, 200);
        errors.Between("replacement.payment_part.instalments", part.Instalments, 0, 48);
    }

    // What is shown as a link must not be anything else.
    private static void Photo(FieldErrors errors, string field, string photo)
    {
        errors.Required(field, photo, LongestPhoto);
        if (photo.Contains(':', StringComparison.Ordinal) && !(Uri.TryCreate(photo, UriKind.Absolute, out var uri) && uri.Scheme == Uri.UriSchemeHttps))
            errors.Add(field, "Is neither an https address nor an id of your own (without ':').");
    }
}

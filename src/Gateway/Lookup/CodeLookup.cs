using Commerce.Gateway.V1;
using Commerce.Gateway.Views;
using Commerce.ServiceDefaults;
using Commerce.Types.V1;

namespace Commerce.Gateway.Lookup;

/// <summary>A code that was found.</summary>
/// <param name="Order">The order that it leads to.</param>
/// <param name="TrackingNumber">The number, if the code was a Tracking ID.</param>
/// <param name="View">The order's view.</param>
internal sealed record Found(OrderId Order, string? TrackingNumber, OrderView View)
{
    public LookupView ToMessage() => View.ToMessage(TrackingNumber, Principal.Current);
}

/// <summary>Finds out what a code is, and the view that it leads to.</summary>
internal sealed class CodeLookup(ViewReader views, ViewCache cache, PartSources sources, RedisLink link, GatewayTelemetry telemetry)
{
    private const int MaxCode = 100;
    private static readonly TimeSpan RetryAfter = TimeSpan.FromSeconds(1);

    /// <exception cref="Failure">INVALID_FIELD, CODE_NOT_FOUND, ORDER_ID_MISTYPED, VERSION_NOT_REACHED, DEPENDENCY_UNAVAILABLE.</exception>
    public async Task<Found> Find(string code, long minOrderVersion, CancellationToken cancellationToken)
    {
        if (code.Length is 0 or > MaxCode)
            throw Failure.Invalid(new FieldError("code", $"An Order ID or a Tracking ID of 1 to {MaxCode} characters is needed."));
        if (minOrderVersion < 0)
            throw Failure.Invalid(new FieldError("min_order_version", "Must be 0 (any version) or more."));

        code = WithoutReturn(code);
        var reading = OrderId.Read(code);
        var kind = reading.Kind == OrderIdReadingKind.NotAnOrderId ? "tracking_id" : "order_id";
        using var activity = GatewayTelemetry.Source.StartActivity("lookup");
        activity?.SetTag("commerce.code.kind", kind);
        try
        {
            var found = await Answer(code, reading, minOrderVersion, cancellationToken);
            activity?.SetTag("commerce.order.id", found.View.OrderId);
            telemetry.LookedUp(found.TrackingNumber is null ? "order_id" : "tracking_id", "found");
            return found;
        }
        catch (Failure failure)
        {
            telemetry.LookedUp(kind, failure.Reason switch
            {
                ErrorReason.CodeNotFound => "not_found",
                ErrorReason.OrderIdMistyped => "mistyped",
                _ => "unavailable",
            });
            throw;
        }
    }

    // A return is said as its order with "-R1" behind: whoever reads that from a label wants the order. Only where an Order ID is
    // left, for a carrier's number may end like that, too.
    private static string WithoutReturn(string code)
    {
        var text = code.AsSpan().TrimEnd();
        var digits = text.Length - text.TrimEnd("0123456789").Length;
        var order = digits is 1 or 2 or 3 && text[..^digits] is [.. var before, 'R' or 'r'] ? before.TrimEnd("- ").ToString() : "";
        return OrderId.Read(order).Kind == OrderIdReadingKind.Valid && OrderId.Read(code).Kind != OrderIdReadingKind.Valid ? order : code;
    }

    private async Task<Found> Answer(string code, OrderIdReading reading, long minOrderVersion, CancellationToken cancellationToken)
    {
        if (reading.Kind == OrderIdReadingKind.Valid && await Read(reading.Id, minOrderVersion, cancellationToken) is { } view)
            return new Found(reading.Id, null, view);

        // Some carriers' numbers look like an Order ID, even like a valid one, by chance. That a parcel bears exactly this
        // number says more than that it resembles an Order ID.
        if (TrackingNumber.Normalise(code) is { } number
            && await FindParcel(number, minOrderVersion, reading.Kind == OrderIdReadingKind.Mistyped, cancellationToken) is { } parcel)
            return parcel;

        throw reading.Kind == OrderIdReadingKind.Mistyped
            ? await Mistyped(reading.Meant, cancellationToken)
            : new Failure(ErrorReason.CodeNotFound, "No order has this Order ID and no parcel bears it as its Tracking ID; compare it with the confirmation.");
    }

    private async Task<Found?> FindParcel(string number, long minOrderVersion, bool mistyped, CancellationToken cancellationToken)
    {
        if (await cache.FindOrder(number) is { } known
            && await Read(known, minOrderVersion, cancellationToken) is { } knownView && knownView.Bears(number))
            return new Found(known, number, knownView);

        var epoch = link.Epoch;
        var (order, down) = await sources.FindOrder(number, cancellationToken);
        if (down && !mistyped)
        {
            throw new Failure(ErrorReason.DependencyUnavailable, "Shipments does not answer, and no copy of this parcel is known; try again.")
            {
                RetryAfter = RetryAfter,
            };
        }

        if (order is not { } id || await Read(id, minOrderVersion, cancellationToken) is not { } view)
            return null;
        await cache.KeepOrder(number, id, epoch);
        return new Found(id, number, view);
    }

    // Two wrong symbols can look like one wrong symbol of another code: only one that exists may have been meant.
    private async Task<Failure> Mistyped(OrderId? meant, CancellationToken cancellationToken)
    {
        if (meant is { } id && await Exists(id, cancellationToken))
        {
            return new Failure(ErrorReason.OrderIdMistyped, $"The Order ID is mistyped. Did you mean {id}?", new FieldError("code", $"Mistyped; {id} was probably meant."))
            {
                Metadata = new Dictionary<string, string> { ["meant"] = id.ToString() },
            };
        }

        return new Failure(
            ErrorReason.OrderIdMistyped, "The Order ID is mistyped: its check symbols do not agree. Compare it with the confirmation.",
            new FieldError("code", "Mistyped: the check symbols do not agree."));
    }

    // What belongs to a store that is not the caller's does not exist for it.
    private async Task<OrderView?> Read(OrderId id, long minOrderVersion, CancellationToken cancellationToken) =>
        await views.Read(id, minOrderVersion, cancellationToken) is { } view && Principal.CurrentMaySee(view.StoreId) ? view : null;

    private async Task<bool> Exists(OrderId id, CancellationToken cancellationToken)
    {
        try
        {
            return await Read(id, 0, cancellationToken) is not null;
        }
        catch (Failure failure) when (failure.Reason == ErrorReason.DependencyUnavailable)
        {
            return false;
        }
    }
}

using Commerce.Gateway.V1;
using Commerce.Orders.V1;
using Commerce.Payments.V1;
using Commerce.ServiceDefaults;
using Commerce.Shipments.V1;
using Commerce.Types.V1;
using Google.Protobuf.WellKnownTypes;

namespace Commerce.Gateway.Views;

/// <summary>Everything about an order, joined. Immutable: readers and watchers share it.</summary>
internal sealed class OrderView
{
    private readonly Order _order;
    private readonly Payment? _payment;
    private readonly IReadOnlyList<Shipment> _shipments;
    private readonly IReadOnlyList<StalePart> _staleParts;

    private OrderView(Order order, Payment? payment, IReadOnlyList<Shipment> shipments, IReadOnlyList<StalePart> staleParts, long version)
    {
        _order = order;
        _payment = payment;
        _shipments = shipments;
        _staleParts = staleParts;
        Version = version;
    }

    /// <summary>The Order ID in canonical form.</summary>
    public string OrderId => _order.OrderId;

    /// <summary>The store that it belongs to.</summary>
    public string StoreId => _order.StoreId;

    /// <summary>The order's own version.</summary>
    public long OrderVersion => _order.Version;

    /// <summary>
    /// The sum of the parts' versions. Every part's version only grows, and parts are only added, so it grows with each change
    /// and never goes back; a part that could not be had at all (stale, without a read time) is missing from it.
    /// </summary>
    public long Version { get; }

    /// <summary>No part is old or missing.</summary>
    public bool IsWhole => _staleParts.Count == 0;

    /// <summary>Joins the parts; a part that is null could not be had, one in <paramref name="stale"/> is older than it should be.</summary>
    public static OrderView Join(Part order, Part? payment, Part? shipments, IReadOnlyList<PartKind> stale)
    {
        Part? PartOf(PartKind kind) => kind switch
        {
            PartKind.Order => order,
            PartKind.Payment => payment,
            _ => shipments,
        };
        var staleParts = stale.Select(kind => new StalePart
        {
            Part = Part.NameOf(kind),
            ReadTime = PartOf(kind) is { } part ? Timestamp.FromDateTimeOffset(part.ReadTime) : null,
        });
        return new OrderView(
            Order.Parser.ParseFrom(order.Payload.Span),
            payment is null or { IsAbsent: true } ? null : Payment.Parser.ParseFrom(payment.Payload.Span),
            shipments is null ? [] : ListShipmentsResponse.Parser.ParseFrom(shipments.Payload.Span).Shipments,
            [.. staleParts],
            order.Version + (payment?.Version ?? 0) + (shipments?.Version ?? 0));
    }

    /// <summary>Whether one of its parcels bears the number or was corrected from it, in the form of <see cref="TrackingNumber.Normalise(string?)"/>.</summary>
    public bool Bears(string trackingNumber) => _shipments.Any(shipment => Nearness(shipment, trackingNumber) > 0);

    /// <summary>The answer to an Order ID, or to a Tracking ID, whose own parcel then comes first.</summary>
    /// <param name="trackingNumber">The Tracking ID.</param>
    /// <param name="reader">Whom it is for, who is shown the parts that it may read; null: the Gateway itself.</param>
    public LookupView ToMessage(string? trackingNumber, Principal? reader)
    {
        bool May(Scope scope) => reader?.Scopes.Has(scope) ?? true;
        var message = new LookupView
        {
            OrderId = _order.OrderId,
            CodeKind = trackingNumber is null ? CodeKind.OrderId : CodeKind.TrackingId,
            TrackingNumber = trackingNumber ?? "",
            Version = Version,
            Order = _order,
            Payment = May(Scope.PaymentsRead) ? _payment : null,
            StaleParts = { _staleParts },
        };
        if (!May(Scope.ShipmentsRead))
            return message;
        if (trackingNumber is null)
            message.Shipments.AddRange(_shipments);
        else
            // Stable: within an order the newest parcel of a number that is borne twice is the later one, but both come first.
            message.Shipments.AddRange(_shipments.OrderByDescending(shipment => Nearness(shipment, trackingNumber)));
        return message;
    }

    // 2: it bears the number; 1: it was corrected from it.
    private static int Nearness(Shipment shipment, string trackingNumber) =>
        Is(shipment.TrackingNumber, trackingNumber) ? 2 : shipment.FormerTracking.Any(former => Is(former.TrackingNumber, trackingNumber)) ? 1 : 0;

    private static bool Is(string borne, string trackingNumber) =>
        borne.Length > 0 && string.Equals(TrackingNumber.Normalise(borne), trackingNumber, StringComparison.Ordinal);
}

using System.Collections.Concurrent;
using Commerce.Facts;
using Commerce.Orders.V1;
using Commerce.Payments.V1;
using Commerce.ServiceDefaults;
using Commerce.Shipments.V1;
using Commerce.Types.V1;

namespace Commerce.Gateway.Tests;

/// <summary>What the services know: orders, payments and parcels, each change with its fact.</summary>
internal sealed class World
{
    private static readonly DateTimeOffset Then = new(2026, 1, 2, 3, 4, 5, TimeSpan.Zero);

    private readonly ConcurrentDictionary<string, Entry> _entries = new();
    private int _number;

    public OrderId Place()
    {
        var id = OrderId.New("ORD", TimeProvider.System);
        _entries[id.ToString()] = new Entry(new Order { OrderId = id.ToString(), Name = $"orders/{id}", StoreId = "main", Version = 1, Etag = "\"1\"", Customer = new Contact { Name = "Ada" } });
        return id;
    }

    public IFact AdvanceOrder(OrderId id) => Change(id, entry =>
    {
        entry.Order.Version++;
        return new OrderProgressed(id.ToString(), "main", entry.Order.Version, Then, "PAID", "UNFULFILLED");
    });

    public IFact AdvancePayment(OrderId id) => Change(id, entry =>
    {
        entry.Payment ??= new Payment { OrderId = id.ToString(), Name = $"payments/{id}" };
        entry.Payment.Version++;
        return new PaymentAuthorised(id.ToString(), "main", entry.Payment.Version, Then, new Money(1, "EUR"));
    });

    public IFact AddShipment(OrderId id) => Change(id, entry =>
    {
        var shipment = new Shipment { ShipmentId = $"shp{Interlocked.Increment(ref _number)}", OrderId = id.ToString(), Version = 1 };
        entry.Shipments.Add(shipment);
        return new ShipmentCreated(shipment.ShipmentId, id.ToString(), "main", 1, Then, []);
    });

    /// <summary>Buys a label: the parcel gets the number.</summary>
    public IFact Label(OrderId id, string trackingNumber, int index = 0) => Change(id, entry =>
    {
        var shipment = entry.Shipments[index];
        shipment.TrackingNumber = trackingNumber;
        shipment.Version++;
        return new LabelBought(shipment.ShipmentId, id.ToString(), "main", shipment.Version, Then, "ups", "ground", trackingNumber, new Money(1, "EUR"), null);
    });

    /// <summary>Staff correct the parcel's number.</summary>
    public IFact Correct(OrderId id, string trackingNumber, int index = 0) => Change(id, entry =>
    {
        var shipment = entry.Shipments[index];
        var former = shipment.TrackingNumber;
        shipment.FormerTracking.Insert(0, new FormerTracking { Carrier = "ups", TrackingNumber = former });
        shipment.TrackingNumber = trackingNumber;
        shipment.Version++;
        return new TrackingNumberChanged(shipment.ShipmentId, id.ToString(), "main", shipment.Version, Then, "ups", "", trackingNumber, "ups", former);
    });

    public IFact AdvanceShipment(OrderId id, int index = 0) => Change(id, entry =>
    {
        var shipment = entry.Shipments[index % entry.Shipments.Count];
        shipment.Version++;
        return new ParcelTracked(shipment.ShipmentId, id.ToString(), "main", shipment.Version, Then, "ups", shipment.TrackingNumber, "IN_TRANSIT", "PICKED_UP", [], Then, 1);
    });

    public int ShipmentsOf(OrderId id) => Read(id.ToString(), entry => entry.Shipments.Count);

    /// <summary>The version that a view of now has.</summary>
    public long VersionOf(OrderId id) => Read(id.ToString(), entry => entry.Order.Version + (entry.Payment?.Version ?? 0) + entry.Shipments.Sum(one => one.Version));

    public Order GetOrder(string id) => Read(id, entry => entry.Order.Clone());

    public Payment GetPayment(string id) =>
        (_entries.ContainsKey(id) ? Read(id, entry => entry.Payment?.Clone()) : null) ?? throw new Failure(ErrorReason.PaymentNotFound, "No such payment.");

    public IReadOnlyList<Shipment> ListShipments(string id) => _entries.ContainsKey(id) ? Read(id, entry => entry.Shipments.ConvertAll(one => one.Clone())) : [];

    public Shipment GetTracking(string number)
    {
        Func<Shipment, bool>[] bears = [one => one.TrackingNumber == number, one => one.FormerTracking.Any(former => former.TrackingNumber == number)];
        foreach (var (entry, bearer) in bears.SelectMany(bearer => _entries.Values, (bearer, entry) => (entry, bearer)))
        {
            lock (entry)
            {
                if (entry.Shipments.LastOrDefault(bearer) is { } shipment)
                    return shipment.Clone();
            }
        }

        throw new Failure(ErrorReason.TrackingNotFound, "No such parcel.");
    }

    private T Read<T>(string id, Func<Entry, T> read)
    {
        if (!_entries.TryGetValue(id, out var entry))
            throw new Failure(ErrorReason.OrderNotFound, "No such order.");
        lock (entry)
            return read(entry);
    }

    private IFact Change(OrderId id, Func<Entry, IFact> change) => Read(id.ToString(), change);

    private sealed class Entry(Order order)
    {
        public Order Order { get; } = order;

        public Payment? Payment { get; set; }

        public List<Shipment> Shipments { get; } = [];
    }
}

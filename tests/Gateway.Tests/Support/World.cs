using System.Collections.Concurrent;
using System.Globalization;
using Commerce.Facts;
using Commerce.Notifications.V1;
using Commerce.Orders.V1;
using Commerce.Payments.V1;
using Commerce.ServiceDefaults;
using Commerce.Shipments.V1;
using Commerce.Types.V1;
using Google.Protobuf.WellKnownTypes;

namespace Commerce.Gateway.Tests;

/// <summary>What the services know: orders, payments and parcels, each change with its fact.</summary>
internal sealed class World
{
    private static readonly DateTimeOffset Then = new(2026, 1, 2, 3, 4, 5, TimeSpan.Zero);

    private readonly ConcurrentDictionary<string, Entry> _entries = new();
    private int _number;

    public OrderId Place(string externalId = "", string store = "main")
    {
        var id = OrderId.New("ORD", TimeProvider.System);
        _entries[id.ToString()] = new Entry(new Order { OrderId = id.ToString(), Name = $"orders/{id}", StoreId = store, ExternalId = externalId, Version = 1, Etag = "\"1\"", Customer = new Contact { Name = "Ada" } });
        return id;
    }

    /// <summary>Says whose order it is, and where it goes.</summary>
    public void BelongsTo(OrderId id, Contact customer, Google.Type.PostalAddress address) => Change(id, entry =>
    {
        (entry.Order.Customer, entry.Order.ShippingAddress) = (customer, address);
        entry.Order.Version++;
        return null!;
    });

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

    /// <summary>A carrier sees the parcel somewhere, and says more of it than strangers may know.</summary>
    public void Scan(OrderId id, string locality) => Change(id, entry =>
    {
        var shipment = entry.Shipments[0];
        shipment.ShipTo = entry.Order.ShippingAddress;
        shipment.Lines.Add(new ShipmentLine { Sku = "lamp-sku", Title = "Brass lamp", Quantity = 1 });
        shipment.Scans.Insert(0, new Scan { Status = TrackingStatus.InTransit, Description = "Left with Ada, Secret Street 1", Place = new Place { Locality = locality, PostalCode = "90210", RegionCode = "US" } });
        entry.Order.Lines.Add(new OrderLine { LineNumber = 1, Sku = "lamp-sku", Title = "Brass lamp", Quantity = 1 });
        entry.Order.PaymentParts.Add(new PaymentPart { Token = "tok_ok" });
        shipment.Version++;
        return null!;
    });

    public IFact AdvanceShipment(OrderId id, int index = 0) => Change(id, entry =>
    {
        var shipment = entry.Shipments[index % entry.Shipments.Count];
        shipment.Version++;
        return new ParcelTracked(shipment.ShipmentId, id.ToString(), "main", shipment.Version, Then, "ups", shipment.TrackingNumber, "IN_TRANSIT", "PICKED_UP", [], Then, 1);
    });

    public IFact RequestReturn(OrderId id) => Change(id, entry =>
    {
        entry.Order.Version++;
        var number = entry.Returns.Count + 1;
        entry.Returns.Add(new Return { Name = $"orders/{id}/returns/{number}", ReturnNumber = $"{id}-R{number}", OrderId = id.ToString(), Version = 1, RequestedBy = "staff/ada" });
        return new ReturnRequested(id.ToString(), "main", entry.Order.Version, Then, number);
    });

    public IFact AdvanceReturn(OrderId id) => Change(id, entry =>
    {
        entry.Returns[0].Version++;
        entry.Order.Version++;
        return new ReturnProgressed(id.ToString(), "main", entry.Order.Version, Then, 1, "APPROVED", "NONE");
    });

    public IFact Issue(OrderId id, string number, string store = "main") => Change(id, entry =>
    {
        entry.Invoices.Add(new Invoice { Name = $"invoices/{store}.{number}", Number = number, StoreId = store, OrderId = id.ToString(), CustomerName = "Ada" });
        return new DocumentIssued(id.ToString(), store, entry.Invoices.Count, Then, number);
    });

    /// <summary>Decides to send a message, of which nothing is told.</summary>
    public void Decide(OrderId id) => Change(id, entry =>
    {
        entry.Notifications.Add(new Notification { Name = $"notifications/n{Interlocked.Increment(ref _number)}", OrderId = id.ToString(), State = Notification.Types.State.Pending });
        return null!;
    });

    public IFact Send(OrderId id) => Change(id, entry =>
    {
        var one = entry.Notifications.First(other => other.State == Notification.Types.State.Pending);
        one.State = Notification.Types.State.Sent;
        return new NotificationSettled(one.Name["notifications/".Length..], id.ToString(), "main", 1, Then, "SENT");
    });

    public int ShipmentsOf(OrderId id) => Read(id.ToString(), entry => entry.Shipments.Count);

    /// <summary>The version that a view of now has.</summary>
    public long VersionOf(OrderId id) => Read(id.ToString(), entry => entry.Order.Version + (entry.Payment?.Version ?? 0) + entry.Shipments.Sum(one => one.Version)
        + entry.Returns.Sum(one => one.Version) + entry.Invoices.Count + entry.Notifications.Count(one => one.State != Notification.Types.State.Pending));

    public Order GetOrder(string id) => Read(id, entry => entry.Order.Clone());

    public Payment GetPayment(string id) =>
        (_entries.ContainsKey(id) ? Read(id, entry => entry.Payment?.Clone()) : null) ?? throw new Failure(ErrorReason.PaymentNotFound, "No such payment.");

    public IReadOnlyList<Shipment> ListShipments(string id) => _entries.ContainsKey(id) ? Read(id, entry => entry.Shipments.ConvertAll(one => one.Clone())) : [];

    public IEnumerable<ParcelMatch> Bearers(string number)
    {
        Func<Shipment, bool>[] bears = [one => one.TrackingNumber == number, one => one.FormerTracking.Any(former => former.TrackingNumber == number)];
        var found = new List<(bool Former, int Age, ParcelMatch Match)>();
        foreach (var entry in _entries.Values)
        {
            lock (entry)
            {
                foreach (var (former, bearer) in bears.Index())
                {
                    found.AddRange(entry.Shipments.Where(bearer).Select(one => (former > 0, int.Parse(one.ShipmentId[3..], CultureInfo.InvariantCulture), new ParcelMatch
                    {
                        TrackingNumber = number,
                        Shipment = $"shipments/{one.ShipmentId}",
                        OrderId = one.OrderId,
                        StoreId = "main",
                        Carrier = "ups",
                        Former = former > 0,
                        CreateTime = Then.ToTimestamp(),
                    })));
                }
            }
        }

        return found.OrderBy(one => one.Former).ThenByDescending(one => one.Age).Select(one => one.Match);
    }

    public IEnumerable<OrderMatch> Orders(IReadOnlyCollection<string> externalIds, string storeId) => _entries.Values.Select(entry => entry.Order)
        .Where(order => externalIds.Contains(order.ExternalId) && (storeId.Length == 0 || order.StoreId == storeId))
        .Select(order => new OrderMatch { ExternalId = order.ExternalId, StoreId = order.StoreId, OrderId = order.OrderId });

    public IEnumerable<InvoiceMatch> Invoices(IReadOnlyCollection<string> numbers, string storeId) => _entries.Values.SelectMany(entry => entry.Invoices)
        .Where(one => (numbers.Contains(one.Number) || numbers.Contains($"{one.StoreId}.{one.Number}")) && (storeId.Length == 0 || one.StoreId == storeId))
        .Select(one => new InvoiceMatch { Name = one.Name, Number = one.Number, StoreId = one.StoreId, OrderId = one.OrderId });

    public ListReturnsResponse ListReturns(string id) => Read(id, entry => new ListReturnsResponse { OrderVersion = entry.Order.Version, Returns = { entry.Returns.Select(one => one.Clone()) } });

    public IReadOnlyList<Invoice> ListInvoices(string id) => _entries.ContainsKey(id) ? Read(id, entry => entry.Invoices.ToList()) : [];

    public IReadOnlyList<Notification> ListNotifications(string id) => _entries.ContainsKey(id) ? Read(id, entry => entry.Notifications.ToList()) : [];

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

        public List<Return> Returns { get; } = [];

        public List<Invoice> Invoices { get; } = [];

        public List<Notification> Notifications { get; } = [];
    }
}

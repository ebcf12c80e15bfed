using Commerce.ServiceDefaults;
using Commerce.Types.V1;

namespace Commerce.Shipments.Carriers;

/// <summary>The carriers by code.</summary>
internal sealed class CarrierDirectory(IEnumerable<ICarrier> carriers)
{
    private readonly Dictionary<string, ICarrier> _carriers = carriers.ToDictionary(carrier => carrier.Code, StringComparer.Ordinal);

    public IReadOnlyCollection<ICarrier> All => _carriers.Values;

    /// <summary>As people read it, also of one that is not configured any more.</summary>
    public string NameOf(string code) => Find(code)?.Name ?? code.ToUpperInvariant();

    public ICarrier? Find(string code) => _carriers.GetValueOrDefault(code);

    /// <summary>Who is spoken to about a parcel: the aggregator that sold its label, else its carrier; null: that one is not configured.</summary>
    public ICarrier? Of(Shipment shipment) =>
        shipment.Seller is { } seller && Find(seller) is { SellsForOthers: true } aggregator ? aggregator : Find(shipment.Carrier ?? "");

    /// <exception cref="Failure">CARRIER_NOT_FOUND.</exception>
    public ICarrier Get(string code) => Find(code) ?? throw new Failure(
        ErrorReason.CarrierNotFound, code.Length == 0 ? "Name the carrier." : $"There is no such carrier; there are {string.Join(", ", _carriers.Keys.Order(StringComparer.Ordinal))}.");
}

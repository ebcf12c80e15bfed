namespace Commerce.Shipments.Carriers;

/// <summary>The carriers by code.</summary>
internal sealed class CarrierDirectory(IEnumerable<ICarrier> carriers)
{
    private readonly Dictionary<string, ICarrier> _carriers = carriers.ToDictionary(carrier => carrier.Code, StringComparer.Ordinal);

    public IReadOnlyCollection<ICarrier> All => _carriers.Values;

    public ICarrier? Find(string code) => _carriers.GetValueOrDefault(code);
}

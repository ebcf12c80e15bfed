using System.Collections.Frozen;

namespace Commerce.Shipping.Postal;

/// <summary>What a carrier does at a postal code.</summary>
[Flags]
public enum CarrierServices : byte
{
    None = 0,
    Delivery = 1,
    Pickup = 2,
    CashOnDelivery = 4,
    SameDay = 8,
}

/// <summary>A line of a carrier's list: a code, or all from one to another.</summary>
/// <param name="First">The first key.</param>
/// <param name="Last">The last key; of a single code the same.</param>
public readonly record struct CarrierListRow(string Country, ulong First, ulong Last, CarrierServices Services);

/// <summary>Which postal codes a carrier serves, in sorted, packed arrays: 17 bytes a line. It never changes.</summary>
public sealed class CarrierList
{
    // The key after all codes: the end of a line that is for a whole country.
    internal const ulong WholeCountry = ulong.MaxValue >> 1;

    private readonly FrozenDictionary<string, (ulong[] First, ulong[] Last, CarrierServices[] Services)> _countries;

    /// <param name="rows">In any order; of two that hold the same code the list answers with one of them.</param>
    public CarrierList(IEnumerable<CarrierListRow> rows)
    {
        _countries = rows.GroupBy(row => row.Country, StringComparer.Ordinal).ToFrozenDictionary(
            group => group.Key,
            group =>
            {
                var sorted = group.OrderBy(row => row.First).ToList();
                return (sorted.Select(row => row.First).ToArray(), sorted.Select(row => row.Last).ToArray(), sorted.Select(row => row.Services).ToArray());
            },
            StringComparer.Ordinal);
        foreach (var services in _countries.Values.SelectMany(one => one.Services))
            Distinguishes |= services;
    }

    /// <summary>What it says of at least one code: a list that never speaks of pick-up does not say that there is none.</summary>
    public CarrierServices Distinguishes { get; }

    public int Count => _countries.Values.Sum(one => one.First.Length);

    /// <summary>What the carrier does there; none where its list does not name the code.</summary>
    public CarrierServices Find(NormalisedCode code) => At(code)?.Services ?? CarrierServices.None;

    /// <summary>Whether a line of it is about the code, and not merely about its country.</summary>
    public bool Names(NormalisedCode code) => At(code) is { Whole: false };

    private (CarrierServices Services, bool Whole)? At(NormalisedCode code)
    {
        if (!_countries.TryGetValue(code.Country, out var rows))
            return null;
        foreach (var key in code.Keys)
        {
            var at = Array.BinarySearch(rows.First, key);
            if (at < 0)
                at = ~at - 1;
            if (at >= 0 && rows.Last[at] >= key)
                return (rows.Services[at], rows.Last[at] == WholeCountry);
        }

        return null;
    }
}

using System.Collections.Frozen;

namespace Commerce.Tracking.Numbers;

/// <summary>A carrier's service codes as they stand in its numbers.</summary>
internal sealed class ServiceTable
{
    // Carriers have services that no list names: a code that is not listed makes a number less likely, not impossible.
    private const double ListedShare = 0.8;

    private readonly FrozenDictionary<string, CarrierService> _services;
    private readonly FrozenDictionary<string, CarrierService>.AlternateLookup<ReadOnlySpan<char>> _lookup;
    private readonly double _listed;
    private readonly double _unlisted;

    /// <param name="length">Symbols of a code.</param>
    /// <param name="alphabet">How many symbols a code is made of: 10, 26 or 36.</param>
    public ServiceTable(int length, int alphabet, params IEnumerable<(string Code, string Name)> services)
    {
        _services = services.ToFrozenDictionary(row => row.Code, row => new CarrierService(row.Code, row.Name));
        _lookup = _services.GetAlternateLookup<ReadOnlySpan<char>>();
        _listed = ListedShare / _services.Count;
        _unlisted = (1 - ListedShare) / (Math.Pow(alphabet, length) - _services.Count);
    }

    /// <summary>Codes of which each stands for itself, as far as the last letter of a range.</summary>
    public static IEnumerable<(string Code, string Name)> Letters(char first, char from, char to, string name)
    {
        for (var second = from; second <= to; second++)
            yield return ($"{first}{second}", name);
    }

    /// <summary>The service, and how likely a number of the format has just this code.</summary>
    public (CarrierService? Service, double Likelihood) Find(ReadOnlySpan<byte> code)
    {
        Span<char> text = stackalloc char[code.Length];
        for (var i = 0; i < code.Length; i++)
            text[i] = Symbols.ToChar(code[i]);
        return _lookup.TryGetValue(text, out var service) ? (service, _listed) : (null, _unlisted);
    }
}

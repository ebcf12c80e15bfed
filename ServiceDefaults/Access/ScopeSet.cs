using System.Globalization;
using System.Numerics;
using Commerce.Types.V1;
using Google.Protobuf.Reflection;

namespace Commerce.ServiceDefaults;

/// <summary>Scopes, one bit each: whether one is among them is asked at every call.</summary>
public readonly record struct ScopeSet(ulong Bits)
{
    private const string Prefix = "SCOPE_";

    private static readonly Dictionary<Scope, string> Names = AccessReflection.Descriptor.EnumTypes.Single(one => one.Name == nameof(Scope)).Values
        .Where(value => value.Number != 0)
        .ToDictionary(value => (Scope)value.Number, NameOf);

    private static readonly Dictionary<string, Scope> Scopes = Names.ToDictionary(one => one.Value, one => one.Key, StringComparer.Ordinal);

    /// <summary>Every scope that there is.</summary>
    public static ScopeSet All { get; } = Of([.. Names.Keys]);

    /// <summary>The names of all scopes, in the order of the proto.</summary>
    public static IReadOnlyList<string> AllNames { get; } = [.. Names.OrderBy(one => one.Key).Select(one => one.Value)];

    /// <summary>These scopes.</summary>
    public static ScopeSet Of(params ReadOnlySpan<Scope> scopes)
    {
        ulong bits = 0;
        foreach (var scope in scopes)
            bits |= 1UL << (int)scope;
        return new ScopeSet(bits);
    }

    /// <summary>A scope as it is written in tokens and keys, for example "orders.read".</summary>
    public static string NameOf(Scope scope) => Names.TryGetValue(scope, out var name) ? name : "";

    /// <summary>The scope of a name, for example of "orders.read"; null if there is none.</summary>
    public static Scope? Parse(string name) => Scopes.TryGetValue(name, out var scope) ? scope : null;

    /// <summary>Whether a scope is among them; <see cref="Scope.Unspecified"/> always is.</summary>
    public bool Has(Scope scope) => scope == Scope.Unspecified || (Bits & (1UL << (int)scope)) != 0;

    /// <summary>Whether all of the others are among them.</summary>
    public bool Covers(ScopeSet others) => (others.Bits & ~Bits) == 0;

    /// <summary>Those of either.</summary>
    public static ScopeSet operator |(ScopeSet one, ScopeSet other) => new(one.Bits | other.Bits);

    /// <summary>Their names, in the order of the proto.</summary>
    public IReadOnlyList<string> ToNames()
    {
        var names = new List<string>(BitOperations.PopCount(Bits));
        foreach (var name in AllNames)
        {
            if (Has(Scopes[name]))
                names.Add(name);
        }

        return names;
    }

    /// <inheritdoc/>
    public override string ToString() => string.Join(' ', ToNames());

    internal string ToHex() => Bits.ToString("x", CultureInfo.InvariantCulture);

    internal static ScopeSet? FromHex(string? text) =>
        ulong.TryParse(text, NumberStyles.AllowHexSpecifier, CultureInfo.InvariantCulture, out var bits) ? new ScopeSet(bits) : null;

    // SCOPE_ORDERS_READ is "orders.read".
    private static string NameOf(EnumValueDescriptor value)
    {
        var words = value.Name[Prefix.Length..].ToLowerInvariant();
        var last = words.LastIndexOf('_');
        return string.Concat(words.AsSpan(0, last), ".", words.AsSpan(last + 1));
    }
}

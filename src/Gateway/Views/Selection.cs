using Google.Protobuf.WellKnownTypes;

namespace Commerce.Gateway.Views;

/// <summary>Parts of a view, each in a class of visibility: what a caller wants and may see.</summary>
internal readonly record struct Selection(int Bits)
{
    private const string Journeys = "journeys";

    private static readonly Selection[] Alls =
    [
        Part.Kinds.Aggregate(default(Selection), (all, kind) => all.With(kind, Visibility.Staff)),
        Part.Kinds.Aggregate(default(Selection), (all, kind) => all.With(kind, Visibility.Shopper)),
        default(Selection).With(PartKind.Shipments, Visibility.Public),
    ];

    /// <summary>What the read_mask of a look-up may name.</summary>
    public static IReadOnlyList<string> Fields { get; } = [.. Part.Kinds.Select(Part.NameOf), Journeys];

    /// <summary>All that a class of callers may see.</summary>
    public static Selection All(Visibility audience) => Alls[(int)audience];

    /// <summary>What a mask chooses for a class of callers, and the first path that names nothing.</summary>
    public static (Selection Selection, string? Unknown) Of(FieldMask? mask, Visibility audience)
    {
        var all = All(audience);
        if (mask is null || mask.Paths.Count == 0 || mask.Paths is ["*"])
            return (all, null);
        var chosen = default(Selection);
        foreach (var path in mask.Paths)
        {
            if (path == Journeys)
            {
                chosen = chosen.With(PartKind.Shipments, Visibility.Public);
                continue;
            }

            var kind = Part.Kinds.Where(one => Part.NameOf(one) == path).Cast<PartKind?>().SingleOrDefault();
            if (kind is null)
                return (default, path);
            if (all.Has(kind.Value, audience))
                chosen = chosen.With(kind.Value, audience);
        }

        return (chosen, null);
    }

    public bool Has(PartKind kind) => (Bits >> ((int)kind * Visibilities.Count) & 0b111) != 0;

    public bool Has(PartKind kind, Visibility visibility) => (Bits & Bit(kind, visibility)) != 0;

    public Selection With(PartKind kind, Visibility visibility) => new(Bits | Bit(kind, visibility));

    /// <summary>What of it is in the other, too.</summary>
    public Selection And(Selection other) => new(Bits & other.Bits);

    public Selection With(Selection other) => new(Bits | other.Bits);

    private static int Bit(PartKind kind, Visibility visibility) => 1 << (((int)kind * Visibilities.Count) + (int)visibility);
}

using Commerce.Orders.V1;
using Commerce.Types.V1;

namespace Commerce.Shipments.PlanningShipments;

/// <summary>What one parcel may weigh and how much room it may take; a single piece beyond it travels alone.</summary>
internal readonly record struct ParcelLimits(long Grams, long CubicMillimetres);

/// <summary>Pieces of a line in a parcel.</summary>
internal sealed record PackedLine(OrderLine Line, int Quantity);

/// <summary>
/// Puts what leaves one place into parcels that carriers take. Lines stay in their order and together as far as they fit, so
/// that the same lines always make the same parcels.
/// </summary>
internal static class Packing
{
    // A wholesale order makes heavy parcels rather than thousands of small ones: freight, not mail.
    private const int MostParcels = 20;

    public static IReadOnlyList<IReadOnlyList<PackedLine>> Of(IReadOnlyList<OrderLine> lines, ParcelLimits limits, int defaultPieceGrams)
    {
        var whole = Stack.Empty;
        foreach (var line in lines)
            whole = whole.With(line.Dimensions, line.Quantity, defaultPieceGrams);
        // Two neighbours are always more than one limit together, so twice the even share keeps to the number of parcels.
        var limit = new ParcelLimits(
            Math.Max(limits.Grams, whole.Grams * 2 / MostParcels), Math.Max(limits.CubicMillimetres, whole.CubicMillimetres * 2 / MostParcels));

        var parcels = new List<IReadOnlyList<PackedLine>>();
        var (open, stack) = (new List<PackedLine>(), Stack.Empty);
        foreach (var line in lines)
        {
            for (var left = line.Quantity; left > 0;)
            {
                var fit = stack.Room(line.Dimensions, limit, left, defaultPieceGrams);
                if (fit == 0 && open.Count > 0)
                {
                    parcels.Add(open);
                    (open, stack) = ([], Stack.Empty);
                    continue;
                }

                var packed = Math.Max(fit, 1);
                open.Add(new PackedLine(line, packed));
                stack = stack.With(line.Dimensions, packed, defaultPieceGrams);
                left -= packed;
            }
        }

        if (open.Count > 0)
            parcels.Add(open);
        return parcels;
    }

    /// <summary>Pieces one on the other: as wide and long as the largest of them, and as high as all.</summary>
    internal readonly record struct Stack(long Grams, long LengthMm, long WidthMm, long HeightMm)
    {
        public static Stack Empty => default;

        public long CubicMillimetres => LengthMm * WidthMm * HeightMm;

        public Stack With(Dimensions? piece, int pieces, int defaultPieceGrams) => new(
            Grams + (pieces * GramsOf(piece, defaultPieceGrams)),
            Math.Max(LengthMm, piece?.LengthMm ?? 0),
            Math.Max(WidthMm, piece?.WidthMm ?? 0),
            HeightMm + ((long)pieces * (piece?.HeightMm ?? 0)));

        /// <summary>How many more pieces of a kind fit, at most <paramref name="wanted"/>.</summary>
        public int Room(Dimensions? piece, ParcelLimits limit, int wanted, int defaultPieceGrams)
        {
            var byWeight = (limit.Grams - Grams) / GramsOf(piece, defaultPieceGrams);
            var floor = Math.Max(LengthMm, piece?.LengthMm ?? 0) * Math.Max(WidthMm, piece?.WidthMm ?? 0);
            var byVolume = floor == 0 ? wanted
                : piece is { HeightMm: > 0 } ? ((limit.CubicMillimetres / floor) - HeightMm) / piece.HeightMm
                : floor * HeightMm <= limit.CubicMillimetres ? wanted : 0;
            return (int)Math.Clamp(Math.Min(byWeight, byVolume), 0, wanted);
        }

        private static long GramsOf(Dimensions? piece, int defaultPieceGrams) => piece is { WeightGrams: > 0 } ? piece.WeightGrams : defaultPieceGrams;
    }
}

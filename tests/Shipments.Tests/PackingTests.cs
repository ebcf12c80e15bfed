using Commerce.Orders.V1;
using Commerce.Shipments.PlanningShipments;
using Commerce.Types.V1;
using CsCheck;

namespace Commerce.Shipments.Tests;

/// <summary>What leaves one place is cut into parcels that carriers take.</summary>
public sealed class PackingTests
{
    private const int DefaultGrams = 500;
    private static readonly ParcelLimits Limits = new(30_000, 150_000_000);

    [Fact]
    public void Two_pieces_that_no_carrier_takes_together_make_two_parcels()
    {
        var parcels = Packing.Of([Line(1, 2, grams: 30_000, 800, 530, 530)], Limits, DefaultGrams);
        Assert.Equal([[(1, 1)], [(1, 1)]], Content(parcels));
    }

    [Fact]
    public void What_fits_travels_together()
    {
        var parcels = Packing.Of([Line(1, 3, grams: 400, 200, 100, 50), Line(2, 1, grams: 12_000, 400, 300, 200)], Limits, DefaultGrams);
        Assert.Equal([[(1, 3), (2, 1)]], Content(parcels));
    }

    [Fact]
    public void A_piece_beyond_the_limits_travels_alone()
    {
        var parcels = Packing.Of([Line(1, 1, grams: 900, 200, 100, 50), Line(2, 2, grams: 45_000, 1050, 1050, 1050), Line(3, 1, grams: 900, 200, 100, 50)], Limits, DefaultGrams);
        Assert.Equal([[(1, 1)], [(2, 1)], [(2, 1)], [(3, 1)]], Content(parcels));
    }

    [Fact]
    public void Every_piece_is_packed_once_and_parcels_keep_to_the_limits_and_to_a_number()
    {
        var line = Gen.Select(Gen.Int[1, 100_000], Gen.Int[0, 60_000], Gen.Int[0, 1500], Gen.Int[0, 1500], Gen.Int[0, 1500]);
        line.List[1, 30].Sample(drawn =>
        {
            var lines = drawn.Select((d, i) => Line(i + 1, d.Item1, d.Item2, d.Item3, d.Item4, d.Item5)).ToList();
            var parcels = Packing.Of(lines, Limits, DefaultGrams);
            foreach (var one in lines)
                Assert.Equal(one.Quantity, parcels.SelectMany(p => p).Where(p => p.Line == one).Sum(p => p.Quantity));
            Assert.All(parcels, parcel => Assert.NotEmpty(parcel));
            Assert.All(parcels, parcel => Assert.All(parcel, packed => Assert.True(packed.Quantity > 0)));
            Assert.Equal(Content(parcels), Content(Packing.Of(lines, Limits, DefaultGrams)));
            // Wholesale: hundreds of thousands of pieces, and still a number of parcels that somebody can hand over.
            Assert.True(parcels.Count <= 64, $"{parcels.Count} parcels");
        });
    }

    private static OrderLine Line(int number, int quantity, int grams, int length, int width, int height) => new()
    {
        LineNumber = number,
        Quantity = quantity,
        Dimensions = new Dimensions { WeightGrams = grams, LengthMm = length, WidthMm = width, HeightMm = height },
    };

    private static List<List<(int Line, int Quantity)>> Content(IReadOnlyList<IReadOnlyList<PackedLine>> parcels) =>
        [.. parcels.Select(parcel => parcel.Select(packed => (packed.Line.LineNumber, packed.Quantity)).ToList())];
}

using Commerce.Tracking.Numbers;

namespace Commerce.Tracking.Tests.Numbers;

/// <summary>Numbers that others have published as right or wrong for a format.</summary>
public sealed class PublishedNumbersTests
{
    // Formats without an id in the data.
    private static readonly Dictionary<string, string> Unnamed = new()
    {
        ["LaserShip 1LS7 (18)"] = "lasership_1ls7_18",
        ["Old Dominion"] = "old_dominion",
        ["Old Dominion Guaranteed Shipment"] = "old_dominion_guaranteed",
        ["UPS Waybill"] = "ups_waybill",
    };

    public static IEnumerable<TheoryDataRow<string, string, string, bool>> Numbers() =>
        Data.Rows("tracking-numbers/test_numbers.csv")
            .Select(row => new TheoryDataRow<string, string, string, bool>(row[0], row[1].Length > 0 ? row[1] : Unnamed[row[2]], row[3], row[4] == "valid"))
            .DistinctBy(row => (row.Data.Item2, row.Data.Item3));

    [Theory]
    [MemberData(nameof(Numbers))]
    public void A_published_number_is_of_its_format_exactly_when_it_is_valid(string carrier, string format, string number, bool valid)
    {
        var candidates = CarrierDetector.Detect(number).Candidates;
        var candidate = candidates.SingleOrDefault(one => one.Format == format);
        Assert.Equal(valid, candidate is not null);
        if (candidate is not null && carrier != "s10")
            Assert.Equal(carrier, candidate.Carrier.Code);
    }

    [Theory]
    [MemberData(nameof(Numbers))]
    public void A_valid_number_names_its_carrier_first_or_the_answer_is_ambiguous(string carrier, string format, string number, bool valid)
    {
        var detection = CarrierDetector.Detect(number);
        if (!valid || carrier == "s10")
            return;
        var first = detection.Candidates[0];
        Assert.True(first.Carrier.Code == carrier || detection.IsAmbiguous, $"{format}: {string.Join("; ", detection.Candidates)}");
    }

    [Fact]
    public void Every_format_of_the_table_is_there()
    {
        var formats = CarrierDetector.Formats.Select(format => format.Id).ToHashSet();
        Assert.All(Data.Rows("tracking-numbers/patterns.csv"), row => Assert.Contains(row[2].Length > 0 ? row[2] : Unnamed[row[3]], formats));
    }
}

using System.Text;
using Commerce.Tracking.Payloads;
using Commerce.Tracking.Tests.Payloads;
using Commerce.Tracking.Vocabularies;

namespace Commerce.Tracking.Tests.Vocabularies;

public sealed class TellingTests
{
    private static readonly DateTimeOffset Now = new(2026, 11, 24, 12, 0, 0, TimeSpan.Zero);

    private static readonly PayloadReader Reader = new();

    public static TheoryData<string> Names => [.. Telling.Names];

    [Theory]
    [MemberData(nameof(Names))]
    public void Every_real_history_told_and_read_again_keeps_its_status_times_places_and_words(string vocabulary)
    {
        foreach (var (source, name, bytes) in RealPayloads.All())
        {
            foreach (var parcel in Parcels(bytes, source))
            {
                var again = Parcels(Encoding.UTF8.GetBytes(Telling.Tell(parcel, vocabulary).ToJsonString()), vocabulary).ToList();
                if (parcel.Scans.Count == 0)
                    continue;
                var back = Assert.Single(again);
                Assert.Equal(parcel.TrackingNumber, back.TrackingNumber);
                Assert.Equal(parcel.Scans.Count, back.Scans.Count);
                foreach (var (one, other) in InOrder(parcel).Zip(InOrder(back)))
                {
                    Assert.Equal(one.Description, other.Description);
                    Assert.Equal(one.Place.Locality, other.Place.Locality);
                    Assert.Equal(one.Place.Region, other.Place.Region);
                    Assert.Equal(one.Place.PostalCode, other.Place.PostalCode);
                    Assert.Equal(one.Place.Country, other.Place.Country);
                    if (!one.IsTimeless && one.TimeBasis != V1.Scan.Types.TimeBasis.Assumed)
                        Assert.Equal(one.OccurredAt, other.OccurredAt);
                    // What the vocabulary has a word of its own for comes back as it was.
                    var told = Vocabulary.Of(vocabulary).Tell(one.Status, one.ReasonCode)!;
                    Assert.True(told.Meaning.Status == other.Status || other.ReporterStatus.StartsWith(told.Code, StringComparison.Ordinal), $"{name}: {one.Status} told as {told.Code}/{told.Detail}, read as {other.Status}");
                }
            }
        }
    }

    [Theory]
    [MemberData(nameof(Names))]
    public void What_came_in_a_vocabulary_goes_out_in_its_own_words(string vocabulary)
    {
        foreach (var row in Vocabulary.Of(vocabulary).Rows)
        {
            var scan = new Scan(Guid.NewGuid(), row.Meaning.Status, row.Meaning.Party, row.Meaning.Reason, false, "XY", "words", Now, "2026-11-24T09:00:00-03:00", new PlaceRecord("", "Cajamar", "SP", "07750", "BR"), "webhook", Now)
            {
                Reporter = vocabulary,
                ReporterStatus = row.Detail.Length > 0 ? $"{row.Code}/{row.Detail}" : row.Code,
            };
            // Told by the table alone, as if another had reported it, and by what came.
            foreach (var one in (Scan[])[scan with { Reporter = "somebody" }, scan])
            {
                var parcel = new ToldParcel("ups", "1Z999AA10123456784", TrackingStatusRules.Derive([one], Now), [one], null);
                var back = Assert.Single(Assert.Single(Parcels(Encoding.UTF8.GetBytes(Telling.Tell(parcel, vocabulary).ToJsonString()), vocabulary)).Scans);
                Assert.Equal(scan.ReporterStatus, back.ReporterStatus);
                Assert.Equal((row.Meaning.Status, row.Meaning.Reason), (back.Status, back.ReasonCode));
                Assert.Equal(scan.Place, back.Place);
                Assert.Equal(scan.OccurredAt, back.OccurredAt);
            }
        }
    }

    [Fact]
    public void Another_vocabulary_is_a_table_and_a_template() => Assert.Equal(["aftership", "easypost", "shipengine", "shippo"], Telling.Names.Order());

    [Fact]
    public void A_parcel_without_scans_is_told_too() =>
        Assert.Equal("pre_transit", Telling.Tell(new ToldParcel("ups", "1Z999AA10123456784", TrackingState.Planned(Now), [], null), "easypost")["status"]!.GetValue<string>());

    private static IEnumerable<ToldParcel> Parcels(byte[] bytes, string source)
    {
        IReadOnlyList<ReportedScan> scans;
        try
        {
            scans = Reader.Read(bytes, source).Scans;
        }
        catch (PayloadException)
        {
            return [];
        }

        return scans.GroupBy(scan => (scan.Carrier, scan.TrackingNumber)).Select(parcel =>
        {
            var kept = parcel.Select(scan => scan.ToScan("webhook", Now, TimeSpan.FromHours(26))).DistinctBy(scan => scan.Id).ToList();
            return new ToldParcel(parcel.Key.Carrier, parcel.Key.TrackingNumber, TrackingStatusRules.Derive(kept, Now), kept, null);
        });
    }

    private static IEnumerable<Scan> InOrder(ToldParcel parcel) => parcel.Scans.OrderBy(scan => scan.OccurredAt).ThenBy(scan => scan.Description, StringComparer.Ordinal).ThenBy(scan => scan.Place.ToString(), StringComparer.Ordinal);
}

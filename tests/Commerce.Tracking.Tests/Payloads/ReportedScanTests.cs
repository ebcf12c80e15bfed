using System.Text;
using System.Text.Json.Nodes;
using Commerce.Tracking.Payloads;
using TimeBasis = Commerce.Shipments.V1.Scan.Types.TimeBasis;

namespace Commerce.Tracking.Tests.Payloads;

public sealed class ReportedScanTests
{
    private const string Good = """
        {"event_id":"e1","tracking_number":"1Z 999-AA10123456784","code":"I","description":"Departed from Facility",
         "occurred_at":"2026-11-24T10:00:00-03:00","location":{"city":"Cajamar","region":"SP","country_code":"BR","postal_code":"07750"}}
        """;

    private static readonly DateTimeOffset Now = new(2026, 11, 24, 14, 0, 0, TimeSpan.Zero);

    [Fact]
    public void The_carriers_local_time_is_kept_as_written_and_understood_as_an_instant()
    {
        var scan = ScanOf(Good);

        Assert.Equal("2026-11-24T10:00:00-03:00", scan.LocalTime);
        Assert.Equal(new DateTimeOffset(2026, 11, 24, 13, 0, 0, TimeSpan.Zero), scan.OccurredAt);
        Assert.Equal(TimeBasis.Carrier, scan.TimeBasis);
        Assert.Equal(new PlaceRecord("", "Cajamar", "SP", "07750", "BR"), scan.Place);
    }

    [Theory]
    [InlineData("2026-11-24T10:00:00.000-03:00")]
    [InlineData("2026-11-24T10:00:00-0300")]
    [InlineData("2026-11-24 10:00:00-03:00")]
    [InlineData("2026-11-24T10:00-03:00")]
    [InlineData("2026-11-24T13:00:00Z")]
    [InlineData("2026-11-24T13:00:00.0+00:00")]
    [InlineData("2026-11-24 10:00:00 GMT-03:00")]
    [InlineData("2026-11-24 13:00:00 UTC")]
    [InlineData("20261124 100000 -0300")]
    [InlineData("24.11.2026 10:00:00 -03:00")]
    [InlineData("Nov 24, 2026 10:00 AM -03:00")]
    [InlineData("1795525200")]
    [InlineData("1795525200000")]
    public void The_same_time_written_differently_is_the_same_scan(string time) =>
        Assert.Equal(ScanOf(Good).Id, ScanOf(With("occurred_at", time)).Id);

    [Fact]
    public void The_source_the_words_and_the_carriers_event_id_make_no_other_scan()
    {
        var polled = JsonNode.Parse(Good)!.AsObject();
        polled["event_id"] = "e2";
        polled["description"] = "Partiu da unidade";

        Assert.Equal(ScanOf(Good).Id, ScanOf(polled.ToJsonString(), "poll").Id);
    }

    [Fact]
    public void Where_the_carrier_has_no_code_its_words_tell_one_scan_from_another()
    {
        var first = JsonNode.Parse(Good)!.AsObject();
        first.Remove("code");
        var second = JsonNode.Parse(first.ToJsonString())!.AsObject();
        second["description"] = "Arrived at Facility";

        Assert.NotEqual(ScanOf(first.ToJsonString()).Id, ScanOf(second.ToJsonString()).Id);
    }

    [Theory]
    [InlineData("tracking_number", "1Z999AA10123456785")]
    [InlineData("code", "P")]
    [InlineData("occurred_at", "2026-11-24T10:00:01-03:00")]
    public void Another_number_code_or_time_is_another_scan(string field, string value) =>
        Assert.NotEqual(ScanOf(Good).Id, ScanOf(With(field, value)).Id);

    [Theory]
    [InlineData("1970-01-01T00:00:00Z")]
    [InlineData("2031-01-01T00:00:00Z")]
    [InlineData("20:00")]
    [InlineData("11/12/2026 10:00")]
    [InlineData("yesterday")]
    [InlineData("")]
    public void A_time_that_cannot_be_is_replaced_by_that_of_receipt_and_kept_as_written_and_said(string time)
    {
        var scan = ScanOf(With("occurred_at", time));

        Assert.Equal(Now, scan.OccurredAt);
        Assert.Equal(time, scan.LocalTime);
        Assert.Equal(TimeBasis.Received, scan.TimeBasis);
    }

    [Fact]
    public void A_time_without_an_offset_has_that_of_its_place()
    {
        var scan = ScanOf(With("occurred_at", "2026-11-24T10:00:00"));

        Assert.Equal(new DateTimeOffset(2026, 11, 24, 13, 0, 0, TimeSpan.Zero), scan.OccurredAt);
        Assert.Equal("2026-11-24T10:00:00-03:00", scan.LocalTime);
        Assert.Equal(TimeBasis.Place, scan.TimeBasis);
    }

    [Fact]
    public void Where_the_place_does_not_tell_the_offset_it_is_assumed_and_the_local_time_has_none()
    {
        var json = JsonNode.Parse(With("occurred_at", "2026-11-24T10:00:00"))!.AsObject();
        json.Remove("location");

        var scan = ScanOf(json.ToJsonString());

        Assert.Equal("2026-11-24T10:00:00", scan.LocalTime);
        Assert.Equal(TimeBasis.Assumed, scan.TimeBasis);
    }

    [Theory]
    [InlineData("null")]
    [InlineData("\"\"")]
    [InlineData("[1]")]
    [InlineData("{}")]
    [InlineData("true")]
    [InlineData("1e400")]
    [InlineData("\"\\ud800\"")]
    [InlineData("\"\\u0000\\u001b[31m\"")]
    public void A_field_of_the_wrong_kind_costs_no_more_than_itself(string value)
    {
        foreach (var field in (string[])["event_id", "code", "description", "occurred_at", "location"])
        {
            // Written by hand: a JSON library would repair what is broken on purpose.
            var json = $$$"""{"{{{field}}}":{{{value}}},"tracking_number":"1Z999AA10123456784","more":{"code":"I"}}""";
            var scan = ScanOf(json);
            Assert.DoesNotContain(scan.Description + scan.CarrierCode + scan.LocalTime, char.IsControl);
        }
    }

    [Theory]
    [InlineData("AUT", "AT")]
    [InlineData("AT", "AT")]
    [InlineData("Österreich", "AT")]
    [InlineData("Atlantis", "")]
    public void A_country_is_two_letters_however_it_is_written_and_left_out_if_nobody_knows_it(string written, string country) =>
        Assert.Equal(country, ScanOf($$$"""{"tracking_number":"1Z999AA10123456784","location":{"city":"Wien","country_code":"{{{written}}}"}}""").Place.Country);

    [Fact]
    public void A_text_is_never_cut_through_a_character() => Assert.Equal(new string('x', 499), ScanOf(With("description", new string('x', 499) + "😀")).Description);

    [Theory]
    [InlineData("""{"tracking_number":9400111899223197428497}""")]
    [InlineData("""{"tracking_number":" 9400 1118 9922 3197 4284 97 "}""")]
    public void A_number_is_read_quoted_or_not(string json) => Assert.Equal("9400111899223197428497", Read(json).Scans.Single().TrackingNumber);

    [Theory]
    [InlineData("{}")]
    [InlineData("null")]
    [InlineData("\"1Z999AA10123456784\"")]
    [InlineData("""{"tracking_number":"x"}""")]
    [InlineData("""{"tracking_number":null}""")]
    [InlineData("""{"tracking_number":"\udc00"}""")]
    public void What_names_no_parcel_is_no_scan(string json) => Assert.Empty(Read(json).Scans);

    private static string With(string field, string value)
    {
        var json = JsonNode.Parse(Good)!.AsObject();
        json[field] = value;
        return json.ToJsonString();
    }

    private static Scan ScanOf(string json, string source = "webhook") => Read(json).Scans.Single().ToScan(source, Now, TimeSpan.FromHours(26));

    private static PayloadReading Read(string json) => new PayloadReader().Read(Encoding.UTF8.GetBytes($$"""{"events":[{{json}}]}"""), "sandbox", "ups");
}

using Commerce.Tracking.Payloads;
using TimeBasis = Commerce.Shipments.V1.Scan.Types.TimeBasis;

namespace Commerce.Tracking.Tests.Payloads;

public sealed class PayloadReaderTests(ITestOutputHelper output)
{
    private static readonly DateTimeOffset Now = new(2026, 11, 24, 12, 0, 0, TimeSpan.Zero);

    /// <summary>What each carrier's real answer says, as a person reads it: scans, and the status of each parcel.</summary>
    [Theory]
    [InlineData("amazon_shipping/parse_tracking_response.raw.json", 3, "DELIVERED")]
    [InlineData("asendia/parse_tracking_response.raw.json", 3, "DELIVERED")]
    [InlineData("australiapost/parse_tracking_response.raw.json", 27, "IN_TRANSIT DELIVERED DELIVERED")]
    [InlineData("bpost/parse_tracking_response.raw.xml", 3, "DELIVERED")]
    [InlineData("canadapost/parse_tracking_response.raw.xml", 6, "DELIVERED")]
    [InlineData("chronopost/parse_tracking_response.raw.xml", 9, "DELIVERED")]
    [InlineData("colissimo/parse_tracking_response.raw.json", 9, "DELIVERED")]
    [InlineData("dhl_express/parse_in_transit_tracking_response.raw.xml", 1, "PICKED_UP")]
    [InlineData("dhl_express/parse_tracking_response.raw.xml", 19, "DELIVERED PICKED_UP PICKED_UP")]
    [InlineData("dhl_parcel_de/parse_tracking_response.raw.xml", 7, "DELIVERED")]
    [InlineData("dhl_universal/parse_tracking_response.raw.json", 1, "PRE_TRANSIT")]
    [InlineData("dpd/parse_tracking_response.raw.xml", 15, "DELIVERY_FAILED")]
    [InlineData("easypost/parse_tracking_response.raw1.json", 2, "PRE_TRANSIT")]
    [InlineData("gls/parse_tracking_response.raw.json", 2, "PICKED_UP")]
    [InlineData("hermes/parse_tracking_response.raw.json", 4, "DELIVERED")]
    [InlineData("laposte/parse_tracking_response.raw.json", 9, "DELIVERED")]
    [InlineData("purolator/tracking_response_parsing.raw.xml", 2, "PRE_TRANSIT")]
    [InlineData("sendle/parse_tracking_response.raw.json", 9, "DELIVERED")]
    [InlineData("shipengine/parse_tracking_response.raw.json", 2, "DELIVERED")]
    [InlineData("ups/tracking_response_parsing.raw.json", 1, "IN_TRANSIT")]
    [InlineData("usps/parse_tracking_response.raw.json", 12, "DELIVERED")]
    [InlineData("usps_international/parse_tracking_response.raw.json", 12, "DELIVERED")]
    public void Every_carriers_answer_is_read(string file, int scans, string statuses)
    {
        var reading = Read(file);
        Show(file, reading);

        Assert.Equal(scans, reading.Scans.Count);
        Assert.Equal(statuses, string.Join(' ', reading.Scans.GroupBy(scan => scan.TrackingNumber).Select(parcel =>
            StatusName.Of(TrackingStatusRules.Derive(parcel.Select(scan => scan.ToScan("poll", Now, TimeSpan.FromHours(26))), Now).Status))));
        Assert.All(reading.Scans, scan => Assert.NotNull(scan.Time.Local));
    }

    [Fact]
    public void Every_error_of_a_carrier_becomes_words()
    {
        foreach (var (source, name, bytes) in RealPayloads.All().Where(one => one.Name.Contains("error", StringComparison.Ordinal) || one.Name.Contains("not_found", StringComparison.Ordinal)
            || one.Name.Contains("unknown_response", StringComparison.Ordinal) || one.Name.Contains("invalid", StringComparison.Ordinal)))
        {
            var reading = new PayloadReader().Read(bytes, source, number: "X1234567");
            Show(name, reading);
            Assert.True(reading.Scans.Count == 0, $"{name}: {reading.Scans.Count} scans");
            Assert.True(reading.Problems.Any(problem => problem.Message.Length > 5 && problem.Message != "It tells of no scan."), $"{name} says nothing");
        }
    }

    [Theory]
    [InlineData("hermes/parse_tracking_response.raw.json", "2024-01-18T08:30:00+01:00", TimeBasis.Carrier)]
    [InlineData("gls/parse_tracking_response.raw.json", "2024-10-07T10:46:14+02:00", TimeBasis.Carrier)]
    [InlineData("usps/parse_tracking_response.raw.json", "2024-11-22T13:58:00-05:00", TimeBasis.Carrier)]
    [InlineData("canadapost/parse_tracking_response.raw.xml", "2011-02-03T11:59:59-05:00", TimeBasis.Carrier)]
    [InlineData("ups/tracking_response_parsing.raw.json", "2021-02-10T07:13:56-05:00", TimeBasis.Place)]
    [InlineData("dhl_parcel_de/parse_tracking_response.raw.xml", "2016-03-17T11:44:00+01:00", TimeBasis.Place)]
    [InlineData("dhl_express/parse_in_transit_tracking_response.raw.xml", "2021-05-05T09:42:00-05:00", TimeBasis.Place)]
    [InlineData("dpd/parse_tracking_response.raw.xml", "2021-08-17T19:11:26+02:00", TimeBasis.Place)]
    [InlineData("purolator/tracking_response_parsing.raw.xml", "2004-01-13T17:23:00", TimeBasis.Assumed)]
    public void The_local_time_is_kept_with_its_offset_or_says_that_it_is_assumed(string file, string localTime, TimeBasis basis)
    {
        var time = Read(file).Scans[0].Time;

        Assert.Equal((localTime, basis), (time.Text, time.Basis));
    }

    [Theory]
    [InlineData("ups/tracking_response_parsing.raw.json", 0, "Wayne", "NJ", "07470", "US")]
    [InlineData("hermes/parse_tracking_response.raw.json", 0, "Berlin", "", "", "DE")]
    [InlineData("dpd/parse_tracking_response.raw.xml", 0, "Puurs", "", "", "BE")]
    [InlineData("sendle/parse_tracking_response.raw.json", 2, "TEANECK", "NJ", "", "US")]
    [InlineData("sendle/parse_tracking_response.raw.json", 4, "NEW YORK NY DISTRIBUTION CENTER", "NY", "", "US")]
    [InlineData("dhl_express/parse_tracking_response.raw.xml", 0, "Barcelona", "", "", "ES")]
    [InlineData("australiapost/parse_tracking_response.raw.json", 8, "KEW", "VIC", "", "AU")]
    [InlineData("australiapost/parse_tracking_response.raw.json", 15, "CHICAGO", "", "", "US")]
    public void Places_are_read_as_carriers_write_them(string file, int scan, string locality, string region, string postalCode, string country) =>
        Assert.Equal(new PlaceRecord("", locality, region, postalCode, country), Read(file).Scans[scan].Place);

    [Fact]
    public void One_null_event_description_does_not_fail_the_whole_lookup()
    {
        var reading = new PayloadReader().Read("""
            {"tracking_code":"9400110898825022579493","carrier":"USPS","tracking_details":[{"message":null,"status":"in_transit","datetime":"2024-01-01T00:00:00Z"},
             {"message":"Delivered","status":"delivered","datetime":"2024-01-02T00:00:00Z"},null,{"message":"Out","status":null,"datetime":null,"tracking_location":null}]}
            """u8, "easypost");

        Assert.Equal(3, reading.Scans.Count);
        Assert.Equal(2, Assert.Single(reading.Rejected).Index);
        Assert.Equal(V1.TrackingStatus.Delivered, reading.Scans[1].Meaning.Status);
    }

    [Theory]
    [InlineData("""{"tracking_code":"EZ1000000001","carrier":"USPS","tracking_details":{"message":"Delivered","status":"delivered","datetime":"2024-01-02T00:00:00Z"}}""")]
    [InlineData("""[{"tracking_code":["EZ1000000001"],"carrier":{"name":"USPS"},"tracking_details":[[{"message":["Delivered"],"status":{"value":"delivered"},"datetime":"2024-01-02T00:00:00Z"}]]}]""")]
    [InlineData("""{"data":{"tracker":{"tracking_code":"EZ1000000001","carrier":"USPS","tracking_details":[{"detail":{"message":"Delivered","status":"delivered","datetime":"2024-01-02T00:00:00Z"}}]}}}""")]
    [InlineData("""{"trackingCode":"EZ1000000001","Carrier":"USPS","TrackingDetails":[{"Message":"Delivered","Status":"DELIVERED","DateTime":"2024-01-02T00:00:00Z"}]}""")]
    public void One_thing_where_a_list_is_expected_a_level_off_and_another_case_are_survived(string json)
    {
        var scan = Assert.Single(new PayloadReader().Read(System.Text.Encoding.UTF8.GetBytes(json), "easypost").Scans);

        Assert.Equal(("usps", "EZ1000000001", "Delivered", V1.TrackingStatus.Delivered), (scan.Carrier, scan.TrackingNumber, scan.Words, scan.Meaning.Status));
    }

    [Fact]
    public void A_parcels_own_state_is_a_scan_where_it_has_no_others()
    {
        var scan = Assert.Single(new PayloadReader().Read("""
            {"data":{"tracking":{"tracking_number":"1234567890","slug":"ups","tag":"Delivered","subtag":"Delivered_001","last_updated_at":"2018-08-16T03:50:53+00:00"}}}
            """u8, "aftership").Scans);

        Assert.Equal((V1.TrackingStatus.Delivered, "Delivered/Delivered_001"), (scan.Meaning.Status, scan.AggregatorStatus));
    }

    private static PayloadReading Read(string file)
    {
        var (source, _, bytes) = RealPayloads.All().Single(one => one.Name == file);
        // Sendle and DPD do not repeat the number that they were asked for.
        return new PayloadReader().Read(bytes, source, number: "ASKED123456");
    }

    private void Show(string name, PayloadReading reading)
    {
        output.WriteLine($"### {name} → {reading.Shape}, {reading.Scans.Count} scans, {reading.Rejected.Count} rejected");
        foreach (var scan in reading.Scans)
            output.WriteLine($"   {scan.Carrier} {scan.TrackingNumber} [{scan.Code}] {scan.Time.Text} {scan.Time.Basis} <{scan.Place.Locality}|{scan.Place.Region}|{scan.Place.PostalCode}|{scan.Place.Country}> {scan.Meaning.Status}/{scan.Meaning.Reason}{(scan.Meaning.Inferred ? "~" : "")} {scan.AggregatorStatus} «{scan.Words}»");
        foreach (var problem in reading.Problems)
            output.WriteLine($"   ! {problem.Code}: {problem.Message}");
    }
}

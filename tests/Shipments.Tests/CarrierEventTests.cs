using System.Text.Json;
using System.Text.Json.Nodes;
using Commerce.Shipments.Carriers;
using CsCheck;

namespace Commerce.Shipments.Tests;

public sealed class CarrierEventTests
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
        Assert.Equal(new PlaceRecord("", "Cajamar", "SP", "07750", "BR"), scan.Place);
    }

    [Theory]
    [InlineData("2026-11-24T10:00:00.000-03:00")]
    [InlineData("2026-11-24T10:00:00-0300")]
    [InlineData("2026-11-24 10:00:00-03:00")]
    [InlineData("2026-11-24T10:00-03:00")]
    [InlineData("2026-11-24T13:00:00Z")]
    [InlineData("2026-11-24T13:00:00.0+00:00")]
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
    public void A_time_that_cannot_be_is_replaced_by_that_of_receipt_and_kept_as_written(string time)
    {
        var scan = ScanOf(With("occurred_at", time));

        Assert.Equal(Now, scan.OccurredAt);
        Assert.Equal(time, scan.LocalTime);
    }

    [Fact]
    public void A_time_without_a_zone_is_taken_for_UTC() =>
        Assert.Equal(new DateTimeOffset(2026, 11, 24, 10, 0, 0, TimeSpan.Zero), ScanOf(With("occurred_at", "2026-11-24T10:00:00")).OccurredAt);

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

    [Fact]
    public void A_country_that_is_not_two_letters_is_left_out_and_not_cut_into_another() =>
        Assert.Equal("", ScanOf("""{"tracking_number":"1Z999AA10123456784","location":{"city":"Wien","country_code":"AUT"}}""").Place.Country);

    [Fact]
    public void A_text_is_never_cut_through_a_character()
    {
        var text = ScanOf(With("description", new string('x', 499) + "😀")).Description;

        Assert.Equal(new string('x', 499), text);
    }

    [Theory]
    [InlineData("""{"tracking_number":9400111899223197428497}""")]
    [InlineData("""{"tracking_number":" 9400 1118 9922 3197 4284 97 "}""")]
    public void A_number_is_read_quoted_or_not(string json) =>
        Assert.Equal("9400111899223197428497", CarrierEvent.Read(JsonDocument.Parse(json).RootElement)?.TrackingNumber);

    [Theory]
    [InlineData("{}")]
    [InlineData("[]")]
    [InlineData("null")]
    [InlineData("\"1Z999AA10123456784\"")]
    [InlineData("""{"tracking_number":"x"}""")]
    [InlineData("""{"tracking_number":null}""")]
    [InlineData("""{"tracking_number":"\udc00"}""")]
    [InlineData("""{"tracking_number":{"a":1}}""")]
    public void What_names_no_parcel_is_no_event(string json) => Assert.Null(CarrierEvent.Read(JsonDocument.Parse(json).RootElement));

    [Fact]
    public void Whatever_JSON_comes_it_is_read_or_refused_and_never_a_fault()
    {
        string[] fields = ["tracking_number", "code", "description", "occurred_at", "location", "city", "country_code"];
        string[] values =
        [
            "\"1Z999AA10123456784\"", "\"2026-11-24T10:00:00-03:00\"", "\"9999-12-31T23:59:59-14:00\"", "\"0001-01-01T00:00:00+14:00\"",
            "null", "true", "1e400", "-0", "[]", "{}", "[[1]]", "\"\\ud800\"", "\"\\u0000\"", "\"😀\"", $"\"{new string('x', 600)}\"",
        ];
        var value = Gen.OneOf(Gen.Int[0, values.Length - 1].Select(at => values[at]), Gen.String.Select(text => JsonSerializer.Serialize(text)));
        var members = Gen.Select(Gen.Int[0, fields.Length - 1], value, (field, json) => $"\"{fields[field]}\":{json}").Array[0, 6];
        var json = Gen.Select(members, members, (outer, inner) => $"{{{string.Join(',', [.. outer, $"\"location\":{{{string.Join(',', inner)}}}"])}}}");

        json.Sample(text =>
        {
            using var document = JsonDocument.Parse(text);
            if (CarrierEvent.Read(document.RootElement) is not { } one)
                return;
            var scan = one.ToScan("ups", "webhook", Now, TimeSpan.FromHours(26));
            Assert.InRange(scan.OccurredAt.Year, 2000, 2026);
            Assert.InRange(scan.Description.Length, 0, 500);
        });
    }

    private static string With(string field, string value)
    {
        var json = JsonNode.Parse(Good)!.AsObject();
        json[field] = value;
        return json.ToJsonString();
    }

    private static Scan ScanOf(string json, string source = "webhook") =>
        CarrierEvent.Read(JsonDocument.Parse(json).RootElement)!.ToScan("ups", source, Now, TimeSpan.FromHours(26));
}

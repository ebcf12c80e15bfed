using Commerce.Tracking.Numbers;

namespace Commerce.Tracking.Tests.Numbers;

/// <summary>International post items: two letters of service, eight digits, a check digit, two letters of the issuing country.</summary>
public sealed class S10Tests
{
    [Theory]
    [InlineData("EE", "EMS")]
    [InlineData("CP", "Parcel post")]
    [InlineData("HA", "Parcel post, e-commerce")]
    [InlineData("RR", "Letter post, registered")]
    [InlineData("VV", "Letter post, insured")]
    [InlineData("LX", "Letter post, express or tracked")]
    [InlineData("MA", "Letter post, M bag")]
    [InlineData("QA", "Letter post, business reply (IBRS)")]
    [InlineData("QM", "Letter post, business reply (IBRS)")]
    [InlineData("UA", "Letter post, other")]
    [InlineData("AV", "Domestic, bilateral or multilateral use")]
    [InlineData("GD", "Domestic, bilateral or multilateral use")]
    [InlineData("ZZ", "Domestic, bilateral or multilateral use")]
    public void The_two_letters_name_the_service(string letters, string service)
    {
        var candidate = CarrierDetector.Detect($"{letters}123456785CH").Candidates[0];
        Assert.Equal((letters, service), (candidate.Service!.Code, candidate.Service.Name));
        Assert.Equal(("swiss_post", "CH", true), (candidate.Carrier.Code, candidate.OriginCountry, candidate.CheckDigitVerified));
    }

    [Theory]
    [InlineData("SA")]
    [InlineData("QN")]
    [InlineData("GB")]
    [InlineData("AA")]
    public void Letters_that_are_reserved_name_the_post_and_no_service(string letters)
    {
        var candidate = CarrierDetector.Detect($"{letters}123456785JP").Candidates[0];
        Assert.Equal("japan_post", candidate.Carrier.Code);
        Assert.Null(candidate.Service);
    }

    [Theory]
    [InlineData("US", "usps")]
    [InlineData("GB", "royal_mail")]
    [InlineData("CA", "canada_post")]
    [InlineData("DE", "deutsche_post")]
    [InlineData("CN", "china_post")]
    [InlineData("TW", "chunghwa_post")]
    [InlineData("JE", "jersey_post")]
    [InlineData("HK", "hongkong_post")]
    public void The_last_letters_name_the_post_that_issued_it(string country, string carrier)
    {
        var detection = CarrierDetector.Detect($"RB123456785{country}");
        Assert.Equal((carrier, country), (detection.Carrier!.Code, detection.Candidates[0].OriginCountry));
    }

    [Theory]
    [InlineData("XX")]
    [InlineData("UK")]
    [InlineData("ZZ")]
    [InlineData("QQ")]
    public void A_country_that_has_no_post_makes_no_item(string country) =>
        Assert.DoesNotContain(CarrierDetector.Detect($"RB123456785{country}").Candidates, candidate => candidate.Format == "s10");

    [Fact]
    public void Every_country_of_the_table_is_known()
    {
        var ours = PostalOperators.All.Select(carrier => carrier.Code).ToHashSet();
        Assert.Equal(ours.Count, PostalOperators.All.Count());
        var without = Data.S10Countries().Where(country => CarrierDetector.Detect($"CP123456785{country}").Candidates is not [{ Format: "s10" }, ..]).ToList();
        Assert.Empty(without);
    }

    [Fact]
    public void Every_wrong_check_digit_is_refused_and_said()
    {
        foreach (var digit in "012346789")
        {
            var detection = CarrierDetector.Detect($"RB12345678{digit}DE");
            Assert.Empty(detection.Candidates);
            Assert.Equal("s10", detection.Mistyped?.Id);
        }
    }
}

using Commerce.Tracking.Numbers;

namespace Commerce.Tracking.Tests.Numbers;

public sealed class DetectionTests
{
    // jkeen/tracking_number 70, 79, tracking_number_data 99 and others: the post delivers what several carriers hand over, under its own
    // numbers, and its formats are not those carriers'.
    [Theory]
    [InlineData("420773169261290283641500004181")]
    [InlineData("92001903060085300042901077")]
    [InlineData("9205590111972410138505")]
    [InlineData("9202090339598352279018")]
    [InlineData("9361289877724123423129")]
    [InlineData("9274890103422546330271")]
    [InlineData("92748999955488513006484872")]
    [InlineData("9261292701027635365840")]
    [InlineData("420112139261290983497923666238")]
    public void A_USPS_number_is_not_read_as_FedEx_SmartPost(string number)
    {
        var detection = CarrierDetector.Detect(number);
        Assert.Equal("usps", detection.Carrier?.Code);
        Assert.DoesNotContain(detection.Candidates, candidate => candidate.Carrier.Code == "fedex");
    }

    [Fact]
    public void What_FedEx_prints_without_the_posts_92_is_Ground_Economy()
    {
        var detection = CarrierDetector.Detect("6129 0983 4979 2366 6238");
        Assert.Equal(("fedex", "ground_economy"), (detection.Carrier?.Code, detection.Candidates[0].Service?.Code));
    }

    [Theory]
    [InlineData("1z5r89390357567127")]
    [InlineData(" 1Z 5R8 939 03 5756 7127 ")]
    [InlineData("1Z-5R8939-03-57567127")]
    [InlineData("1Z\u00a05R89390357567127")]
    [InlineData("\ufeff1Z5R89390357567127\u200b")]
    [InlineData("1Z5R8939\u20110357567127")]
    public void Spaces_dashes_and_case_are_forgiven(string number)
    {
        var detection = CarrierDetector.Detect(number);
        Assert.Equal(("ups", "03", "Ground"), (detection.Carrier?.Code, detection.Candidates[0].Service!.Code, detection.Candidates[0].Service!.Name));
    }

    [Theory]
    [InlineData("4201002334249200190132607600833457", "US", "10023-3424")]
    [InlineData("420112139261290983497923666238", "US", "11213")]
    [InlineData("008182709980000020033350276C", "DE", "81827")]
    [InlineData("1001901781990001000300617767839437", null, "10003")]
    public void The_destination_is_told_where_the_number_has_it(string number, string? country, string postcode)
    {
        var candidate = CarrierDetector.Detect(number).Candidates[0];
        Assert.Equal((country, postcode), (candidate.DestinationCountry, candidate.DestinationPostcode));
    }

    // Half of what one carrier gives out is right for the other by chance: one in ten.
    [Theory]
    [InlineData("320610804900", "fedex", "purolator")]
    [InlineData("05308801410058", "dpd", "dhl")]
    public void A_number_that_fits_two_carriers_is_ambiguous(string number, params string[] carriers)
    {
        var detection = CarrierDetector.Detect(number);
        Assert.True(detection.IsAmbiguous);
        Assert.Null(detection.Carrier);
        Assert.Equal(carriers, detection.Candidates.Select(candidate => candidate.Carrier.Code));
    }

    [Fact]
    public void A_number_that_fits_one_carrier_loosely_is_neither_ambiguous_nor_certain()
    {
        var detection = CarrierDetector.Detect("KYV009956937");
        Assert.False(detection.IsAmbiguous);
        Assert.Null(detection.Carrier);
        Assert.Equal("purolator", Assert.Single(detection.Candidates).Carrier.Code);
    }

    [Fact]
    public void Confidences_are_shares_of_one_and_the_likeliest_stands_first()
    {
        foreach (var number in (string[])["320610804900", "05308801410058", "LX123456785US", "JFV247545960", "00340434161094015902"])
        {
            var confidences = CarrierDetector.Detect(number).Candidates.Select(candidate => candidate.Confidence).ToList();
            Assert.Equal(confidences.OrderDescending(), confidences);
            Assert.All(confidences, confidence => Assert.InRange(confidence, double.Epsilon, 1));
            Assert.InRange(confidences.Sum(), 0, 1);
        }
    }

    // The same fourteen digits: with a check character that agrees they are DPD's, without they may be anybody's.
    [Fact]
    public void A_check_digit_that_agrees_weighs_more_than_a_pattern()
    {
        var verified = CarrierDetector.Detect("09980000020033F").Candidates[0];
        var unverified = CarrierDetector.Detect("09980000020033").Candidates[0];
        Assert.True(verified.CheckDigitVerified && !unverified.CheckDigitVerified);
        Assert.True(verified.Confidence > 0.99 && unverified.Confidence < 0.5);
    }

    // Twenty digits with a GS1 check digit could be a confirmation number of USPS; eight of them are those that DHL begins with.
    [Fact]
    public void The_more_specific_format_stands_first()
    {
        var candidates = CarrierDetector.Detect("00340434161094015902").Candidates;
        Assert.Equal(["dhl_parcel_de", "usps_20"], candidates.Select(candidate => candidate.Format));
        Assert.True(candidates[0].Confidence > 0.999);
    }

    [Fact]
    public void A_known_carrier_decides()
    {
        var usps = CarrierDetector.FindCarrier("usps")!;
        var decided = CarrierDetector.Detect("00340434161094015902").DecidedBy(usps);
        Assert.Equal(("usps", "usps_20", 1.0), (decided.Carrier!.Code, Assert.Single(decided.Candidates).Format, decided.Candidates[0].Confidence));
        var unheardOf = CarrierDetector.Detect("NO SUCH NUMBER").DecidedBy(usps);
        Assert.Equal(("usps", ""), (unheardOf.Carrier!.Code, Assert.Single(unheardOf.Candidates).Format));
    }

    [Theory]
    [InlineData("1Z5R89390357567128", "ups")]
    [InlineData("9434611206206407667131", "usps_impb_n")]
    [InlineData("K1506235622", "ups_waybill")]
    public void A_wrong_check_digit_is_said_to_be_one(string number, string format)
    {
        var detection = CarrierDetector.Detect(number);
        Assert.Empty(detection.Candidates);
        Assert.Equal(format, detection.Mistyped?.Id);
    }

    [Theory]
    [InlineData("996578788855")]
    [InlineData("3318810011")]
    public void Bare_digits_with_a_wrong_check_digit_are_just_not_recognised(string number) =>
        Assert.Equal(Detection.Nothing, CarrierDetector.Detect(number));
}

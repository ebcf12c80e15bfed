using Commerce.Tracking.Vocabularies;
using static Commerce.Shipments.V1.TrackingStatus;

namespace Commerce.Tracking.Tests.Vocabularies;

public sealed class VocabularyTests
{
    private static readonly Dictionary<string, V1.TrackingStatus> Unified = new()
    {
        ["pending"] = PreTransit,
        ["picked_up"] = PickedUp,
        ["in_transit"] = InTransit,
        ["out_for_delivery"] = OutForDelivery,
        ["ready_for_pickup"] = AvailableForPickup,
        ["delivered"] = V1.TrackingStatus.Delivered,
        ["delivery_failed"] = DeliveryFailed,
        ["delivery_delayed"] = Delayed,
        ["on_hold"] = OnHold,
        ["return_to_sender"] = ReturnToSender,
        ["return_initiated"] = ReturnToSender,
        ["cancelled"] = Cancelled,
    };

    /// <summary>
    /// Codes that we read otherwise than the table does, by the carrier's own words for them: bpost L00 is "out for distribution", La Poste's ET1 "en
    /// cours d'acheminement", UPS's MV a voided label, DHL's RT "returned to shipper" and SA "shipment accepted", DHL Paket's pckdu and shrcu a parcel that was
    /// picked up or handed in, and "unknown" says nothing.
    /// </summary>
    private static readonly HashSet<string> ReadOtherwise =
    [
        "bpost L00", "colissimo ET1", "ups MV", "dhl_express RT", "mydhl RT", "mydhl SA", "dhl_parcel_de pckdu", "dhl_parcel_de shrcu", "dhl_universal unknown",
    ];

    [Fact]
    public void Every_published_code_means_what_is_published()
    {
        var wrong = new List<string>();
        var rows = Data.Rows("carrier-payloads/status_codes.csv").Where(row => row.Length == 4 && row[3].Length > 0).ToList();
        foreach (var codes in rows.Where(row => row[1] == "TrackingStatus" && Unified.ContainsKey(row[2]) && row[0] is not ("easypost" or "shipengine")).GroupBy(row => $"{row[0]} {row[3]}"))
        {
            var row = codes.First();
            var meaning = Vocabulary.Of(row[0]).MeaningOf(row[3], "", "");
            if (!codes.Select(one => Unified[one[2]]).Contains(meaning.Status) && !ReadOtherwise.Contains(codes.Key))
                wrong.Add($"{codes.Key}: {string.Join(" or ", codes.Select(one => one[2]))}, read as {meaning.Status}");
        }

        Assert.True(wrong.Count == 0, string.Join("; ", wrong));
    }

    /// <summary>What the Sandbox's four carriers say, code and words, and what the parcel then is.</summary>
    [Theory]
    [InlineData("ups", "M", "Shipper created a label, UPS has not received the package yet.", PreTransit)]
    [InlineData("ups", "P", "Pickup Scan", PickedUp)]
    [InlineData("ups", "I", "Departed from Facility", InTransit)]
    [InlineData("ups", "X", "Severe weather conditions have delayed delivery.", Delayed)]
    [InlineData("ups", "X", "The receiver was not available for delivery. We'll make a second attempt the next business day.", DeliveryFailed)]
    [InlineData("ups", "O", "Out For Delivery Today", OutForDelivery)]
    [InlineData("ups", "D", "DELIVERED", V1.TrackingStatus.Delivered)]
    [InlineData("ups", "RS", "The package is being returned to the sender.", ReturnToSender)]
    [InlineData("usps", "MA", "Shipping Label Created, USPS Awaiting Item", PreTransit)]
    [InlineData("usps", "10", "Processed Through Customs", InTransit)]
    [InlineData("usps", "14", "Held at Post Office", OnHold)]
    [InlineData("usps", "02", "Notice Left (No Authorized Recipient Available)", DeliveryFailed)]
    [InlineData("usps", "01", "Delivered, In/At Mailbox", V1.TrackingStatus.Delivered)]
    [InlineData("usps", "09", "Return to Sender Processed", ReturnToSender)]
    [InlineData("fedex", "OC", "Shipment information sent to FedEx", PreTransit)]
    [InlineData("fedex", "DE", "Delivery exception: local weather delay", Delayed)]
    [InlineData("fedex", "DE", "Delivery exception: customer not available or business closed", DeliveryFailed)]
    [InlineData("fedex", "OD", "On FedEx vehicle for delivery", OutForDelivery)]
    [InlineData("fedex", "RS", "Returning package to shipper", ReturnToSender)]
    [InlineData("dhl", "PL", "Processed for clearance", InTransit)]
    [InlineData("dhl", "WC", "Shipment is out with courier for delivery", OutForDelivery)]
    [InlineData("dhl", "NH", "Delivery attempted; recipient not home", DeliveryFailed)]
    [InlineData("dhl", "OH", "Shipment is on hold", OnHold)]
    [InlineData("dhl", "RT", "Returned to shipper", ReturnToSender)]
    public void A_carriers_code_means_what_it_means(string carrier, string code, string words, V1.TrackingStatus expected) =>
        Assert.Equal(expected, Vocabulary.Of(carrier).MeaningOf(code, "", words).Status);

    [Theory]
    [InlineData("canadapost", "0174", OutForDelivery)]
    [InlineData("canadapost", "174", OutForDelivery)]
    [InlineData("hermes", "0000", PreTransit)]
    [InlineData("hermes", "2010", InTransit)]
    [InlineData("amazon_shipping", "out_for_delivery", OutForDelivery)]
    [InlineData("amazon_shipping", "PickupDone", PickedUp)]
    public void A_code_is_found_however_it_is_written(string carrier, string code, V1.TrackingStatus expected) =>
        Assert.Equal(expected, Vocabulary.Of(carrier).MeaningOf(code, "", "").Status);

    [Theory]
    [InlineData("OutForDelivery", OutForDelivery)]
    [InlineData("IN_TRANSIT", InTransit)]
    [InlineData("deliveryAttempted", DeliveryFailed)]
    [InlineData("Delivered", V1.TrackingStatus.Delivered)]
    public void A_code_that_nobody_knows_but_that_is_words_is_read_as_words_and_says_so(string code, V1.TrackingStatus expected)
    {
        var meaning = Vocabulary.Of("nobody").MeaningOf(code, "", "");

        Assert.Equal(expected, meaning.Status);
        Assert.True(meaning.Inferred);
    }

    [Fact]
    public void A_code_of_the_table_is_not_inferred_whatever_the_words() =>
        Assert.Equal(new Meaning(V1.TrackingStatus.Delivered, V1.StatusReason.Types.Party.Unspecified, "", Inferred: false), Vocabulary.Of("ups").MeaningOf("d", "", "returned"));

    [Fact]
    public void Every_table_can_be_read_and_names_only_reasons_that_are_known()
    {
        foreach (var name in Vocabulary.BuiltIn)
            Assert.All(Vocabulary.Of(name).Rows, row => Assert.True(row.Meaning.Reason.Length == 0 || Reasons.Codes.Contains(row.Meaning.Reason), $"{name}: {row.Code} {row.Meaning.Reason}"));
    }

    [Theory]
    [InlineData("easypost")]
    [InlineData("aftership")]
    [InlineData("shippo")]
    [InlineData("shipengine")]
    public void Each_status_and_detail_of_an_aggregator_comes_back_as_itself(string name)
    {
        var vocabulary = Vocabulary.Of(name);
        foreach (var row in vocabulary.Rows)
        {
            var meaning = vocabulary.MeaningOf(row.Code, row.Detail, "");
            Assert.False(meaning.Inferred);
            var told = vocabulary.Tell(meaning.Status, meaning.Reason)!;
            Assert.Equal((row.Code, row.Detail), (told.Code, told.Detail));
        }
    }

    [Theory]
    [InlineData("easypost")]
    [InlineData("aftership")]
    [InlineData("shippo")]
    [InlineData("shipengine")]
    public void Each_status_and_reason_of_ours_has_a_word_in_each_vocabulary(string name)
    {
        foreach (var status in Enum.GetValues<V1.TrackingStatus>().Where(status => status != Unspecified))
        {
            foreach (var reason in Reasons.Codes.Append(""))
                Assert.True(Vocabulary.Of(name).Tell(status, reason) is not null, $"{name} has no word for {status} {reason}");
        }
    }
}

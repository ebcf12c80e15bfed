using Commerce.Shipments.Carriers;
using static Commerce.Shipments.V1.TrackingStatus;

namespace Commerce.Shipments.Tests;

public sealed class CarrierCodesTests
{
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
        Assert.Equal(expected, CarrierCodes.MeaningOf(carrier, code, words).Status);

    [Theory]
    [InlineData("Delivered, Front Door", V1.TrackingStatus.Delivered)]
    [InlineData("Delivered to recipient; return label included", V1.TrackingStatus.Delivered)]
    [InlineData("Not delivered", DeliveryFailed)]
    [InlineData("Undelivered", DeliveryFailed)]
    [InlineData("Unable to deliver", DeliveryFailed)]
    [InlineData("Your package cannot be delivered today", DeliveryFailed)]
    [InlineData("Will be delivered by end of day", InTransit)]
    [InlineData("Scheduled to be delivered tomorrow", InTransit)]
    [InlineData("Delivered to local post office for final delivery", InTransit)]
    [InlineData("Delivered to Access Point", AvailableForPickup)]
    [InlineData("Delivered to shipper", ReturnToSender)]
    [InlineData("Returned to facility after attempt", InTransit)]
    [InlineData("Return initiated", ReturnToSender)]
    [InlineData("Household goods accepted", PickedUp)]
    [InlineData("Loaded on delivery vehicle", OutForDelivery)]
    [InlineData("Arrivée au centre", InTransit)]
    [InlineData("", Unknown)]
    [InlineData("…", Unknown)]
    public void Where_no_table_knows_the_code_the_words_decide_and_the_scan_says_so(string words, V1.TrackingStatus expected)
    {
        var meaning = CarrierCodes.MeaningOf("somebody", "?", words);

        Assert.Equal(expected, meaning.Status);
        Assert.True(meaning.Inferred);
    }

    [Fact]
    public void A_code_of_the_table_is_not_inferred_whatever_the_words() =>
        Assert.Equal(new CodeMeaning(V1.TrackingStatus.Delivered, V1.StatusReason.Types.Party.Unspecified, "", Inferred: false), CarrierCodes.MeaningOf("ups", "d", "returned"));
}

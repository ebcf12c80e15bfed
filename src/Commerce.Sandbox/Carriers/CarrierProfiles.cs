namespace Commerce.Sandbox.Carriers;

/// <summary>The four carriers: different prices, speeds, words and manners. Codes are those of the carriers' own tracking interfaces.</summary>
internal static class CarrierProfiles
{
    private const int FreightGrams = 10_000_000;

    public static IReadOnlyDictionary<string, Carrier> All { get; } =
        new[] { Ups(), Usps(), FedEx(), Dhl() }.ToDictionary(c => c.Id, StringComparer.Ordinal);

    private static Carrier Ups() => new(
        "ups",
        "UPS",
        MaxGrams: 68_000,
        new Habits { FailedAttempt = 0.03, Held = 0.02 },
        [
            new("ground", "UPS Ground", "03", 460, 62, 0.13, Domestic((1, 1), (1, 2), (2, 3), (3, 5))),
            new("2nd_day_air", "UPS 2nd Day Air", "02", 1150, 180, 0.10, Domestic((1, 1), (1, 2), (2, 2), (2, 2))),
            new("worldwide_saver", "UPS Worldwide Saver", "65", 2900, 620, 0.05, Abroad((2, 4), (3, 5))),
        ],
        new Dictionary<Step, Wording>
        {
            [Step.LabelCreated] = new("M", "Shipper created a label, UPS has not received the package yet."),
            [Step.PickedUp] = new("P", "Pickup Scan"),
            [Step.Departed] = new("I", "Departed from Facility"),
            [Step.Arrived] = new("I", "Arrived at Facility"),
            [Step.Customs] = new("I", "Import Scan"),
            [Step.Held] = new("X", "Severe weather conditions have delayed delivery."),
            [Step.OutForDelivery] = new("O", "Out For Delivery Today"),
            [Step.Attempted] = new("X", "The receiver was not available for delivery. We'll make a second attempt the next business day."),
            [Step.Delivered] = new("D", "DELIVERED"),
            [Step.Returning] = new("RS", "The package is being returned to the sender."),
        });

    private static Carrier Usps() => new(
        "usps",
        "USPS",
        MaxGrams: 31_750,
        new Habits { TellsAfterMs = 200, Repeated = 0.08, FailedAttempt = 0.05, Reschedules = false, TakesPhotographs = false },
        [
            new("ground_advantage", "USPS Ground Advantage", "001", 330, 112, 0.12, Domestic((1, 2), (2, 3), (3, 4), (4, 7))),
            new("priority", "Priority Mail", "055", 610, 130, 0.12, Domestic((1, 1), (1, 2), (2, 3), (2, 4))),
            new("priority_international", "Priority Mail International", "755", 2200, 480, 0.08, Abroad((5, 9), (6, 12))),
        ],
        new Dictionary<Step, Wording>
        {
            [Step.LabelCreated] = new("MA", "Shipping Label Created, USPS Awaiting Item"),
            [Step.PickedUp] = new("03", "Accepted at USPS Origin Facility"),
            [Step.Departed] = new("10", "Departed USPS Regional Facility"),
            [Step.Arrived] = new("10", "Arrived at USPS Regional Facility"),
            [Step.Customs] = new("10", "Processed Through Customs"),
            [Step.Held] = new("14", "Held at Post Office"),
            [Step.OutForDelivery] = new("OF", "Out for Delivery"),
            [Step.Attempted] = new("02", "Notice Left (No Authorized Recipient Available)"),
            [Step.Delivered] = new("01", "Delivered, In/At Mailbox"),
            [Step.Returning] = new("09", "Return to Sender Processed"),
        });

    private static Carrier FedEx() => new(
        "fedex",
        "FedEx",
        MaxGrams: 68_000,
        new Habits { TellsAfterMs = 50, BunchesDepartures = true, FailedAttempt = 0.04, Held = 0.01 },
        [
            new("ground_economy", "FedEx Ground Economy", "92", 370, 84, 0.15, Domestic((1, 3), (2, 4), (3, 6), (4, 8))),
            new("express_saver", "FedEx Express Saver", "20", 980, 150, 0.11, Domestic((1, 1), (1, 1), (1, 2), (2, 3))),
            new("international_priority", "FedEx International Priority", "01", 3100, 650, 0.04, Abroad((1, 3), (2, 3))),
        ],
        new Dictionary<Step, Wording>
        {
            [Step.LabelCreated] = new("OC", "Shipment information sent to FedEx"),
            [Step.PickedUp] = new("PU", "Picked up"),
            [Step.Departed] = new("IT", "Departed FedEx location"),
            [Step.Arrived] = new("IT", "Arrived at FedEx location"),
            [Step.Customs] = new("IT", "International shipment release - Import"),
            [Step.Held] = new("DE", "Delivery exception: local weather delay"),
            [Step.OutForDelivery] = new("OD", "On FedEx vehicle for delivery"),
            [Step.Attempted] = new("DE", "Delivery exception: customer not available or business closed"),
            [Step.Delivered] = new("DL", "Delivered"),
            [Step.Returning] = new("RS", "Returning package to shipper"),
        });

    private static Carrier Dhl() => new(
        "dhl",
        "DHL",
        MaxGrams: 70_000,
        new Habits { TellsAfterMs = 100, Overtaken = 0.07, FailedAttempt = 0.03, Held = 0.03 },
        [
            new("ecommerce", "DHL eCommerce", "", 350, 95, 0.12, Domestic((1, 3), (2, 3), (2, 5), (4, 6))),
            new("express_domestic", "DHL Express Domestic", "", 1250, 210, 0.06, Domestic((1, 1), (1, 1), (1, 1), (1, 2))),
            new("express_worldwide", "DHL Express Worldwide", "", 2700, 560, 0.05, Abroad((1, 2), (2, 4))),
            new("parcel_international", "DHL Parcel International", "", 1500, 380, 0.10, Abroad((4, 7), (7, 12))),
            // What is too heavy or too bulky for every parcel service; dearer than any of them for what they take.
            new("freight", "DHL Freight", "", 12000, 90, 0.12, Domestic((2, 4), (3, 5), (3, 6), (5, 9)), FreightGrams),
            new("freight_international", "DHL Freight International", "", 30000, 420, 0.10, Abroad((6, 10), (12, 25)), FreightGrams),
        ],
        // DHL shows a shipment only once it holds it: there is no word for a label alone.
        new Dictionary<Step, Wording>
        {
            [Step.PickedUp] = new("PU", "Shipment picked up"),
            [Step.Departed] = new("DF", "Shipment has departed from a DHL facility"),
            [Step.Arrived] = new("AR", "Arrived at DHL Sort Facility"),
            [Step.Customs] = new("PL", "Processed for clearance"),
            [Step.Held] = new("OH", "Shipment is on hold"),
            [Step.OutForDelivery] = new("WC", "Shipment is out with courier for delivery"),
            [Step.Attempted] = new("NH", "Delivery attempted; recipient not home"),
            [Step.Delivered] = new("OK", "Delivered"),
            [Step.Returning] = new("RT", "Returned to shipper"),
        });

    private static (int Min, int Max)?[] Domestic((int Min, int Max) local, (int Min, int Max) regional, (int Min, int Max) neighbouring, (int Min, int Max) national) =>
        [local, regional, neighbouring, national, null, null];

    private static (int Min, int Max)?[] Abroad((int Min, int Max) continental, (int Min, int Max) intercontinental) =>
        [null, null, null, null, continental, intercontinental];
}

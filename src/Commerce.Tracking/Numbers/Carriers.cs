namespace Commerce.Tracking.Numbers;

/// <summary>The carriers that have formats of their own. The posts of the world stand in <see cref="PostalOperators"/>.</summary>
internal static class Carriers
{
    public static readonly Carrier Amazon = new("amazon", "Amazon");
    public static readonly Carrier CanadaPost = new("canada_post", "Canada Post");
    public static readonly Carrier Canpar = new("canpar", "Canpar");
    public static readonly Carrier Dhl = new("dhl", "DHL");
    public static readonly Carrier Dpd = new("dpd", "DPD");
    public static readonly Carrier FedEx = new("fedex", "FedEx");
    public static readonly Carrier Gofo = new("gofo", "GOFO Express");
    public static readonly Carrier Landmark = new("landmark", "Landmark Global");
    public static readonly Carrier LaserShip = new("lasership", "LaserShip");
    public static readonly Carrier OldDominion = new("old_dominion", "Old Dominion Freight Line");
    public static readonly Carrier OnTrac = new("ontrac", "OnTrac");
    public static readonly Carrier Purolator = new("purolator", "Purolator");
    public static readonly Carrier SpeeDee = new("speedee", "Spee-Dee Delivery");
    public static readonly Carrier Ups = new("ups", "UPS");
    public static readonly Carrier Usps = new("usps", "United States Postal Service");
    public static readonly Carrier Yodel = new("yodel", "Yodel");
    public static readonly Carrier YunExpress = new("yunexpress", "YunExpress");

    /// <summary>Who says what an international post item looks like; whose parcel it is, its country tells.</summary>
    public static readonly Carrier UniversalPostalUnion = new("upu", "Universal Postal Union");
}

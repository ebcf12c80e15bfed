namespace Commerce.Tracking;

/// <summary>Where: a place of ours, or one that a carrier names. Country is ISO 3166-1 alpha-2 or empty.</summary>
public sealed record PlaceRecord(string LocationId, string Locality, string Region, string PostalCode, string Country)
{
    public static readonly PlaceRecord Nowhere = new("", "", "", "", "");
}

namespace Commerce;

/// <summary>The line of an address that names the town, as the country's post writes it.</summary>
public static class PostalTown
{
    /// <summary>The postal code first, except where the post writes it last. What is empty is left out.</summary>
    /// <param name="regionCode">The country, ISO 3166-1 alpha-2.</param>
    /// <param name="postalCode">For example "10115".</param>
    /// <param name="locality">The town.</param>
    /// <param name="administrativeArea">State, county or province.</param>
    public static string Line(string regionCode, string postalCode, string locality, string administrativeArea)
    {
        var town = Joined(", ", locality, administrativeArea);
        return regionCode.ToUpperInvariant() switch
        {
            "US" or "CA" or "AU" or "GB" or "IN" or "IE" or "NZ" => Joined(" ", town, postalCode),
            _ => Joined(" ", postalCode, town),
        };

        static string Joined(string between, string a, string b) => a.Length > 0 && b.Length > 0 ? a + between + b : a + b;
    }
}

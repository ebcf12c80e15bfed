using System.Globalization;

namespace Commerce.Shipments.Carriers;

/// <summary>Amounts and times as carriers write them.</summary>
internal static class CarrierAmounts
{
    /// <summary>"9.39" of USD is 939; null if it is no amount that the currency has.</summary>
    public static Money? TryRead(string text, string currency, bool isMinor = false)
    {
        currency = currency.ToUpperInvariant();
        if (Currencies.MinorUnits(currency) is not { } digits
            || !decimal.TryParse(text, NumberStyles.AllowDecimalPoint, CultureInfo.InvariantCulture, out var amount) || amount > 1_000_000_000)
            return null;
        var minor = isMinor ? amount : amount * (decimal)Math.Pow(10, digits);
        // Fractions of a cent are rounded up: a label costs no less than was said.
        return new Money((long)Math.Ceiling(minor), currency);
    }

    public static DateTimeOffset? TryTime(string text) =>
        DateTimeOffset.TryParse(text, CultureInfo.InvariantCulture, DateTimeStyles.AssumeUniversal, out var time) && time.Year >= 2000 ? time.ToUniversalTime() : null;
}

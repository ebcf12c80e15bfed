using System.Globalization;

namespace Commerce;

/// <summary>
/// An amount in a currency's smallest unit (ISO 4217): 1234 EUR is €12.34, 1234 JPY is ¥1234, 1234 KWD is 1.234 dinars.
/// Arithmetic is checked: what leaves 64 bits is an <see cref="OverflowException"/>, never a wrong amount.
/// </summary>
public readonly record struct Money(long Minor, string Currency) : IComparable<Money>
{
    public static Money Zero(string currency) => new(0, currency);

    public bool IsZero => Minor == 0;

    public static Money operator +(Money a, Money b) => new(checked(a.Minor + b.Same(a).Minor), a.Currency);

    public static Money operator -(Money a, Money b) => new(checked(a.Minor - b.Same(a).Minor), a.Currency);

    public static Money operator *(Money a, long times) => new(checked(a.Minor * times), a.Currency);

    public static bool operator <(Money a, Money b) => a.CompareTo(b) < 0;

    public static bool operator >(Money a, Money b) => a.CompareTo(b) > 0;

    public static bool operator <=(Money a, Money b) => a.CompareTo(b) <= 0;

    public static bool operator >=(Money a, Money b) => a.CompareTo(b) >= 0;

    public int CompareTo(Money other) => Minor.CompareTo(other.Same(this).Minor);

    /// <summary>For example "12.34 EUR".</summary>
    public override string ToString()
    {
        var digits = Currencies.MinorUnits(Currency) ?? 0;
        var scale = (decimal)Math.Pow(10, digits);
        return (Minor / scale).ToString("F" + digits, CultureInfo.InvariantCulture) + " " + Currency;
    }

    private Money Same(Money other) => Currency == other.Currency
        ? this
        : throw new InvalidOperationException($"An amount in {Currency} cannot be combined with one in {other.Currency}.");
}

using System.Diagnostics.CodeAnalysis;
using System.Globalization;

namespace Commerce;

/// <summary>Between <see cref="Money"/> and google.type.Money: exact, or refused with what is wrong.</summary>
public static class MoneyProto
{
    private const int NanosPerUnit = 1_000_000_000;

    /// <summary>The amount in the currency's smallest unit; or why it is none, in words for the caller.</summary>
    public static bool TryToMoney(this Google.Type.Money? proto, out Money money, [NotNullWhen(false)] out string? error)
    {
        money = default;
        if (proto is null)
        {
            error = "Set an amount with its currency_code.";
            return false;
        }

        if (Currencies.MinorUnits(proto.CurrencyCode) is not { } digits)
        {
            error = proto.CurrencyCode.Length == 0
                ? "Set currency_code, an ISO 4217 code such as EUR."
                : $"currency_code {Shown(proto.CurrencyCode)} is not an active ISO 4217 currency; use a code such as EUR.";
            return false;
        }

        if (proto.Nanos is <= -NanosPerUnit or >= NanosPerUnit)
        {
            error = "nanos must be between -999,999,999 and 999,999,999.";
            return false;
        }

        if ((proto.Units > 0 && proto.Nanos < 0) || (proto.Units < 0 && proto.Nanos > 0))
        {
            error = "units and nanos must have the same sign.";
            return false;
        }

        var minorPerUnit = PowerOfTen(digits);
        var nanosPerMinor = NanosPerUnit / minorPerUnit;
        if (proto.Nanos % nanosPerMinor != 0)
        {
            error = string.Create(CultureInfo.InvariantCulture, $"{proto.CurrencyCode} has {digits} decimals; nanos {proto.Nanos} is not a whole number of its smallest unit (a multiple of {nanosPerMinor}).");
            return false;
        }

        var minor = (Int128)proto.Units * minorPerUnit + proto.Nanos / nanosPerMinor;
        if (minor < long.MinValue || minor > long.MaxValue)
        {
            error = "The amount is too large.";
            return false;
        }

        money = new Money((long)minor, proto.CurrencyCode);
        error = null;
        return true;
    }

    /// <summary>The same amount as a message.</summary>
    public static Google.Type.Money ToProto(this Money money)
    {
        var digits = Currencies.MinorUnits(money.Currency)
            ?? throw new InvalidOperationException($"{money.Currency} is not an active ISO 4217 currency.");
        var minorPerUnit = PowerOfTen(digits);
        return new Google.Type.Money
        {
            CurrencyCode = money.Currency,
            Units = money.Minor / minorPerUnit,
            Nanos = (int)(money.Minor % minorPerUnit * (NanosPerUnit / minorPerUnit)),
        };
    }

    // What the caller sent goes back to them bounded and printable.
    private static string Shown(string code) =>
        code.Length <= 10 && !code.AsSpan().ContainsAnyExceptInRange('!', '~') ? $"\"{code}\"" : "(as given)";

    private static int PowerOfTen(int digits)
    {
        var power = 1;
        for (var i = 0; i < digits; i++)
            power *= 10;
        return power;
    }
}

using System.Collections.Frozen;

namespace Commerce.Payments.Providers.Stripe;

/// <summary>
/// How Stripe counts: mostly in the currency's smallest unit, as we do, but some currencies differ from ISO 4217
/// (docs.stripe.com/currencies, "Minor units in API amounts").
/// </summary>
internal static class StripeAmount
{
    // Ours is ISO's smallest unit. MGA has two decimals there and none at Stripe; ISK and UGX have none, and Stripe wants two,
    // which must be 00.
    private static readonly FrozenSet<string> WithoutDecimals = new[] { "MGA" }.ToFrozenSet(StringComparer.Ordinal);
    private static readonly FrozenSet<string> WithTwoDecimals = new[] { "ISK", "UGX" }.ToFrozenSet(StringComparer.Ordinal);

    /// <summary>The amount as Stripe counts it; null where it cannot charge exactly that much.</summary>
    public static long? Of(Money money)
    {
        if (WithoutDecimals.Contains(money.Currency))
            return money.Minor % 100 == 0 ? money.Minor / 100 : null;
        if (WithTwoDecimals.Contains(money.Currency))
            return money.Minor <= long.MaxValue / 100 ? money.Minor * 100 : null;
        return Currencies.MinorUnits(money.Currency) switch
        {
            0 or 2 => money.Minor,
            // The card networks do not carry the third decimal.
            3 => money.Minor % 10 == 0 ? money.Minor : null,
            _ => null,
        };
    }

    /// <summary>What Stripe says, as we count it.</summary>
    /// <exception cref="ProviderFaultException">It is in a currency that there is not, or not a whole amount of it.</exception>
    public static Money Read(long amount, string currency)
    {
        var code = currency.ToUpperInvariant();
        if (Currencies.MinorUnits(code) is null)
            throw new ProviderFaultException($"Stripe speaks of currency {code}, which there is not.");
        if (WithoutDecimals.Contains(code))
            return new Money(checked(amount * 100), code);
        if (!WithTwoDecimals.Contains(code))
            return new Money(amount, code);
        return amount % 100 == 0 ? new Money(amount / 100, code) : throw new ProviderFaultException($"Stripe speaks of {amount} hundredths of {code}, which has none.");
    }
}

using CsCheck;

namespace Commerce.Contracts.Tests;

public sealed class MoneyTests
{
    private static readonly string[] Codes = ["EUR", "JPY", "KWD", "CLF", "BRL"];

    [Fact]
    public void Every_amount_goes_over_the_wire_and_back() => Gen.Select(Gen.Long, Gen.Int[0, Codes.Length - 1].Select(i => Codes[i])).Sample((minor, currency) =>
    {
        var money = new Money(minor, currency);
        return money.ToProto().TryToMoney(out var back, out _) && back == money;
    });

    [Theory]
    [InlineData(long.MinValue)]
    [InlineData(long.MaxValue)]
    public void The_ends_of_64_bits_go_over_the_wire_too(long minor) =>
        Assert.All(Codes, code => Assert.True(new Money(minor, code).ToProto().TryToMoney(out var back, out _) && back.Minor == minor));

    [Theory]
    [InlineData("EUR", 12, 340_000_000, 1234)]
    [InlineData("EUR", -12, -340_000_000, -1234)]
    [InlineData("EUR", 0, -10_000_000, -1)]
    [InlineData("JPY", 1234, 0, 1234)]
    [InlineData("KWD", 1, 234_000_000, 1234)]
    [InlineData("CLF", 0, 100_000, 1)]
    public void Units_and_nanos_make_the_smallest_unit(string currency, long units, int nanos, long minor)
    {
        var proto = new Google.Type.Money { CurrencyCode = currency, Units = units, Nanos = nanos };
        Assert.True(proto.TryToMoney(out var money, out var error), error);
        Assert.Equal(new Money(minor, currency), money);
        Assert.Equal(proto, money.ToProto());
    }

    [Theory]
    [InlineData("", 1, 0, "Set currency_code")]
    [InlineData("EURO", 1, 0, "\"EURO\" is not an active")]
    [InlineData("eur", 1, 0, "\"eur\" is not an active")]
    [InlineData("XXX", 1, 0, "\"XXX\" is not an active")]
    [InlineData("Ω\nEUR", 1, 0, "(as given) is not an active")]
    [InlineData("EUR", 1, 1, "EUR has 2 decimals")]
    [InlineData("JPY", 1, 500_000_000, "JPY has 0 decimals")]
    [InlineData("EUR", 1, -10_000_000, "same sign")]
    [InlineData("EUR", -1, 10_000_000, "same sign")]
    [InlineData("EUR", 0, 1_000_000_000, "nanos must be between")]
    [InlineData("EUR", 0, int.MinValue, "nanos must be between")]
    [InlineData("EUR", long.MaxValue, 0, "too large")]
    [InlineData("EUR", long.MinValue, 0, "too large")]
    public void What_is_no_exact_amount_is_refused_with_the_reason(string currency, long units, int nanos, string message)
    {
        Assert.False(new Google.Type.Money { CurrencyCode = currency, Units = units, Nanos = nanos }.TryToMoney(out _, out var error));
        Assert.Contains(message, error, StringComparison.Ordinal);
    }

    [Fact]
    public void No_amount_is_refused_too()
    {
        Assert.False(((Google.Type.Money?)null).TryToMoney(out _, out var error));
        Assert.NotEmpty(error);
    }

    [Fact]
    public void Arithmetic_is_checked_and_keeps_to_one_currency()
    {
        Assert.Throws<OverflowException>(() => new Money(long.MaxValue, "EUR") + new Money(1, "EUR"));
        Assert.Throws<OverflowException>(() => new Money(long.MinValue, "EUR") - new Money(1, "EUR"));
        Assert.Throws<OverflowException>(() => new Money(long.MaxValue, "EUR") * 2);
        Assert.Throws<InvalidOperationException>(() => new Money(1, "EUR") + new Money(1, "USD"));
        Assert.Equal(new Money(5, "EUR"), new Money(2, "EUR") + new Money(3, "EUR"));
    }

    [Theory]
    [InlineData(1234, "EUR", "12.34 EUR")]
    [InlineData(-5, "EUR", "-0.05 EUR")]
    [InlineData(1234, "JPY", "1234 JPY")]
    [InlineData(1234, "KWD", "1.234 KWD")]
    [InlineData(long.MaxValue, "EUR", "92233720368547758.07 EUR")]
    public void Amounts_read_as_decimals(long minor, string currency, string text) => Assert.Equal(text, new Money(minor, currency).ToString());

    [Fact]
    public void The_currencies_are_those_of_ISO_4217_with_a_smallest_unit()
    {
        var expected = Data.Lines("conformance/iso4217/active-minor-units.csv").Select(line => line.Split(',')).ToList();
        Assert.Equal(178, expected.Count);
        Assert.All(expected, row => Assert.Equal(row[2] == "-" ? null : int.Parse(row[2], null), Currencies.MinorUnits(row[0])));

        // And no others: every code of three letters that is not in the list does not exist.
        var known = expected.Select(row => row[0]).ToHashSet();
        foreach (var a in Letters())
        {
            foreach (var b in Letters())
                Assert.All(Letters(), c => Assert.True(known.Contains($"{a}{b}{c}") || !Currencies.Exists($"{a}{b}{c}")));
        }

        static IEnumerable<char> Letters() => Enumerable.Range('A', 26).Select(c => (char)c);
    }
}

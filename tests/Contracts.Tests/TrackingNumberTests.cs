using CsCheck;

namespace Commerce.Contracts.Tests;

public sealed class TrackingNumberTests
{
    [Theory]
    [InlineData(" 1z999aa1 0123-456784", "1Z999AA10123456784")]
    [InlineData("9400 1000\u00a00000 0000 0000 00", "9400100000000000000000")]
    [InlineData("\ufeff1Z\u200b999A\u2011A10\u2013123456784\u200e", "1Z999AA10123456784")]
    [InlineData("1Z999AA1\u202e0123456784", null)]
    [InlineData("abcd", "ABCD")]
    [InlineData("abc", null)]
    [InlineData("", null)]
    [InlineData(null, null)]
    [InlineData("1Z999AA1_0123456784", null)]
    [InlineData("\uff11\uff12\uff13\uff14\uff15", "12345")]
    [InlineData("\u0661\u0662\u0663\u0664\u0665", "12345")]
    [InlineData("1Z999\u0410\u0430\u039110123456784", "1Z999AAA10123456784")]
    [InlineData("1Z999\u03bd10123456784", null)]
    [InlineData("1Z999\u042e10123456784", null)]
    [InlineData("12345678901234567890123456789012345678901234567890", "12345678901234567890123456789012345678901234567890")]
    [InlineData("123456789012345678901234567890123456789012345678901", null)]
    public void A_number_has_one_form(string? text, string? expected) => Assert.Equal(expected, TrackingNumber.Normalise(text));

    [Fact]
    public void The_form_of_a_form_is_itself() => Gen.String[Gen.Char.AlphaNumeric, 0, 60].Sample(text =>
        TrackingNumber.Normalise(text) is not { } number || TrackingNumber.Normalise(number) == number);

    [Fact]
    public void A_giant_text_is_none() => Assert.Null(TrackingNumber.Normalise(new string('1', 10_000_000)));

    [Fact]
    public void Every_real_number_has_a_form()
    {
        var numbers = Data.Lines("tracking-numbers/test_numbers.csv").Select(line => line.Split(',')[3]).ToList();
        Assert.DoesNotContain(numbers, number => TrackingNumber.Normalise(number) is null);
    }
}

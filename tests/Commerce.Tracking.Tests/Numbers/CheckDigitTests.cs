using Commerce.Tracking.Numbers;
using CsCheck;

namespace Commerce.Tracking.Tests.Numbers;

public sealed class CheckDigitTests
{
    private static readonly Dictionary<string, CheckDigit> Algorithms = new()
    {
        ["luhn"] = CheckDigits.Luhn,
        ["ean"] = body => CheckDigits.Gs1(body),
        ["iso7064.mod_37_36"] = CheckDigits.Mod37And36,
    };

    public static IEnumerable<TheoryDataRow<string, string, string, string>> Vectors() =>
        from row in Data.Rows("conformance/check-digits/vectors.csv")
        where Algorithms.ContainsKey(row[0]) && row[3].Length == 0 && row[1] is "validate" or "is_valid" or "calc_check_digit"
        where row[2].All(char.IsAsciiLetterOrDigit)
        select new TheoryDataRow<string, string, string, string>(row[0], row[1], row[2], row[4] == "ok" ? row[5] : "error");

    public static IEnumerable<TheoryDataRow<string, bool>> S10Vectors() =>
        Data.Rows("conformance/check-digits/vectors.csv").Where(row => row[0] == "upu-s10").Select(row => new TheoryDataRow<string, bool>(row[2], row[4] == "ok"));

    public static TheoryData<string> Names() => [.. Weak.Keys];

    // What each is known not to notice of a single wrong digit: nothing, but for seven (0 and 7, 1 and 8, 2 and 9 are alike) and
    // FedEx, which writes two remainders as 0.
    private static readonly Dictionary<string, (CheckDigit Of, bool NoticesEveryDigit)> Weak = new()
    {
        ["GS1"] = (body => CheckDigits.Gs1(body), true),
        ["Luhn"] = (CheckDigits.Luhn, true),
        ["mod 37,36"] = (CheckDigits.Mod37And36, true),
        ["S10"] = (CheckDigits.S10, false),
        ["FedEx"] = (CheckDigits.FedEx, false),
        ["mod 7"] = (CheckDigits.Mod7, false),
        ["UPS"] = (CheckDigits.Ups, false),
    };

    [Theory]
    [MemberData(nameof(Vectors))]
    public void A_published_vector_holds(string algorithm, string operation, string input, string expected)
    {
        var symbols = input.Select(Symbols.Of).ToArray();
        if (operation == "calc_check_digit")
            Assert.Equal(Symbols.Of(expected[0]), Algorithms[algorithm](symbols));
        else
            Assert.Equal(expected is not ("error" or "False"), Algorithms[algorithm](symbols.AsSpan(..^1)) == symbols[^1]);
    }

    [Theory]
    [MemberData(nameof(S10Vectors))]
    public void A_published_S10_vector_holds(string number, bool valid) =>
        Assert.Equal(valid, CarrierDetector.Detect(number).Candidates.Any(candidate => candidate.Format == "s10"));

    [Fact]
    public void There_are_vectors() => Assert.True(Vectors().Count() >= 15 && S10Vectors().Count() == 6, $"{Vectors().Count()} and {S10Vectors().Count()}");

    // The Universal Postal Union's own example, and numbers from labels.
    [Theory]
    [InlineData("47312482", 9)]
    [InlineData("12345678", 5)]
    public void S10_gives_the_digit_that_is_published(string body, int digit) => Assert.Equal(digit, CheckDigits.S10(Of(body)));

    [Theory]
    [InlineData("999AA1012345678", 4)]
    [InlineData("5R8939035756712", 7)]
    public void UPS_gives_the_digit_that_is_published(string body, int digit) => Assert.Equal(digit, CheckDigits.Ups(Of(body)));

    [Theory]
    [MemberData(nameof(Names))]
    public void A_wrong_digit_is_noticed(string name) =>
        Gen.Select(Gen.Int[0, 9].Array[8, 27], Gen.Int[0, 26], Gen.Int[1, 9]).Sample((digits, place, add) =>
        {
            var (of, noticesEveryDigit) = Weak[name];
            var body = digits.Select(digit => (byte)digit).ToArray();
            var other = body.ToArray();
            other[place % body.Length] = (byte)((other[place % body.Length] + add) % 10);
            var (before, after) = (of(body), of(other));
            Assert.InRange(before, 0, 36 - 1);
            return !noticesEveryDigit || before != after;
        });

    private static byte[] Of(string text) => [.. text.Select(Symbols.Of)];
}

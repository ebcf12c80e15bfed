using System.Diagnostics;
using Commerce.Tracking.Numbers;
using CsCheck;

namespace Commerce.Tracking.Tests.Numbers;

/// <summary>Whatever is typed, pasted or sent.</summary>
public sealed class HostileNumbersTests
{
    private static readonly Gen<string> Typed = Gen.Char["0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcxyz -"].Array[0, 60].Select(chars => new string(chars));

    [Fact]
    public void Any_text_has_an_answer() => Gen.String.Sample(text => Holds(CarrierDetector.Detect(text)), iter: 20_000);

    [Fact]
    public void Anything_that_looks_like_a_number_has_an_answer() => Typed.Sample(text => Holds(CarrierDetector.Detect(text)), iter: 200_000);

    [Fact]
    public void Any_figure_has_an_answer() =>
        Gen.Char["0123456789"].Array[4, 50].Sample(chars => Holds(CarrierDetector.Detect(chars)), iter: 200_000);

    [Fact]
    public void A_number_of_each_format_is_recognised_when_its_check_digit_agrees()
    {
        Gen.Select(Gen.Int[0, CarrierDetector.Formats.Count - 1], Gen.Int[0, int.MaxValue]).Sample((at, seed) =>
        {
            var format = CarrierDetector.Formats[at];
            return format.Example(new Random(seed)) is not { } number
                || CarrierDetector.Detect(number).Candidates.Any(candidate => candidate.Format == format.Id && candidate.CheckDigitVerified == format.CheckDigit is not null);
        }, iter: 100_000);
    }

    [Fact]
    public void The_form_of_a_number_does_not_matter() => Typed.Sample(text =>
    {
        var plain = CarrierDetector.Detect(text).Candidates;
        var other = CarrierDetector.Detect(text.ToUpperInvariant().Replace(" ", "", StringComparison.Ordinal).Replace("-", "", StringComparison.Ordinal)).Candidates;
        return plain.SequenceEqual(other);
    }, iter: 50_000);

    [Fact]
    public void A_giant_text_costs_nothing()
    {
        var giant = new string('1', 50_000_000);
        var start = Stopwatch.GetTimestamp();
        Assert.Equal(Detection.Nothing, CarrierDetector.Detect(giant));
        Assert.True(Stopwatch.GetElapsedTime(start) < TimeSpan.FromMilliseconds(100));
    }

    [Theory]
    [InlineData("not a number")]
    [InlineData("99999999999999999999999999999999999999999999999999")]
    [InlineData("1Z5R89390357567128")]
    [InlineData("3318810011")]
    [InlineData("ABCDEFGHILJKLMNOPQRSTU1234567890")]
    [InlineData("\ud800\udbff\0")]
    public void What_is_not_recognised_costs_no_memory(string text)
    {
        CarrierDetector.Detect(text);
        var before = GC.GetAllocatedBytesForCurrentThread();
        for (var i = 0; i < 1000; i++)
            CarrierDetector.Detect(text);
        Assert.InRange(GC.GetAllocatedBytesForCurrentThread() - before, 0, 999);
    }

    private static bool Holds(Detection detection) =>
        detection.Candidates.All(candidate => candidate.Confidence is > 0 and <= 1)
        && detection.Candidates.Sum(candidate => candidate.Confidence) <= 1.000001
        && detection.Candidates.Select(candidate => (candidate.Format, candidate.Carrier)).Distinct().Count() == detection.Candidates.Count
        && (detection.Candidates.Count == 0 || detection.Mistyped is null)
        && (detection.Carrier is null || !detection.IsAmbiguous);
}

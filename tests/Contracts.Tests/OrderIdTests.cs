using System.Globalization;
using CsCheck;
using Microsoft.Extensions.Time.Testing;

namespace Commerce.Contracts.Tests;

/// <summary>What the Order ID promises of mistakes, exhaustively where that can be done.</summary>
public sealed class OrderIdTests(ITestOutputHelper output)
{
    private const string Alphabet = "0123456789ABCDEFGHJKMNPQRSTVWXYZ";
    private const int Symbols = 14;

    private static readonly Gen<string> Prefixes = Gen.Char['A', 'Z'].Array[1, 6].Select(letters => new string(letters));
    private static readonly Gen<OrderId> Ids = Gen.Select(Prefixes, Gen.Long[0, OrderId.MaxValue], (prefix, value) => new OrderId(prefix, value));

    [Fact]
    public void A_code_is_written_and_read_back() => Ids.Sample(id =>
    {
        var reading = OrderId.Read(id.ToString());
        return reading.Kind == OrderIdReadingKind.Valid && reading.Id == id && reading.Meant is null;
    });

    [Fact]
    public void The_form_is_stable()
    {
        // Printed on parcels and in mails for years: a change of the algebra would make them all wrong.
        Assert.Equal("ORD-0000000-0000000", new OrderId("ORD", 0).ToString());
        Assert.Equal("ORD-0000000-0000132", new OrderId("ORD", 1).ToString());
        Assert.Equal("ORD-3DMV9EK-31WTE9P", new OrderId("ORD", 123456789012345678).ToString());
        Assert.Equal("MAIN-ZZZZZZZ-ZZZZZGG", new OrderId("MAIN", OrderId.MaxValue).ToString());
    }

    [Fact]
    public void Every_single_symbol_error_is_noticed_and_corrected()
    {
        const int codes = 2_000;
        var tried = 0;
        foreach (var id in Random(codes))
        {
            var (prefix, code) = Parts(id);
            for (var at = 0; at < Symbols; at++)
            {
                foreach (var wrong in Alphabet.Where(c => c != code[at]))
                {
                    var reading = OrderId.Read(Join(prefix, Replace(code, at, wrong)));
                    Assert.Equal(OrderIdReadingKind.Mistyped, reading.Kind);
                    Assert.Equal(id, reading.Meant);
                    tried++;
                }
            }
        }

        Report($"single-symbol errors: {tried:N0} over {codes:N0} random codes, all {Symbols} × 31 of each; unnoticed 0, corrected to another code 0");
        Assert.Equal(codes * Symbols * 31, tried);
    }

    [Fact]
    public void Every_two_symbol_error_is_noticed()
    {
        const int codes = 4;
        var tried = 0;
        var wronglyMeant = 0;
        foreach (var id in Random(codes))
        {
            var (prefix, code) = Parts(id);
            for (var a = 0; a < Symbols; a++)
            {
                for (var b = a + 1; b < Symbols; b++)
                {
                    foreach (var wrongA in Alphabet.Where(c => c != code[a]))
                    {
                        foreach (var wrongB in Alphabet.Where(c => c != code[b]))
                        {
                            var reading = OrderId.Read(Join(prefix, Replace(Replace(code, a, wrongA), b, wrongB)));
                            Assert.Equal(OrderIdReadingKind.Mistyped, reading.Kind);
                            Assert.NotEqual(id, reading.Meant);
                            tried++;
                            if (reading.Meant is not null)
                                wronglyMeant++;
                        }
                    }
                }
            }
        }

        Report($"two-symbol errors: {tried:N0} over {codes} random codes, all 91 × 31² of each; unnoticed 0; "
            + $"look like one wrong symbol of another code {100.0 * wronglyMeant / tried:F1} %");
        Assert.Equal(codes * 91 * 31 * 31, tried);
    }

    [Fact]
    public void Every_transposition_is_noticed_wherever_the_two_symbols_stand()
    {
        const int codes = 20_000;
        var tried = 0;
        foreach (var id in Random(codes))
        {
            var (prefix, code) = Parts(id);
            for (var a = 0; a < Symbols; a++)
            {
                for (var b = a + 1; b < Symbols; b++)
                {
                    if (code[a] == code[b])
                        continue;
                    var swapped = Replace(Replace(code, a, code[b]), b, code[a]);
                    Assert.Equal(OrderIdReadingKind.Mistyped, OrderId.Read(Join(prefix, swapped)).Kind);
                    tried++;
                }
            }
        }

        Report($"transpositions: {tried:N0} over {codes:N0} random codes, all pairs that differ; unnoticed 0");
    }

    [Fact]
    public void More_wrong_symbols_pass_once_in_1024()
    {
        const int tries = 500_000;
        var passed = 0;
        var random = new Random(11);
        var symbols = new char[Symbols];
        for (var i = 0; i < tries; i++)
        {
            for (var s = 0; s < Symbols; s++)
                symbols[s] = Alphabet[random.Next(32)];
            if (OrderId.TryParse("ORD-" + new string(symbols), out _))
                passed++;
        }

        Report($"random texts of the right shape that are valid: {passed} of {tries:N0} (1 in {tries / (double)passed:F0})");
        Assert.InRange(passed, tries / 1024 * 0.8, tries / 1024 * 1.2);
    }

    [Fact]
    public void Case_spaces_dashes_and_look_alikes_are_forgiven() =>
        Gen.Select(Ids, Gen.Int[0, int.MaxValue]).Sample((id, seed) =>
        {
            var random = new Random(seed);
            var (prefix, code) = Parts(id);
            var sloppy = string.Concat(code.Select(c => c switch
            {
                '1' => "1IiLl"[random.Next(5)],
                '0' => "0Oo"[random.Next(3)],
                'V' => "VvUu"[random.Next(4)],
                _ => random.Next(2) == 0 ? c : char.ToLowerInvariant(c),
            }));
            var text = string.Concat((prefix.ToLowerInvariant() + sloppy).Select(c => random.Next(3) == 0 ? $"{c}{" -\u00a0\u2011\u2013\u2212\t"[random.Next(7)]}" : $"{c}"));
            return OrderId.Read(text) is { Kind: OrderIdReadingKind.Valid, Id: var read } && read == id;
        });

    [Theory]
    [InlineData("\u041eRD-0000000-0000000")]
    [InlineData("ORD-\uff10000000-0000000")]
    [InlineData("\uff4f\uff52\uff44\uff0d0000000\u30000000000")]
    [InlineData("ORD\u200b-0000000-000000\u0660\u200f\ufeff")]
    public void What_looks_like_it_is_read_as_it(string text) => Assert.Equal(new OrderIdReading(OrderIdReadingKind.Valid, new OrderId("ORD", 0), null), OrderId.Read(text));

    [Theory]
    [InlineData(null)]
    [InlineData("")]
    [InlineData("ORD")]
    [InlineData("ORD-0000000-000000")]
    [InlineData("ORD-0000000-00000000")]
    [InlineData("TOOLONG-0000000-0000000")]
    [InlineData("0RD-0000000-0000000")]
    [InlineData("0000000-0000000")]
    [InlineData("ÖRD-0000000-0000000")]
    [InlineData("ORD-000000\u0416-0000000")]
    [InlineData("ORD-\u202e0000000-0000000")]
    [InlineData("O\u0308RD-0000000-0000000")]
    [InlineData("ORD_0000000_0000000")]
    [InlineData("ORD-000\00000-0000000")]
    [InlineData("1Z999AA10123456784")]
    [InlineData("123456789012")]
    [InlineData("RR123456785US")]
    [InlineData("C12345678901234")]
    [InlineData("TBA123456789012")]
    [InlineData("LP00123456789012")]
    [InlineData("9400 1000 0000 0000 0000 00")]
    [InlineData("JD014600003878280384")]
    public void What_is_shaped_otherwise_is_no_Order_ID(string? text) => Assert.Equal(default, OrderId.Read(text));

    [Fact]
    public void A_text_of_any_length_is_answered_at_once()
    {
        Assert.Equal(default, OrderId.Read(new string(' ', 10_000_000) + "ORD-0000000-0000000"));
        Assert.Equal(OrderIdReadingKind.Valid, OrderId.Read(new string(' ', 80) + "ORD-0000000-0000000").Kind);
    }

    [Fact]
    public void Any_text_is_read_without_an_exception() => Gen.String.Sample(text => OrderId.Read(text).Kind != OrderIdReadingKind.Valid || OrderId.TryParse(text, out _));

    [Fact]
    public void Real_tracking_numbers_are_no_mistyped_Order_IDs()
    {
        var numbers = Data.Lines("tracking-numbers/test_numbers.csv").Select(line => line.Split(',')).Where(row => row[4] == "valid").Select(row => row[3]).ToList();
        Assert.True(numbers.Count > 100);
        Assert.DoesNotContain(numbers, number => OrderId.Read(number).Kind == OrderIdReadingKind.Mistyped);
    }

    [Fact]
    public void New_ids_sort_by_time_and_differ()
    {
        var time = new FakeTimeProvider(new DateTimeOffset(2026, 3, 1, 12, 0, 0, TimeSpan.Zero));
        var last = -1L;
        for (var i = 0; i < 1_000; i++)
        {
            var id = OrderId.New("ORD", time);
            Assert.True(id.Value > last);
            Assert.InRange(time.GetUtcNow() - id.Time, TimeSpan.Zero, TimeSpan.FromSeconds(16));
            last = id.Value;
            time.Advance(TimeSpan.FromSeconds(16));
        }

        Assert.Equal(10_000, Enumerable.Range(0, 10_000).Select(_ => OrderId.New("ORD", time).Value).Distinct().Count());
    }

    [Theory]
    [InlineData("1970-01-01")]
    [InlineData("2019-12-31")]
    [InlineData("2054-06-01")]
    [InlineData("9999-12-31")]
    public void A_wrong_clock_still_gives_ids(string date)
    {
        var time = new FakeTimeProvider(DateTimeOffset.Parse(date, CultureInfo.InvariantCulture, DateTimeStyles.AssumeUniversal));
        var id = OrderId.New("ORD", time);
        Assert.InRange(id.Value, 0, OrderId.MaxValue);
        Assert.True(OrderId.TryParse(id.ToString(), out var read) && read == id);
    }

    [Theory]
    [InlineData("A", true)]
    [InlineData("ABCDEF", true)]
    [InlineData("ABCDEFG", false)]
    [InlineData("", false)]
    [InlineData("abc", false)]
    [InlineData("A1", false)]
    [InlineData(null, false)]
    public void A_prefix_is_one_to_six_letters(string? prefix, bool valid) => Assert.Equal(valid, OrderId.IsPrefix(prefix));

    [Fact]
    public void A_value_beyond_60_bits_has_no_code()
    {
        Assert.Throws<InvalidOperationException>(() => new OrderId("ORD", -1).ToString());
        Assert.Throws<InvalidOperationException>(() => new OrderId("ORD", OrderId.MaxValue + 1).ToString());
    }

    private static IEnumerable<OrderId> Random(int count)
    {
        var random = new Random(7);
        for (var i = 0; i < count; i++)
            yield return new OrderId("ORD", random.NextInt64(OrderId.MaxValue + 1));
    }

    private static (string Prefix, string Code) Parts(OrderId id)
    {
        var text = id.ToString().Replace("-", "", StringComparison.Ordinal);
        return (text[..^Symbols], text[^Symbols..]);
    }

    private static string Join(string prefix, string code) => $"{prefix}-{code}";

    private static string Replace(string code, int at, char symbol) => string.Create(code.Length, (code, at, symbol), static (span, s) =>
    {
        s.code.CopyTo(span);
        span[s.at] = s.symbol;
    });

    private void Report(string line) => output.WriteLine(line);
}

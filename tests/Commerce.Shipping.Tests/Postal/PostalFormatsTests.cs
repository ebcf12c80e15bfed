using Commerce.Shipping.Postal;
using CsCheck;

namespace Commerce.Shipping.Tests.Postal;

public sealed class PostalFormatsTests
{
    [Theory]
    [InlineData("IN", "110001", "110001")]
    [InlineData("IN", " 110 001 ", "110001")]
    [InlineData("IN", "PIN-110001", "110001")]
    [InlineData("IN", "११०००१", "110001")]
    [InlineData("BR", "01310100", "01310-100")]
    [InlineData("BR", "01310-100", "01310-100")]
    [InlineData("GB", "m98ab", "M9 8AB")]
    [InlineData("GB", "sw1a 1aa", "SW1A 1AA")]
    [InlineData("GB", "BN91", "BN91")]
    [InlineData("CA", "k1a0b1", "K1A 0B1")]
    [InlineData("CA", "T0A", "T0A")]
    [InlineData("US", "94103-1234", "94103-1234")]
    [InlineData("US", "941031234", "94103-1234")]
    [InlineData("NL", "1012ab", "1012 AB")]
    [InlineData("LV", "1010", "LV-1010")]
    [InlineData("LV", "lv-1010", "LV-1010")]
    [InlineData("LT", "LT-01100", "01100")]
    [InlineData("DE", "D-10115", "10115")]
    [InlineData("LU", "L-1009", "1009")]
    [InlineData("FR", "75008 CEDEX 08", "75008")]
    [InlineData("FR", "F-75008", "75008")]
    [InlineData("SE", "62466", "624 66")]
    [InlineData("PL", "00906", "00-906")]
    [InlineData("JP", "２８２－０００４", "282-0004")]
    [InlineData("IE", "D02X285", "D02 X285")]
    [InlineData("AD", "500", "AD500")]
    [InlineData("AR", "C1425DKA", "C1425DKA")]
    [InlineData("PT", "3750011", "3750-011")]
    [InlineData("AE", "00000", "00000")]
    public void A_code_is_read_as_people_write_it(string country, string given, string text) =>
        Assert.Equal(text, PostalFormats.Normalise(country, given)?.Text);

    [Theory]
    [InlineData("IN", "1100011")]
    [InlineData("IN", "11000A")]
    [InlineData("US", "2134")]
    [InlineData("GB", "94103")]
    [InlineData("DE", "SW1A 1AA")]
    [InlineData("DE", "")]
    [InlineData("DE", "1;DROP TABLE")]
    [InlineData("XX", "12345")]
    [InlineData("de", "10115")]
    public void What_is_no_code_of_the_country_is_none(string country, string given) => Assert.Null(PostalFormats.Normalise(country, given));

    [Theory]
    [InlineData("GB", "M9 8AB", "M98AB M9")]
    [InlineData("CA", "K1A 0B1", "K1A0B1 K1A")]
    [InlineData("US", "94103-1234", "941031234 94103")]
    [InlineData("NL", "1012AB", "1012AB 1012")]
    [InlineData("AR", "C1425DKA", "C1425DKA 1425")]
    [InlineData("DE", "10115", "10115")]
    public void A_code_is_also_known_by_the_part_that_names_a_district(string country, string given, string keys) =>
        Assert.Equal(keys, string.Join(' ', PostalFormats.Normalise(country, given)!.Keys.Select(PostalKey.Decode)));

    [Fact]
    public void Keys_sort_as_codes_do_and_a_prefix_is_a_range_of_them()
    {
        var code = Gen.Char["0123456789ABCXYZ"].Array[1, 12].Select(symbols => new string(symbols));
        Gen.Select(code, code).Sample((a, b) =>
        {
            Assert.True(PostalKey.TryEncode(a, out var x));
            Assert.True(PostalKey.TryEncode(b, out var y));
            Assert.Equal(a, PostalKey.Decode(x));
            Assert.Equal(Math.Sign(string.CompareOrdinal(a, b)), x.CompareTo(y));
            Assert.Equal(b.StartsWith(a, StringComparison.Ordinal), y >= x && y <= PostalKey.LastWithin(x));
        });
    }

    [Fact]
    public void Whatever_comes_is_a_code_or_none_and_a_code_read_again_is_the_same()
    {
        string[] countries = ["IN", "GB", "US", "BR", "LV", "IE", "FR", "AE", "MT"];
        Gen.Select(Gen.Int[0, countries.Length - 1].Select(i => countries[i]), Gen.OneOf(Gen.String, Gen.String["0123456789ABD -"])).Sample((country, text) =>
        {
            if (PostalFormats.Normalise(country, text) is not { } code)
                return;
            Assert.Equal(code.Canonical, PostalFormats.Normalise(country, code.Text)?.Canonical);
            Assert.Equal(code.Canonical, PostalFormats.Normalise(country, code.Canonical)?.Canonical);
        });
    }
}

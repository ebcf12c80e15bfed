using System.IO.Compression;
using System.Text;
using Commerce.Shipping.Csv;
using Commerce.Shipping.Postal;
using CsCheck;

namespace Commerce.Shipping.Tests.Postal;

public sealed class CarrierListFileTests
{
    private static readonly PostalDirectory Directory = new([Table("IN", "110001", "110002", "560001"), Table("US", "02134", "94103")]);

    [Fact]
    public async Task A_list_says_what_its_carrier_does_where()
    {
        var result = await Read(
            """
            country_code,postal_code,postal_code_to,delivery,pickup,cash_on_delivery,same_day
            IN,110001,,yes,yes,yes,yes
            IN,560001,560099,yes,no,no,no
            GB,M9*,,yes,,,
            GB,SW1A,,yes,,,
            FR,*,,yes,yes,,
            """);

        Assert.Empty(result.Problems);
        var list = new CarrierList(result.Rows);
        Assert.Equal(CarrierServices.Delivery | CarrierServices.Pickup | CarrierServices.CashOnDelivery | CarrierServices.SameDay, Find(list, "IN", "110 001"));
        Assert.Equal(CarrierServices.Delivery, Find(list, "IN", "560050"));
        Assert.Equal(CarrierServices.None, Find(list, "IN", "560100"));
        Assert.Equal(CarrierServices.Delivery, Find(list, "GB", "M9 8AB"));
        Assert.Equal(CarrierServices.Delivery, Find(list, "GB", "SW1A 1AA"));
        Assert.Equal(CarrierServices.None, Find(list, "GB", "SW1P 1AA"));
        Assert.Equal(CarrierServices.Delivery | CarrierServices.Pickup, Find(list, "FR", "75008 CEDEX 08"));
        Assert.Equal(CarrierServices.None, Find(list, "DE", "10115"));
    }

    [Fact]
    public async Task What_is_wrong_is_told_by_line_and_column_and_nothing_of_the_list_counts()
    {
        var result = await Read(
            """
            country_code,postal_code,delivery,same_day
            IN,110001,yes,no
            US,2134,yes,no
            UK,M9 8AB,yes,no
            IN,94103-12,yes,no
            IN,110001,yes,no
            IN,110002,perhaps,no
            IN,,yes,no
            IN,110002,yes
            "IN","110""002",yes,no
            """);

        Assert.Empty(result.Rows);
        Assert.Equal(9, result.Lines);
        Assert.Equal(
            [(3, "postal_code"), (4, "country_code"), (5, "postal_code"), (6, "postal_code"), (7, "delivery"), (8, "postal_code"), (9, ""), (10, "postal_code")],
            result.Problems.Select(one => (one.Line, one.Column)));
        Assert.Contains("\"02134\"", result.Problems[0].Message, StringComparison.Ordinal);
        Assert.Contains("GB", result.Problems[1].Message, StringComparison.Ordinal);
        Assert.Contains("also on line 2", result.Problems[3].Message, StringComparison.Ordinal);
        Assert.Equal("perhaps", result.Problems[4].Value);
    }

    [Fact]
    public async Task A_code_that_no_list_knows_is_taken_and_told_as_odd()
    {
        var result = await Read("country_code;postal_code;remarks\nIN;999999;new\nUS;02135;\n");

        Assert.Equal(2, result.Rows.Count);
        Assert.Equal(3, result.Odd);
        Assert.Equal([(1, "remarks"), (2, "postal_code"), (3, "postal_code")], result.Oddities.Select(one => (one.Line, one.Column)));
        Assert.Contains("\"02134\"", result.Oddities[2].Message, StringComparison.Ordinal);
    }

    [Fact]
    public async Task Ranges_that_lie_in_one_another_name_both_lines()
    {
        var result = await Read("country_code,postal_code,postal_code_to\nIN,560001,560099\nIN,110001,\nIN,560050,560200\n");

        var problem = Assert.Single(result.Problems);
        Assert.Equal((4, "560050"), (problem.Line, problem.Value));
        Assert.Contains("line 2", problem.Message, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("")]
    [InlineData("country_code,postal_code\n")]
    [InlineData("code\n110001\n")]
    [InlineData("country_code,postal_code,postal_code\nIN,1,2\n")]
    public async Task A_file_that_is_no_list_says_why(string text) => await Assert.ThrowsAsync<UnreadableFileException>(() => Read(text));

    [Fact]
    public async Task Binary_broken_gzip_and_a_quote_without_end_are_refused_and_not_read_on_for_ever()
    {
        await Assert.ThrowsAsync<UnreadableFileException>(() => Read([1, 2, 0, 4, 5, 6, 7, 8]));
        await Assert.ThrowsAsync<UnreadableFileException>(() => Read([0x1F, 0x8B, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12]));
        await Assert.ThrowsAsync<UnreadableFileException>(() => Read("country_code,postal_code\nIN,\"110001\n" + new string('x', 100_000)));
        using var bomb = new MemoryStream();
        await using (var gzip = new GZipStream(bomb, CompressionLevel.Fastest, leaveOpen: true))
        {
            await gzip.WriteAsync(Encoding.UTF8.GetBytes("country_code,postal_code\n"));
            var lines = Encoding.UTF8.GetBytes(string.Concat(Enumerable.Repeat("IN,1\n", 200_000)));
            for (var i = 0; i < 8; i++)
                await gzip.WriteAsync(lines);
        }

        var refused = await Assert.ThrowsAsync<UnreadableFileException>(() => Read(bomb.ToArray()));
        Assert.Contains("1000000 lines", refused.Message, StringComparison.Ordinal);
    }

    [Fact]
    public async Task A_byte_order_mark_utf16_and_line_breaks_in_quotes_change_nothing()
    {
        const string Text = "country_code,postal_code,delivery\r\nIN,110001,yes\r\n";
        foreach (var encoding in (Encoding[])[new UTF8Encoding(true), new UnicodeEncoding(false, true), new UnicodeEncoding(true, true)])
            Assert.Single((await Read([.. encoding.GetPreamble(), .. encoding.GetBytes(Text)])).Rows);

        var broken = await Read("country_code,postal_code,delivery\n\"I\nN\",110001,yes\nIN,110002,maybe\n");
        Assert.Equal([(2, "country_code"), (4, "delivery")], broken.Problems.Select(one => (one.Line, one.Column)));
    }

    [Fact]
    public Task Whatever_bytes_come_there_is_a_list_a_report_or_a_reason() =>
        Gen.OneOf(Gen.Byte.Array[0, 400], Gen.String["INUS,;\n\r\"*0123456789yesno\t"].Select(text => Encoding.UTF8.GetBytes("country_code,postal_code,delivery\n" + text))).SampleAsync(async bytes =>
        {
            try
            {
                var result = await Read(bytes);
                Assert.True(result.Wrong == 0 ? result.Rows.Count > 0 : result.Rows.Count == 0 && result.Problems.Count > 0);
            }
            catch (UnreadableFileException exception)
            {
                Assert.NotEmpty(exception.Message);
            }
        });

    private static CarrierServices Find(CarrierList list, string country, string code) => list.Find(PostalFormats.Normalise(country, code)!);

    private static PostalTable Table(string country, params string[] codes)
    {
        var builder = new PostalTable.Builder(country);
        foreach (var code in codes)
            builder.Add(PostalFormats.Normalise(country, code)!.Keys[0], "A town", "A region", "", "", null, null);
        return builder.Build();
    }

    private static Task<CarrierListResult> Read(string text) => Read(Encoding.UTF8.GetBytes(text));

    private static async Task<CarrierListResult> Read(byte[] bytes) => await CarrierListFile.Read(new MemoryStream(bytes), Directory, "", CancellationToken.None);
}

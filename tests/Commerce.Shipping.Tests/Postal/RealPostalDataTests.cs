using System.Diagnostics;
using System.Globalization;
using Commerce.Shipping.Postal;

namespace Commerce.Shipping.Tests.Postal;

/// <summary>Both public lists, read once for all tests of the class.</summary>
public sealed class RealPostalData
{
    private readonly Lazy<Task<PostalDirectory>> _directory;

    public RealPostalData() => _directory = new(Load);

    public TimeSpan Took { get; private set; }

    public List<(string File, PostalFileResult Result)> Files { get; } = [];

    public Task<PostalDirectory> Directory => _directory.Value;

    private async Task<PostalDirectory> Load()
    {
        var files = System.IO.Directory.GetFiles(Data.Path("postal/geonames"), "*.csv.gz").Order(StringComparer.Ordinal).Select(file => (PostalSource.GeoNames, file))
            .Append((PostalSource.India, Data.Path("postal/india_post_offices.csv.gz"))).ToList();
        var watch = Stopwatch.StartNew();
        foreach (var (source, file) in files)
        {
            await using var stream = File.OpenRead(file);
            Files.Add((Path.GetFileName(file), await PostalFiles.Read(source, stream, CancellationToken.None)));
        }

        Took = watch.Elapsed;
        return new PostalDirectory(Files.SelectMany(file => file.Result.Tables));
    }
}

public sealed class RealPostalDataTests(RealPostalData data, ITestOutputHelper output) : IClassFixture<RealPostalData>
{
    [Fact]
    public async Task The_lists_of_118_countries_are_read_in_seconds_into_megabytes()
    {
        var directory = await data.Directory;

        var bytes = directory.Tables.Select(table => table.ToBytes()).ToList();
        var watch = Stopwatch.StartNew();
        var again = new PostalDirectory(bytes.Select(one => PostalTable.FromBytes(one)));
        output.WriteLine(FormattableString.Invariant(
            $"{data.Files.Sum(f => f.Result.Rows)} lines read in {data.Took.TotalSeconds:F1} s: {directory.Codes} codes of {directory.Tables.Count} countries, {directory.Size / 1e6:F1} MB, {(double)directory.Size / directory.Codes:F1} bytes a code; from packed bytes again in {watch.Elapsed.TotalMilliseconds:F0} ms"));
        foreach (var (file, result) in data.Files.Where(f => f.Result.Skipped > 0))
            output.WriteLine(FormattableString.Invariant($"{file}: {result.Skipped} of {result.Rows} skipped: {string.Join("; ", result.Examples.Take(3))}"));

        Assert.Equal(118, directory.Tables.Count);
        Assert.Equal(1_201_340 + 165_627, data.Files.Sum(f => f.Result.Rows));
        Assert.True(directory.Size < 64_000_000, $"{directory.Size} bytes");
        Assert.True(data.Files.Sum(f => f.Result.Skipped) < 50, "Nearly every line is a code of its country.");
        Assert.Equal(directory.Codes, again.Codes);
        Assert.Equivalent(directory.Find("IN", "110001"), again.Find("IN", "110001"));
    }

    [Theory]
    [InlineData("IN", "110 001", PostalMatch.Exact, "DELHI", 28.6, 77.2)]
    [InlineData("GB", "M9 8AB", PostalMatch.Part, "England", 53.5, -2.2)]
    [InlineData("CA", "T0A 0A0", PostalMatch.Part, "Alberta", 54.8, -111.7)]
    [InlineData("US", "99553-0001", PostalMatch.Part, "Alaska", 54.1, -165.8)]
    [InlineData("NL", "9401 AB", PostalMatch.Part, "Drenthe", 53.0, 6.6)]
    [InlineData("PT", "3750-011", PostalMatch.Exact, "Aveiro", 40.6, -8.3)]
    [InlineData("BR", "01310-100", PostalMatch.Area, "Sao Paulo", -23.5, -46.6)]
    [InlineData("LV", "LV-1010", PostalMatch.Exact, "Riga", 57.0, 24.1)]
    [InlineData("AR", "A4123ABC", PostalMatch.Part, "Salta", -25.8, -64.5)]
    public async Task A_real_code_is_found_in_its_region_and_place(string country, string code, PostalMatch match, string region, double latitude, double longitude)
    {
        var answer = (await data.Directory).Find(country, code);

        Assert.Equal(match, answer!.Match);
        Assert.NotEmpty(answer.Entry!.Places);
        if (region.Length > 0)
            Assert.Equal(region, answer.Entry.Region);
        Assert.InRange(answer.Entry.Position!.Value.KilometresTo(new Position(latitude, longitude)), 0, 60);
    }

    [Theory]
    [InlineData("US", "2134", "02134")]
    [InlineData("US", "9955E", null)]
    [InlineData("US", "O2134", "02134")]
    [InlineData("IN", "11OO01", "110001")]
    public async Task A_code_that_is_none_leads_to_the_one_that_was_obviously_meant(string country, string given, string? meant) =>
        Assert.Equal(meant, (await data.Directory).Meant(country, given));

    [Fact]
    public async Task A_code_that_does_not_exist_says_so_and_a_country_without_a_list_says_that()
    {
        var directory = await data.Directory;

        Assert.Equal(PostalMatch.Unknown, directory.Find("IN", "999999")!.Match);
        Assert.Equal(PostalMatch.NoData, directory.Find("JP", "282-0004")!.Match);
        Assert.Null(directory.Find("IN", "M9 8AB"));
    }

    [Fact]
    public async Task India_has_its_pins_with_delivery_and_a_position_that_one_wrong_office_does_not_move()
    {
        var directory = await data.Directory;
        var india = directory.Tables.Single(table => table.Country == "IN");
        Assert.Equal(19_586, india.Count);

        var expected = File.ReadLines(Data.Path("postal/india_pincodes.csv")).Skip(1).Select(line => line.Split(',')).Where(fields => fields.Length == 11).ToList();
        Assert.True(expected.Count > 19_000);
        var (delivers, far) = (0, 0);
        foreach (var fields in expected)
        {
            var entry = directory.Find("IN", fields[0])!.Entry!;
            Assert.Equal(fields[5] != "0", entry.PostDelivers);
            delivers += entry.PostDelivers == true ? 1 : 0;
            if (fields[7].Length > 0 && entry.Position!.Value.KilometresTo(new Position(double.Parse(fields[7], CultureInfo.InvariantCulture), double.Parse(fields[8], CultureInfo.InvariantCulture))) > 1)
                far++;
        }

        Assert.InRange(delivers, 19_000, 19_563);
        Assert.Equal(0, far);
    }

    [Fact]
    public async Task Every_real_code_as_its_country_writes_it_is_found_again()
    {
        var directory = await data.Directory;
        var (count, watch) = (0, Stopwatch.StartNew());
        foreach (var table in directory.Tables)
        {
            foreach (var key in table.Keys)
            {
                var answer = directory.Find(table.Country, PostalFormats.TextOf(table.Country, key));
                Assert.True(answer is { Match: PostalMatch.Exact } && answer.Entry!.Key == key, $"{table.Country} {PostalKey.Decode(key)}");
                count++;
            }
        }

        output.WriteLine(FormattableString.Invariant($"{count} codes were written, read and found in {watch.Elapsed.TotalSeconds:F2} s: {count / watch.Elapsed.TotalSeconds:F0} a second on one core"));
        Assert.Equal(directory.Codes, count);
    }
}

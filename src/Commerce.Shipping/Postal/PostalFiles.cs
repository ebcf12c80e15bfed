using System.Globalization;
using Commerce.Shipping.Csv;

namespace Commerce.Shipping.Postal;

/// <summary>Where a list of postal codes is from.</summary>
public enum PostalSource
{
    /// <summary>
    /// GeoNames: a CSV with a header (country_code, zipcode, place, state, state_code, province, …, latitude, longitude), or GeoNames'
    /// own tab-separated files without one. Of any number of countries.
    /// </summary>
    GeoNames,

    /// <summary>India Post's offices: a CSV with a header (pincode, office, delivery, district, state, lat, lng), a line an office.</summary>
    India,
}

/// <summary>What came of a file.</summary>
/// <param name="Rows">Lines read.</param>
/// <param name="Skipped">Lines without a code of their country.</param>
/// <param name="Examples">Of what was skipped and why, the first ten.</param>
public sealed record PostalFileResult(IReadOnlyList<PostalTable> Tables, int Rows, int Skipped, IReadOnlyList<string> Examples);

/// <summary>Reads lists of postal codes.</summary>
public static class PostalFiles
{
    private const long MostBytes = 1_000_000_000;
    private const int MostRows = 5_000_000;
    private const int MostExamples = 10;

    private static readonly string[] GeoNamesColumns =
        ["country_code", "zipcode", "place", "state", "state_code", "province", "province_code", "community", "community_code", "latitude", "longitude", "accuracy"];

    /// <exception cref="UnreadableFileException">It is no such list.</exception>
    public static async Task<PostalFileResult> Read(PostalSource source, Stream stream, CancellationToken cancellationToken)
    {
        var (reader, head) = await UploadedFile.Open(stream, MostBytes, cancellationToken);
        using var disposed = reader;
        var delimiter = CsvRows.DelimiterOf(head);
        // GeoNames' own files have no header and no quotes.
        var bare = source == PostalSource.GeoNames && delimiter == '\t' && !head.StartsWith("country", StringComparison.OrdinalIgnoreCase);
        using var rows = new CsvRows(reader, delimiter, quotes: !bare);
        var columns = bare ? Columns.Of(GeoNamesColumns)! : rows.Read(out var header) ? Columns.Of(header.Fields) : null;
        if (columns is null)
            throw new UnreadableFileException("The file is empty: its first line names the columns.");
        if (columns.Missing(source) is { } missing)
            throw new UnreadableFileException($"The header has no column {missing}; {(source == PostalSource.India ? "a list of India Post has pincode, office, delivery, district, state, lat and lng" : "a list of GeoNames has country_code, zipcode, place, state, state_code, province, latitude and longitude")}.");

        var builders = new Dictionary<string, PostalTable.Builder>(StringComparer.Ordinal);
        var (count, skipped, examples) = (0, 0, new List<string>());
        while (rows.Read(out var row))
        {
            if (++count > MostRows)
                throw new UnreadableFileException($"The file has more than {MostRows} lines: send it in parts, a country each.");
            if (count % 10_000 == 0)
                cancellationToken.ThrowIfCancellationRequested();
            var country = source == PostalSource.India ? "IN" : columns.Country(row.Fields).ToUpperInvariant();
            var code = columns.Code(row.Fields);
            if (row.Problem is not null || PostalFormats.Normalise(country, code) is not { } normalised)
            {
                skipped++;
                if (examples.Count < MostExamples)
                    examples.Add(string.Create(CultureInfo.InvariantCulture, $"line {row.Line}: {row.Problem ?? $"\"{Shown(code)}\" is no postal code of \"{Shown(country)}\""}"));
                continue;
            }

            if (!builders.TryGetValue(country, out var builder))
                builders[country] = builder = new PostalTable.Builder(country);
            builder.Add(
                normalised.Keys[0], columns.Place(row.Fields), columns.Region(row.Fields), columns.RegionCode(row.Fields), columns.District(row.Fields),
                columns.Position(row.Fields), columns.Delivers(row.Fields));
        }

        return new PostalFileResult([.. builders.Values.Select(builder => builder.Build())], count, skipped, examples);
    }

    private static string Shown(string text) => string.Concat(text.Where(c => !char.IsControl(c)).Take(20));

    private sealed class Columns
    {
        private readonly Dictionary<string, int> _at = new(StringComparer.OrdinalIgnoreCase);
        private readonly int _country;
        private readonly int _code;
        private readonly int _place;
        private readonly int _region;
        private readonly int _regionCode;
        private readonly int _district;
        private readonly int _latitude;
        private readonly int _longitude;
        private readonly int _delivers;

        private Columns(IReadOnlyList<string> header)
        {
            for (var i = 0; i < header.Count; i++)
                _at.TryAdd(header[i].Trim(), i);
            (_country, _code, _place) = (At("country_code", "country"), At("zipcode", "pincode", "postal_code", "postcode"), At("place", "office", "officename", "place_name"));
            (_region, _regionCode, _district) = (At("state", "statename", "admin_name1"), At("state_code", "admin_code1"), At("province", "district", "admin_name2"));
            (_latitude, _longitude, _delivers) = (At("latitude", "lat"), At("longitude", "lng", "lon"), At("delivery"));
        }

        public static Columns? Of(IReadOnlyList<string> header) => new(header);

        public string? Missing(PostalSource source) =>
            source == PostalSource.GeoNames && _country < 0 ? "country_code" : _code < 0 ? source == PostalSource.India ? "pincode" : "zipcode" : _place < 0 ? source == PostalSource.India ? "office" : "place" : null;

        public string Country(string[] row) => Field(row, _country);

        public string Code(string[] row) => Field(row, _code);

        public string Place(string[] row) => Field(row, _place);

        public string Region(string[] row) => Field(row, _region);

        public string RegionCode(string[] row) => Field(row, _regionCode);

        public string District(string[] row) => Field(row, _district);

        // "Delivery" or "Non Delivery".
        public bool? Delivers(string[] row) => _delivers < 0 ? null : Field(row, _delivers).StartsWith("Delivery", StringComparison.OrdinalIgnoreCase);

        public Position? Position(string[] row) =>
            double.TryParse(Field(row, _latitude), NumberStyles.Float, CultureInfo.InvariantCulture, out var latitude) && latitude is >= -90 and <= 90
            && double.TryParse(Field(row, _longitude), NumberStyles.Float, CultureInfo.InvariantCulture, out var longitude) && longitude is >= -180 and <= 180
            && (latitude, longitude) != (0, 0)
                ? new Position(latitude, longitude)
                : null;

        private static string Field(string[] row, int at) => at >= 0 && at < row.Length ? row[at].Trim() : "";

        private int At(params string[] names) => names.Select(name => _at.GetValueOrDefault(name, -1)).FirstOrDefault(at => at >= 0, -1);
    }
}

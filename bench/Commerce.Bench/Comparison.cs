using System.Globalization;
using System.Text;
using System.Text.Json;

namespace Commerce.Bench;

/// <summary>A figure beside its limit, taken in turns in the same run: what disturbs the machine disturbs both.</summary>
/// <param name="Name">The bench.</param>
/// <param name="Unit">Of both figures.</param>
/// <param name="Ours">One figure a round.</param>
/// <param name="Limit">What it is measured against, in the same rounds.</param>
/// <param name="LimitIs">What the limit is, in words.</param>
/// <param name="Aim">The ratio that we want to reach; null: shown for what it is.</param>
internal sealed record Comparison(string Name, string Unit, IReadOnlyList<double> Ours, IReadOnlyList<double> Limit, string LimitIs, double? Aim)
{
    /// <summary>What else was seen, for people.</summary>
    public string Beside { get; init; } = "";

    /// <summary>The median of the rounds' ratios.</summary>
    public double Ratio => Median([.. Ours.Zip(Limit, (ours, limit) => ours / limit)]);

    public string ToText() => new StringBuilder()
        .AppendLine(CultureInfo.InvariantCulture, $"{Name}: {Median(Ours):N0} {Unit}; limit: {Median(Limit):N0} {Unit} ({LimitIs})")
        .AppendLine(CultureInfo.InvariantCulture, $"ratio {Ratio:F2}{(Aim is { } aim ? $" (aim {aim:F2})" : "")}, rounds: {string.Join(", ", Ours.Zip(Limit, (ours, limit) => $"{ours:F0}/{limit:F0}"))}")
        .AppendLine(Beside)
        .ToString().TrimEnd();

    public string ToJson() => JsonSerializer.Serialize(
        new { name = Name, unit = Unit, ratio = Ratio, aim = Aim, ours = Median(Ours), limit = Median(Limit), limitIs = LimitIs, beside = Beside, rounds = Ours.Zip(Limit, (o, l) => new { ours = o, limit = l }) },
        JsonSerializerOptions.Web);

    public static double Median(IReadOnlyList<double> values)
    {
        var sorted = values.Order().ToList();
        return sorted.Count % 2 == 1 ? sorted[sorted.Count / 2] : (sorted[(sorted.Count / 2) - 1] + sorted[sorted.Count / 2]) / 2;
    }
}

using System.Globalization;
using System.Text.Json;
using System.Text.RegularExpressions;
using Commerce.Tracking.Numbers;

namespace Commerce.Bench.Tracking;

/// <summary>
/// Recognising numbers on one core, over what people ask about: right numbers of every format by how common it is, numbers with one
/// wrong symbol, and what is no number. Beside it, in turns, the regular expressions of the public table, tried one after another.
/// </summary>
internal static class DetectBench
{
    private const double Aim = 500_000;
    private const int Numbers = 100_000;
    private const int Rounds = 5;
    private const int Seed = 4;

    private static readonly TimeSpan Round = TimeSpan.FromSeconds(1);

    public static Comparison Run()
    {
        var random = new Random(Seed);
        var right = Sample(random).Take(Numbers * 7 / 10).ToList();
        var wrong = Sample(random).Take(Numbers * 15 / 100).Select(number => Wrong(number, random)).ToList();
        var others = Enumerable.Range(0, Numbers * 15 / 100).Select(_ => NoNumber(random)).ToList();
        string[] numbers = [.. right, .. wrong, .. others];
        random.Shuffle(numbers);
        var expressions = Expressions();

        long Ours(string number) => CarrierDetector.Detect(number).Candidates.Count;
        long Peer(string number) => expressions.Count(expression => expression.IsMatch(number));

        List<double> ours = [];
        List<double> peer = [];
        Rate(numbers, Ours);
        Rate(numbers, Peer);
        for (var round = 0; round < Rounds; round++)
        {
            ours.Add(Rate(numbers, Ours));
            peer.Add(Rate(numbers, Peer));
        }

        var median = Comparison.Median(ours);
        var recognised = (double)numbers.Count(number => Ours(number) > 0) / numbers.Length;
        return new Comparison("detect", "numbers/s on a core", ours, peer, $"the same through the {expressions.Count} regular expressions of the public table one after another, without check digits", 1)
        {
            Beside = string.Create(
                CultureInfo.InvariantCulture,
                $"{(median >= Aim ? "at least" : "LESS THAN")} {Aim:N0} numbers/s; of {Numbers:N0} numbers (70 % right, 15 % with a wrong symbol, 15 % none) {recognised:P1} were recognised"),
        };
    }

    private static double Rate(string[] numbers, Func<string, long> detect)
    {
        var start = TimeProvider.System.GetTimestamp();
        var done = 0L;
        var found = 0L;
        TimeSpan took;
        do
        {
            for (var i = 0; i < 1000; i++)
                found += detect(numbers[(int)(done++ % numbers.Length)]);
            took = TimeProvider.System.GetElapsedTime(start);
        }
        while (took < Round);
        GC.KeepAlive(found);
        return done / took.TotalSeconds;
    }

    // A third as they are printed: in groups of four.
    private static IEnumerable<string> Sample(Random random)
    {
        var total = CarrierDetector.Formats.Sum(format => format.Weight);
        while (true)
        {
            var at = random.NextDouble() * total;
            var format = CarrierDetector.Formats.First(one => (at -= one.Weight) <= 0 || one == CarrierDetector.Formats[^1]);
            if (format.Example(random) is not { } number)
                continue;
            yield return random.Next(3) == 0 ? string.Join(' ', number.Chunk(4).Select(four => new string(four))) : number;
        }
    }

    private static string Wrong(string number, Random random)
    {
        var symbols = number.ToCharArray();
        var place = random.Next(symbols.Length);
        symbols[place] = char.IsAsciiDigit(symbols[place]) ? (char)('0' + ((symbols[place] - '0' + 1 + random.Next(8)) % 10)) : '7';
        return new string(symbols);
    }

    private static string NoNumber(Random random) => random.Next(4) switch
    {
        0 => new OrderId("ORD", random.NextInt64(1L << 60)).ToString(),
        1 => $"where is my parcel no. {random.Next(100_000)}?",
        2 => random.NextInt64(10_000_000).ToString(CultureInfo.InvariantCulture),
        _ => new string([.. Enumerable.Range(0, random.Next(4, 40)).Select(_ => (char)random.Next('0', 'z'))]),
    };

    private static List<Regex> Expressions()
    {
        var folder = Environment.GetEnvironmentVariable("COMMERCE_DATA") is { Length: > 0 } given ? new DirectoryInfo(given) : null;
        for (var above = new DirectoryInfo(AppContext.BaseDirectory); folder is null && above is not null; above = above.Parent)
            folder = Directory.Exists(Path.Combine(above.FullName, "shared", "data", "tracking-numbers")) ? new DirectoryInfo(Path.Combine(above.FullName, "shared", "data")) : null;
        if (folder is null)
            throw new DirectoryNotFoundException("The public table is not here: set COMMERCE_DATA to the folder that holds tracking-numbers/.");
        List<Regex> expressions = [];
        foreach (var file in Directory.EnumerateFiles(Path.Combine(folder.FullName, "tracking-numbers", "couriers"), "*.json"))
        {
            using var json = JsonDocument.Parse(File.ReadAllBytes(file));
            foreach (var regex in json.RootElement.GetProperty("tracking_numbers").EnumerateArray().Select(one => one.GetProperty("regex")))
            {
                var text = regex.ValueKind == JsonValueKind.Array ? string.Concat(regex.EnumerateArray().Select(part => part.GetString())) : regex.GetString();
                expressions.Add(new Regex($"^(?:{text})$", RegexOptions.Compiled | RegexOptions.CultureInvariant | RegexOptions.ExplicitCapture));
            }
        }

        return expressions;
    }
}

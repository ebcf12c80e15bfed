namespace Commerce.Promising.Tests;

/// <summary>Journeys by a law that is known: two lanes, one twice as slow, and errors around it.</summary>
internal static class MadeJourneys
{
    public static readonly DateTimeOffset Start = new(2025, 1, 6, 9, 0, 0, TimeSpan.FromHours(-3));

    public static List<Journey> Of(int count, int seed, double deviation = 0.3)
    {
        var random = new Random(seed);
        return [.. Enumerable.Range(0, count).Select(i =>
        {
            var at = Start.AddHours(i * 2).AddMinutes(random.Next(120));
            var near = random.Next(2) == 0;
            var days = (near ? 4 : 8) * Math.Exp(deviation * Normal(random));
            return new Journey(
                new Consignment($"p{i:D6}", at)
                {
                    PromisedAt = at.AddDays((near ? 4 : 8) * (1.1 + (0.6 * random.NextDouble()))),
                    Sender = $"s{random.Next(5)}",
                    From = new Locality("BR", "SP", "01001"),
                    To = near ? new Locality("BR", "SP", "04000") : new Locality("BR", "AM", "69000"),
                },
                at.AddDays(days / 3),
                at.AddDays(days));
        })];
    }

    private static double Normal(Random random) =>
        Math.Sqrt(-2 * Math.Log(1 - random.NextDouble())) * Math.Cos(2 * Math.PI * random.NextDouble());
}

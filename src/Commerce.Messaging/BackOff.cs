namespace Commerce.Messaging;

/// <summary>Waits between attempts: exponential, and spread so that many who failed together do not come back together.</summary>
public static class BackOff
{
    /// <summary>The wait after the given attempt (1, 2, …): between half and the whole of first × factor^(attempt − 1), at most <paramref name="maximum"/>.</summary>
    public static TimeSpan After(int attempt, TimeSpan first, TimeSpan maximum, double factor = 2)
    {
        var whole = Math.Min(first.TotalMilliseconds * Math.Pow(factor, Math.Min(attempt - 1, 60)), maximum.TotalMilliseconds);
        return TimeSpan.FromMilliseconds(whole * (0.5 + (Random.Shared.NextDouble() / 2)));
    }
}

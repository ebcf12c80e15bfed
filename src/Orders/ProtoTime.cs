using System.Diagnostics.CodeAnalysis;
using Google.Protobuf.WellKnownTypes;

namespace Commerce.Orders;

/// <summary>Times as Postgres keeps them: UTC, whole microseconds.</summary>
public static class ProtoTime
{
    private const long MinSeconds = -62_135_596_800;
    private const long MaxSeconds = 253_402_300_799;

    /// <summary>False where there is no time, or none between the years 1 and 9999.</summary>
    public static bool TryRead([NotNullWhen(true)] Timestamp? timestamp, out DateTimeOffset time)
    {
        time = default;
        if (timestamp is null || timestamp.Seconds is < MinSeconds or > MaxSeconds || timestamp.Nanos is < 0 or > 999_999_999)
            return false;
        time = Micros(timestamp.ToDateTimeOffset());
        return true;
    }

    /// <summary>Now, such as it will be read again from the database.</summary>
    public static DateTimeOffset Now(this TimeProvider clock) => Micros(clock.GetUtcNow());

    private static DateTimeOffset Micros(DateTimeOffset time) => new(time.UtcTicks - (time.UtcTicks % TimeSpan.TicksPerMicrosecond), TimeSpan.Zero);
}

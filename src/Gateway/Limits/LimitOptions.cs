using System.ComponentModel.DataAnnotations;
using Microsoft.Extensions.Options;

namespace Commerce.Gateway.Limits;

/// <summary>How much one caller may ask for, and when the Gateway sheds load: section "Gateway:Limits" of the configuration.</summary>
public sealed class LimitOptions
{
    public const string Section = "Gateway:Limits";

    /// <summary>Things by their name, look-ups among them.</summary>
    public Rate Read { get; set; } = new() { PerSecond = 1000, Burst = 2000 };

    /// <summary>Changes.</summary>
    public Rate Write { get; set; } = new() { PerSecond = 200, Burst = 1000 };

    /// <summary>Lists, searches, exports, reports, documents.</summary>
    public Rate Search { get; set; } = new() { PerSecond = 50, Burst = 200 };

    /// <summary>Many at once, and streams of a client.</summary>
    public Rate Bulk { get; set; } = new() { PerSecond = 20, Burst = 100 };

    /// <summary>Opening streams of changes.</summary>
    public Rate Watch { get; set; } = new() { PerSecond = 100, Burst = 1000 };

    /// <summary>What an address may try with credentials that are not good.</summary>
    public Rate Strangers { get; set; } = new() { PerSecond = 20, Burst = 100 };

    /// <summary>Of the rates above, what an address has whose callers are shoppers.</summary>
    [Range(1, 10_000)]
    public int ShopperPercent { get; set; } = 5;

    /// <summary>Callers with other rates than the rest.</summary>
    public IList<CallerLimit> Callers { get; } = [];

    /// <summary>Most streams that one caller has open on one node.</summary>
    [Range(1, 1_000_000)]
    public int OpenStreams { get; set; } = 2000;

    /// <summary>How long permits are good that a node took from Redis for the calls to come.</summary>
    [Range(typeof(TimeSpan), "00:00:00.010", "00:00:10")]
    public TimeSpan LeaseFor { get; set; } = TimeSpan.FromMilliseconds(250);

    /// <summary>Most of a burst, in percent, that one node takes at a time.</summary>
    [Range(1, 50)]
    public int LeasePercent { get; set; } = 5;

    /// <summary>How often a node says that it is there: while Redis is away each has its share of a limit.</summary>
    [Range(typeof(TimeSpan), "00:00:00.050", "00:01:00")]
    public TimeSpan NodeBeat { get; set; } = TimeSpan.FromSeconds(2);

    /// <summary>Most callers, and as many addresses, that a node remembers.</summary>
    [Range(16, 10_000_000)]
    public int Remembered { get; set; } = 50_000;

    /// <summary>How long work may wait for a thread, on the average, before calls are refused.</summary>
    [Range(typeof(TimeSpan), "00:00:00.001", "00:00:10")]
    public TimeSpan ShedAfter { get; set; } = TimeSpan.FromMilliseconds(25);

    /// <summary>How long work may wait once calls are refused: so much is refused that it waits no longer. Not above <see cref="ShedAfter"/>.</summary>
    [Range(typeof(TimeSpan), "00:00:00.001", "00:00:10")]
    public TimeSpan ShedUntil { get; set; } = TimeSpan.FromMilliseconds(5);

    /// <summary>How often it is decided how much is shed.</summary>
    [Range(typeof(TimeSpan), "00:00:00.020", "00:00:10")]
    public TimeSpan ShedWindow { get; set; } = TimeSpan.FromMilliseconds(100);

    /// <summary>Most calls that wait for one of the services at the same time; the last of them are kept for what is important.</summary>
    [Range(4, 100_000)]
    public int InFlight { get; set; } = 1000;

    internal Rate Of(CallClass kind) => kind switch
    {
        CallClass.Read => Read,
        CallClass.Search => Search,
        CallClass.Bulk => Bulk,
        CallClass.Watch => Watch,
        _ => Write,
    };

    /// <summary>So many calls a second for as long as one likes, and so many at once after a pause.</summary>
    public sealed class Rate
    {
        /// <summary>Calls a second; less than one is possible.</summary>
        public double PerSecond { get; set; }

        /// <summary>Most calls at once.</summary>
        public int Burst { get; set; }

        internal bool IsValid => PerSecond is >= 0.001 and <= 1_000_000 && Burst is >= 1 and <= 1_000_000;
    }

    /// <summary>A caller with other rates than the rest.</summary>
    public sealed class CallerLimit
    {
        /// <summary>For example "shop/abcdefghjkmn" for the API key "apiKeys/abcdefghjkmn", or "staff/erp".</summary>
        [Required]
        public string Principal { get; set; } = "";

        /// <summary>Of the rates of all, in percent: 1000 is ten times as much.</summary>
        public int Percent { get; set; } = 100;
    }
}

/// <summary>A limit that says nothing shows at the start.</summary>
internal sealed class LimitOptionsCheck : IValidateOptions<LimitOptions>
{
    public ValidateOptionsResult Validate(string? name, LimitOptions options)
    {
        var failures = new List<string>();
        foreach (var (kind, rate) in new[]
        {
            (nameof(options.Read), options.Read), (nameof(options.Write), options.Write), (nameof(options.Search), options.Search),
            (nameof(options.Bulk), options.Bulk), (nameof(options.Watch), options.Watch), (nameof(options.Strangers), options.Strangers),
        })
        {
            if (!rate.IsValid)
                failures.Add($"{LimitOptions.Section}:{kind} needs PerSecond of 0.001 to 1000000 and Burst of 1 to 1000000.");
        }

        if (options.ShedUntil > options.ShedAfter)
            failures.Add($"{LimitOptions.Section}:ShedUntil must not be above ShedAfter, {options.ShedAfter}.");
        foreach (var caller in options.Callers)
        {
            if (!ServiceDefaults.Principal.TryParse(caller.Principal, out _, out _) || caller.Percent is < 1 or > 100_000)
                failures.Add($"{LimitOptions.Section}:Callers needs a Principal such as shop/abcdefghjkmn and a Percent of 1 to 100000; one is \"{caller.Principal}\".");
        }

        return failures.Count == 0 ? ValidateOptionsResult.Success : ValidateOptionsResult.Fail(failures);
    }
}

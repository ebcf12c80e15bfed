using System.ComponentModel.DataAnnotations;
using System.Net;

namespace Commerce.Gateway;

/// <summary>Settings of the Gateway, section "Gateway" of the configuration. Times are TimeSpans, for example "00:00:02".</summary>
public sealed class GatewayOptions
{
    public const string Section = "Gateway";

    /// <summary>Stands before every key and channel in Redis, so that a Redis may be shared.</summary>
    [Required, StringLength(64)]
    public string RedisPrefix { get; set; } = "commerce:";

    /// <summary>How long a Redis command may take before Redis counts as down.</summary>
    [Range(typeof(TimeSpan), "00:00:00.010", "00:00:10")]
    public TimeSpan RedisTimeout { get; set; } = TimeSpan.FromMilliseconds(500);

    /// <summary>How often Redis is asked for the epoch, and, while it is down, whether it is back.</summary>
    [Range(typeof(TimeSpan), "00:00:00.010", "00:01:00")]
    public TimeSpan RedisProbe { get; set; } = TimeSpan.FromSeconds(1);

    /// <summary>How long a service may take for its part before the last known copy is shown instead.</summary>
    [Range(typeof(TimeSpan), "00:00:00.050", "00:01:00")]
    public TimeSpan SourceTimeout { get; set; } = TimeSpan.FromSeconds(3);

    /// <summary>
    /// A copy that is older is asked for again even though no fact marked it: the bound of staleness where a mark was lost
    /// without anybody noticing (a Redis failover that forgets its last writes).
    /// </summary>
    [Range(typeof(TimeSpan), "00:00:00.100", "01:00:00")]
    public TimeSpan MaxPartAge { get; set; } = TimeSpan.FromMinutes(5);

    /// <summary>The same for "there is no payment yet", since no fact tells of a payment's first version.</summary>
    [Range(typeof(TimeSpan), "00:00:00", "01:00:00")]
    public TimeSpan MaxAbsenceAge { get; set; } = TimeSpan.FromSeconds(2);

    /// <summary>How long a view stays in Redis after it was last written: what can be shown of a service that is down.</summary>
    [Range(typeof(TimeSpan), "00:00:01", "7.00:00:00")]
    public TimeSpan ViewTtl { get; set; } = TimeSpan.FromHours(6);

    /// <summary>Most answers that are kept in memory; 0: none.</summary>
    [Range(0, 1_000_000)]
    public int HotAnswers { get; set; } = 10_000;

    /// <summary>The largest answer, in bytes, that is kept in memory.</summary>
    [Range(0, 1 << 24)]
    public int HotAnswerBytes { get; set; } = 1 << 14;

    /// <summary>
    /// How long an answer in memory stands of which nothing was told: the bound of staleness where what was told did not arrive (a
    /// connection to Redis that hangs without breaking).
    /// </summary>
    [Range(typeof(TimeSpan), "00:00:00", "00:01:00")]
    public TimeSpan HotAge { get; set; } = TimeSpan.FromSeconds(1);

    /// <summary>Most codes of one BatchLookup whose services are asked at the same time; Redis is asked for all at once.</summary>
    [Range(1, 500)]
    public int BatchParallelism { get; set; } = 32;

    /// <summary>Most watchers on one node, gRPC and server-sent events together.</summary>
    [Range(1, 1_000_000)]
    public int MaxWatchers { get; set; } = 20_000;

    /// <summary>How often every watched order is read again, in case a message of a change was lost.</summary>
    [Range(typeof(TimeSpan), "00:00:00.050", "00:10:00")]
    public TimeSpan WatchRecheck { get; set; } = TimeSpan.FromSeconds(15);

    /// <summary>The pause between two rounds through the watched orders while Redis is down and nobody tells of changes.</summary>
    [Range(typeof(TimeSpan), "00:00:00.050", "00:10:00")]
    public TimeSpan WatchPoll { get; set; } = TimeSpan.FromSeconds(2);

    /// <summary>Most watched orders that are read at the same time.</summary>
    [Range(1, 256)]
    public int WatchParallelism { get; set; } = 16;

    /// <summary>How often an idle server-sent event stream says that it is alive.</summary>
    [Range(typeof(TimeSpan), "00:00:00.050", "00:05:00")]
    public TimeSpan Heartbeat { get; set; } = TimeSpan.FromSeconds(15);

    /// <summary>Pages of these origins may call the API from a browser, for example "https://shop.example"; none: no page may.</summary>
    [CorsOrigins]
    public IReadOnlyList<string> CorsOrigins { get; set; } = [];

    /// <summary>
    /// The proxies whose X-Forwarded-For is believed, as addresses or networks, for example "10.0.0.0/8"; none: whoever opened the
    /// connection is the caller.
    /// </summary>
    [TrustedProxies]
    public IReadOnlyList<string> TrustedProxies { get; set; } = [];
}

/// <summary>Addresses, and networks as address/bits.</summary>
[AttributeUsage(AttributeTargets.Property)]
internal sealed class TrustedProxiesAttribute : ValidationAttribute
{
    /// <summary>Null: it is neither.</summary>
    public static IPNetwork? Parse(string text) =>
        IPAddress.TryParse(text, out var address) ? new IPNetwork(address, address.GetAddressBytes().Length * 8)
        : IPNetwork.TryParse(text, out var network) ? network
        : null;

    protected override ValidationResult? IsValid(object? value, ValidationContext validationContext)
    {
        var wrong = ((IReadOnlyList<string>?)value ?? []).FirstOrDefault(text => Parse(text) is null);
        return wrong is null ? ValidationResult.Success : new ValidationResult($"Gateway:TrustedProxies must be addresses or networks such as 10.0.0.0/8, and one is \"{wrong}\".");
    }
}

/// <summary>Origins as a browser sends them: scheme, host and port, and nothing after.</summary>
[AttributeUsage(AttributeTargets.Property)]
internal sealed class CorsOriginsAttribute : ValidationAttribute
{
    protected override ValidationResult? IsValid(object? value, ValidationContext validationContext)
    {
        var wrong = ((IReadOnlyList<string>?)value ?? []).FirstOrDefault(origin =>
            !Uri.TryCreate(origin, UriKind.Absolute, out var uri) || uri.Scheme is not ("http" or "https") || uri.GetLeftPart(UriPartial.Authority) != origin);
        return wrong is null ? ValidationResult.Success : new ValidationResult($"Gateway:CorsOrigins must be origins such as https://shop.example, and one is \"{wrong}\".");
    }
}

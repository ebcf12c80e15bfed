using System.ComponentModel.DataAnnotations;
using Commerce.ServiceDefaults;

namespace Commerce.Gateway.Shoppers;

/// <summary>How shoppers open their orders, and how guessing is slowed: section "Shoppers" of the configuration.</summary>
public sealed class ShopperOptions : IValidatableObject
{
    public const string Section = "Shoppers";

    /// <summary>Signs order sessions: at least 32 characters; two of them, separated by a space, while one is changed for the other: the first signs.</summary>
    [Required]
    public string SessionKey { get; set; } = "";

    /// <summary>What Notifications signs the links in its messages with; in the same form.</summary>
    [Required]
    public string LinkKey { get; set; } = "";

    /// <summary>How long an order session is good.</summary>
    [Range(typeof(TimeSpan), "00:00:01", "1.00:00:00")]
    public TimeSpan SessionFor { get; set; } = TimeSpan.FromMinutes(30);

    /// <summary>
    /// Opening an order is answered so long after it was asked, or a multiple of that, whatever became of it: longer than the services
    /// take for it, so that the time tells nothing.
    /// </summary>
    [Range(typeof(TimeSpan), "00:00:00", "00:00:10")]
    public TimeSpan AnswerAfter { get; set; } = TimeSpan.FromMilliseconds(400);

    /// <summary>With which codes a postal code opens an order. A stranger who has a Tracking ID sees in which town the parcel arrived.</summary>
    public PostalCodeUse PostalCode { get; set; } = PostalCodeUse.AnyCode;

    /// <summary>The ids of the stores whose orders no postal code opens.</summary>
    public IReadOnlyList<string> NoPostalCodeStores { get; set; } = [];

    /// <summary>Guesses at one code with an e-mail address or a telephone number.</summary>
    public SlowDown PerCode { get; set; } = new() { Free = 5, First = TimeSpan.FromSeconds(2), Longest = TimeSpan.FromMinutes(10) };

    /// <summary>Guesses at one code with a postal code, of which there are few.</summary>
    public SlowDown PerCodeByPostalCode { get; set; } = new() { Free = 3, First = TimeSpan.FromSeconds(10), Longest = TimeSpan.FromHours(1) };

    /// <summary>Guesses from one address, at whatever code: of IPv6 from one /64.</summary>
    public SlowDown PerAddress { get; set; } = new() { Free = 20, First = TimeSpan.FromSeconds(1), Longest = TimeSpan.FromMinutes(15) };

    /// <summary>Guesses a second altogether, in the long run.</summary>
    [Range(0.001, 1_000_000)]
    public double GuessesPerSecond { get; set; } = 20;

    /// <summary>Guesses at once altogether, after a quiet time.</summary>
    [Range(1, 1_000_000)]
    public int GuessesAtOnce { get; set; } = 500;

    /// <summary>Wrong and slowed guesses in a minute, at one node, that somebody is told of.</summary>
    [Range(1, 1_000_000)]
    public int AlarmAt { get; set; } = 100;

    /// <summary>Some guesses are free; after them each has to wait twice as long as the one before.</summary>
    public sealed class SlowDown
    {
        /// <summary>Guesses that nobody has to wait for.</summary>
        [Range(0, 10_000)]
        public int Free { get; set; }

        /// <summary>How long the first one after them has to wait.</summary>
        public TimeSpan First { get; set; }

        /// <summary>How long one has to wait at most: who it really is must not be locked out for ever.</summary>
        public TimeSpan Longest { get; set; }

        /// <summary>After so long without a guess all is forgotten.</summary>
        public TimeSpan ForgetAfter { get; set; } = TimeSpan.FromDays(1);
    }

    public IEnumerable<ValidationResult> Validate(ValidationContext validationContext)
    {
        foreach (var (name, secrets) in new[] { (nameof(SessionKey), SessionKey), (nameof(LinkKey), LinkKey) })
        {
            if (!OrderLinks.AreSecrets(secrets))
                yield return new ValidationResult($"{Section}:{name} must be a secret of at least {AccessOptions.ShortestSecret} characters.", [name]);
        }

        foreach (var (name, rule) in new[] { (nameof(PerCode), PerCode), (nameof(PerCodeByPostalCode), PerCodeByPostalCode), (nameof(PerAddress), PerAddress) })
        {
            if (rule.Free < 0 || rule.First <= TimeSpan.Zero || rule.Longest < rule.First || rule.ForgetAfter <= rule.Longest || rule.ForgetAfter > TimeSpan.FromDays(30))
                yield return new ValidationResult($"{Section}:{name} must have a First of more than zero, a Longest of at least that, and a ForgetAfter of more than Longest and at most 30 days.", [name]);
        }
    }
}

/// <summary>With which codes a postal code opens an order.</summary>
public enum PostalCodeUse
{
    /// <summary>With either code.</summary>
    AnyCode,

    /// <summary>With the Order ID alone, which is in nobody's sight but the shopper's.</summary>
    OrderId,

    /// <summary>With none.</summary>
    Never,
}

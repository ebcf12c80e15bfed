using System.ComponentModel.DataAnnotations;
using Commerce.Messaging;
using Commerce.Shipments.Carriers;

namespace Commerce.Shipments;

/// <summary>Section "Shipments"; validated on start.</summary>
public sealed class ShipmentsOptions
{
    /// <summary>The carriers that are asked for rates, by code.</summary>
    [MinLength(1)]
    public string[] Carriers { get; set; } = [];

    /// <summary>Carriers that speak JSON over HTTP and are known by their description alone.</summary>
    public HttpCarrierOptions[] HttpCarriers { get; set; } = [];

    /// <summary>EasyPost, an aggregator; used where it has a key.</summary>
    public EasyPostOptions EasyPost { get; set; } = new();

    /// <summary>Rates are chosen from the carriers that answered within this time.</summary>
    [Range(typeof(TimeSpan), "00:00:00.1", "00:00:30")]
    public TimeSpan RatesWithin { get; set; } = TimeSpan.FromSeconds(5);

    /// <summary>Attempts at a label before the parcel shows an exception; trying goes on, more slowly.</summary>
    [Range(1, 100)]
    public int LabelAttemptsBeforeException { get; set; } = 4;

    /// <summary>The pause after the first failed attempt at a carrier; it doubles with each.</summary>
    [Range(typeof(TimeSpan), "00:00:00.01", "00:10:00")]
    public TimeSpan FirstRetryAfter { get; set; } = TimeSpan.FromMilliseconds(500);

    /// <summary>The longest pause between two attempts at a carrier.</summary>
    [Range(typeof(TimeSpan), "00:00:00.01", "1.00:00:00")]
    public TimeSpan LongestRetryAfter { get; set; } = TimeSpan.FromMinutes(2);

    /// <summary>
    /// No scan for so long, and the carrier is asked; still nothing, and the parcel shows an exception. This holds until it is learned what
    /// is usual for a carrier; from a day on, weekends and holidays do not count.
    /// </summary>
    [Range(typeof(TimeSpan), "00:00:00.1", "60.00:00:00")]
    public TimeSpan SilenceAfter { get; set; } = TimeSpan.FromDays(2);

    /// <summary>However often a carrier usually scans, less silence than this is borne; watched parcels are looked at at least so often.</summary>
    [Range(typeof(TimeSpan), "00:00:00.1", "60.00:00:00")]
    public TimeSpan SilenceAtLeast { get; set; } = TimeSpan.FromHours(12);

    /// <summary>However seldom a carrier usually scans, more silence than this is not borne.</summary>
    [Range(typeof(TimeSpan), "00:00:00.1", "200.00:00:00")]
    public TimeSpan SilenceAtMost { get; set; } = TimeSpan.FromDays(30);

    /// <summary>Carriers that send no webhooks, by code: they are asked, the sooner the more is due.</summary>
    public string[] PolledCarriers { get; set; } = [];

    /// <summary>A polled carrier is asked this often for a parcel that is out for delivery, or whose day of delivery has come.</summary>
    [Range(typeof(TimeSpan), "00:00:00.1", "1.00:00:00")]
    public TimeSpan PollWhenDue { get; set; } = TimeSpan.FromMinutes(15);

    /// <summary>… for one that is on its way; for one that is not handed over yet half as often, and ever more seldom for one that stays silent.</summary>
    [Range(typeof(TimeSpan), "00:00:00.1", "7.00:00:00")]
    public TimeSpan PollOnTheWay { get; set; } = TimeSpan.FromHours(3);

    /// <summary>… and at least this often as long as it is on its way.</summary>
    [Range(typeof(TimeSpan), "00:00:00.1", "30.00:00:00")]
    public TimeSpan PollAtLeast { get; set; } = TimeSpan.FromDays(1);

    /// <summary>How many transactions keep scans at a time; scans that come meanwhile are kept together by the next.</summary>
    [Range(1, 50)]
    public int IngestingTransactions { get; set; } = 4;

    /// <summary>A scan's time may lie so far ahead of ours before it is taken for a wrong clock.</summary>
    [Range(typeof(TimeSpan), "00:00:00", "2.00:00:00")]
    public TimeSpan FutureTolerance { get; set; } = TimeSpan.FromHours(26);

    /// <summary>Scans of a number that no parcel bears wait so long for one.</summary>
    [Range(typeof(TimeSpan), "00:01:00", "400.00:00:00")]
    public TimeSpan UnclaimedScansKept { get; set; } = TimeSpan.FromDays(30);

    /// <summary>A carrier that has not decided a claim is asked again, at last after this.</summary>
    public TimeSpan ClaimAskedAfter { get; set; } = TimeSpan.FromHours(6);

    /// <summary>JSON files, each the shape of a payload of a carrier that is not built in (docs/payloads.md).</summary>
    public string[] PayloadShapes { get; set; } = [];

    /// <summary>A piece whose weight nobody knows is taken to weigh this, in grams.</summary>
    [Range(1, 1_000_000)]
    public int DefaultPieceGrams { get; set; } = 500;

    /// <summary>What leaves one place for one order is cut into parcels of at most this weight, in grams.</summary>
    [Range(1_000, 1_000_000)]
    public int HeaviestParcelGrams { get; set; } = 30_000;

    /// <summary>… and of at most this volume, in litres.</summary>
    [Range(1, 10_000)]
    public int LargestParcelLitres { get; set; } = 150;

    /// <summary>A parcel is looked at for the first time so long after it got its number.</summary>
    internal TimeSpan FirstAskAfter(Shipment shipment) => IsPolled(shipment) ? PollOnTheWay : SilenceAtLeast < SilenceAfter ? SilenceAtLeast : SilenceAfter;

    /// <summary>Its carrier, or the aggregator that sold its label, sends no webhooks.</summary>
    internal bool IsPolled(Shipment shipment) => PolledCarriers.Contains(shipment.Carrier) || (shipment.Seller is { } seller && PolledCarriers.Contains(seller));

    /// <summary>How often delivered parcels are learned from for the estimates of others.</summary>
    [Range(typeof(TimeSpan), "00:00:00.1", "1.00:00:00")]
    public TimeSpan LearnEvery { get; set; } = TimeSpan.FromMinutes(1);

    /// <summary>The pause after a failed attempt, the first being 1.</summary>
    public TimeSpan RetryAfter(int attempt) => BackOff.After(attempt, FirstRetryAfter, LongestRetryAfter);
}

/// <summary>Section "Webhooks".</summary>
public sealed class WebhookOptions
{
    /// <summary>What carriers sign with that have no secret of their own.</summary>
    [Required, MinLength(8)]
    public string Secret { get; set; } = "";

    /// <summary>Accepted as well while carriers change from one secret to the next; empty otherwise.</summary>
    public string PreviousSecret { get; set; } = "";

    /// <summary>Carriers and aggregators with secrets or keys of their own, by code, for example "easypost".</summary>
    public Dictionary<string, WebhookSource> Sources { get; set; } = [];

    /// <summary>What a source signs with.</summary>
    public WebhookSource Of(string source) =>
        Sources.TryGetValue(source, out var own) && own.Secrets.Count + own.PublicKeys.Length > 0 ? own : new WebhookSource { Secret = Secret, PreviousSecret = PreviousSecret };
}

/// <summary>What one source of webhooks signs with.</summary>
public sealed class WebhookSource
{
    /// <summary>The secret that was agreed; empty where it signs with a key.</summary>
    public string Secret { get; set; } = "";

    /// <summary>Accepted as well while it changes from one secret to the next; empty otherwise.</summary>
    public string PreviousSecret { get; set; } = "";

    /// <summary>Its public RSA keys, PEM, where it signs with one.</summary>
    public string[] PublicKeys { get; set; } = [];

    /// <summary>Every secret that is valid now.</summary>
    public IReadOnlyList<string> Secrets => [.. new[] { Secret, PreviousSecret }.Where(secret => secret.Length > 0)];
}

using Commerce.Shipments.RateCards;
using Commerce.Shipments.Serviceability;
using Commerce.Shipping.Postal;
using Commerce.Shipping.Rates;
using Npgsql;

namespace Commerce.Shipments.ReferenceData;

/// <summary>A carrier's list of postal codes, and which version it is.</summary>
internal sealed record VersionedList(CarrierList List, long Version, DateTimeOffset UploadedAt);

/// <summary>What changes seldom and is asked often, as it was at one moment.</summary>
internal sealed record ReferenceSnapshot(PostalDirectory Postal, IReadOnlyDictionary<string, VersionedList> Lists, RateBook Cards)
{
    public static readonly ReferenceSnapshot Empty = new(PostalDirectory.Empty, new Dictionary<string, VersionedList>(), RateBook.Empty);

    /// <summary>An end of a parcel's way, as rates are asked for it.</summary>
    public RatePlace PlaceOf(PlaceRecord place)
    {
        var code = PostalFormats.Normalise(place.Country, place.PostalCode);
        return new RatePlace(place.Country, place.Region, code, code is null ? null : Postal.PositionOf(code));
    }
}

/// <summary>
/// Keeps postal codes, carriers' lists and rate cards in memory. What this replica stores it has at once; what another stores it has
/// after <see cref="ReferenceRefresher.Pause"/>: one look at the versions, and only what is newer is read.
/// </summary>
internal sealed partial class ReferenceBook(NpgsqlDataSource database, ILogger<ReferenceBook> logger) : IDisposable
{
    private readonly SemaphoreSlim _refreshing = new(1);
    private readonly Dictionary<string, PricedCard> _cards = new(StringComparer.Ordinal);
    private Dictionary<(string Kind, string Key), long> _versions = [];
    private volatile ReferenceSnapshot? _snapshot;

    /// <summary>As it is known here; waits for the first look.</summary>
    public async ValueTask<ReferenceSnapshot> Get(CancellationToken cancellationToken)
    {
        if (_snapshot is null)
            await Refresh(cancellationToken);
        return _snapshot ?? ReferenceSnapshot.Empty;
    }

    /// <summary>Reads what changed since the last look.</summary>
    public async Task Refresh(CancellationToken cancellationToken)
    {
        await _refreshing.WaitAsync(cancellationToken);
        try
        {
            var versions = await Versions(cancellationToken);
            var changed = versions.Where(pair => _versions.GetValueOrDefault(pair.Key) != pair.Value).Select(pair => pair.Key).ToList();
            if (_snapshot is { } known && changed.Count == 0)
                return;
            var before = _snapshot ?? ReferenceSnapshot.Empty;
            var countries = changed.Where(one => one.Kind == "postal").Select(one => one.Key).ToArray();
            var lists = new Dictionary<string, VersionedList>(before.Lists, StringComparer.Ordinal);
            foreach (var (_, carrier) in changed.Where(one => one.Kind == "list"))
                lists[carrier] = await UploadServiceability.Read(database, carrier, versions[("list", carrier)], cancellationToken);
            if (changed.Exists(one => one.Kind == "card"))
                await ReadCards(changed, versions, cancellationToken);
            var postal = countries.Length == 0 ? before.Postal : before.Postal.With(await LoadPostalCodes.Read(database, countries, cancellationToken));
            _snapshot = new ReferenceSnapshot(postal, lists, changed.Exists(one => one.Kind == "card") ? new RateBook(_cards.Values) : before.Cards);
            _versions = versions;
            LogRead(changed.Count, postal.Codes, postal.Size / 1_000_000);
        }
        finally
        {
            _refreshing.Release();
        }
    }

    public void Dispose() => _refreshing.Dispose();

    private async Task<Dictionary<(string Kind, string Key), long>> Versions(CancellationToken cancellationToken)
    {
        await using var command = database.CreateCommand(
            """
            SELECT 'postal', country, version FROM postal_tables
            UNION ALL SELECT 'list', carrier, max(version) FROM carrier_lists GROUP BY carrier
            UNION ALL SELECT 'card', carrier || '/' || rate_card_id, max(version) FROM rate_cards GROUP BY carrier, rate_card_id
            """);
        await using var reader = await command.ExecuteReaderAsync(cancellationToken);
        var versions = new Dictionary<(string Kind, string Key), long>();
        while (await reader.ReadAsync(cancellationToken))
            versions[(reader.GetString(0), reader.GetString(1))] = reader.GetInt64(2);
        return versions;
    }

    private async Task ReadCards(IEnumerable<(string Kind, string Key)> changed, Dictionary<(string Kind, string Key), long> versions, CancellationToken cancellationToken)
    {
        foreach (var (_, name) in changed.Where(one => one.Kind == "card"))
        {
            var (carrier, id) = (name[..name.IndexOf('/', StringComparison.Ordinal)], name[(name.IndexOf('/', StringComparison.Ordinal) + 1)..]);
            if (await RateCardStore.Find(database, carrier, id, versions[("card", name)], cancellationToken) is not { } card)
                continue;
            // An older version of this service may have let pass what this one does not.
            if (RateCardReader.Read(carrier, id, card, out var problems) is { } priced)
                _cards[name] = priced;
            else
                LogRefused(name, problems[0].Path, problems[0].Message);
        }
    }

    [LoggerMessage(LogLevel.Information, "{Count} lists and rate cards were read; {Codes} postal codes are known, in {Megabytes} MB.")]
    private partial void LogRead(int count, int codes, long megabytes);

    [LoggerMessage(LogLevel.Warning, "Rate card {Card} is not used: {Path}: {Problem}")]
    private partial void LogRefused(string card, string path, string problem);
}

using Commerce.Messaging;
using Commerce.ServiceDefaults;
using Commerce.Shipments.Carriers;
using Commerce.Shipments.ReferenceData;
using Commerce.Shipments.V1;
using Commerce.Shipping.Rates;
using Commerce.Types.V1;
using Google.Protobuf;
using Google.Protobuf.WellKnownTypes;
using Npgsql;
using NpgsqlTypes;

namespace Commerce.Shipments.RateCards;

/// <summary>Rate cards in Postgres, every version of each.</summary>
internal sealed class RateCardStore(NpgsqlDataSource database, Requests requests, ReferenceBook book, CarrierDirectory carriers, TimeProvider time)
{
    private const string NextVersion = "rate_cards_pkey";

    private static readonly JsonFormatter Writer = new(JsonFormatter.Settings.Default);
    // A later version of this service may have written more.
    private static readonly JsonParser Reader = new(JsonParser.Settings.Default.WithIgnoreUnknownFields(true));

    /// <exception cref="Failure">INVALID_FIELD, CARRIER_NOT_FOUND, REQUEST_ID_REUSED.</exception>
    public async Task<RateCard> Upload(UploadRateCardRequest request, RequestKey key, string actor, CancellationToken cancellationToken)
    {
        var card = request.RateCard?.Clone() ?? throw Failure.Invalid(new FieldError("rate_card", "Send the card."));
        var (carrier, id) = RateCardName.Parse("rate_card.name", card.Name);
        carriers.Get(carrier);
        (card.Version, card.UploadTime) = (0, null);
        if (RateCardReader.Read(carrier, id, card, out var problems) is null)
            throw Failure.Invalid([.. problems.Select(problem => new FieldError($"rate_card.{problem.Path}", problem.Message))]);
        if (request.ValidateOnly)
            return card;
        if (request.RequestId.Length is 0 or > 128)
            throw Failure.Invalid(new FieldError("request_id", "Give 1 to 128 characters, the same for each attempt at the same upload."));

        card.Name = "";
        var json = Writer.Format(card);
        while (true)
        {
            var version = await LastVersion(carrier, id, cancellationToken) + 1;
            try
            {
                var outcome = await requests.Once(
                    key, RateCardName.Of(carrier, id), version,
                    batch => batch.BatchCommands.Add(new NpgsqlBatchCommand("INSERT INTO rate_cards (carrier, rate_card_id, version, card, uploaded_at, uploaded_by) VALUES ($1, $2, $3, $4, $5, $6)")
                    {
                        Parameters =
                        {
                            Text(carrier), Text(id), new NpgsqlParameter<long> { TypedValue = version },
                            new NpgsqlParameter<string> { TypedValue = json, NpgsqlDbType = NpgsqlDbType.Jsonb },
                            new NpgsqlParameter<DateTimeOffset> { TypedValue = time.GetUtcNow() }, Text(actor),
                        },
                    }),
                    cancellationToken);
                await book.Refresh(cancellationToken);
                return await Find(database, carrier, id, outcome.Answer.Version, cancellationToken) ?? throw new InvalidOperationException($"Rate card {carrier}/{id} has lost its version {outcome.Answer.Version}.");
            }
            catch (PostgresException exception) when (exception is { SqlState: PostgresErrorCodes.UniqueViolation, ConstraintName: NextVersion })
            {
                // Another upload took the number: this one is the next.
            }
        }
    }

    /// <exception cref="Failure">INVALID_FIELD, RATE_CARD_NOT_FOUND.</exception>
    public async Task<RateCard> Get(GetRateCardRequest request, CancellationToken cancellationToken)
    {
        var (carrier, id) = RateCardName.Parse("name", request.Name);
        if (request.Version < 0)
            throw Failure.Invalid(new FieldError("version", "Give a version, or 0 for the newest."));
        var version = request.Version == 0 ? await LastVersion(carrier, id, cancellationToken) : request.Version;
        return await Find(database, carrier, id, version, cancellationToken)
            ?? throw new Failure(ErrorReason.RateCardNotFound, request.Version == 0 ? $"{carrier} has no rate card {id}." : $"Rate card {id} of {carrier} has no version {request.Version}.");
    }

    /// <summary>The newest version of each, without what makes them long, by carrier and id.</summary>
    public async Task<IReadOnlyList<RateCard>> List(string? carrier, (string Carrier, string Id) after, int limit, CancellationToken cancellationToken)
    {
        await using var command = database.CreateCommand(
            """
            SELECT DISTINCT ON (carrier, rate_card_id) carrier, rate_card_id, version, card - 'zones' - 'services' - 'surcharges', uploaded_at FROM rate_cards
            WHERE ($1 IS NULL OR carrier = $1) AND (carrier, rate_card_id) > ($2, $3) ORDER BY carrier, rate_card_id, version DESC LIMIT $4
            """);
        command.Parameters.Add(new NpgsqlParameter { Value = (object?)carrier ?? DBNull.Value, NpgsqlDbType = NpgsqlDbType.Text });
        command.Parameters.AddRange((NpgsqlParameter[])[Text(after.Carrier), Text(after.Id), new NpgsqlParameter<int> { TypedValue = limit }]);
        await using var reader = await command.ExecuteReaderAsync(cancellationToken);
        var cards = new List<RateCard>();
        while (await reader.ReadAsync(cancellationToken))
            cards.Add(Read(reader));
        return cards;
    }

    public static async Task<RateCard?> Find(NpgsqlDataSource database, string carrier, string id, long version, CancellationToken cancellationToken)
    {
        await using var command = database.CreateCommand("SELECT carrier, rate_card_id, version, card, uploaded_at FROM rate_cards WHERE carrier = $1 AND rate_card_id = $2 AND version = $3");
        command.Parameters.AddRange((NpgsqlParameter[])[Text(carrier), Text(id), new NpgsqlParameter<long> { TypedValue = version }]);
        await using var reader = await command.ExecuteReaderAsync(cancellationToken);
        return await reader.ReadAsync(cancellationToken) ? Read(reader) : null;
    }

    private async Task<long> LastVersion(string carrier, string id, CancellationToken cancellationToken)
    {
        await using var command = database.CreateCommand("SELECT coalesce(max(version), 0) FROM rate_cards WHERE carrier = $1 AND rate_card_id = $2");
        command.Parameters.AddRange((NpgsqlParameter[])[Text(carrier), Text(id)]);
        return (long)(await command.ExecuteScalarAsync(cancellationToken))!;
    }

    private static RateCard Read(NpgsqlDataReader reader)
    {
        var card = Reader.Parse<RateCard>(reader.GetString(3));
        (card.Name, card.Version) = (RateCardName.Of(reader.GetString(0), reader.GetString(1)), reader.GetInt64(2));
        card.UploadTime = Timestamp.FromDateTimeOffset(reader.GetFieldValue<DateTimeOffset>(4));
        return card;
    }

    private static NpgsqlParameter<string> Text(string value) => new() { TypedValue = value };
}

/// <summary>"carriers/{carrier}/rateCards/{rate_card_id}".</summary>
internal static class RateCardName
{
    private const int LongestId = 60;

    public static string Of(string carrier, string id) => $"carriers/{carrier}/rateCards/{id}";

    /// <exception cref="Failure">INVALID_FIELD.</exception>
    public static (string Carrier, string Id) Parse(string field, string name) =>
        name.Split('/') is ["carriers", { Length: > 0 } carrier, "rateCards", { Length: > 0 and <= LongestId } id] && id.All(c => char.IsAsciiLetterOrDigit(c) || c is '-' or '_' or '.')
            ? (carrier, id)
            : throw Failure.Invalid(new FieldError(field, $"Give \"carriers/{{carrier}}/rateCards/{{rate_card_id}}\", the id with 1 to {LongestId} letters, digits, dashes, underscores or points, for example \"carriers/dhl/rateCards/domestic-2026\"."));
}

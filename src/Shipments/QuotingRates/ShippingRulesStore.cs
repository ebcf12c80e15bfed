using System.Globalization;
using Commerce.Messaging;
using Commerce.ServiceDefaults;
using Commerce.Shipments.Carriers;
using Commerce.Shipments.V1;
using Commerce.Shipping.Rates;
using Commerce.Types.V1;
using Google.Protobuf.Collections;
using Google.Protobuf.WellKnownTypes;
using Npgsql;
using Goal = Commerce.Shipments.V1.ShippingRules.Types.Goal;

namespace Commerce.Shipments.QuotingRates;

/// <summary>What stores want of their carriers.</summary>
internal sealed class ShippingRulesStore(NpgsqlDataSource database, Requests requests, CarrierDirectory carriers, TimeProvider time)
{
    private const string NamePrefix = "shippingRules/";
    private const int LongestStoreId = 40;
    private const int MostNames = 50;
    private const int LongestName = 100;

    /// <exception cref="Failure">INVALID_FIELD.</exception>
    public async Task<V1.ShippingRules> Get(string name, CancellationToken cancellationToken)
    {
        var storeId = StoreOf("name", name);
        return Message(storeId, await Read(storeId, cancellationToken));
    }

    /// <summary>Those by which the store's offers are ranked.</summary>
    public async Task<Shipping.Rates.ShippingRules> Of(string storeId, CancellationToken cancellationToken) => (await Read(storeId, cancellationToken)).Rules;

    /// <exception cref="Failure">INVALID_FIELD, ETAG_MISMATCH, REQUEST_ID_REUSED.</exception>
    public async Task<V1.ShippingRules> Update(UpdateShippingRulesRequest request, RequestKey key, CancellationToken cancellationToken)
    {
        var wanted = request.ShippingRules ?? throw Failure.Invalid(new FieldError("shipping_rules", "Send the rules."));
        var storeId = StoreOf("shipping_rules.name", wanted.Name);
        var errors = new List<FieldError>();
        RequestIds.Check(errors, request.RequestId);
        if (!System.Enum.IsDefined(wanted.Goal))
            errors.Add(new FieldError("shipping_rules.goal", "Give GOAL_CHEAPEST_IN_TIME, GOAL_FASTEST or GOAL_CHEAPEST."));
        Names("shipping_rules.preferred", wanted.Preferred, errors);
        Names("shipping_rules.never", wanted.Never, errors);
        errors.AddRange(wanted.Preferred.Where(wanted.Never.Contains).Select(name => new FieldError("shipping_rules.never", $"\"{name}\" is preferred as well: say one of both.")));
        if (errors.Count > 0)
            throw Failure.Invalid(errors);

        while (true)
        {
            var (_, version, _) = await Read(storeId, cancellationToken);
            // The same request again, after the first changed the etag, has its answer already.
            if (await requests.Find(key, cancellationToken) is not null)
                return await Get(wanted.Name, cancellationToken);
            if (wanted.Etag.Length > 0 && wanted.Etag != EtagOf(version))
                throw new Failure(ErrorReason.EtagMismatch, $"The rules of store \"{storeId}\" changed since their etag was read; read them again.", new FieldError("shipping_rules.etag", "Is not their etag any more."));
            if (await Write(storeId, wanted, version, key, cancellationToken))
                return await Get(wanted.Name, cancellationToken);
        }
    }

    // False if somebody else changed them since they were read: look again.
    private async Task<bool> Write(string storeId, V1.ShippingRules wanted, long before, RequestKey key, CancellationToken cancellationToken)
    {
        await using var connection = await database.OpenConnectionAsync(cancellationToken);
        await using var transaction = await connection.BeginTransactionAsync(cancellationToken);
        await using var batch = new NpgsqlBatch(connection, transaction);
        batch.BatchCommands.Add(requests.Record(key, NamePrefix + storeId, before + 1));
        batch.BatchCommands.Add(new NpgsqlBatchCommand(
            """
            INSERT INTO shipping_rules AS r (store_id, goal, preferred, never, version, updated_at) VALUES ($1, $2, $3, $4, $5, $6)
            ON CONFLICT (store_id) DO UPDATE SET goal = $2, preferred = $3, never = $4, version = $5, updated_at = $6 WHERE r.version = $5 - 1
            """)
        {
            Parameters =
            {
                new NpgsqlParameter<string> { TypedValue = storeId },
                new NpgsqlParameter<short> { TypedValue = (short)(wanted.Goal == Goal.Unspecified ? Goal.CheapestInTime : wanted.Goal) },
                new NpgsqlParameter<string[]> { TypedValue = [.. wanted.Preferred] },
                new NpgsqlParameter<string[]> { TypedValue = [.. wanted.Never] },
                new NpgsqlParameter<long> { TypedValue = before + 1 },
                new NpgsqlParameter<DateTimeOffset> { TypedValue = time.GetUtcNow() },
            },
        });
        try
        {
            await batch.ExecuteNonQueryAsync(cancellationToken);
            if (batch.BatchCommands[1].RecordsAffected == 0)
                return false;
            await transaction.CommitAsync(cancellationToken);
            return true;
        }
        catch (PostgresException exception) when (Requests.IsRepeated(exception))
        {
            return false;
        }
    }

    private void Names(string field, RepeatedField<string> names, List<FieldError> errors)
    {
        if (names.Count > MostNames)
            errors.Add(new FieldError(field, $"Has {names.Count} names; at most {MostNames} are allowed."));
        for (var i = 0; i < Math.Min(names.Count, MostNames); i++)
        {
            var parts = names[i].Split('/');
            if (names[i].Length > LongestName || parts.Length > 2 || parts.Any(part => part.Length == 0) || carriers.Find(parts[0]) is null)
                errors.Add(new FieldError($"{field}[{i}]", $"Give a configured carrier, or a carrier and its service with a slash between: {string.Join(", ", carriers.All.Select(carrier => carrier.Code).Order(StringComparer.Ordinal))}."));
        }
    }

    private async Task<(Shipping.Rates.ShippingRules Rules, long Version, DateTimeOffset UpdatedAt)> Read(string storeId, CancellationToken cancellationToken)
    {
        await using var command = database.CreateCommand("SELECT goal, preferred, never, version, updated_at FROM shipping_rules WHERE store_id = $1");
        command.Parameters.Add(new NpgsqlParameter<string> { TypedValue = storeId });
        await using var reader = await command.ExecuteReaderAsync(cancellationToken);
        if (!await reader.ReadAsync(cancellationToken))
            return (Shipping.Rates.ShippingRules.Default, 0, default);
        var goal = (Goal)reader.GetInt16(0) switch { Goal.Fastest => ShippingGoal.Fastest, Goal.Cheapest => ShippingGoal.Cheapest, _ => ShippingGoal.CheapestInTime };
        return (new Shipping.Rates.ShippingRules(goal, reader.GetFieldValue<string[]>(1), reader.GetFieldValue<string[]>(2)), reader.GetInt64(3), reader.GetFieldValue<DateTimeOffset>(4));
    }

    private static V1.ShippingRules Message(string storeId, (Shipping.Rates.ShippingRules Rules, long Version, DateTimeOffset UpdatedAt) stored) => new()
    {
        Name = NamePrefix + storeId,
        Goal = stored.Rules.Goal switch { ShippingGoal.Fastest => Goal.Fastest, ShippingGoal.Cheapest => Goal.Cheapest, _ => Goal.CheapestInTime },
        Preferred = { stored.Rules.Preferred },
        Never = { stored.Rules.Never },
        UpdateTime = stored.Version == 0 ? null : Timestamp.FromDateTimeOffset(stored.UpdatedAt),
        Etag = EtagOf(stored.Version),
    };

    private static string EtagOf(long version) => string.Create(CultureInfo.InvariantCulture, $"\"{version}\"");

    private static string StoreOf(string field, string name) =>
        name.StartsWith(NamePrefix, StringComparison.Ordinal) && name[NamePrefix.Length..] is { Length: > 0 and <= LongestStoreId } store && !store.Contains('/', StringComparison.Ordinal)
            ? store
            : throw Failure.Invalid(new FieldError(field, "Give \"shippingRules/{store_id}\", for example \"shippingRules/main\"."));
}

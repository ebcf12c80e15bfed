using System.Globalization;
using Commerce.Gateway.Limits;
using Commerce.Gateway.Shoppers;
using Commerce.Gateway.V1;
using Commerce.Messaging;
using Commerce.Orders.V1;
using Commerce.ServiceDefaults;
using Commerce.Types.V1;
using Google.Protobuf.WellKnownTypes;
using Grpc.Core;
using Microsoft.Extensions.Options;

namespace Commerce.Gateway.Access;

/// <summary>commerce.gateway.v1.AccessService.</summary>
internal sealed class AccessGrpcService(
    ApiKeyStore store, ApiKeys keys, EndedSessions sessions, OrderService.OrderServiceClient orders, Requests requests, RateLimits limits, IOptions<LimitOptions> limitOptions, TimeProvider time)
    : AccessService.AccessServiceBase
{
    private const int DefaultOnPage = 50;
    private const int MostOnPage = 500;
    private const int MostStores = 100;
    private const int LongestName = 100;
    private const int LongestId = 128;
    private const string Orders = "orders/";

    private static readonly TimeSpan DefaultOverlap = TimeSpan.FromDays(1);
    private static readonly TimeSpan LongestOverlap = TimeSpan.FromDays(30);
    private static readonly ScopeSet ForStaff = ScopeSet.Of(Scope.MessagingAdmin, Scope.AccessAdmin, Scope.PrivacyAdmin, Scope.AuditRead, Scope.DocumentsLegal);

    public override async Task<V1.ApiKey> CreateApiKey(CreateApiKeyRequest request, ServerCallContext context)
    {
        var (caller, now) = (Principal.Of(context), time.GetUtcNow());
        var scopes = Check(request, now);
        foreach (var name in scopes.ToNames().Where(name => !caller.Scopes.Has(ScopeSet.Parse(name)!.Value)))
        {
            throw new Failure(ErrorReason.ScopeMissing, $"Nobody gives what it has not got: {caller} has not been given {name}.", new FieldError("scopes", $"{name} is not yours to give."))
            {
                Metadata = new Dictionary<string, string> { ["scope"] = name },
            };
        }

        var secret = ApiKey.NewSecret();
        var key = new ApiKey(
            ApiKey.NewId(), request.DisplayName, [.. request.StoreIds.Distinct(StringComparer.Ordinal)], [.. scopes.ToNames()], ApiKey.Hash(secret), null, null,
            now, caller.ToString(), request.ExpireTime?.ToDateTimeOffset(), null, null);
        var outcome = await requests.Once(
            RequestKey.For(context, request.RequestId, request), ApiKey.Collection + key.Id, 1, batch => batch.BatchCommands.Add(ApiKeyStore.Insert(key)), context.CancellationToken);
        return outcome.Repeated ? (await Find(outcome.Answer.Resource, context.CancellationToken)).ToProto(now) : key.ToProto(now, secret);
    }

    public override async Task<ListApiKeysResponse> ListApiKeys(ListApiKeysRequest request, ServerCallContext context)
    {
        if (request.PageSize is < 0 or > MostOnPage)
            throw Failure.Invalid(new FieldError("page_size", $"Must be 0 (for {DefaultOnPage}) to {MostOnPage}."));
        var size = request.PageSize == 0 ? DefaultOnPage : request.PageSize;
        var found = await store.List(PageToken.Decode(request) is { } position ? Position(position) : null, size + 1, context.CancellationToken);
        var now = time.GetUtcNow();
        var response = new ListApiKeysResponse { ApiKeys = { found.Take(size).Select(key => key.ToProto(now)) } };
        if (found.Count > size)
            response.NextPageToken = PageToken.Encode(request, string.Create(CultureInfo.InvariantCulture, $"{found[size - 1].CreatedAt.UtcTicks} {found[size - 1].Id}"));
        return response;
    }

    public override async Task<V1.ApiKey> RotateApiKey(RotateApiKeyRequest request, ServerCallContext context)
    {
        var errors = new List<FieldError>();
        RequestId(request.RequestId, errors);
        var overlap = request.Overlap is { } given ? Read(given.ToTimeSpan) : DefaultOverlap;
        if (overlap is null || overlap < TimeSpan.Zero || overlap > LongestOverlap)
            errors.Add(new FieldError("overlap", $"Must be 0 to {LongestOverlap.TotalDays:0} days."));
        if (errors.Count > 0)
            throw Failure.Invalid(errors);

        var now = time.GetUtcNow();
        var key = await Find(request.Name, context.CancellationToken);
        if (key.RevokedAt is not null || key.ExpiresAt <= now)
            throw new Failure(ErrorReason.ApiKeyState, "The API key is revoked or over: make a new one.") { Preconditions = [("STATE", request.Name, key.RevokedAt is null ? "expired" : "revoked")] };
        var secret = ApiKey.NewSecret();
        var outcome = await requests.Once(
            RequestKey.For(context, request.RequestId, request), request.Name, 1,
            batch => batch.BatchCommands.Add(ApiKeyStore.Rotate(key.Id, ApiKey.Hash(secret), now + overlap!.Value, now)), context.CancellationToken);
        await keys.Changed(key.Id);
        return (await Find(request.Name, context.CancellationToken)).ToProto(now, outcome.Repeated ? "" : secret);
    }

    public override async Task<V1.ApiKey> RevokeApiKey(RevokeApiKeyRequest request, ServerCallContext context)
    {
        var now = time.GetUtcNow();
        var revoked = await store.Revoke(IdOf(request.Name), Principal.Of(context).ToString(), now, context.CancellationToken) ?? throw NotFound();
        await keys.Changed(revoked.Id);
        return revoked.ToProto(now);
    }

    public override async Task<EndOrderSessionsResponse> EndOrderSessions(EndOrderSessionsRequest request, ServerCallContext context)
    {
        var errors = new List<FieldError>();
        RequestId(request.RequestId, errors);
        OrderId id = default;
        if (!request.Name.StartsWith(Orders, StringComparison.Ordinal) || !OrderId.TryParse(request.Name[Orders.Length..], out id))
            errors.Add(new FieldError("name", "Expected orders/{order_id}, for example orders/ORD-7K3M9QX-T2F8CRW."));
        if (errors.Count > 0)
            throw Failure.Invalid(errors);

        if (!Principal.Of(context).MaySee(await StoreOf(id, context.CancellationToken)))
            throw NoOrder();
        var now = time.GetUtcNow();
        var outcome = await requests.Once(
            RequestKey.For(context, request.RequestId, request), Orders + id, now.ToUnixTimeMilliseconds(), batch => batch.BatchCommands.Add(EndedSessions.EndAll(id.ToString(), now)), context.CancellationToken);
        // Of a repeated call, too: the first one may have ended before it told anybody.
        await sessions.Tell(id.ToString(), context.CancellationToken);
        return new EndOrderSessionsResponse { Name = outcome.Answer.Resource, EndTime = Timestamp.FromDateTimeOffset(DateTimeOffset.FromUnixTimeMilliseconds(outcome.Answer.Version)) };
    }

    public override Task<WhoAmIResponse> WhoAmI(WhoAmIRequest request, ServerCallContext context)
    {
        var caller = Principal.Of(context);
        return Task.FromResult(new WhoAmIResponse
        {
            Principal = caller.ToString(),
            Scopes = { caller.Scopes.ToNames() },
            LimitedToStores = caller.Stores is not null,
            StoreIds = { caller.Stores?.Order(StringComparer.Ordinal) ?? Enumerable.Empty<string>() },
            CallLimits = { limits.Of(caller, context.GetHttpContext()).Told },
            OpenStreams = limitOptions.Value.OpenStreams,
        });
    }

    private async Task<string> StoreOf(OrderId id, CancellationToken cancellationToken)
    {
        try
        {
            return (await orders.GetOrderAsync(new GetOrderRequest { Name = Orders + id }, cancellationToken: cancellationToken)).StoreId;
        }
        catch (RpcException exception) when (exception.StatusCode == StatusCode.NotFound)
        {
            throw NoOrder();
        }
    }

    private static ScopeSet Check(CreateApiKeyRequest request, DateTimeOffset now)
    {
        var errors = new List<FieldError>();
        RequestId(request.RequestId, errors);
        if (request.DisplayName.Length is 0 or > LongestName || request.DisplayName.Any(char.IsControl))
            errors.Add(new FieldError("display_name", $"Give 1 to {LongestName} characters that say whose key it is."));
        if (request.StoreIds.Count is 0 or > MostStores)
            errors.Add(new FieldError("store_ids", $"Name 1 to {MostStores} stores."));
        for (var i = 0; i < request.StoreIds.Count; i++)
        {
            if (!Principal.IsId(request.StoreIds[i]))
                errors.Add(new FieldError($"store_ids[{i}]", "Is not the id of a store."));
        }

        ScopeSet scopes = default;
        if (request.Scopes.Count == 0)
            errors.Add(new FieldError("scopes", "Name at least one, for example orders.read."));
        for (var i = 0; i < request.Scopes.Count; i++)
        {
            if (ScopeSet.Parse(request.Scopes[i]) is not { } scope || ForStaff.Has(scope))
                errors.Add(new FieldError($"scopes[{i}]", $"Is not a scope that a key can have; there are {string.Join(", ", ScopeSet.AllNames.Where(name => !ForStaff.Has(ScopeSet.Parse(name)!.Value)))}."));
            else
                scopes |= ScopeSet.Of(scope);
        }

        if (request.ExpireTime is { } expire && !(Read(expire.ToDateTimeOffset) > now))
            errors.Add(new FieldError("expire_time", "Must be in the future."));
        return errors.Count == 0 ? scopes : throw Failure.Invalid(errors);
    }

    // What is none: seconds or nanoseconds out of their range.
    private static T? Read<T>(Func<T> read)
        where T : struct
    {
        try
        {
            return read();
        }
        catch (InvalidOperationException)
        {
            return null;
        }
    }

    private static void RequestId(string requestId, List<FieldError> errors)
    {
        if (requestId.Length is 0 or > LongestId)
            errors.Add(new FieldError("request_id", $"Give 1 to {LongestId} characters of your own, the same when the call is repeated."));
    }

    private async Task<ApiKey> Find(string name, CancellationToken cancellationToken) => await store.Find(IdOf(name), cancellationToken) ?? throw NotFound();

    private static string IdOf(string name) => name.StartsWith(ApiKey.Collection, StringComparison.Ordinal) && name.Length is > 8 and <= LongestId
        ? name[ApiKey.Collection.Length..]
        : throw Failure.Invalid(new FieldError("name", "Expected apiKeys/{api_key}."));

    private static (DateTimeOffset CreatedAt, string Id) Position(string text) =>
        text.Split(' ') is [var ticks, var id] && long.TryParse(ticks, NumberStyles.None, CultureInfo.InvariantCulture, out var at) && at <= DateTimeOffset.MaxValue.UtcTicks
            ? (new DateTimeOffset(at, TimeSpan.Zero), id)
            : throw PageToken.Invalid("It is not a token that this method gave out; leave it empty for the first page.");

    private static Failure NoOrder() => new(ErrorReason.OrderNotFound, "There is no such order.");

    private static Failure NotFound() => new(ErrorReason.ApiKeyNotFound, "There is no such API key.");
}

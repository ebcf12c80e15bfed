using Commerce.Gateway.V1;
using Commerce.Gateway.Views;
using Commerce.Orders.V1;
using Commerce.Payments.V1;
using Commerce.ServiceDefaults;
using Commerce.Shipments.V1;
using Commerce.Types.V1;
using Grpc.Core;
using Microsoft.Extensions.Options;
using StackExchange.Redis;

namespace Commerce.Gateway.Lookup;

/// <summary>
/// Which order a code leads to that is no Order ID: Redis knows what was found before, the services know the rest. A code is asked for in
/// every way in which it can be read, so that one that leads to two orders is said to, instead of leading to either.
/// <para>
/// In Redis: a hash "code:{key}", by what was typed. A fact that gives a code to somebody, or takes it, deletes it; besides it goes by
/// <see cref="GatewayOptions.MaxPartAge"/>, which bounds what a fact that overtook the answer can do.
/// </para>
/// </summary>
internal sealed partial class CodeBook(
    OrderService.OrderServiceClient orders,
    InvoiceService.InvoiceServiceClient invoices,
    TrackingService.TrackingServiceClient tracking,
    RedisLink link,
    ChangeFeed feed,
    IOptions<GatewayOptions> options,
    ILogger<CodeBook> logger)
{
    private const int LongestExternalId = 64;
    private static readonly TimeSpan RetryAfter = TimeSpan.FromSeconds(1);
    private static readonly string ForgetScript = ViewCache.Script("forget");

    private readonly GatewayOptions _options = options.Value;

    /// <summary>All that can be the same code, however it is typed, has one key.</summary>
    public static string KeyOf(string code) => TrackingNumber.Normalise(code) ?? code.Trim().ToUpperInvariant();

    /// <summary>What the code led to, as far as Redis knows. One round trip.</summary>
    public async Task<Located?> Known(string code, string storeId)
    {
        var values = await link.Read(RedisKeyOf(KeyOf(code)), [FieldOf(code, storeId)]);
        // The epoch stands before the rest: a code that changed hands while nobody could say so is asked for again.
        if (values?[0].ToString().Split('\n', 6) is not [var epoch, var order, var kind, var number, var resource, var others]
            || !long.TryParse(epoch, out var kept) || kept != link.Epoch || !OrderId.TryParse(order, out var id) || !Enum.TryParse<CodeKind>(kind, out var read))
            return null;
        return new Located(id, read, number, resource, others);
    }

    /// <summary>Keeps what it led to.</summary>
    public Task Keep(string code, string storeId, Located found, long epoch) => link.Ask(async redis =>
    {
        var key = RedisKeyOf(KeyOf(code));
        await Task.WhenAll(
            redis.HashSetAsync(key, FieldOf(code, storeId), $"{epoch}\n{found.Order}\n{found.Kind}\n{found.Number}\n{found.Resource}\n{found.Others}"),
            redis.KeyExpireAsync(key, _options.MaxPartAge));
        return "";
    });

    /// <summary>The code was given to somebody, or taken.</summary>
    public async Task Forget(string code)
    {
        var key = KeyOf(code);
        feed.Changed(key);
        await link.Ask(redis => redis.ScriptEvaluateAsync(ForgetScript, [RedisKeyOf(key)], [feed.Channel, feed.MessageOf(key)]));
    }

    /// <summary>Asks the services about several codes, a question to each service: for each code what it leads to, or why nothing.</summary>
    public async Task<IReadOnlyList<Asked>> Ask(IReadOnlyList<string> codes, string storeId, CancellationToken cancellationToken)
    {
        var epoch = link.Epoch;
        var numbers = codes.Select(TrackingNumber.Normalise).OfType<string>().Distinct().ToArray();
        var documents = codes.Select(DocumentOf).OfType<string>().Distinct().ToArray();
        var own = codes.Select(code => code.Trim()).Where(code => code.Length is > 0 and <= LongestExternalId).Distinct().ToArray();

        var parcels = Within("shipments", numbers, call => tracking.LookupParcelsAsync(new LookupParcelsRequest { TrackingNumbers = { numbers } }, call), cancellationToken);
        var issued = Within("payments", documents, call => invoices.LookupInvoicesAsync(new LookupInvoicesRequest { Numbers = { documents }, StoreId = storeId }, call), cancellationToken);
        var placed = Within("orders", own, call => orders.LookupOrdersAsync(new LookupOrdersRequest { ExternalIds = { own }, StoreId = storeId }, call), cancellationToken);
        var byNumber = (await parcels).Answer?.Matches.ToLookup(match => match.TrackingNumber, StringComparer.Ordinal);
        var byDocument = (await issued).Answer?.Matches.SelectMany(match => new[] { (match.Number, match), ($"{match.StoreId}.{match.Number}", match) })
            .ToLookup(one => one.Item1, one => one.match, StringComparer.Ordinal);
        var byExternalId = (await placed).Answer?.Matches.ToLookup(match => match.ExternalId, StringComparer.Ordinal);
        var down = (await parcels).Down || (await issued).Down || (await placed).Down;

        return [.. codes.Select(code => Decide(
            TrackingNumber.Normalise(code) is { } number ? byNumber?[number].ToList() ?? [] : [],
            DocumentOf(code) is { } document ? byDocument?[document].ToList() ?? [] : [],
            byExternalId?[code.Trim()].ToList() ?? [],
            down) with { Epoch = epoch })];
    }

    private static Asked Decide(List<ParcelMatch> parcels, List<InvoiceMatch> documents, List<OrderMatch> own, bool down)
    {
        // Of a number's bearers the newest counts: carriers use their numbers again, and that is no ambiguity.
        var readings = new List<(Located Located, string Words)>();
        Located? borne = null;
        if (parcels is [var newest, .. var others] && OrderId.TryParse(newest.OrderId, out var carried))
        {
            borne = new Located(carried, CodeKind.TrackingId, newest.TrackingNumber, newest.Shipment, string.Join('\n', others.Take(20).Select(Located.LineOf)));
            readings.Add((borne, $"{carried} (tracking number)"));
        }

        foreach (var document in documents)
        {
            if (OrderId.TryParse(document.OrderId, out var id))
                readings.Add((new Located(id, CodeKind.DocumentNumber, "", document.Name), $"{id} (document of store {document.StoreId})"));
        }

        foreach (var match in own)
        {
            if (OrderId.TryParse(match.OrderId, out var id))
                readings.Add((new Located(id, CodeKind.ExternalId), $"{id} (number of store {match.StoreId})"));
        }

        if (readings.Select(reading => reading.Located.Order).Distinct().Count() > 1)
        {
            var candidates = string.Join(", ", readings.Select(reading => reading.Words));
            return new Asked(null, new Failure(
                ErrorReason.CodeAmbiguous,
                $"This code leads to several orders: {candidates}. Give the store (store_id), or the Order ID.",
                new FieldError("code", "Leads to several orders."))
            {
                Metadata = new Dictionary<string, string> { ["candidates"] = string.Join(',', readings.Select(reading => reading.Located.Order.ToString()).Distinct()) },
            })
            {
                Borne = borne,
            };
        }

        if (readings.Count > 0)
            return new Asked(readings[0].Located, null) { Borne = borne, IsWhole = !down };
        if (down)
        {
            return new Asked(null, new Failure(ErrorReason.DependencyUnavailable, "A service that may know this code does not answer; try again.") { RetryAfter = RetryAfter });
        }

        return new Asked(null, new Failure(
            ErrorReason.CodeNotFound, "No order, parcel, return or document has this code; compare it with the confirmation or the label."));
    }

    /// <summary>The number of a document as its service writes it, null if the code cannot be one.</summary>
    private static string? DocumentOf(string code)
    {
        var text = code.Trim();
        var dot = text.LastIndexOf('.');
        var number = text[(dot + 1)..].ToUpperInvariant();
        if (number.Split('-') is not [{ Length: 3 } prefix, { Length: 4 } year, { Length: >= 6 and <= 9 } serial]
            || !prefix.All(char.IsAsciiLetterUpper) || !year.All(char.IsAsciiDigit) || !serial.All(char.IsAsciiDigit))
            return null;
        return text[..(dot + 1)] + number;
    }

    private RedisKey RedisKeyOf(string key) => $"{_options.RedisPrefix}code:{key}";

    // What is unique only in a store leads elsewhere without it, and spelling counts in what shops write.
    private static RedisValue FieldOf(string code, string storeId) => $"{storeId}|{code.Trim()}";

    private async Task<(T? Answer, bool Down)> Within<T>(string service, string[] asked, Func<CallOptions, AsyncUnaryCall<T>> ask, CancellationToken cancellationToken)
        where T : class
    {
        if (asked.Length == 0)
            return (null, false);
        try
        {
            using var call = ask(new CallOptions(deadline: TimeProvider.System.GetUtcNow().UtcDateTime + _options.SourceTimeout, cancellationToken: cancellationToken));
            return (await call, false);
        }
        catch (Exception exception) when (exception is RpcException or OperationCanceledException)
        {
            cancellationToken.ThrowIfCancellationRequested();
            LogDown(service, exception is RpcException rpc ? rpc.StatusCode : StatusCode.DeadlineExceeded);
            return (null, true);
        }
    }

    [LoggerMessage(LogLevel.Warning, "{Service} did not say what a code leads to: {Code}.")]
    private partial void LogDown(string service, StatusCode code);

    /// <summary>What a code leads to, or why it leads nowhere.</summary>
    internal sealed record Asked(Located? Found, Failure? Failure)
    {
        /// <summary>The parcel that bears it, also where the code is something else, too.</summary>
        public Located? Borne { get; init; }

        /// <summary>Every service that may know the code was heard.</summary>
        public bool IsWhole { get; init; }

        /// <summary>Redis's epoch when they were asked.</summary>
        public long Epoch { get; init; }
    }
}

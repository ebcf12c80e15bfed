using System.Collections.Frozen;
using Commerce.Gateway.V1;
using Commerce.Notifications.V1;
using Commerce.Orders.V1;
using Commerce.Payments.V1;
using Commerce.Shipments.V1;
using Google.Protobuf.Reflection;
using Grpc.Core;
using Grpc.Core.Interceptors;
using Grpc.Net.Client;
using Microsoft.Extensions.Options;

namespace Commerce.Client;

/// <summary>
/// The suite's public API. One for a process is enough: it is safe for many threads and keeps few connections. Every call
/// throws <see cref="CommerceException"/> for what the suite refuses.
/// </summary>
public sealed class CommerceClient : IDisposable
{
    private static readonly FrozenDictionary<string, MethodDescriptor> Methods = Files()
        .SelectMany(file => file.Services).SelectMany(service => service.Methods)
        .ToFrozenDictionary(method => $"/{method.Service.FullName}/{method.Name}", StringComparer.Ordinal);

    private readonly CommerceClientOptions _options;
    private readonly TimeProvider _time;
    private readonly Tokens? _tokens;
    private readonly GrpcChannel _channel;

    /// <param name="options">Where and as whom.</param>
    /// <param name="time">Tells when tokens end and waits between attempts; null: the system's.</param>
    /// <exception cref="OptionsValidationException">The options contradict each other, or name no address.</exception>
    public CommerceClient(CommerceClientOptions options, TimeProvider? time = null)
    {
        ArgumentNullException.ThrowIfNull(options);
        var valid = new CommerceClientOptions.Validator().Validate(null, options);
        if (valid.Failed)
            throw new OptionsValidationException("", typeof(CommerceClientOptions), valid.Failures);

        _options = options;
        _time = time ?? TimeProvider.System;
        _tokens = Tokens.Of(options, _time);
        _channel = GrpcChannel.ForAddress(options.Address!, new GrpcChannelOptions
        {
            HttpHandler = options.HttpHandler ?? Handler(),
            DisposeHttpClient = options.HttpHandler is null,
            Credentials = Credentials(options.Address!, _tokens),
            UnsafeUseInsecureChannelCallCredentials = true,
            MaxReceiveMessageSize = 16 * 1024 * 1024,
            // Attempts are counted here, where RetryInfo is understood.
            MaxRetryAttempts = null,
        });
        var calls = _channel.Intercept(new CallPolicy(options, _tokens, _time, Methods));
        Lookups = new LookupService.LookupServiceClient(calls);
        Orders = new OrderService.OrderServiceClient(calls);
        Returns = new ReturnService.ReturnServiceClient(calls);
        Stores = new StoreService.StoreServiceClient(calls);
        Catalog = new CatalogService.CatalogServiceClient(calls);
        Stock = new StockService.StockServiceClient(calls);
        Payments = new PaymentService.PaymentServiceClient(calls);
        Ledger = new LedgerService.LedgerServiceClient(calls);
        Invoices = new InvoiceService.InvoiceServiceClient(calls);
        StoreCredits = new StoreCreditService.StoreCreditServiceClient(calls);
        Shipments = new ShipmentService.ShipmentServiceClient(calls);
        Tracking = new TrackingService.TrackingServiceClient(calls);
        Exceptions = new ExceptionService.ExceptionServiceClient(calls);
        Carriers = new CarrierService.CarrierServiceClient(calls);
        Notifications = new NotificationService.NotificationServiceClient(calls);
        Shoppers = new ShopperService.ShopperServiceClient(calls);
        Access = new AccessService.AccessServiceClient(calls);
        Erasures = new ErasureService.ErasureServiceClient(calls);
        Privacy = new PrivacyService.PrivacyServiceClient(calls);
        Audit = new AuditService.AuditServiceClient(calls);
    }

    /// <summary>Where an order or a parcel is, from either code.</summary>
    public LookupService.LookupServiceClient Lookups { get; }

    /// <summary>Places, finds, changes and cancels orders.</summary>
    public OrderService.OrderServiceClient Orders { get; }

    /// <summary>Returns and exchanges.</summary>
    public ReturnService.ReturnServiceClient Returns { get; }

    /// <summary>Stores and their settings.</summary>
    public StoreService.StoreServiceClient Stores { get; }

    /// <summary>Products and prices.</summary>
    public CatalogService.CatalogServiceClient Catalog { get; }

    /// <summary>What is on the shelves.</summary>
    public StockService.StockServiceClient Stock { get; }

    /// <summary>Payments, captures and refunds.</summary>
    public PaymentService.PaymentServiceClient Payments { get; }

    /// <summary>Double entry, and settlements against it.</summary>
    public LedgerService.LedgerServiceClient Ledger { get; }

    /// <summary>Invoices, receipts and credit notes.</summary>
    public InvoiceService.InvoiceServiceClient Invoices { get; }

    /// <summary>What stores owe their customers.</summary>
    public StoreCreditService.StoreCreditServiceClient StoreCredits { get; }

    /// <summary>Parcels, labels and rates.</summary>
    public ShipmentService.ShipmentServiceClient Shipments { get; }

    /// <summary>What carriers saw.</summary>
    public TrackingService.TrackingServiceClient Tracking { get; }

    /// <summary>Parcels that need somebody.</summary>
    public ExceptionService.ExceptionServiceClient Exceptions { get; }

    /// <summary>Carriers, where they go and how well.</summary>
    public CarrierService.CarrierServiceClient Carriers { get; }

    /// <summary>Messages to shoppers.</summary>
    public NotificationService.NotificationServiceClient Notifications { get; }

    /// <summary>What strangers may know, and how shoppers open their orders.</summary>
    public ShopperService.ShopperServiceClient Shoppers { get; }

    /// <summary>API keys, and who one is.</summary>
    public AccessService.AccessServiceClient Access { get; }

    /// <summary>Finds a customer's orders, and erases the customer.</summary>
    public ErasureService.ErasureServiceClient Erasures { get; }

    /// <summary>What is known of a customer.</summary>
    public PrivacyService.PrivacyServiceClient Privacy { get; }

    /// <summary>Who saw and changed what.</summary>
    public AuditService.AuditServiceClient Audit { get; }

    /// <summary>
    /// An order's view now, and again whenever it changes, until the caller leaves: opened again by itself after a break, from the
    /// last version seen, so that nothing comes twice and nothing is older than what came before.
    /// </summary>
    /// <param name="code">An Order ID or a Tracking ID.</param>
    /// <param name="afterVersion">The version of the last view seen; 0: the view of now comes first.</param>
    /// <param name="cancellationToken">Ends it.</param>
    /// <exception cref="CommerceException">What asking again cannot mend, for example CODE_NOT_FOUND.</exception>
    public IAsyncEnumerable<LookupView> WatchLookup(string code, long afterVersion = 0, CancellationToken cancellationToken = default) => Watch(
        (after, token) => Lookups.WatchLookup(new WatchLookupRequest { Code = code, AfterVersion = after }, cancellationToken: token),
        view => view.Version, afterVersion, strictly: true, cancellationToken);

    /// <summary>A parcel now, and again whenever it changes, as <see cref="WatchLookup"/>.</summary>
    /// <param name="trackingNumber">The Tracking ID.</param>
    /// <param name="afterVersion">The version of the parcel that the caller has; 0: the parcel as it is comes first.</param>
    /// <param name="cancellationToken">Ends it.</param>
    /// <exception cref="CommerceException">What asking again cannot mend, for example TRACKING_NOT_FOUND.</exception>
    public IAsyncEnumerable<Shipment> WatchTracking(string trackingNumber, long afterVersion = 0, CancellationToken cancellationToken = default) => Watch(
        (after, token) => Tracking.WatchTracking(new WatchTrackingRequest { TrackingNumber = trackingNumber, AfterVersion = after }, cancellationToken: token),
        shipment => shipment.Version, afterVersion, strictly: true, cancellationToken);

    /// <summary>
    /// What is on a store's shelves: all of it first, then what changes. Keep the version of an answer that has one (it is 0 while the
    /// first list comes in parts) to resume after it; an SKU may come again as it was.
    /// </summary>
    /// <param name="store">The store's id, for example "main".</param>
    /// <param name="skus">Only these, at most 100; null: all.</param>
    /// <param name="afterVersion">The version of the last answer seen; 0: all of it comes first.</param>
    /// <param name="cancellationToken">Ends it.</param>
    /// <exception cref="CommerceException">What asking again cannot mend, for example STORE_NOT_FOUND.</exception>
    public IAsyncEnumerable<WatchStockResponse> WatchStock(
        string store, IEnumerable<string>? skus = null, long afterVersion = 0, CancellationToken cancellationToken = default)
    {
        string[] only = [.. skus ?? []];
        return Watch(
            (after, token) => Stock.WatchStock(new WatchStockRequest { Parent = "stores/" + store, AfterVersion = after, Skus = { only } }, cancellationToken: token),
            answer => answer.Version, afterVersion, strictly: false, cancellationToken);
    }

    /// <inheritdoc/>
    public void Dispose()
    {
        _channel.Dispose();
        _tokens?.Dispose();
    }

    internal static IEnumerable<FileDescriptor> Files() =>
    [
        LookupServiceReflection.Descriptor, ShopperServiceReflection.Descriptor, AccessServiceReflection.Descriptor, AuditServiceReflection.Descriptor, PrivacyServiceReflection.Descriptor, OrderServiceReflection.Descriptor, ReturnServiceReflection.Descriptor, ErasureServiceReflection.Descriptor, CatalogServiceReflection.Descriptor,
        PaymentServiceReflection.Descriptor, LedgerServiceReflection.Descriptor, InvoiceServiceReflection.Descriptor, StoreCreditServiceReflection.Descriptor,
        ShipmentServiceReflection.Descriptor, ExceptionServiceReflection.Descriptor, CarrierServiceReflection.Descriptor, NotificationServiceReflection.Descriptor,
    ];

    private async IAsyncEnumerable<T> Watch<T>(
        Func<long, CancellationToken, AsyncServerStreamingCall<T>> open, Func<T, long> versionOf, long after, bool strictly,
        [System.Runtime.CompilerServices.EnumeratorCancellation] CancellationToken cancellationToken)
    {
        var (failures, refused) = (0, false);
        while (true)
        {
            TimeSpan? asked = null;
            var opened = _time.GetTimestamp();
            using (var call = open(after, cancellationToken))
            {
                while (true)
                {
                    try
                    {
                        // Its end without an error is a server that stops: another takes over.
                        if (!await call.ResponseStream.MoveNext(cancellationToken).ConfigureAwait(false))
                            break;
                    }
                    catch (CommerceException exception) when (!cancellationToken.IsCancellationRequested
                        // A stream ends with its token, and goes on with a fresh one; one that is refused at once is refused for good.
                        && (exception.IsTransient || exception.StatusCode == StatusCode.Unauthenticated && _tokens is not null && (!refused || Lasted(opened))))
                    {
                        asked = exception.RetryAfter;
                        refused = exception.StatusCode == StatusCode.Unauthenticated && !Lasted(opened);
                        break;
                    }
                    catch (CommerceException) when (cancellationToken.IsCancellationRequested)
                    {
                        throw new OperationCanceledException(cancellationToken);
                    }

                    (failures, refused) = (0, false);
                    var one = call.ResponseStream.Current;
                    var version = versionOf(one);
                    if (strictly && version <= after)
                        continue;
                    after = Math.Max(after, version);
                    yield return one;
                }
            }

            failures = Lasted(opened) ? 1 : failures + 1;
            await Task.Delay(CallPolicy.PauseAfter(failures, asked, _options.MaxReconnectDelay), _time, cancellationToken).ConfigureAwait(false);
        }
    }

    // Longer than a refusal takes. Nothing need come on a stream that is open: nothing changed.
    private bool Lasted(long opened) => _time.GetElapsedTime(opened) >= TimeSpan.FromSeconds(10);

    private static ChannelCredentials Credentials(Uri address, Tokens? tokens)
    {
        ChannelCredentials channel = address.Scheme == Uri.UriSchemeHttps ? ChannelCredentials.SecureSsl : ChannelCredentials.Insecure;
        return tokens is null
            ? channel
            : ChannelCredentials.Create(channel, CallCredentials.FromInterceptor(async (call, metadata) => metadata.Add("authorization", "Bearer " + await tokens.Get(call.CancellationToken).ConfigureAwait(false))));
    }

    private static SocketsHttpHandler Handler() => new()
    {
        ConnectTimeout = TimeSpan.FromSeconds(5),
        EnableMultipleHttp2Connections = true,
        // Finds a peer that vanished without a word while streams are open.
        KeepAlivePingDelay = TimeSpan.FromSeconds(30),
        KeepAlivePingTimeout = TimeSpan.FromSeconds(10),
        KeepAlivePingPolicy = HttpKeepAlivePingPolicy.WithActiveRequests,
        PooledConnectionIdleTimeout = TimeSpan.FromMinutes(5),
        // Follows a Gateway that moves, though no connection breaks.
        PooledConnectionLifetime = TimeSpan.FromMinutes(15),
    };
}

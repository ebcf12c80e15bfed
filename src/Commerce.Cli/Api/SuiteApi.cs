using Commerce.Cli.Access;
using Commerce.Gateway.V1;
using Commerce.Operations.V1;
using Commerce.Orders.V1;
using Commerce.Payments.V1;
using Commerce.Shipments.V1;
using Grpc.Net.Client;

namespace Commerce.Cli.Api;

/// <summary>The suite's public API, and the Sandbox beside it, of the suite that runs here.</summary>
internal sealed class SuiteApi : IDisposable
{
    private readonly GrpcChannel _channel;
    private readonly GrpcChannel _strange;
    private readonly Credential _credential;

    private SuiteApi(Uri gatewayGrpc, Uri gateway, Uri? sandbox)
    {
        _credential = new Credential(sandbox);
        _channel = GrpcChannel.ForAddress(gatewayGrpc, new GrpcChannelOptions
        {
            Credentials = _credential.ForChannel(gatewayGrpc),
            // In development the way to the Gateway is this machine's own.
            UnsafeUseInsecureChannelCallCredentials = gatewayGrpc.Scheme == Uri.UriSchemeHttp,
            HttpHandler = new SocketsHttpHandler { EnableMultipleHttp2Connections = true, ConnectTimeout = TimeSpan.FromSeconds(5) },
            MaxReceiveMessageSize = 64 * 1024 * 1024,
        });
        _strange = GrpcChannel.ForAddress(gatewayGrpc, new GrpcChannelOptions { HttpHandler = new SocketsHttpHandler { ConnectTimeout = TimeSpan.FromSeconds(5) } });
        Gateway = gateway;
        Sandbox = sandbox is null ? null : new SandboxApi(sandbox);
        Orders = new OrderService.OrderServiceClient(_channel);
        Returns = new ReturnService.ReturnServiceClient(_channel);
        Erasures = new ErasureService.ErasureServiceClient(_channel);
        Stores = new StoreService.StoreServiceClient(_channel);
        Catalogue = new CatalogService.CatalogServiceClient(_channel);
        Stock = new StockService.StockServiceClient(_channel);
        Payments = new PaymentService.PaymentServiceClient(_channel);
        Ledger = new LedgerService.LedgerServiceClient(_channel);
        Invoices = new InvoiceService.InvoiceServiceClient(_channel);
        StoreCredit = new StoreCreditService.StoreCreditServiceClient(_channel);
        Shipments = new ShipmentService.ShipmentServiceClient(_channel);
        Tracking = new TrackingService.TrackingServiceClient(_channel);
        Exceptions = new ExceptionService.ExceptionServiceClient(_channel);
        Carriers = new CarrierService.CarrierServiceClient(_channel);
        Lookup = new LookupService.LookupServiceClient(_channel);
        Shoppers = new ShopperService.ShopperServiceClient(_strange);
        ShoppersLookup = new LookupService.LookupServiceClient(_strange);
        Access = new AccessService.AccessServiceClient(_channel);
        Audit = new AuditService.AuditServiceClient(_channel);
        Privacy = new PrivacyService.PrivacyServiceClient(_channel);
        Messaging = new MessagingService.MessagingServiceClient(_channel);
    }

    /// <summary>The Gateway's HTTP address, for what to try next.</summary>
    public Uri Gateway { get; }

    public OrderService.OrderServiceClient Orders { get; }

    public ReturnService.ReturnServiceClient Returns { get; }

    public ErasureService.ErasureServiceClient Erasures { get; }

    public StoreService.StoreServiceClient Stores { get; }

    public CatalogService.CatalogServiceClient Catalogue { get; }

    public StockService.StockServiceClient Stock { get; }

    public PaymentService.PaymentServiceClient Payments { get; }

    public LedgerService.LedgerServiceClient Ledger { get; }

    public InvoiceService.InvoiceServiceClient Invoices { get; }

    public StoreCreditService.StoreCreditServiceClient StoreCredit { get; }

    public ShipmentService.ShipmentServiceClient Shipments { get; }

    public TrackingService.TrackingServiceClient Tracking { get; }

    public ExceptionService.ExceptionServiceClient Exceptions { get; }

    public CarrierService.CarrierServiceClient Carriers { get; }

    public LookupService.LookupServiceClient Lookup { get; }

    /// <summary>As a stranger: without a credential.</summary>
    public ShopperService.ShopperServiceClient Shoppers { get; }

    /// <summary>As whoever the call's own header says.</summary>
    public LookupService.LookupServiceClient ShoppersLookup { get; }

    public AccessService.AccessServiceClient Access { get; }

    public AuditService.AuditServiceClient Audit { get; }

    public PrivacyService.PrivacyServiceClient Privacy { get; }

    /// <summary>The queues of the service that the header "commerce-service" names; of the Gateway without it.</summary>
    public MessagingService.MessagingServiceClient Messaging { get; }

    /// <summary>The outside world in development; null where the suite runs without it.</summary>
    public SandboxApi? Sandbox { get; }

    /// <exception cref="SuiteNotRunningException">No suite runs here and none is named by the environment.</exception>
    public static SuiteApi Connect()
    {
        var suite = SuiteConnection.Find();
        return new SuiteApi(suite.GatewayGrpc, suite.Gateway, suite.Sandbox);
    }

    public void Dispose()
    {
        _channel.Dispose();
        _strange.Dispose();
        _credential.Dispose();
        Sandbox?.Dispose();
    }
}

using Commerce.Operations.V1;
using Commerce.Orders.V1;
using Commerce.Payments.V1;
using Commerce.Shipments.V1;
using Microsoft.AspNetCore.Builder;

namespace Commerce.Gateway.Tests;

/// <summary>Every method of a service that no fake has: it lets in who may call, and does nothing.</summary>
internal static class BareServices
{
    public static WebApplication MapBare(this WebApplication app, string service)
    {
        app.MapGrpcService<Queues>();
        switch (service)
        {
            case "orders":
                app.MapGrpcService<Stores>();
                app.MapGrpcService<Catalogue>();
                app.MapGrpcService<Stock>();
                app.MapGrpcService<Erasures>();
                break;
            case "payments":
                app.MapGrpcService<Ledger>();
                app.MapGrpcService<Credits>();
                break;
            case "shipments":
                app.MapGrpcService<Carriers>();
                app.MapGrpcService<Exceptions>();
                break;
        }

        return app;
    }

    private sealed class Queues : MessagingService.MessagingServiceBase;

    private sealed class Stores : StoreService.StoreServiceBase;

    private sealed class Catalogue : CatalogService.CatalogServiceBase;

    private sealed class Stock : StockService.StockServiceBase;

    private sealed class Erasures : ErasureService.ErasureServiceBase;

    private sealed class Ledger : LedgerService.LedgerServiceBase;

    private sealed class Credits : StoreCreditService.StoreCreditServiceBase;

    private sealed class Carriers : CarrierService.CarrierServiceBase;

    private sealed class Exceptions : ExceptionService.ExceptionServiceBase;
}

using Commerce.Operations.V1;
using Commerce.Orders.V1;
using Commerce.Payments.V1;
using Commerce.ServiceDefaults;
using Commerce.Shipments.V1;
using Grpc.Core;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Http;

namespace Commerce.Gateway.Tests;

/// <summary>Every method of a service that no fake has: it lets in who may call, and does nothing.</summary>
internal static class BareServices
{
    public const string Live = "LIVE";

    public static WebApplication MapBare(this WebApplication app, string service)
    {
        app.MapGrpcService<Queues>();
        switch (service)
        {
            case "orders":
                app.MapGrpcService<Stores>();
                app.MapGrpcService<Catalogue>();
                app.MapGrpcService<Stock>();
                app.MapGet("/v1/stores/{store}/stock:watch", Stock.Events);
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

    /// <summary>Of the SKU that says so there is a stream that does not end by itself.</summary>
    private sealed class Stock : StockService.StockServiceBase
    {
        public override async Task WatchStock(WatchStockRequest request, IServerStreamWriter<WatchStockResponse> responseStream, ServerCallContext context)
        {
            if (!request.Skus.Contains(Live))
                throw new RpcException(new Status(StatusCode.Unimplemented, ""));
            await responseStream.WriteAsync(new WatchStockResponse { Version = 1 }, context.CancellationToken);
            await Task.Delay(Timeout.InfiniteTimeSpan, TimeProvider.System, context.CancellationToken);
        }

        public static async Task Events(HttpContext http)
        {
            await ServerSentEvents.Begin(http, http.RequestAborted);
            await ServerSentEvents.Write(http.Response, 1, "stock", "{}", http.RequestAborted);
            await http.Response.Body.FlushAsync(http.RequestAborted);
            await Task.Delay(Timeout.InfiniteTimeSpan, TimeProvider.System, http.RequestAborted);
        }
    }

    private sealed class Erasures : ErasureService.ErasureServiceBase;

    private sealed class Ledger : LedgerService.LedgerServiceBase;

    private sealed class Credits : StoreCreditService.StoreCreditServiceBase;

    private sealed class Carriers : CarrierService.CarrierServiceBase;

    private sealed class Exceptions : ExceptionService.ExceptionServiceBase;
}

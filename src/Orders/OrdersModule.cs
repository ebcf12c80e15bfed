using Commerce.Messaging;
using Commerce.Orders.CancellingOrder;
using Commerce.Orders.Catalogue;
using Commerce.Orders.ChangingLines;
using Commerce.Orders.CheckingGoods;
using Commerce.Orders.Consumers;
using Commerce.Orders.EditingOrder;
using Commerce.Orders.ErasingCustomers;
using Commerce.Orders.ExportingOrders;
using Commerce.Orders.FindingOrders;
using Commerce.Orders.ImportingOrders;
using Commerce.Orders.PlacingOrder;
using Commerce.Orders.Reordering;
using Commerce.Orders.ReplacingParcels;
using Commerce.Orders.ReturningItems;
using Commerce.Orders.Stock;
using Commerce.Orders.Storage;
using Commerce.Orders.Stores;
using Commerce.Orders.SummingSpend;
using Commerce.Payments.V1;
using Commerce.ServiceDefaults;
using Commerce.Shipments.V1;

namespace Commerce.Orders;

/// <summary>What Orders is made of.</summary>
public static class OrdersModule
{
    public static IHostApplicationBuilder AddOrders(this IHostApplicationBuilder builder)
    {
        builder.AddNpgsqlDataSource("ordersdb");
        builder.AddMigrations(typeof(Outbox).Assembly).AddMigrations(typeof(OrdersModule).Assembly);
        builder.AddMessaging("orders")
            .Consume<PaymentFacts>("payments", Delivery.InOrder)
            .Consume<ShipmentFacts>("shipments", Delivery.InOrder)
            .Recover<ExpireOrder>()
            .Recover<ExpireChange>()
            .Recover<RefundReturn>()
            .Recover<PlaceReplacement>();
        builder.AddServiceClient<PaymentService.PaymentServiceClient>("payments");
        builder.AddServiceClient<ShipmentService.ShipmentServiceClient>("shipments");

        builder.Services.AddOptions<OrdersOptions>().BindConfiguration(OrdersOptions.Section).ValidateDataAnnotations().ValidateOnStart();
        builder.Services.AddSingleton<StoreBook>().AddSingleton<CreateStore>().AddSingleton<UpdateStore>();
        builder.Services.AddSingleton<ProductBook>().AddSingleton<UpdateProducts>();
        builder.Services.AddSingleton<StockBook>().AddSingleton<AdjustStock>().AddSingleton<WatchStock>();
        builder.Services.AddSingleton<OrderStore>().AddSingleton<OrderReader>().AddSingleton<OrderChanges>();
        builder.Services.AddSingleton<RequestedChanges>().AddSingleton<OrderWriter>().AddSingleton<PlaceOrder>().AddSingleton<CancelOrder>().AddSingleton<EditOrder>().AddSingleton<ChangeLines>().AddSingleton<ReplaceParcel>();
        builder.Services.AddSingleton<FindOrders>().AddSingleton<ListOrders>().AddSingleton<ImportOrders>();
        builder.Services.AddSingleton<ArticleWords>().AddSingleton<SearchOrders>().AddSingleton<ExportOrders>().AddSingleton<SumSpend>().AddSingleton<Reorder>();
        builder.Services.AddSingleton<ReturnStore>().AddSingleton<ReturnChanges>().AddSingleton<ReturnParcels>().AddSingleton<FindReturns>();
        builder.Services.AddSingleton<RequestReturn>().AddSingleton<DecideReturn>().AddSingleton<ReceiveReturn>();
        builder.Services.AddSingleton<Customers>().AddSingleton<ErasureStore>().AddSingleton<EraseCustomer>();
        builder.Services.AddHostedService<IndexOrders>();
        builder.Services.AddSingleton<GoodsCheck>();
        builder.Services.AddHostedService<CheckGoods>();
        return builder;
    }

    public static WebApplication MapOrders(this WebApplication app)
    {
        app.MapGrpcService<OrdersGrpc>();
        app.MapOrderExport();
        app.MapGrpcService<ReturnGrpc>();
        app.MapGrpcService<ErasureGrpc>();
        app.MapGrpcService<StoreGrpc>();
        app.MapGrpcService<CatalogGrpc>();
        app.MapGrpcService<StockGrpc>();
        app.MapStockEvents();
        app.MapMessaging();
        app.MapServiceDefaults();
        return app;
    }
}

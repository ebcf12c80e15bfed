using Commerce.Orders.V1;

namespace Commerce.Bench.Orders;

/// <summary>Orders as it is deployed.</summary>
internal sealed class OrdersProcess : ServiceProcess
{
    private OrdersProcess(Started started)
        : base(started)
    {
        Orders = new OrderService.OrderServiceClient(Channel);
        Catalogue = new CatalogService.CatalogServiceClient(Channel);
        Stock = new StockService.StockServiceClient(Channel);
    }

    public OrderService.OrderServiceClient Orders { get; }

    public CatalogService.CatalogServiceClient Catalogue { get; }

    public StockService.StockServiceClient Stock { get; }

    public static async Task<OrdersProcess> Start(BenchServers servers, int? connections = null) => new(await Start(servers, "Orders", "ordersdb", connections: connections));
}

using System.Text.Json;
using Commerce.Facts;
using Commerce.Messaging;
using Commerce.Orders.V1;
using Commerce.Testing;
using Google.Rpc;
using Grpc.Core;
using Microsoft.Extensions.DependencyInjection;
using Npgsql;

namespace Commerce.Orders.Tests;

/// <summary>
/// Orders that come while all transactions are at work are written together. Which ones do is arranged here: whoever holds the
/// stock of an article keeps as many orders of it waiting as there are transactions, and all that come meanwhile wait for those.
/// </summary>
public class PlacingTogetherTests(OrdersService service) : OrdersServiceTests(service)
{
    private const int AtWork = 4;

    [Fact]
    public async Task Orders_that_come_together_are_one_transaction_and_as_if_they_had_come_one_by_one()
    {
        await Service.Stocked(100, "gate-1", "pair-a", "pair-b");
        var orders = await Together("gate-1", [.. Enumerable.Range(1, 6).Select(n => Request.Order(Request.Line("pair-b", 1), Request.Line("pair-a", n)))]);

        var ids = orders.Select(placed => Value(placed.Result!)).ToArray();
        Assert.Equal(1, await Service.Count("FROM (SELECT DISTINCT xmin::text FROM orders WHERE order_id = ANY ($1)) t", ids));
        foreach (var (placed, n) in orders.Zip(Enumerable.Range(1, 6)))
        {
            var read = await Service.OrderWith(placed.Result!.OrderId);
            Assert.Equal(placed.Result, read);
            Assert.Equal([1, n], read.Lines.Select(line => line.Quantity));
            Assert.Single(await Service.TimelineOf(read));
        }

        Assert.Equal((6L, 21L), ((await Service.StockOf("pair-b")).Reserved, (await Service.StockOf("pair-a")).Reserved));
        var movements = (await Service.Stock.ListStockMovementsAsync(new ListStockMovementsRequest { Parent = "stores/main/products/pair-a" })).Movements
            .Where(m => m.Kind == StockMovementKind.Reserve).Reverse().ToList();
        Assert.Equal(orders.Select(o => o.Result!.OrderId).Order(), movements.Select(m => m.OrderId).Order());
        var reserved = 0L;
        foreach (var movement in movements)
            Assert.Equal(reserved += movement.ReservedChange, movement.Reserved);
        Assert.Equal(21, reserved);
    }

    [Fact]
    public async Task A_stock_that_orders_empty_together_is_told_low_and_then_out_as_if_they_had_come_one_by_one()
    {
        await Service.RememberFacts();
        await Service.Stocked(100, "gate-4");
        await Service.Stocked(6, "emptied");
        const string Stock = "stores/main/products/emptied/stock";
        await Service.Stock.SetStockThresholdAsync(new SetStockThresholdRequest { Name = Stock, RequestId = Guid.NewGuid().ToString(), LowAt = 3 });
        var orders = await Together("gate-4", [.. Enumerable.Range(1, 6).Select(_ => Request.Order(Request.Line("emptied", 1)))]);

        Assert.All(orders, order => Assert.Null(order.Reason));
        Assert.Equal(1, await Service.Count("FROM (SELECT DISTINCT xmin::text FROM orders WHERE order_id = ANY ($1)) t", orders.Select(placed => Value(placed.Result!)).ToArray()));
        var told = await Service.FactsOf(Stock);
        Assert.Equal([(1L, nameof(StockLow)), (2L, nameof(StockOut))], told.Select(fact => (fact.Version, fact.Fact)));
        Assert.Equal(3, JsonSerializer.Deserialize<StockLow>(told[0].Body, FactJson.Options)!.Available);
        Assert.Equal(
            Enumerable.Range(1, 6).Select(n => (long)n),
            (await Service.Stock.ListStockMovementsAsync(new ListStockMovementsRequest { Parent = "stores/main/products/emptied" })).Movements
                .Where(m => m.Kind == StockMovementKind.Reserve).Reverse().Select(m => m.Reserved));
    }

    [Fact]
    public async Task An_order_that_cannot_be_placed_keeps_nobody_else_from_it()
    {
        await Service.Stocked(100, "gate-2", "plenty");
        await Service.Stocked(3, "few");
        var twice = Request.Order(Request.Line("plenty", 1));
        var again = twice.Clone();
        var number = $"shop-{Guid.NewGuid():N}";
        PlaceOrderRequest[] requests =
        [
            Request.Order(Request.Line("plenty", 1)),
            Request.Order(Request.Line("few", 2)), Request.Order(Request.Line("few", 2)),
            twice, again,
            Request.Order(Request.Line("plenty", 1)).With(r => r.ExternalId = number), Request.Order(Request.Line("plenty", 1)).With(r => r.ExternalId = number),
            Request.Order(Request.Line("plenty", 1)),
        ];
        var orders = await Together("gate-2", requests);

        Assert.All([orders[0], orders[3], orders[4], orders[7]], order => Assert.Null(order.Reason));
        Assert.Equal(orders[3].Result, orders[4].Result);
        Assert.Equal(["", "OUT_OF_STOCK"], new[] { orders[1].Reason ?? "", orders[2].Reason ?? "" }.Order());
        Assert.Equal(["", "EXTERNAL_ID_USED"], new[] { orders[5].Reason ?? "", orders[6].Reason ?? "" }.Order());
        Assert.Equal((4L, 2L), ((await Service.StockOf("plenty")).Reserved, (await Service.StockOf("few")).Reserved));
        Assert.Equal(5, await Service.Count("FROM stock_movements WHERE sku IN ('plenty', 'few') AND kind = 1"));
    }

    [Fact]
    public async Task Whoever_gives_up_while_waiting_places_nothing()
    {
        await Service.Stocked(100, "gate-3", "later");
        using var patience = new CancellationTokenSource();
        var request = Request.Order(Request.Line("later", 1));
        var stays = Request.Order(Request.Line("later", 1));
        Task<(V1.Order? Result, string? Reason)>? waiting = null;
        var orders = await Together("gate-3", [stays], async () =>
        {
            waiting = Try(Service.Orders.PlaceOrderAsync(request, cancellationToken: patience.Token));
            await Eventually.True(() => Waiting() == 2, TimeSpan.FromSeconds(20));
            await patience.CancelAsync();
            Assert.Equal(nameof(StatusCode.Cancelled), (await waiting).Reason);
        });

        Assert.Null(orders[0].Reason);
        Assert.Equal(1, (await Service.StockOf("later")).Reserved);
        Assert.Equal(0, await Service.Count("FROM messaging.requests WHERE request_id = $1", request.RequestId));
    }

    /// <summary>Places them while as many orders of the article as there are transactions wait for its stock.</summary>
    private async Task<List<(V1.Order? Result, string? Reason)>> Together(string gate, PlaceOrderRequest[] requests, Func<Task>? meanwhile = null)
    {
        var stop = TestContext.Current.CancellationToken;
        await using var connection = await Service.Database.OpenConnectionAsync(stop);
        await using var transaction = await connection.BeginTransactionAsync(stop);
        await using (var hold = new NpgsqlCommand("SELECT FROM stock WHERE sku = $1 FOR UPDATE", connection, transaction) { Parameters = { new() { Value = gate } } })
            await hold.ExecuteNonQueryAsync(stop);
        var before = Enumerable.Range(0, AtWork).Select(_ => Try(Service.Orders.PlaceOrderAsync(Request.Order(Request.Line(gate, 1))))).ToList();
        await Eventually.True(async () => await Service.Count("FROM pg_stat_activity WHERE datname = current_database() AND wait_event_type = 'Lock'") == AtWork, TimeSpan.FromSeconds(20));
        var placing = requests.Select(request => Try(Service.Orders.PlaceOrderAsync(request))).ToList();
        await Eventually.True(() => Waiting() == requests.Length, TimeSpan.FromSeconds(20));
        if (meanwhile is not null)
            await meanwhile();
        await transaction.CommitAsync(stop);
        Assert.All(await Task.WhenAll(before), order => Assert.Null(order.Reason));
        return [.. await Task.WhenAll(placing)];
    }

    private int Waiting() => Service.App.Services.GetRequiredService<PlacingOrder.OrderWriter>().Waiting;

    private static long Value(V1.Order order) => OrderId.TryParse(order.OrderId, out var id) ? id.Value : throw new InvalidOperationException(order.OrderId);

    private static async Task<(V1.Order? Result, string? Reason)> Try(AsyncUnaryCall<V1.Order> call)
    {
        try
        {
            return (await call, null);
        }
        catch (RpcException exception) when (exception.StatusCode == StatusCode.Cancelled)
        {
            return (null, nameof(StatusCode.Cancelled));
        }
        catch (RpcException exception)
        {
            return (null, exception.GetRpcStatus()?.GetDetail<ErrorInfo>()?.Reason ?? exception.Message);
        }
    }
}

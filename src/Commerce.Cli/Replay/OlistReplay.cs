using System.Collections.Concurrent;
using Commerce.Cli.Api;
using Commerce.Cli.Orders;
using Commerce.Orders.V1;
using Commerce.Types.V1;
using Grpc.Core;

namespace Commerce.Cli.Replay;

/// <summary>
/// Sends real orders through the whole suite and follows each to where the data says it ended. Only so many are under way
/// at a time: the suite is to be driven, not to be drowned.
/// </summary>
internal sealed class OlistReplay(SuiteApi api, SandboxApi sandbox, OlistData data, IReadOnlyList<OlistOrder> orders, string run, TimeProvider time)
{
    private const int Callers = 16;
    private const int UnderWay = 400;

    // An order that does not move for this long is reported as stuck; the suite's own retries are much shorter.
    private static readonly TimeSpan Patience = TimeSpan.FromMinutes(3);

    private readonly ConcurrentDictionary<string, Tracked> _tracked = new(StringComparer.Ordinal);
    private readonly ConcurrentBag<ReplayedOrder> _ended = [];

    public int Placed => _placed;

    public int Ended => _ended.Count;

    private int _placed;
    private long _lastMove;

    public async Task<ReplayResult> Run(CancellationToken cancellationToken)
    {
        await Prepare(cancellationToken);
        var cpu = new CpuShares();
        var before = await sandbox.Summary(cancellationToken);
        var start = time.GetTimestamp();
        _lastMove = start;

        using var room = new SemaphoreSlim(UnderWay);
        using var follow = CancellationTokenSource.CreateLinkedTokenSource(cancellationToken);
        var following = Follow(room, follow.Token);
        await Parallel.ForEachAsync(
            orders,
            new ParallelOptions { MaxDegreeOfParallelism = Callers, CancellationToken = cancellationToken },
            async (order, token) =>
            {
                await room.WaitAsync(token);
                await Place(order, token);
            });
        await following;

        var elapsed = time.GetElapsedTime(start);
        return new ReplayResult([.. _ended], before, await Settled(cancellationToken), cpu.Since(), elapsed);
    }

    private async Task Prepare(CancellationToken cancellationToken)
    {
        var parent = $"stores/{OlistOrders.Store}";
        await api.Stores.CreateStoreAsync(
            new CreateStoreRequest
            {
                RequestId = "olist-store",
                Store = OlistOrders.StoreMessage(),
            },
            OrderCommands.Options(cancellationToken));

        var needed = orders.SelectMany(order => order.Items).GroupBy(item => item.ProductId).ToList();
        foreach (var batch in needed.Chunk(500))
        {
            var products = new BatchUpdateProductsRequest { Parent = parent, RequestId = Guid.CreateVersion7().ToString() };
            var stock = new BatchSetStockRequest { Parent = parent, RequestId = Guid.CreateVersion7().ToString() };
            foreach (var sku in batch)
            {
                var product = data.Products[sku.Key];
                products.Products.Add(new Product
                {
                    Sku = product.Id,
                    Title = product.Title,
                    UnitPrice = OlistOrders.Reais(sku.Max(item => item.Price)),
                    StockTracked = true,
                    Dimensions = new Dimensions { WeightGrams = product.WeightGrams, LengthMm = product.LengthMm, WidthMm = product.WidthMm, HeightMm = product.HeightMm },
                });
                stock.Levels.Add(new StockLevel { Sku = product.Id, OnHand = 1_000_000 });
            }

            await api.Catalogue.BatchUpdateProductsAsync(products, OrderCommands.Options(cancellationToken));
            await api.Stock.BatchSetStockAsync(stock, OrderCommands.Options(cancellationToken));
        }

        foreach (var batch in orders.Chunk(500))
        {
            await sandbox.SetScenarios(
                batch.ToDictionary(
                    order => OlistOrders.ExternalId(order, run),
                    order => new SandboxApi.Scenario(OlistOrders.JourneyEnd(OlistOrders.EndingOf(order)))),
                cancellationToken);
        }
    }

    private async Task Place(OlistOrder order, CancellationToken cancellationToken)
    {
        var request = OlistOrders.Request(order, data, run, time.GetUtcNow().AddDays(30));
        var start = time.GetTimestamp();
        try
        {
            // The same request_id makes it safe to ask again when no answer came.
            var placed = await Patiently(() => api.Orders.PlaceOrderAsync(request, OrderCommands.Options(cancellationToken)).ResponseAsync, cancellationToken);
            var latency = time.GetElapsedTime(start);
            Interlocked.Increment(ref _placed);
            Interlocked.Exchange(ref _lastMove, time.GetTimestamp());
            var ending = OlistOrders.EndingOf(order);
            if (ending == Ending.Cancelled)
            {
                await Patiently(
                    () => api.Orders.CancelOrderAsync(
                        new CancelOrderRequest
                        {
                            Name = placed.Name,
                            RequestId = request.RequestId,
                            Reason = order.Status == "unavailable" ? CancelReason.Unavailable : CancelReason.Shopper,
                        },
                        OrderCommands.Options(cancellationToken)).ResponseAsync,
                    cancellationToken);
            }

            _tracked[placed.Name] = new Tracked(order, ending, latency, start);
        }
        catch (RpcException exception) when (exception.StatusCode != StatusCode.Cancelled)
        {
            _ended.Add(new ReplayedOrder(order, OlistOrders.EndingOf(order), null, ApiCall.Describe(exception), time.GetElapsedTime(start), TimeSpan.Zero));
        }
    }

    private async Task Follow(SemaphoreSlim room, CancellationToken cancellationToken)
    {
        using var timer = new PeriodicTimer(TimeSpan.FromMilliseconds(500), time);
        while (_ended.Count < orders.Count && await timer.WaitForNextTickAsync(cancellationToken))
        {
            foreach (var names in _tracked.Keys.Chunk(200))
            {
                var answer = await Patiently(
                    () => api.Orders.BatchGetOrdersAsync(new BatchGetOrdersRequest { Names = { names } }, OrderCommands.Options(cancellationToken)).ResponseAsync,
                    cancellationToken);
                foreach (var order in answer.Orders)
                {
                    var tracked = _tracked[order.Name];
                    if (OrderProgress.HasReached(order, tracked.Ending))
                        End(order.Name, new ReplayedOrder(tracked.Order, tracked.Ending, order, null, tracked.Latency, time.GetElapsedTime(tracked.Start)), room);
                }

                foreach (var name in answer.NotFound)
                    End(name, new ReplayedOrder(_tracked[name].Order, _tracked[name].Ending, null, "LOST: acknowledged, and not found", _tracked[name].Latency, TimeSpan.Zero), room);
            }

            if (time.GetElapsedTime(Interlocked.Read(ref _lastMove)) <= Patience)
                continue;
            foreach (var (name, tracked) in _tracked)
            {
                var order = await api.Orders.GetOrderAsync(new GetOrderRequest { Name = name }, OrderCommands.Options(cancellationToken));
                End(name, new ReplayedOrder(tracked.Order, tracked.Ending, order, $"STUCK: {order.State}, {order.PaymentState}, {order.FulfilmentState}", tracked.Latency, TimeSpan.Zero), room);
            }
        }
    }

    private void End(string name, ReplayedOrder ended, SemaphoreSlim room)
    {
        if (!_tracked.TryRemove(name, out _))
            return;
        Interlocked.Exchange(ref _lastMove, time.GetTimestamp());
        _ended.Add(ended);
        room.Release();
    }

    // What was refunded last may still be on its way into the provider's book when the order already knows.
    private async Task<SandboxApi.BookSummary> Settled(CancellationToken cancellationToken) => await sandbox.Summary(cancellationToken);

    private async Task<T> Patiently<T>(Func<Task<T>> call, CancellationToken cancellationToken)
    {
        var start = time.GetTimestamp();
        while (true)
        {
            try
            {
                return await call();
            }
            catch (RpcException exception) when (exception.StatusCode is StatusCode.Unavailable or StatusCode.DeadlineExceeded && time.GetElapsedTime(start) < Patience)
            {
                await Task.Delay(TimeSpan.FromMilliseconds(500), time, cancellationToken);
            }
        }
    }

    private sealed record Tracked(OlistOrder Order, Ending Ending, TimeSpan Latency, long Start);
}

/// <summary>One order of the data and what became of it. <paramref name="Problem"/> is null when it ended where it should.</summary>
internal sealed record ReplayedOrder(OlistOrder Data, Ending Ending, Order? Order, string? Problem, TimeSpan PlaceLatency, TimeSpan Duration);

/// <summary>All of them, with the provider's book before and after.</summary>
internal sealed record ReplayResult(
    IReadOnlyList<ReplayedOrder> Orders,
    SandboxApi.BookSummary Before,
    SandboxApi.BookSummary After,
    IReadOnlyList<(string Name, double Cores)> Cpu,
    TimeSpan Elapsed);

namespace Commerce.Cli.Replay;

/// <summary>The data beside the suite beside the provider's own book: orders and centavos.</summary>
internal sealed record Reconciliation(
    IReadOnlyList<Reconciliation.Row> Rows,
    int Lost,
    int ChargedTwice,
    IReadOnlyList<string> Problems,
    long CapturedByProvider,
    long RefundedByProvider,
    long CapturedByData,
    long RefundedByData,
    double OrdersPerSecond,
    double Seconds,
    IReadOnlyDictionary<string, double> CoresUsed)
{
    public bool Agrees => Problems.Count == 0 && Lost == 0 && ChargedTwice == 0 && Rows.All(row => row.Agrees);

    /// <summary>One thing that is counted on both sides.</summary>
    public sealed record Row(string What, int DataOrders, long DataMinor, int SuiteOrders, long SuiteMinor)
    {
        public bool Agrees => DataOrders == SuiteOrders && DataMinor == SuiteMinor;
    }

    public static Reconciliation Of(ReplayResult result)
    {
        var orders = result.Orders;
        var kept = orders.Where(order => order.Ending is Ending.Delivered or Ending.Shipped or Ending.Paid).ToList();
        // What cost nothing counts as paid from the first moment, and has nothing to give back when it is cancelled.
        var paidInSuite = orders.Where(order => order.Order is { PaymentState: Commerce.Orders.V1.PaymentState.Paid } found
            && (found.State != Commerce.Orders.V1.OrderState.Cancelled || found.Total is not { Units: 0, Nanos: 0 })).ToList();
        var rows = new List<Row>
        {
            Count("placed", orders, orders.Where(order => order.Order is not null)),
            Count("paid", kept, paidInSuite),
            Count("delivered", Ended(Ending.Delivered), Reached(Ending.Delivered)),
            Count("shipped, under way", Ended(Ending.Shipped), Reached(Ending.Shipped)),
            Count("paid, not yet shipped", Ended(Ending.Paid), Reached(Ending.Paid)),
            Count("cancelled", Ended(Ending.Cancelled), Reached(Ending.Cancelled)),
            Count("awaiting payment", Ended(Ending.AwaitingPayment), Reached(Ending.AwaitingPayment)),
        };

        // What the provider kept, by its own book, must be what the data says was paid for orders that stand.
        var captured = Of(result.After.Captured) - Of(result.Before.Captured);
        var refunded = Of(result.After.Refunded) - Of(result.Before.Refunded);
        var keptMinor = kept.Sum(order => order.Data.Paid);
        rows.Add(new Row("kept by the provider", kept.Count, keptMinor, kept.Count, captured - refunded));

        // A part charged twice shows in the book as one authorisation more than there are parts.
        var parts = orders.Where(order => order.Order is not null).Sum(order => order.Data.Payments.Count(payment => payment.Amount > 0));
        var authorizations = result.After.Authorizations - result.Before.Authorizations;
        return new Reconciliation(
            rows,
            orders.Count(order => order.Order is null && order.Problem?.StartsWith("LOST", StringComparison.Ordinal) == true),
            (int)Math.Max(0, authorizations - parts),
            [.. orders.Where(order => order.Problem is not null).Select(order => $"{order.Data.Id} ({order.Data.Status}): {order.Problem}").Order(StringComparer.Ordinal)],
            captured,
            refunded,
            keptMinor,
            captured - keptMinor,
            orders.Count / result.Elapsed.TotalSeconds,
            result.Elapsed.TotalSeconds,
            result.Cpu.ToDictionary(share => share.Name, share => share.Cores));

        IEnumerable<ReplayedOrder> Ended(Ending ending) => orders.Where(order => order.Ending == ending);
        IEnumerable<ReplayedOrder> Reached(Ending ending) => orders.Where(order => order.Order is { } placed && order.Problem is null && order.Ending == ending && OrderProgress.HasReached(placed, ending));
    }

    private static long Of(IReadOnlyDictionary<string, long> amounts) => amounts.GetValueOrDefault(OlistOrders.Currency);

    private static Row Count(string what, IEnumerable<ReplayedOrder> data, IEnumerable<ReplayedOrder> suite)
    {
        var (theirs, ours) = (data.ToList(), suite.ToList());
        return new Row(what, theirs.Count, theirs.Sum(order => order.Data.Paid), ours.Count, ours.Sum(order => OlistOrders.Minor(order.Order?.Total)));
    }
}

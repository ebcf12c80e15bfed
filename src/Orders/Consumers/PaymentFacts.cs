using Commerce.Facts;
using Commerce.Messaging;
using Commerce.Orders.ChangingLines;
using Commerce.Orders.ErasingCustomers;
using Commerce.Orders.ReturningItems;
using Commerce.Orders.Storage;

namespace Commerce.Orders.Consumers;

/// <summary>Hears what became of the money.</summary>
public sealed class PaymentFacts(OrderChanges orders)
    : IConsumeFact<PaymentPending>, IConsumeFact<PaymentAuthorised>, IConsumeFact<PaymentCaptured>,
      IConsumeFact<PaymentDeclined>, IConsumeFact<PaymentVoided>, IConsumeFact<PaymentRefunded>,
      IConsumeFact<PaymentRefundFailed>, IConsumeFact<PaymentChargeCaptured>, IConsumeFact<PaymentChargeDeclined>, IConsumeFact<PersonalDataErased>
{
    private const string Actor = "service/payments";

    public Task Consume(PaymentPending fact, FactContext context) => Pay(fact, PaymentEvent.Pending, context);

    public Task Consume(PaymentAuthorised fact, FactContext context) => Pay(fact, PaymentEvent.Authorised, context);

    public Task Consume(PaymentCaptured fact, FactContext context) => Pay(fact, PaymentEvent.Captured, fact.Amount.Minor, context);

    public Task Consume(PaymentDeclined fact, FactContext context) => Pay(fact, PaymentEvent.Declined, 0, context);

    public Task Consume(PaymentVoided fact, FactContext context) => Pay(fact, PaymentEvent.Voided, 0, context);

    public async Task Consume(PaymentRefunded fact, FactContext context)
    {
        var (happened, refunded) = Read(fact);
        await Pay(fact, happened, context);
        // Not the order's state, but what was spent in the end depends on it.
        if (!OrderId.TryParse(fact.OrderId, out var id))
            return;
        context.Batch.With(Sql.Command("UPDATE orders SET refunded_minor = $2 WHERE order_id = $1").With(id.Value).With(refunded));
        await AskForReturns(fact, id, context);
    }

    public async Task Consume(PaymentRefundFailed fact, FactContext context)
    {
        await orders.Apply(fact.OrderId, Actor, context, (order, moment) => order.RefundFailed(fact.Amount, fact.Reason, moment));
        if (OrderId.TryParse(fact.OrderId, out var id))
            await AskForReturns(fact, id, context);
    }

    public Task Consume(PaymentChargeCaptured fact, FactContext context) => orders.Apply(fact.OrderId, Actor, context, async (order, moment) =>
    {
        if (order.Pending?.Number != fact.Change)
            return null;
        var sums = await LineStore.Sums(context.Connection, context.Transaction, order.Id, context.CancellationToken);
        return order.Charged(fact.Change, pending => new LinesChange(pending.Deltas, sums, sums.After(pending.Deltas, pending.Payment)), moment);
    });

    public Task Consume(PaymentChargeDeclined fact, FactContext context) =>
        orders.Apply(fact.OrderId, Actor, context, (order, moment) => order.Withdraw(fact.Change, "DECLINED", moment));

    public Task Consume(PersonalDataErased fact, FactContext context)
    {
        ErasureStore.Heard(fact, context);
        return Task.CompletedTask;
    }

    // A refund of a return may be what came to its end.
    private static async Task AskForReturns(IPaymentFact fact, OrderId id, FactContext context)
    {
        foreach (var point in await ReturnStore.Waiting(context.Connection, context.Transaction, id, fact.Version, context.CancellationToken))
            context.Intend(point);
    }

    /// <summary>
    /// What it is to the order, and what was given back of what the order costs: what went back because the order was made smaller
    /// is not in its total any more.
    /// </summary>
    internal static (PaymentEvent Happened, long RefundedMinor) Read(PaymentRefunded fact)
    {
        var refunded = fact.Refunded.Minor - (fact.Reduced?.Minor ?? 0);
        return (refunded == 0 ? PaymentEvent.Captured : fact.Refunded < fact.Captured ? PaymentEvent.PartlyRefunded : PaymentEvent.Refunded, refunded);
    }

    // How much was taken is known now. Goods that are on their way already stay what they are, whatever was let go of.
    private async Task Pay(IPaymentFact fact, PaymentEvent happened, long takenMinor, FactContext context)
    {
        await Pay(fact, happened, context);
        if (OrderId.TryParse(fact.OrderId, out var id))
            context.Batch.With(Sql.Command("UPDATE orders SET untaken_minor = greatest(0, total_minor - $2) WHERE order_id = $1").With(id.Value).With(takenMinor));
    }

    private Task Pay(IPaymentFact fact, PaymentEvent happened, FactContext context) =>
        orders.Apply(fact.OrderId, Actor, context, (order, moment) => order.Pay(happened, moment));
}

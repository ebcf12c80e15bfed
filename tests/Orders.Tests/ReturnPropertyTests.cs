using Commerce.Facts;
using Commerce.Orders.PlacingOrder;
using Commerce.Orders.ReturningItems;
using Commerce.Orders.V1;
using Commerce.ServiceDefaults;
using CsCheck;
using Npgsql;
using Return = Commerce.Orders.ReturningItems.Return;

namespace Commerce.Orders.Tests;

/// <summary>Whatever is done with returns in whatever order: pieces and money never exceed what was bought and paid.</summary>
public class ReturnPropertyTests
{
    private static readonly DateTimeOffset Now = new(2026, 1, 10, 12, 0, 0, TimeSpan.Zero);
    private static readonly Gen<(int Quantity, long Price)[]> Lines = Gen.Select(Gen.Int[1, 6], Gen.Long[0, 5_000], (q, p) => (q, p)).Array[1, 4];

    [Fact]
    public void Lines_sum_to_the_goods_and_any_partial_returns_of_a_line_to_the_line() =>
        Gen.Select(Lines, Gen.Long[0, 30_000], Gen.Long[0, 900], Gen.Int[1, 3].Array[1, 6]).Sample((lines, discount, shipping, steps) =>
        {
            var paid = Paid(lines, discount, shipping);
            var subtotal = lines.Sum(l => l.Quantity * l.Price);
            Assert.Equal(Math.Max(0, subtotal - discount), paid.GoodsMinor);
            Assert.Equal(paid.GoodsMinor, Enumerable.Range(1, lines.Length).Sum(paid.Line));
            Assert.InRange(paid.ShippingMinor, 0, shipping);
            for (var line = 1; line <= lines.Length; line++)
            {
                Assert.InRange(paid.Line(line), 0, lines[line - 1].Quantity * lines[line - 1].Price);
                var (back, sum) = (0, 0L);
                foreach (var step in steps.Append(int.MaxValue))
                {
                    var pieces = Math.Min(step, lines[line - 1].Quantity - back);
                    var worth = paid.Pieces(line, back, pieces);
                    Assert.True(worth >= 0);
                    (back, sum) = (back + pieces, sum + worth);
                }

                Assert.Equal(paid.Line(line), sum);
            }
        });

    [Fact]
    public void Any_sequence_of_steps_keeps_pieces_and_money_within_what_was_bought_and_paid()
    {
        var step = Gen.Select(Gen.Int[0, 8], Gen.Int[0, 3], Gen.Int[1, 4], Gen.Int[1, 3]);
        Gen.Select(Lines, Gen.Long[0, 4_000], Gen.Long[0, 900], Gen.Int[0, 10_000], Gen.Int[0, 10_000], Gen.Int[1, 3], step.List[1, 60]).Sample((lines, discount, shipping, fee, damaged, outcome, steps) =>
        {
            var shop = new Shop(lines, discount, shipping, new ReturnPolicy
            {
                RestockingFeeBasisPoints = fee,
                DamagedRefundBasisPoints = damaged,
                RefundShipping = true,
                ShopperPaysReasons = { ReturnReason.ChangedMind },
                ReturnPostage = Request.Euro(150),
            }, (ReturnOutcome)outcome);
            foreach (var (what, which, line, pieces) in steps)
            {
                shop.Do(what, which, 1 + (line % lines.Length), pieces);
                shop.Check();
            }
        });
    }

    [Fact]
    public void All_that_comes_back_as_new_without_fees_gives_back_exactly_what_was_paid_for_it()
    {
        Gen.Select(Lines, Gen.Long[0, 4_000], Gen.Int[0, 900], Gen.Select(Gen.Int[1, 4], Gen.Int[1, 3]).List[0, 20]).Sample((lines, discount, shipping, steps) =>
        {
            var shop = new Shop(lines, discount, shipping, new ReturnPolicy { RefundShipping = true });
            foreach (var (line, pieces) in steps)
                shop.ComeBack(1 + (line % lines.Length), pieces);
            for (var line = 1; line <= lines.Length; line++)
                shop.ComeBack(line, int.MaxValue);
            shop.Check();
            Assert.Equal(shop.Total, shop.Returns.Sum(r => r.GivenMinor));
            Assert.Equal(FulfilmentState.Returned, shop.Order.FulfilmentState);
        });
    }

    private static PaidFor Paid((int Quantity, long Price)[] lines, long discount, long shipping) => new(
        Priced(lines), [new AdjustmentRow("voucher", -discount), new AdjustmentRow("fee", 7)], shipping, Total(lines, discount, shipping));

    private static List<PricedLine> Priced((int Quantity, long Price)[] lines) => [.. lines.Select((l, i) => new PricedLine(i + 1, "line", l.Quantity, l.Price))];

    private static long Total((int Quantity, long Price)[] lines, long discount, long shipping) => Math.Max(0, lines.Sum(l => l.Quantity * l.Price) + shipping - discount);

    /// <summary>An order that was delivered, its returns, and a provider that settles as it is told.</summary>
    private sealed class Shop
    {
        private readonly (int Quantity, long Price)[] _lines;
        private readonly PaidFor _paid;
        private readonly ReturnPolicy _policy;
        private readonly Moment _moment = new(Now, "staff/test");
        private readonly long _version;
        private readonly ReturnOutcome _outcome;

        public Shop((int Quantity, long Price)[] lines, long discount, long shipping, ReturnPolicy policy, ReturnOutcome outcome = ReturnOutcome.Refund)
        {
            _outcome = outcome;
            (_lines, Total, _policy) = (lines, ReturnPropertyTests.Total(lines, discount, shipping), ReturnPolicies.Effective(policy));
            _paid = new PaidFor(Priced(lines), [new AdjustmentRow("voucher", -discount)], shipping, Total);
            Order = new Order(new OrderId("ORD", 42), "main", null, null, [.. lines.Select((l, i) => new HeldLine(i + 1, "sku", l.Quantity, 0))]);
            Order.Place(new Money(Total, "EUR"), [], _moment);
            Order.PlanParcel("s1", [.. lines.Select((l, i) => new ShipmentLineFact(i + 1, l.Quantity))], _moment);
            Order.MoveParcel("s1", ParcelState.Delivered, _moment);
            _version = Order.Version;
        }

        public Order Order { get; }

        public long Total { get; }

        public List<Return> Returns { get; } = [];

        private ReturnsOfOrder Known => new(Order, "EUR", Priced(_lines), _paid, Total, Returns.Sum(r => r.GivenMinor), _policy, TimeZoneInfo.Utc, Returns, "customer");

        public void ComeBack(int line, int pieces)
        {
            pieces = Math.Min(pieces, Returnable.Pieces(Known, Order.Lines[line - 1]));
            if (pieces == 0)
                return;
            Request(line, pieces);
            var one = Returns[^1];
            one.Approve("", true, Now);
            Receive(one, (line, pieces, ReturnCondition.AsNew));
            foreach (var refund in one.AskRefunds(Known.AvailableMinor, Now))
                one.Settle(refund.Number, "r", refund.AmountMinor, null, Now);
        }

        public void Do(int what, int which, int line, int pieces)
        {
            try
            {
                if (what == 0 || Returns.Count == 0)
                {
                    Request(line, pieces);
                    return;
                }

                var one = Returns[which % Returns.Count];
                var pending = one.Content.Refunds.FirstOrDefault(r => r.State == ReturnRefund.Types.State.Pending);
                switch (what)
                {
                    case 1:
                        one.Approve("", true, Now);
                        break;
                    case 2 when which == 0:
                        one.Reject("no", Now);
                        break;
                    case 3 when which == 0:
                        one.Cancel("", Now);
                        break;
                    case 4 or 5:
                        Receive(one, (line, pieces, ReturnCondition.AsNew));
                        break;
                    case 6:
                        Receive(one, (line, 1, (ReturnCondition)(1 + (pieces % 3))), (line, 1, ReturnCondition.Damaged));
                        break;
                    case 7:
                        one.AskRefunds(Known.AvailableMinor, Now);
                        break;
                    case 8 when pending is not null:
                        one.Settle(pending.Number, "r", pieces == 1 ? pending.AmountMinor / 2 : pieces == 2 ? 0 : pending.AmountMinor, pieces == 3 ? null : "refused", Now);
                        break;
                }
            }
            catch (Failure failure)
            {
                Assert.Contains(failure.Reason, new[] { Types.V1.ErrorReason.NotReturnable, Types.V1.ErrorReason.ReturnState });
            }
        }

        public void Check()
        {
            foreach (var line in Order.Lines)
            {
                var came = Returns.SelectMany(r => r.Content.Lines).Where(l => l.LineNumber == line.LineNumber).ToList();
                Assert.Equal(line.Returned, came.Sum(l => l.AsNew + l.Damaged));
                Assert.InRange(line.Returned, 0, line.Quantity);
                Assert.InRange(Returnable.Pieces(Known, line), 0, line.Quantity);
                Assert.True(came.Sum(l => l.GoodsMinor) <= _paid.Line(line.LineNumber));
                Assert.All(came, l => Assert.InRange(l.Open, 0, l.Quantity));
            }

            Assert.True(Returns.Sum(r => r.GivenMinor + r.PendingMinor) <= Total);
            Assert.All(Returns.Where(r => r.Content.Replacement is not null), r =>
                Assert.True(r.Content.Refunds.Where(x => x.ToCredit).Sum(x => x.State == ReturnRefund.Types.State.Pending ? x.AmountMinor : x.GivenMinor) <= r.Content.Replacement!.TotalMinor));
            Assert.All(Returns.Where(r => r.Content.Outcome == ReturnOutcome.StoreCredit), r => Assert.All(r.Content.Refunds, x => Assert.True(x.ToCredit)));
            Assert.All(Returns, r => Assert.True(r.GivenMinor + r.PendingMinor <= Math.Max(r.DueMinor, 0)));
            Assert.Equal(FulfilmentStates.Of(Order.Lines, Order.Parcels), Order.FulfilmentState);
            Assert.True(Order.Version >= _version);
        }

        private void Request(int line, int pieces)
        {
            var request = new RequestReturnRequest { Lines = { new ReturnLine { LineNumber = line, Quantity = pieces, Reason = pieces == 3 ? ReturnReason.Faulty : ReturnReason.ChangedMind } } };
            request.Outcome = _outcome;
            var replacement = _outcome == ReturnOutcome.Exchange
                ? new ReplacementContent([new ReplacementRow("other", "Other", pieces, 900)], new PaymentPartRow(PaymentMethod.Card, "tok", 0, 1))
                : null;
            Returns.Add(RequestReturn.Decide(request, Decision(), replacement));
        }

        private void Receive(Return one, params (int Line, int Quantity, ReturnCondition Condition)[] items)
        {
            var request = new ReceiveReturnRequest();
            request.Items.Add(items.Select(i => new ReceivedItem { LineNumber = i.Line, Quantity = i.Quantity, Condition = i.Condition }));
            ReceiveReturn.Receive(request, Decision(), one);
        }

        private ReturnDecision Decision() => new(Known, new NpgsqlBatch(), _moment);
    }
}

using Commerce.Facts;
using Commerce.Orders.ChangingLines;
using Commerce.Orders.Consumers;
using Commerce.Orders.PlacingOrder;
using Commerce.Orders.V1;
using Commerce.Payments;
using Commerce.Payments.Documents;
using Commerce.Payments.Providers;
using Commerce.Payments.Tests;
using Commerce.ServiceDefaults;
using CsCheck;
using CaptureMode = Commerce.Types.V1.CaptureMode;
using Payment = Commerce.Payments.Payment;
using PaymentPart = Commerce.Payments.PaymentPart;
using PaymentState = Commerce.Orders.V1.PaymentState;
using Refund = Commerce.Payments.Refund;
using RefundReason = Commerce.Payments.RefundReason;

namespace Commerce.Orders.Tests;

/// <summary>
/// One order and its payment in memory: the state machines of both, with their facts on the way between them, the provider's answers
/// late or lost, and documents issued from what Orders said a while ago. Whatever is done to the order in whatever interleaving, at
/// rest both say the same of the money, and so do the documents.
/// </summary>
public class OrderMoneyTests
{
    private static readonly Gen<(long Price, int Pieces)[]> Lines = Gen.Select(Gen.Long[1, 2000], Gen.Int[1, 4], (price, pieces) => (price, pieces)).Array[1, 3];

    [Fact]
    public void Whatever_is_done_to_an_order_at_once_its_total_its_payment_and_its_documents_say_what_is_kept() =>
        Gen.Select(Lines, Gen.Long[0, 900], Gen.Long[0, 600], Gen.Int[0, 2], Gen.Select(Gen.Int[0, 28], Gen.Int[0, 1 << 20]).List[10, 120])
            .Sample((lines, shipping, discount, mode, steps) =>
            {
                var life = new Life(lines, shipping, discount, mode);
                foreach (var (what, which) in steps)
                    life.Do(what, which);
                life.Rest();
                life.Check();
            }, iter: 10_000);

    [Fact]
    public void What_was_given_back_beside_a_change_that_made_the_order_cheaper_still_counts_when_another_makes_it_dearer()
    {
        var life = Life.Paid((1000, 3));
        life.GiveBack(2300);
        life.Deliver();
        life.TakeOff(1, 2);
        life.Add(1, 2);
        life.Rest();
        life.Check();
        Assert.Equal(700, life.Kept);
    }

    [Fact]
    public void An_order_that_was_credited_for_goodwill_and_made_cheaper_and_then_cancelled_is_not_credited_more_than_was_invoiced()
    {
        var life = Life.Paid((1000, 3));
        life.GiveBack(1500);
        life.TakeOff(1, 2);
        life.Deliver();
        life.Cancel();
        life.Rest();
        life.Check();
        Assert.Equal((0, 3000, 3000), (life.Kept, life.Sum(DocumentKind.Invoice), life.Sum(DocumentKind.CreditNote)));
    }

    [Fact]
    public void What_was_let_go_of_after_a_part_was_taken_is_neither_invoiced_nor_counted_as_spent()
    {
        var life = new Life([(1000, 3)], 0, 0, mode: 1);
        life.Deliver();
        life.TakeByHand(1200);
        life.Deliver();
        life.LetGo();
        life.Rest();
        life.Check();
        Assert.Equal((1200, 1200), (life.Kept, life.Sum(DocumentKind.Invoice)));
        life.TakeOff(1, 2);
        life.Rest();
        life.Check();
        Assert.Equal((1000, 200), (life.Kept, life.Sum(DocumentKind.CreditNote)));
    }

    [Fact]
    public void A_refund_whose_answer_was_lost_is_told_with_what_it_was_for()
    {
        var life = Life.Paid((1000, 3));
        life.TakeOff(1, 1);
        life.Hear();
        life.Drive(lost: true);
        life.GiveBack(300);
        life.Drive();
        life.TellAnyway();
        life.Rest();
        life.Check();
        Assert.Equal(1700, life.Kept);
    }

    private sealed class Life
    {
        private const string Actor = "service/tests";
        private static readonly DateTimeOffset Now = new(2026, 1, 10, 12, 0, 0, TimeSpan.Zero);
        private static readonly Moment Moment = new(Now, Actor);

        private readonly FakeProvider _provider = new();
        private readonly Order _order;
        private readonly List<IPaymentFact> _toOrders = [];
        private readonly List<IOrderFact> _toPayments = [];
        private readonly List<Action<Payment>> _answers = [];
        private readonly List<IssuedDocument> _documents = [];
        private readonly HashSet<int> _credited = [];
        private readonly HashSet<int> _withdrawn = [];
        private readonly Dictionary<int, long> _accepted = [];
        private OrderSums _sums;
        private long _untaken;
        private long _refunded;
        private Payment _payment;
        private bool _cancelled;
        private long _reduced;
        private long _changeVersion;
        private (long Total, long Version)? _asked;

        public Life((long Price, int Pieces)[] lines, long shipping, long discount, int mode)
        {
            var subtotal = lines.Sum(l => l.Price * l.Pieces);
            discount = Math.Min(discount, subtotal + shipping - 1);
            var total = subtotal + shipping - discount;
            // The second of two cards waits for its shopper.
            var first = mode == 2 ? Math.Max(1, total / 3) : total;
            PaymentPartRow[] paying = [new(PaymentMethod.Card, "ok", first, 1), .. first < total ? [new PaymentPartRow(PaymentMethod.Card, "pending", total - first, 1)] : Array.Empty<PaymentPartRow>()];
            _sums = new OrderSums(
                "EUR", subtotal, shipping, total, discount > 0 ? [new AdjustmentRow("voucher", -discount)] : [], paying,
                [.. lines.Select((l, i) => new Orders.ChangingLines.PricedLine(i + 1, "s" + i, "t", l.Pieces, l.Price, false, null))]);
            var captures = mode == 1 ? CaptureMode.Manual : CaptureMode.Automatic;
            _order = new Order(OrderId.New("ORD", TimeProvider.System), "main", null, null, [.. lines.Select((l, i) => new HeldLine(i + 1, "s" + i, l.Pieces, l.Pieces))]) { CaptureMode = captures };
            _order.Place(new Money(total, "EUR"), [], Moment);
            _payment = new Payment(
                _order.Id.ToString(), "main", new Money(total, "EUR"),
                [.. paying.Select((p, i) => PaymentPart.New(i + 1, "CARD", p.Token, new Money(p.AmountMinor, "EUR"), 1, _provider.Name))])
            { CreatedAt = Now, CaptureMode = (Payments.CaptureMode)(int)captures };
        }

        public long Kept => _provider.BooksOf(_payment.OrderId).Sum(a => a.Captured - a.Refunded);

        public static Life Paid(params (long Price, int Pieces)[] lines)
        {
            var life = new Life(lines, 0, 0, mode: 0);
            life.Rest();
            return life;
        }

        public long Sum(DocumentKind kind) => _documents.Where(d => d.Kind == kind).Sum(d => d.Content.TotalMinor);

        public void Do(int what, int which)
        {
            switch (what)
            {
                case 0 when which % 4 == 0:
                    Cancel();
                    break;
                case 1 or 2:
                    TakeOff((which % _order.Lines.Count) + 1, (which / 8 % 3) + 1);
                    break;
                case 3 or 4:
                    Add((which % _order.Lines.Count) + 1, (which / 8 % 3) + 1, (which / 32 % 4) switch { 0 => "declined", 1 => "pending", _ => "ok" });
                    break;
                case 5 or 6 when _payment.Refundable.Minor > 0:
                    GiveBack((which % _payment.Refundable.Minor) + 1);
                    break;
                case 7 or 8 or 9 when _toOrders.Count > 0:
                    HearOfPayment();
                    break;
                case 10 or 11 or 12 when _toPayments.Count > 0:
                    HearOfOrder(which % _toPayments.Count);
                    break;
                case 13 or 14 or 15 or 16:
                    // Its refunds end as they like; a driver may be killed before it knows.
                    _provider.RefundsEnd = _ => (which / 4 % 6) switch { 0 => RefundStatus.Failed, 1 => RefundStatus.Pending, _ => RefundStatus.Succeeded };
                    Step(lost: which % 4 == 0);
                    break;
                case 17 or 18 when _answers.Count > 0:
                    Learn(which % _answers.Count);
                    break;
                case 19:
                    Tell(always: which % 3 == 0);
                    break;
                case 20 or 21:
                    Ask();
                    break;
                case 22 or 23:
                    Issue();
                    break;
                case 24:
                    _provider.Decide(_payment.OrderId, pays: which % 4 != 0);
                    _provider.SettleRefunds(_payment.OrderId, which % 8 == 1 ? RefundStatus.Failed : RefundStatus.Succeeded);
                    Poll();
                    break;
                case 25 when _payment.Capturable.Minor > 0:
                    TakeByHand((which % _payment.Capturable.Minor) + 1);
                    break;
                case 26 when which % 3 == 0:
                    LetGo();
                    break;
                case 27 when _order.Pending is { } pending && which % 2 == 0:
                    Made(_order.Withdraw(pending.Number, "EXPIRED", Moment));
                    break;
                case 28 when which % 4 == 0 && _order is { State: OrderState.Open, Parcels.Count: 0 } && _order.Headline == Headline.Preparing:
                    Made(_order.PlanParcel("s1", [.. _order.Lines.Where(l => l.Quantity > 0).Select(l => new ShipmentLineFact(l.LineNumber, l.Quantity))], Moment));
                    Made(_order.MoveParcel("s1", ParcelState.Shipped, Moment));
                    break;
            }

            var (invoiced, credited) = (Sum(DocumentKind.Invoice), Sum(DocumentKind.CreditNote));
            Assert.True(credited <= invoiced, $"{credited} are credited of {invoiced}.");
        }

        public void Cancel() => Try(() => _order.Cancel(CancelReason.Shopper, "", Moment));

        public void TakeOff(int number, int pieces) => Try(() =>
        {
            var line = _sums.Lines.Single(l => l.LineNumber == number);
            LineDelta[] deltas = [LineDelta.Of(line, -Math.Clamp(pieces, 1, Math.Max(1, line.Quantity)), 0)];
            if (line.Quantity == 0)
                return null;
            if (_sums.Lines.Sum(l => l.Quantity) + deltas[0].Pieces == 0)
                return _order.Cancel(CancelReason.Shopper, "", Moment);
            _order.MustAllow(deltas);
            return _order.ChangeLines(new LinesChange(deltas, _sums, _sums.After(deltas)), "", Moment);
        });

        public void Add(int number, int pieces, string token = "ok") => Try(() =>
        {
            LineDelta[] deltas = [LineDelta.Of(_sums.Lines.Single(l => l.LineNumber == number), pieces, pieces)];
            _order.MustAllow(deltas);
            var change = new LinesChange(deltas, _sums, _sums.After(deltas));
            return _order.Propose(change, new PaymentPartRow(PaymentMethod.Card, token, change.Difference.Minor, 1), Moment);
        });

        public void GiveBack(long minor) => _payment.Promise(new Money(Math.Min(minor, _payment.Refundable.Minor), "EUR"), RefundReason.Goodwill, "", "staff/anna", Now);

        public void TakeByHand(long minor) => _payment.PromiseCapture(new Money(minor, "EUR"), "staff/anna", Now);

        public void LetGo() => _payment.RequestVoid();

        /// <summary>Everything that can go on does, but for documents.</summary>
        public void Deliver()
        {
            Hear();
            Drive();
            Hear();
        }

        public void Hear()
        {
            while (_toPayments.Count > 0)
                HearOfOrder(0);
            while (_toOrders.Count > 0)
                HearOfPayment();
        }

        public void Drive(bool lost = false)
        {
            for (var round = 0; round < 20 && (_payment.Next().Count > 0 || round == 0); round++)
            {
                Step(lost);
                if (lost)
                    return;
                while (_answers.Count > 0)
                    Learn(0);
            }

            Tell(always: false);
        }

        public void TellAnyway() => Tell(always: true);

        public void Rest()
        {
            _provider.RefundsEnd = _ => RefundStatus.Succeeded;
            for (var round = 0; round < 60; round++)
            {
                _provider.Decide(_payment.OrderId, pays: true);
                _provider.SettleRefunds(_payment.OrderId, RefundStatus.Succeeded);
                // Nobody leaves money lying with the provider for ever.
                if (round == 20)
                    _payment.RequestVoid();
                Poll();
                Deliver();
                Ask();
                Issue();
            }

            Assert.Empty(_payment.Next());
            Assert.Empty(_toOrders);
            Assert.Empty(_toPayments);
            Assert.Null(_order.Pending);
        }

        public void Check()
        {
            var total = _sums.TotalMinor;
            Assert.Equal(_payment.Captured.Minor - _payment.Refunded.Minor, Kept);
            Assert.False(_order is { State: OrderState.Open, PaymentState: PaymentState.Refunded } && Kept > 0, $"All is said to be given back, and {Kept} are kept.");
            if (_order.State == OrderState.Cancelled)
                Assert.Equal(0, Kept);
            else
                Assert.Equal((Kept, Kept), (Math.Max(0, total - _untaken - _refunded), Kept));
            Assert.True(Kept == Sum(DocumentKind.Invoice) - Sum(DocumentKind.CreditNote), $"{Kept} of {total} are kept, but there are {Said()}");
            if (_payment.Sold)
                Assert.Equal(1, _documents.Count(d => d is { Kind: DocumentKind.Invoice, RefundNumber: 0 }));
            else
                Assert.Empty(_documents);
            Assert.False(_payment.DocumentsDue);
        }

        private string Said() =>
            $"documents {string.Join(", ", _documents.Select(d => $"{d.Kind} {d.RefundNumber} {d.Content.TotalMinor}"))}; refunds "
            + string.Join(", ", _payment.Refunds.Select(r => $"{r.Number} {r.Reason} {r.Given.Minor}")) + "; parts "
            + string.Join(", ", _payment.Parts.Select(p => $"{p.Number} {p.State} {p.Captured.Minor} of change {p.Change}, accepted {p.Accepted}"));

        private void Try(Func<OrderChange?> change)
        {
            try
            {
                Made(change());
            }
            catch (Failure failure) when (failure.Reason == Types.V1.ErrorReason.OrderState)
            {
                // What is refused changes nothing.
            }
        }

        // What the order's row keeps, and what is told.
        private void Made(OrderChange? change)
        {
            for (; change is not null; change = change.Then)
            {
                if (change.Lines is { } lines)
                {
                    _untaken = Math.Max(0, _untaken - Math.Max(0, _sums.TotalMinor - lines.After.TotalMinor));
                    _sums = lines.After;
                }

                _toPayments.Add(change.Fact);
            }
        }

        private void HearOfPayment()
        {
            var fact = _toOrders[0];
            _toOrders.RemoveAt(0);
            switch (fact)
            {
                case PaymentPending:
                    Made(_order.Pay(PaymentEvent.Pending, Moment));
                    break;
                case PaymentAuthorised:
                    Made(_order.Pay(PaymentEvent.Authorised, Moment));
                    break;
                case PaymentCaptured captured:
                    Made(_order.Pay(PaymentEvent.Captured, Moment));
                    _untaken = Math.Max(0, _sums.TotalMinor - captured.Amount.Minor);
                    break;
                case PaymentDeclined:
                    Made(_order.Pay(PaymentEvent.Declined, Moment));
                    _untaken = _sums.TotalMinor;
                    break;
                case PaymentVoided:
                    Made(_order.Pay(PaymentEvent.Voided, Moment));
                    _untaken = _sums.TotalMinor;
                    break;
                case PaymentRefunded refunded:
                    var (happened, minor) = PaymentFacts.Read(refunded);
                    Made(_order.Pay(happened, Moment));
                    _refunded = minor;
                    break;
                case PaymentRefundFailed failed:
                    Made(_order.RefundFailed(failed.Amount, failed.Reason, Moment));
                    break;
                case PaymentChargeCaptured charged:
                    Made(_order.Charged(charged.Change, pending => new LinesChange(pending.Deltas, _sums, _sums.After(pending.Deltas, pending.Payment)), Moment));
                    break;
                case PaymentChargeDeclined declined:
                    Made(_order.Withdraw(declined.Change, "DECLINED", Moment));
                    break;
            }
        }

        // In any order, as Payments hears them.
        private void HearOfOrder(int index)
        {
            var fact = _toPayments[index];
            _toPayments.RemoveAt(index);
            switch (fact)
            {
                case OrderCancelled:
                    _cancelled = true;
                    break;
                case OrderLinesChanged changed:
                    _changeVersion = Math.Max(_changeVersion, changed.Version);
                    if (changed.Change > 0)
                        _accepted[changed.Change] = changed.Version;
                    else
                        _reduced += changed.TotalBefore.Minor - changed.Total.Minor;
                    break;
                case OrderChangeWithdrawn withdrawn:
                    _withdrawn.Add(withdrawn.Change);
                    break;
                case OrderChangeProposed proposed:
                    var parts = _payment.Parts.Append(PaymentPart.New(
                        _payment.Parts.Count + 1, "CARD", proposed.Payment.Token, proposed.Payment.Amount, 1, _provider.Name, proposed.Change));
                    _payment = Read([.. parts]);
                    return;
            }

            _payment = Read(_payment.Parts);
        }

        // The payment as somebody reads it from its store.
        private Payment Read(IReadOnlyList<PaymentPart> parts)
        {
            var restored = parts.Select(p => PaymentPart
                .New(p.Number, p.Method, p.Token, p.Amount, p.Instalments, p.Provider, p.Change, _withdrawn.Contains(p.Change), _accepted.GetValueOrDefault(p.Change))
                .RestoreCharge(p.ChangeTold)
                .Restore(p.State, p.ProviderReference, p.DeclineReason, p.Captured.Minor, p.Refunded.Minor, p.RestVoided, p.NextActionUrl)).ToList();
            var read = new Payment(_payment.OrderId, _payment.StoreId, _payment.Amount, restored)
            {
                Cancelled = _cancelled,
                Reduced = _reduced,
                ChangeVersion = _changeVersion,
                CaptureMode = _payment.CaptureMode,
                Invoiced = _documents.Count > 0,
                CreatedAt = Now,
            };
            return read.Restore(
                _payment.Version, _payment.Told, _payment.ToldRefunded, _payment.Sold, _payment.Revision + 1, Now,
                _payment.Refunds.Select(r => new Refund
                {
                    Number = r.Number,
                    Amount = r.Amount,
                    Reason = r.Reason,
                    Note = r.Note,
                    By = r.By,
                    Credited = _credited.Contains(r.Number),
                    CreatedAt = r.CreatedAt,
                    UpdatedAt = r.UpdatedAt,
                    Pieces = r.Pieces,
                }.Restore(r.FailureTold)).ToList(),
                _payment.VoidRequested, _payment.Captures.ToList());
        }

        // One round of a driver: what is promised is stored, the provider does it, and its answers come when they come, or never.
        private void Step(bool lost)
        {
            _payment.DropUnasked();
            if (_payment.Next().Count == 0)
                return;
            _payment.Ask();
            _payment.PromiseRelease(Now);
            _payment.PromiseReduction(Now);
            foreach (var step in _payment.Next())
            {
                var answer = Carry(step);
                if (!lost)
                    _answers.Add(answer);
            }
        }

        private Action<Payment> Carry(PaymentStep step)
        {
            var (part, reference) = (step.Part.Number, $"{_payment.OrderId}/{step.Part.Number}");
            try
            {
                switch (step.Action)
                {
                    case PartAction.Authorise:
                        var held = Said(_provider.Authorise(new AuthoriseRequest(reference, step.Part.Amount, "CARD", step.Part.Token, 1, "main", ""), reference + "/authorise", default));
                        return payment => Of(payment, part).Learn(held);
                    case PartAction.Capture:
                        var amount = step.Capture?.Pieces.Single(p => p.PartNumber == part).Amount ?? step.Part.Amount;
                        var taken = Said(_provider.Capture(step.Part.ProviderReference!, amount, $"{reference}/capture/{step.Capture?.Number}", default));
                        return payment =>
                        {
                            Of(payment, part).Learn(taken);
                            if (step.Capture is { } capture)
                                payment.CaptureOf(capture.Number, part)!.Take();
                        };
                    case PartAction.Void:
                        var released = Said(_provider.Void(step.Part.ProviderReference!, reference + "/void", default));
                        return payment => Of(payment, part).Learn(released);
                    default:
                        var number = step.Refund!.Number;
                        var back = Said(_provider.Refund(step.Part.ProviderReference!, step.Refund.Pieces.Single(p => p.PartNumber == part).Amount, $"{reference}/{number}", $"{reference}/{number}/refund", default));
                        var seen = Said(_provider.Get(step.Part.ProviderReference!, default));
                        return payment =>
                        {
                            Of(payment, part).Learn(seen);
                            payment.Learn(payment.PieceOf(number, part)!, back);
                        };
                }
            }
            catch (ProviderRefusedException refusal)
            {
                var seen = Said(_provider.Get(step.Part.ProviderReference!, default));
                return payment =>
                {
                    Of(payment, part).Learn(seen);
                    if (step.Refund is { } refund)
                        payment.PieceOf(refund.Number, part)!.Refuse(refusal.Code);
                    if (step.Capture is { } capture)
                        payment.LearnRefusal(payment.CaptureOf(capture.Number, part)!, seen, refusal.Code);
                };
            }
        }

        private void Learn(int index)
        {
            var answer = _answers[index];
            _answers.RemoveAt(index);
            answer(_payment);
        }

        // Asks about all that waits.
        private void Poll()
        {
            foreach (var part in _payment.Parts.Where(p => p is { Released: false, ProviderReference: not null }))
                part.Learn(Said(_provider.Get(part.ProviderReference!, default)));
            foreach (var refund in _payment.Refunds)
            {
                foreach (var piece in refund.Pieces.Where(p => p.State == RefundPieceState.Waiting))
                {
                    var part = Of(_payment, piece.PartNumber);
                    if (Said(_provider.FindRefund(part.ProviderReference!, $"{_payment.OrderId}/{part.Number}/{refund.Number}", default)) is { } seen)
                        _payment.Learn(piece, seen);
                }
            }
        }

        // Always: a driver that got no answer from the provider tells what there is, though something is left to do.
        private void Tell(bool always)
        {
            if (always || _payment.Next().Count == 0)
                _toOrders.AddRange(_payment.Tell(Now));
        }

        private void Ask()
        {
            if (_payment.Sold)
                _asked = (_sums.TotalMinor, _order.Version);
        }

        private void Issue()
        {
            if (_asked is not var (total, version) || version < _payment.ChangeVersion)
                return;
            foreach (var due in DueDocument.Of(_payment, total, version, _documents))
            {
                if (due.Kind == DocumentKind.CreditNote)
                    _credited.Add(due.Number);
                if (due is not { Kind: DocumentKind.CreditNote, Minor: 0 })
                    _documents.Add(new IssuedDocument("main", _payment.OrderId, due.Kind, 2026, _documents.Count + 1, due.Number, Now, Content(due.Minor, version)));
            }

            _payment = Read(_payment.Parts);
        }

        private static DocumentContent Content(long minor, long version) =>
            new("", "", [], "", "", "", "", "", [], Now, "EUR", [], 0, 0, [], minor, [], "", "", OrderVersion: version);

        private static PaymentPart Of(Payment payment, int number) => payment.Parts.Single(p => p.Number == number);

        // The provider in memory answers before it returns.
        private static T Said<T>(Task<T> answered) => answered.IsCompleted ? answered.GetAwaiter().GetResult() : throw new InvalidOperationException("The provider is not in memory.");
    }
}

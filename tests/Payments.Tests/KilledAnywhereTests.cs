using Commerce.Payments.Documents;
using Commerce.Payments.Ledger;
using Commerce.Payments.Providers;
using Commerce.Payments.StoreCredits;
using Commerce.ServiceDefaults;
using Commerce.Types.V1;
using CsCheck;

namespace Commerce.Payments.Tests;

/// <summary>
/// Random parts, faults, kills, webhooks (early, late, doubled, never), refunds and cancellations, with several drivers at
/// once: in the end the provider's book has what the order's state says, never more than one charge for a part, and never
/// more given back than was taken.
/// </summary>
public sealed class KilledAnywhereTests(DriverHarness harness) : IClassFixture<DriverHarness>
{
    private static readonly Gen<(string Token, long Minor)[]> Parts =
        Gen.Select(Gen.Frequency((5, Gen.Const("ok")), (1, Gen.Const("declined")), (2, Gen.Const("pending")), (2, Gen.Const("credit"))), Gen.Long[1, 100_000]).Array[1, 4];

    [Fact]
    public async Task Whatever_happens_the_money_is_right_in_the_end()
    {
        await Gen.Select(Parts, Gen.Int.Array[5, 30], Gen.Int).SampleAsync(
            async (parts, happenings, seed) => await Live(parts, happenings, seed),
            iter: 150,
            threads: 2,
            print: t => $"parts {string.Join(", ", t.Item1)}; happenings {string.Join(", ", t.Item2)}; seed {t.Item3}");
    }

    private async Task Live((string Token, long Minor)[] parts, int[] happenings, int seed)
    {
        var random = new Random(seed);
        var provider = new FakeProvider
        {
            Fault = _ =>
            {
                lock (random)
                    return (ProviderFault)Math.Max(0, random.Next(-6, 3));
            },
            RefundsEnd = _ =>
            {
                lock (random)
                    return (RefundStatus)random.Next(0, 3);
            },
        };
        var payment = await harness.Begin(provider);
        payment.Customer = payment.OrderId;
        payment.Orders.Changed = order => order.Total = new Money(parts.Sum(part => part.Minor), "BRL").ToProto();
        payment.CaptureMode = random.Next(3) == 0 ? "MANUAL" : null;
        var granted = 120_000L;
        await harness.Grant(payment.Customer, granted);
        var cancelled = false;
        var placed = false;
        foreach (var happening in happenings)
        {
            var points = await payment.PointsLeft();
            switch ((uint)happening % 20)
            {
                case 0 when !cancelled:
                    await payment.Cancel();
                    cancelled = true;
                    break;
                case 1 or 2 when placed:
                    provider.Decide(payment.OrderId, pays: (happening & 0x100) != 0);
                    break;
                case 3 or 4 when provider.Said is { Count: > 0 } said:
                    await payment.Hear(said[(int)((uint)happening / 16 % said.Count)]);
                    break;
                case 5 or 6 when points.Count > 1:
                    await Task.WhenAll(points.Select(p => payment.Run(p)));
                    break;
                case 7 when points.Count > 0:
                    await payment.Run(points[0], killed: true);
                    break;
                case 8 when provider.Said is { Count: > 0 } said && points.Count > 0:
                    await Task.WhenAll(payment.Run(points[0]), payment.Hear(said[^1]));
                    break;
                case 9 or 10 when placed:
                    await Task.WhenAll(Refund(payment, (uint)happening / 16), Refund(payment, (uint)happening / 64));
                    break;
                case 11:
                    provider.SettleRefunds(payment.OrderId, (happening & 0x100) != 0 ? RefundStatus.Succeeded : RefundStatus.Failed);
                    break;
                case 13 when placed:
                    await Task.WhenAll(Capture(payment, (uint)happening / 16), Capture(payment, (uint)happening / 64));
                    break;
                case 14 when placed && (happening & 0x300) == 0:
                    await Void(payment);
                    break;
                case 12 when provider.SaidOfRefunds is { Count: > 0 } said:
                    await payment.Hear(said[(int)((uint)happening / 16 % said.Count)]);
                    break;
                default:
                    if (!placed)
                    {
                        await payment.Place(parts);
                        placed = true;
                    }
                    else if (points.Count > 0)
                    {
                        await payment.Run(points[(int)((uint)happening / 16 % points.Count)]);
                    }

                    break;
            }
        }

        if (!placed)
            await payment.Place(parts);
        provider.Fault = _ => ProviderFault.None;
        provider.RefundsEnd = _ => RefundStatus.Succeeded;
        provider.SettleRefunds(payment.OrderId, (RefundStatus)random.Next(1, 3));
        await payment.Settle();
        await Check(payment, provider, cancelled);
        await CheckCredit(payment, granted);
    }

    // What the customer has is what they were given and got back, less what they spent; and nothing is on its way.
    private async Task CheckCredit(DriverHarness.TestPayment payment, long granted)
    {
        var stored = await payment.Read();
        var (balance, held) = await harness.BalanceOf(payment.Customer!);
        var ofCredit = stored.Parts.Where(p => p.Provider == StoreCreditBook.Provider).ToList();
        Assert.Equal(granted - ofCredit.Sum(p => p.Captured.Minor - p.Refunded.Minor) + stored.Parts.Sum(p => p.Credited), balance);
        Assert.Equal(ofCredit.Sum(p => p.Held), held);
        var entries = await new LedgerStore(harness.Database).List("main", payment.OrderId, "main/BRL/PROVIDER_CLEARING/store_credit", null, null, null, 1000, CancellationToken.None);
        Assert.Equal(0, entries.Sum(e => e.Amount.Minor));
    }

    private static async Task Refund(DriverHarness.TestPayment payment, uint minor)
    {
        try
        {
            await payment.Refund(
                minor % 5 == 0 ? null : (minor % 100_000) + 1, destination: minor % 3 == 0 ? V1.RefundDestination.StoreCredit : V1.RefundDestination.OriginalMeans);
        }
        catch (Failure failure) when (failure.Reason == ErrorReason.RefundExceedsPayment)
        {
            // More than is left, or nothing is captured: refused, and nothing changed.
        }
    }

    private static async Task Capture(DriverHarness.TestPayment payment, uint minor)
    {
        try
        {
            await payment.Capture(minor % 5 == 0 ? null : (minor % 100_000) + 1);
        }
        catch (Failure failure) when (failure.Reason == ErrorReason.CaptureExceedsAuthorisation)
        {
            // More than is held, or it is taken by itself: refused, and nothing changed.
        }
    }

    private static async Task Void(DriverHarness.TestPayment payment)
    {
        try
        {
            await payment.Void();
        }
        catch (Failure failure) when (failure.Reason == ErrorReason.PaymentState)
        {
            // Nothing is held any more.
        }
    }

    private static async Task Check(DriverHarness.TestPayment payment, FakeProvider provider, bool cancelled)
    {
        var stored = await payment.Read();
        var books = provider.BooksOf(payment.OrderId);

        // One authorisation a part, and our books are the provider's.
        Assert.Equal(books.Count, books.Select(a => a.Reference).Distinct().Count());
        var credited = stored.Parts.Sum(p => p.Credited);
        var outside = stored.Parts.Where(p => p.Provider == provider.Name).ToList();
        Assert.Equal(books.Sum(a => a.Captured), outside.Sum(p => p.Captured.Minor));
        Assert.Equal(books.Sum(a => a.Refunded), outside.Sum(p => p.Refunded.Minor) - credited);
        Assert.All(books, a => Assert.InRange(a.Captured, 0, a.Amount.Minor));

        if (cancelled || stored.Releasing)
        {
            Assert.All(books, a => Assert.True(a.Status == AuthorisationStatus.Declined || a.Voided || (a.Captured > 0 && (a.Captured == a.Refunded || credited > 0)), $"{a} is still held or kept."));
            Assert.Contains(stored.State, new[] { PaymentState.Declined, PaymentState.Voided, PaymentState.Refunded });
            Assert.DoesNotContain(await payment.PointsLeft(), p => p.Kind != "poll-payment");
        }
        else if (stored.Waits)
        {
            Assert.Equal(0, stored.Captured.Minor);
            Assert.Contains(await payment.PointsLeft(), p => p.Kind == "poll-payment");
        }
        else if (stored.CaptureMode == CaptureMode.Manual)
        {
            // What was asked to be taken was, and no more; what was let go of is held no longer.
            Assert.Equal(stored.Captured.Minor, stored.Captures.Sum(c => c.Taken.Minor));
            Assert.DoesNotContain(stored.Captures, c => c.State == CaptureState.Pending);
            Assert.Equal(stored.VoidRequested ? 0 : stored.Amount.Minor - stored.Captured.Minor, stored.Parts.Sum(p => p.Held));
            Assert.All(books, a => Assert.Equal(a.Voided || a.Captured == a.Amount.Minor, stored.Parts.Single(p => p.ProviderReference == a.Id).Held == 0));
        }
        else
        {
            Assert.Equal(stored.Amount.Minor, stored.Captured.Minor);
            var state = stored.Refunded.IsZero ? PaymentState.Captured : stored.Refunded == stored.Captured ? PaymentState.Refunded : PaymentState.PartlyRefunded;
            Assert.Equal(state, stored.State);
        }

        // Every refund came to an end, and those that succeeded are all that was given back.
        Assert.DoesNotContain(stored.Refunds, r => r.State == RefundState.Pending);
        Assert.Equal(stored.Refunded.Minor, stored.Refunds.Sum(r => r.Given.Minor));
        Assert.InRange(stored.Refunded.Minor, 0, stored.Captured.Minor);

        // The ledger has what the books have, whatever the order in which it was learned.
        var ledger = await payment.Ledger();
        Assert.Equal(stored.Captured.Minor, -ledger.GetValueOrDefault(AccountKind.Sales));
        Assert.Equal(stored.Refunded.Minor, ledger.GetValueOrDefault(AccountKind.Refunds));
        Assert.Equal(books.Sum(a => a.Captured - a.Refunded), ledger.GetValueOrDefault(AccountKind.ProviderClearing));
        Assert.Equal(stored.Parts.Sum(p => p.Held), ledger.GetValueOrDefault(AccountKind.Holds));

        // What was sold has its documents, once each.
        var documents = await payment.Documents();
        Assert.Equal(stored.Sold ? 1 : 0, documents.Count(d => d.Kind == DocumentKind.Invoice));
        Assert.Equal(
            stored.Sold ? stored.Refunds.Where(r => r.Given.Minor > 0).Select(r => (r.Number, r.Given.Minor)) : [],
            documents.Where(d => d.Kind == DocumentKind.CreditNote).Select(d => (d.RefundNumber, d.Content.TotalMinor)).OrderBy(d => d.RefundNumber));

        // Versions are checked to be 1, 2, 3 … in reading; the last fact tells the state.
        var told = await payment.Facts();
        var facts = told.Where(f => f != "PaymentRefundFailed").ToList();
        Assert.Equal(stored.Refunds.Count(r => r.State == RefundState.Failed && !r.GoesOn), told.Count - facts.Count);
        var incomplete = stored is { Releasing: false, Waits: false, CaptureMode: CaptureMode.Manual } && stored.Parts.Any(p => p.Held > 0);
        Assert.Equal(incomplete ? "PaymentAuthorised" : stored.State == PaymentState.PartlyRefunded ? "PaymentRefunded" : "Payment" + stored.State, facts[^1]);
        var once = facts.Where(f => f != "PaymentRefunded").ToList();
        Assert.Equal(once.Count, once.Distinct().Count());
    }
}

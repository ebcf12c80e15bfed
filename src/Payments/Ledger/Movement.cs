using Commerce.Payments.StoreCredits;

namespace Commerce.Payments.Ledger;

/// <summary>What an account is for; each store has one of a kind in each currency, and where it says so for each provider. The numbers are stored.</summary>
public enum AccountKind
{
    /// <summary>What a provider took for us and has not paid out. A provider each.</summary>
    ProviderClearing = 1,

    /// <summary>What customers paid for orders.</summary>
    Sales = 2,

    /// <summary>What went back to customers.</summary>
    Refunds = 3,

    /// <summary>Vouchers and gift cards that customers paid with: the shop owes their holders that much less. A provider each.</summary>
    Vouchers = 4,

    /// <summary>What a provider holds of customers' money and has not taken: a memorandum, for nothing is ours yet. A provider each.</summary>
    Holds = 5,

    /// <summary>The other side of the holds. A provider each.</summary>
    HoldsCounterpart = 6,

    /// <summary>What the shop owes its customers as store credit. A customer each, by id in the place of a provider.</summary>
    StoreCredit = 7,

    /// <summary>What was given as store credit without a payment behind it.</summary>
    Goodwill = 8,

    /// <summary>What a provider wanted for its services. A provider each.</summary>
    ProviderFees = 9,

    /// <summary>What shoppers' banks took back, less what the shop won. A provider each.</summary>
    Chargebacks = 10,

    /// <summary>What providers paid out.</summary>
    Bank = 11,

    /// <summary>Taxes in what was sold, less those in what was given back and on what providers wanted: what the shop owes the state.</summary>
    Taxes = 12,
}

/// <summary>What moved. The numbers are stored.</summary>
public enum MovementKind
{
    /// <summary>A provider holds an amount.</summary>
    Hold = 1,

    /// <summary>An amount was taken, and is held no longer.</summary>
    Capture = 2,

    /// <summary>A hold ended without being taken.</summary>
    Release = 3,

    /// <summary>An amount was given back.</summary>
    Refund = 4,

    /// <summary>Store credit was given by staff, or taken back.</summary>
    CreditGranted = 5,

    /// <summary>Store credit paid for an order.</summary>
    CreditSpent = 6,

    /// <summary>A refund went to store credit.</summary>
    CreditRefunded = 7,

    /// <summary>A provider wanted something for its services.</summary>
    Fee = 8,

    /// <summary>A shopper's bank took money back, or gave it up again.</summary>
    Chargeback = 9,

    /// <summary>A provider paid out.</summary>
    Payout = 10,

    /// <summary>A movement was wrong, and is posted the other way round.</summary>
    Correction = 11,

    /// <summary>The tax in what an invoice or a credit note says.</summary>
    Tax = 12,
}

/// <summary>One line of a movement: a debit is positive, a credit negative.</summary>
public readonly record struct Entry(AccountKind Account, string Provider, long Minor);

/// <summary>
/// One movement with its entries, which sum to zero. Its name is made of what moved and from where on ("…/capture/0"), so
/// that what is learned again has the same name.
/// </summary>
public sealed record Movement(string Name, MovementKind Kind, IReadOnlyList<Entry> Entries)
{
    /// <summary>
    /// What moved between what is stored of a payment and what is known of it now. Amounts only grow and a hold is taken and
    /// ends once, so whatever the order of the news, the movements are the same and each is posted once.
    /// </summary>
    public static IReadOnlyList<Movement> Of(Payment payment) => [.. payment.Parts.Where(p => p.Changed).SelectMany(p => Of(payment.OrderId, p))];

    private static IEnumerable<Movement> Of(string orderId, PaymentPart part)
    {
        var name = $"{orderId}/{part.Number}";
        var (held, captured, refunded, credited) = part.Stored;
        var hold = part.Held - held;
        Entry[] holds = [new(AccountKind.Holds, part.Provider, hold), new(AccountKind.HoldsCounterpart, part.Provider, -hold)];
        var money = part.Method == "VOUCHER" ? AccountKind.Vouchers : AccountKind.ProviderClearing;

        var taken = part.Captured.Minor - captured;
        if (taken > 0)
        {
            Entry[] sale = [new(money, part.Provider, taken), new(AccountKind.Sales, "", -taken)];
            yield return new Movement($"{name}/capture/{captured}", MovementKind.Capture, hold == 0 ? sale : [.. sale, .. holds]);
        }
        else if (hold != 0)
        {
            yield return hold > 0
                ? new Movement($"{name}/hold", MovementKind.Hold, holds)
                : new Movement($"{name}/release", MovementKind.Release, holds);
        }

        var back = part.Refunded.Minor - refunded;
        if (back == 0)
            yield break;
        // What became store credit did not come from the part's provider, but by way of the credit's own clearing account.
        var credit = part.Credited - credited;
        Entry[] from = [new(money, part.Provider, credit - back), new(AccountKind.ProviderClearing, StoreCreditBook.Provider, -credit)];
        yield return new Movement($"{name}/refund/{refunded}", MovementKind.Refund, [new(AccountKind.Refunds, "", back), .. from.Where(e => e.Minor != 0)]);
    }
}

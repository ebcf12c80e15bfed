using System.Globalization;
using System.Security.Cryptography;
using System.Text;
using Commerce.Payments.Ledger;

namespace Commerce.Payments.Settling;

/// <summary>What a line of a settlement tells. The numbers are stored, and are those of the proto's enum.</summary>
public enum SettlementType
{
    /// <summary>Money that the provider took for the shop.</summary>
    Charge = 1,

    /// <summary>Money that it gave back.</summary>
    Refund = 2,

    /// <summary>What it wants for its services, apart from what it took with other lines.</summary>
    Fee = 3,

    /// <summary>Money that a shopper's bank took back.</summary>
    Chargeback = 4,

    /// <summary>A chargeback that the shop won.</summary>
    ChargebackReversed = 5,

    /// <summary>Money that went to the shop's bank.</summary>
    Payout = 6,
}

/// <summary>A line that is right in itself; amounts in minor units, none below zero.</summary>
public sealed record SettlementLine(
    string Id, SettlementType Type, string Currency, long Amount, long Fee, long Tax, string Reference, string Authorisation, string PayoutId, DateTimeOffset OccurredAt)
{
    /// <summary>The part of a payment that it is about; made of the reference, or found by the authorisation; otherwise as the line says it.</summary>
    public string Part { get; init; } = "";

    /// <summary>The same line told again has the same hash.</summary>
    public byte[] Hash() => SHA256.HashData(Encoding.UTF8.GetBytes(string.Create(
        CultureInfo.InvariantCulture, $"{(int)Type}\n{Currency}\n{Amount}\n{Fee}\n{Tax}\n{Reference}\n{Authorisation}\n{PayoutId}\n{OccurredAt.UtcTicks}")));

    /// <summary>
    /// What it moves between accounts. What was charged or given back is in the ledger since the payment; what that cost, what banks
    /// took back and what was paid out is known from here alone.
    /// </summary>
    public IReadOnlyList<Entry> Entries(string provider)
    {
        var (account, amount) = Type switch
        {
            SettlementType.Fee => (AccountKind.ProviderFees, Amount),
            SettlementType.Chargeback => (AccountKind.Chargebacks, Amount),
            SettlementType.ChargebackReversed => (AccountKind.Chargebacks, -Amount),
            SettlementType.Payout => (AccountKind.Bank, Amount),
            _ => (AccountKind.ProviderFees, 0L),
        };
        var of = account is AccountKind.Bank ? "" : provider;
        Entry[] costs = account == AccountKind.ProviderFees
            ? [new(AccountKind.ProviderFees, provider, amount + Fee), new(AccountKind.Taxes, "", Tax)]
            : [new(account, of, amount), new(AccountKind.ProviderFees, provider, Fee), new(AccountKind.Taxes, "", Tax)];
        var sum = costs.Sum(e => e.Minor);
        return [.. costs.Append(new Entry(AccountKind.ProviderClearing, provider, -sum)).Where(e => e.Minor != 0)];
    }

    /// <summary>The ledger's name for it.</summary>
    public MovementKind Kind => Type switch
    {
        SettlementType.Chargeback or SettlementType.ChargebackReversed => MovementKind.Chargeback,
        SettlementType.Payout => MovementKind.Payout,
        _ => MovementKind.Fee,
    };
}

/// <summary>A line that does not count, and why.</summary>
/// <param name="Number">From 1; of a file with its header.</param>
public sealed record BrokenLine(long Number, string LineId, string Message);

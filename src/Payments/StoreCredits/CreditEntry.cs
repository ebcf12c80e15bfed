namespace Commerce.Payments.StoreCredits;

/// <summary>Whose credit it is: the shop's own id of a customer, in a store and a currency.</summary>
public sealed record CreditOwner(string StoreId, string CustomerId, string Currency);

/// <summary>What happened to a balance. The numbers are stored, and are those of the proto's enum.</summary>
public enum CreditEntryKind
{
    /// <summary>Given by staff, or taken back.</summary>
    Granted = 1,

    /// <summary>Spent on an order.</summary>
    Spent = 2,

    /// <summary>A refund.</summary>
    Refunded = 3,
}

/// <summary>What a customer has in one currency; amounts in minor units.</summary>
public sealed record CreditBalance(string Currency, long Balance, long Held, DateTimeOffset UpdatedAt);

/// <summary>A change of a balance.</summary>
public sealed record CreditEntry(
    int Number, CreditEntryKind Kind, Money Amount, Money Balance, string OrderId, string Note, string Actor, string Movement, DateTimeOffset CreatedAt);

/// <summary>What an order holds of a customer's credit, as it is stored.</summary>
public sealed record CreditHold(string Id, Money Amount, long Captured, long Refunded, bool Declined, bool Voided);

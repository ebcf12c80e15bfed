using Commerce.Payments.Providers;

namespace Commerce.Payments;

/// <summary>
/// One part: one means of payment at one provider. What the provider says of it (<see cref="Learn"/>) only ever moves it
/// forward, and amounts only up, so that the same answers in any order, doubled or late, end in the same state.
/// </summary>
public sealed class PaymentPart
{
    public required int Number { get; init; }

    /// <summary>As commerce.orders.v1.PaymentMethod without prefix, for example "CARD".</summary>
    public required string Method { get; init; }

    /// <summary>The provider's token of the means; never card data.</summary>
    public required string Token { get; init; }

    public required Money Amount { get; init; }

    /// <summary>Monthly instalments, from 1.</summary>
    public required int Instalments { get; init; }

    /// <summary>The provider's code, for example "sandbox".</summary>
    public required string Provider { get; init; }

    /// <summary>The change of the order that it charges for; 0: it pays the order as it was placed.</summary>
    public int Change { get; init; }

    /// <summary>It charges for a change of the order: it stands and falls by itself, and the rest of the payment without it.</summary>
    public bool IsCharge => Change > 0;

    /// <summary>The change will not be: what is held is let go, what was taken goes back.</summary>
    public bool Withdrawn { get; init; }

    /// <summary>The order's version with which the change became part of it; 0: Orders has not told that it did.</summary>
    public long Accepted { get; init; }

    /// <summary>What became of the charge was told.</summary>
    public bool ChangeTold { get; private set; }

    public PartState State { get; private set; } = PartState.Pending;

    /// <summary>The provider's own id of the authorisation; null until it is known.</summary>
    public string? ProviderReference { get; private set; }

    /// <summary>The provider's reason, for example "insufficient_funds"; null unless declined.</summary>
    public string? DeclineReason { get; private set; }

    /// <summary>Where the shopper has to go before the provider decides; null: nowhere, or no more.</summary>
    public string? NextActionUrl { get; private set; }

    public Money Captured { get; private set; }

    /// <summary>What was given back in all: what the provider gave back, and what became store credit.</summary>
    public Money Refunded { get; private set; }

    /// <summary>What of it was given back as store credit, of which the provider knows nothing, in minor units.</summary>
    public long Credited { get; private set; }

    /// <summary>It differs from what is stored.</summary>
    public bool Changed { get; private set; }

    /// <summary>Some of it was taken, and the rest is held no longer.</summary>
    public bool RestVoided { get; private set; }

    /// <summary>Held by the provider for us and not taken, in minor units.</summary>
    public long Held => State == PartState.Authorised || (Taken && !RestVoided) ? Amount.Minor - Captured.Minor : 0;

    /// <summary>What is stored of it: held, captured, refunded and credited, in minor units. The ledger posts the difference.</summary>
    public (long Held, long Captured, long Refunded, long Credited) Stored { get; private set; }

    /// <summary>Taken and not given back, in minor units.</summary>
    public long Kept => Captured.Minor - Refunded.Minor;

    /// <summary>It was taken, whatever was given back since.</summary>
    public bool Taken => Captured.Minor > 0;

    /// <summary>Nothing of it is held or kept by the provider, or ever will be.</summary>
    public bool Released => State is PartState.Declined or PartState.Voided or PartState.Refunded && Held == 0;

    /// <summary>A part that nobody was asked for yet.</summary>
    public static PaymentPart New(
        int number, string method, string token, Money amount, int instalments, string provider, int change = 0, bool withdrawn = false, long accepted = 0) => new()
        {
            Change = change,
            Withdrawn = withdrawn,
            Accepted = accepted,
            Number = number,
            Method = method,
            Token = token,
            Amount = amount,
            Instalments = instalments,
            Provider = provider,
            Captured = Money.Zero(amount.Currency),
            Refunded = Money.Zero(amount.Currency),
        };

    /// <summary>A part as it was stored.</summary>
    public PaymentPart Restore(PartState state, string? providerReference, string? declineReason, long captured, long refunded, bool restVoided = false, string? nextActionUrl = null)
    {
        State = state;
        ProviderReference = providerReference;
        DeclineReason = declineReason;
        Captured = new Money(captured, Amount.Currency);
        Refunded = new Money(refunded, Amount.Currency);
        RestVoided = restVoided;
        NextActionUrl = nextActionUrl;
        Saved();
        return this;
    }

    /// <summary>A part that charges for a change, as it was stored.</summary>
    public PaymentPart RestoreCharge(bool told)
    {
        ChangeTold = told;
        return this;
    }

    /// <summary>What became of the charge is told now.</summary>
    public void TellChange() => (ChangeTold, Changed) = (true, true);

    /// <summary>What of it was given back as store credit, as it was stored.</summary>
    public void RestoreCredited(long credited)
    {
        Credited = credited;
        Saved();
    }

    public void Saved()
    {
        Stored = (Held, Captured.Minor, Refunded.Minor, Credited);
        Changed = false;
    }

    /// <summary>The intent to ask the provider. It is stored before the provider is asked.</summary>
    public void Ask() => Move(PartState.Pending, PartState.Asking);

    /// <summary>Gives up a part that nobody was asked for; there is nothing to undo.</summary>
    public void Drop() => Move(PartState.Pending, PartState.Voided);

    /// <summary>The provider refused to take what it holds; the payment is declined for that reason. Without effect where it was taken after all.</summary>
    public void RefuseCapture(string reason)
    {
        if (State != PartState.Authorised || DeclineReason is not null)
            return;
        DeclineReason = reason;
        Changed = true;
    }

    /// <summary>The provider refused to authorise at all: it made nothing that could be voided.</summary>
    public void Decline(string reason)
    {
        if (State is not (PartState.Asking or PartState.Waiting))
            return;
        State = PartState.Declined;
        DeclineReason = reason;
        Changed = true;
    }

    /// <summary>Takes in what the provider says. True if that was news.</summary>
    /// <exception cref="ProviderFaultException">It is about another authorisation, currency or amount than ours.</exception>
    public bool Learn(Authorisation seen)
    {
        if (ProviderReference is not null && ProviderReference != seen.Id)
            throw new ProviderFaultException($"Part {Number} is authorisation {ProviderReference} of {Provider}, which now speaks of {seen.Id}.");
        if (seen.Amount != Amount)
            throw new ProviderFaultException($"{Provider} says that authorisation {seen.Id} is over {seen.Amount}; part {Number} is over {Amount}.");
        // Checked before anything is taken in: an impossible answer must change nothing.
        if (seen.Captured < 0 || seen.Captured > Amount.Minor || seen.Refunded < 0 || seen.Refunded > Math.Max(seen.Captured, Captured.Minor))
            throw new ProviderFaultException($"{Provider} says that of authorisation {seen.Id} {seen.Captured} were captured and {seen.Refunded} refunded, of {Amount.Minor}.");

        var captured = Math.Max(Captured.Minor, seen.Captured);
        var refunded = Math.Max(Refunded.Minor, seen.Refunded + Credited);
        if (refunded > captured)
            throw new ProviderFaultException($"{Provider} gave {seen.Refunded} of authorisation {seen.Id} back, of which {captured} were captured and {Credited} became store credit.");
        var state = StateAfter(seen, captured, refunded);
        var declineReason = state == PartState.Declined ? seen.DeclineReason ?? "declined" : DeclineReason;
        var restVoided = RestVoided || (seen.Voided && captured > 0 && captured < Amount.Minor);
        var nextActionUrl = state == PartState.Waiting ? seen.NextActionUrl ?? NextActionUrl : null;
        if (state == State && captured == Captured.Minor && refunded == Refunded.Minor && restVoided == RestVoided && nextActionUrl == NextActionUrl && ProviderReference is not null)
            return false;

        State = state;
        Captured = Amount with { Minor = captured };
        Refunded = Amount with { Minor = refunded };
        RestVoided = restVoided;
        NextActionUrl = nextActionUrl;
        ProviderReference = seen.Id;
        DeclineReason = declineReason;
        Changed = true;
        return true;
    }

    /// <summary>
    /// Refunds of ours that succeeded come to this much, so at least this much was given back; the provider's own total may
    /// come later, or include what was given back at the provider.
    /// </summary>
    /// <param name="atLeast">All of them, in minor units.</param>
    /// <param name="credited">Those of them that became store credit: no total of the provider's includes them.</param>
    /// <exception cref="ProviderFaultException">It is more than was taken.</exception>
    public void GaveBack(long atLeast, long credited)
    {
        var refunded = Math.Max(Refunded.Minor + credited - Credited, atLeast);
        if (refunded > Captured.Minor)
            throw new ProviderFaultException($"{refunded} of part {Number} were given back, of which {Captured.Minor} were captured.");
        if (refunded <= Refunded.Minor)
            return;
        Credited = credited;
        Refunded = Amount with { Minor = refunded };
        State = Refunded == Captured ? PartState.Refunded : PartState.PartlyRefunded;
        Changed = true;
    }

    // Money that moved outranks every word about it; after that, what is final outranks what is not.
    private PartState StateAfter(Authorisation seen, long captured, long refunded) => (captured, refunded) switch
    {
        ( > 0, > 0) => refunded == captured ? PartState.Refunded : PartState.PartlyRefunded,
        ( > 0, _) => PartState.Captured,
        _ when seen.Voided || State == PartState.Voided => PartState.Voided,
        _ when State == PartState.Declined => PartState.Declined,
        _ => seen.Status switch
        {
            AuthorisationStatus.Declined => PartState.Declined,
            AuthorisationStatus.Authorised => PartState.Authorised,
            _ => State == PartState.Authorised ? PartState.Authorised : PartState.Waiting,
        },
    };

    private void Move(PartState from, PartState to)
    {
        if (State != from)
            throw new InvalidOperationException($"Part {Number} is {State}; only a part that is {from} can become {to}.");
        State = to;
        Changed = true;
    }
}

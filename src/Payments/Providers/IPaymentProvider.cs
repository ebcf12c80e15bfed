namespace Commerce.Payments.Providers;

/// <summary>
/// A payment provider. Every change takes a key of ours: the same key is the same change, however often it is asked for.
/// Each call answers what the provider now knows, or throws <see cref="ProviderUnavailableException"/> (the outcome is
/// unknown; ask again under the same key) or <see cref="ProviderRefusedException"/> (it will not, and changed nothing).
/// </summary>
public interface IPaymentProvider
{
    /// <summary>Its code, in configuration, paths and storage, for example "sandbox".</summary>
    string Name { get; }

    /// <summary>Holds an amount.</summary>
    Task<Authorisation> Authorise(AuthoriseRequest request, string key, CancellationToken cancellationToken);

    /// <summary>What was made of an authorise call under this key; null if nothing (yet).</summary>
    Task<Authorisation?> FindByKey(string key, CancellationToken cancellationToken);

    /// <summary>What the provider knows of an authorisation of its.</summary>
    Task<Authorisation> Get(string id, CancellationToken cancellationToken);

    /// <summary>Takes what is held.</summary>
    Task<Authorisation> Capture(string id, Money amount, string key, CancellationToken cancellationToken);

    /// <summary>Releases what is held, or stops waiting for the shopper.</summary>
    Task<Authorisation> Void(string id, string key, CancellationToken cancellationToken);

    /// <summary>
    /// Gives back some of what was taken. <paramref name="reference"/> is ours, "{order_id}/{part_number}/{refund_number}": it
    /// comes back in webhooks. The answer may be that it is pending, or that it failed.
    /// </summary>
    Task<ProviderRefund> Refund(string id, Money amount, string reference, string key, CancellationToken cancellationToken);

    /// <summary>What became of the refund of an authorisation that has this reference of ours; null if there is none (yet).</summary>
    Task<ProviderRefund?> FindRefund(string id, string reference, CancellationToken cancellationToken);

    /// <summary>Reads a webhook that this provider sent, after verifying that it did.</summary>
    /// <exception cref="Commerce.ServiceDefaults.Failure">WEBHOOK_SIGNATURE_INVALID, WEBHOOK_STALE or MALFORMED_REQUEST.</exception>
    ProviderNotice ReadWebhook(IHeaderDictionary headers, ReadOnlyMemory<byte> body);
}

/// <summary>What is to be authorised.</summary>
/// <param name="Reference">Ours, "{order_id}/{part_number}": it comes back in webhooks.</param>
/// <param name="Method">As commerce.orders.v1.PaymentMethod without prefix.</param>
/// <param name="Token">The provider's token of the means.</param>
/// <param name="Instalments">Monthly instalments, from 1.</param>
/// <param name="StoreId">The store.</param>
/// <param name="CustomerId">The shop's own id of the customer; empty if the order names none.</param>
public sealed record AuthoriseRequest(string Reference, Money Amount, string Method, string Token, int Instalments, string StoreId, string CustomerId);

/// <summary>What became of an authorisation, apart from the money that moved since.</summary>
public enum AuthorisationStatus
{
    /// <summary>The shopper, or a bank, has not decided.</summary>
    Pending,

    /// <summary>The amount is held, or was.</summary>
    Authorised,

    /// <summary>It will not be held.</summary>
    Declined,
}

/// <summary>An authorisation as its provider knows it at some moment. Amounts only ever grow, in minor units of <paramref name="Amount"/>.</summary>
/// <param name="Id">The provider's id.</param>
/// <param name="Reference">Ours, as we gave it.</param>
/// <param name="Refunded">What was given back: refunds that succeeded. One that is pending or failed does not count.</param>
/// <param name="Voided">What was not captured is released.</param>
/// <param name="NextActionUrl">Where the shopper has to go before it is decided; null: nowhere.</param>
public sealed record Authorisation(
    string Id,
    string Reference,
    AuthorisationStatus Status,
    string? DeclineReason,
    Money Amount,
    long Captured,
    long Refunded,
    bool Voided,
    string? NextActionUrl = null);

/// <summary>What became of a refund.</summary>
public enum RefundStatus
{
    /// <summary>The provider, or a bank, has not settled it.</summary>
    Pending,

    /// <summary>The money went back.</summary>
    Succeeded,

    /// <summary>The money did not go back, and will not.</summary>
    Failed,
}

/// <summary>A refund as its provider knows it at some moment. Succeeded and failed are final.</summary>
/// <param name="Id">The provider's id.</param>
/// <param name="AuthorisationId">The provider's id of what it gives back.</param>
/// <param name="Reference">Ours, as we gave it; of a refund made at the provider, whatever was given there.</param>
/// <param name="FailureReason">The provider's word for why it failed.</param>
public sealed record ProviderRefund(string Id, string AuthorisationId, string Reference, RefundStatus Status, string? FailureReason, Money Amount);

/// <summary>What a webhook tells.</summary>
/// <param name="Id">The webhook's own id: a repetition has the same.</param>
/// <param name="AuthorisationId">Which authorisation it is about; null: about none.</param>
/// <param name="Seen">The authorisation as it was, if the webhook carries it; otherwise it has to be asked for.</param>
/// <param name="Refund">The refund of it that the webhook is about, as it was.</param>
public sealed record ProviderNotice(string Id, string? AuthorisationId, Authorisation? Seen, ProviderRefund? Refund = null);

/// <summary>The provider did not answer, or not with an outcome: whether it did the work is unknown.</summary>
public sealed class ProviderUnavailableException(string provider, string why, Exception? inner = null)
    : Exception($"Payment provider {provider}: {why}", inner);

/// <summary>The provider refuses, and changed nothing.</summary>
public sealed class ProviderRefusedException(string provider, string code, string detail)
    : Exception($"Payment provider {provider} refuses with {code}: {detail}")
{
    /// <summary>The provider's own code.</summary>
    public string Code => code;
}

/// <summary>The provider contradicts itself or us. Nothing is taken in; somebody has to look.</summary>
public sealed class ProviderFaultException(string message) : Exception(message);

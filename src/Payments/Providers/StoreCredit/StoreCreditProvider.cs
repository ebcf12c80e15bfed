using Commerce.Payments.StoreCredits;
using Commerce.ServiceDefaults;
using Commerce.Types.V1;
using Npgsql;

namespace Commerce.Payments.Providers.StoreCredit;

/// <summary>
/// Store credit as a provider among the others: authorised is held, captured is spent, void and refund give back. Its book is
/// our own database, in transactions of its own, so that a payment by store credit survives a crash just as one by card does.
/// </summary>
public sealed class StoreCreditProvider(StoreCreditBook book) : IPaymentProvider
{
    /// <summary>The reason of a decline.</summary>
    public const string Insufficient = "INSUFFICIENT_CREDIT";

    public string Name => StoreCreditBook.Provider;

    // Our reference names one part of one order, so it is the id as well. The token names an order whose own credit it is.
    public Task<Authorisation> Authorise(AuthoriseRequest request, string key, CancellationToken cancellationToken) => Ask(
        "authorise",
        async () => Of(await book.Hold(
            request.Reference, key, new CreditOwner(request.StoreId, OrderId.TryParse(request.Token, out var holder) ? holder.ToString() : request.CustomerId, request.Amount.Currency), request.Amount.Minor, cancellationToken)));

    public Task<Authorisation?> FindByKey(string key, CancellationToken cancellationToken) => Ask(
        "find", async () => await book.FindHoldByKey(key, cancellationToken) is { } hold ? Of(hold) : null);

    public Task<Authorisation> Get(string id, CancellationToken cancellationToken) => Ask("get", () => Now(id, cancellationToken));

    public Task<Authorisation> Capture(string id, Money amount, string key, CancellationToken cancellationToken) => Ask(
        "capture",
        async () => await book.Spend($"{key}/credit", id, amount.Minor, OrderOf(id), cancellationToken)
            ? await Now(id, cancellationToken)
            : throw new ProviderRefusedException(Name, "not_held", $"{amount} of hold {id} cannot be spent."));

    public Task<Authorisation> Void(string id, string key, CancellationToken cancellationToken) => Ask("void", async () =>
    {
        await book.Release(id, cancellationToken);
        var now = await Now(id, cancellationToken);
        return now.Voided ? now : throw new ProviderRefusedException(Name, "not_voidable", $"Nothing of hold {id} is held: it is {now.Status}, and {now.Captured} were spent.");
    });

    public Task<ProviderRefund> Refund(string id, Money amount, string reference, string key, CancellationToken cancellationToken) => Ask(
        "refund",
        async () => await book.GiveBack(MovementOf(reference), id, amount.Minor, OrderOf(id), cancellationToken)
            ? new ProviderRefund(reference, id, reference, RefundStatus.Succeeded, null, amount)
            : throw new ProviderRefusedException(Name, "more_than_spent", $"{amount} is more than was spent of hold {id} and not given back."));

    /// <summary>Gives a customer credit for what was paid by other means; the same reference is the same refund.</summary>
    public Task<ProviderRefund> Give(CreditOwner owner, string id, Money amount, string reference, CancellationToken cancellationToken) => Ask(
        "give",
        async () => await book.Refund(MovementOf(reference), owner, amount.Minor, OrderOf(reference), cancellationToken)
            ? new ProviderRefund(reference, id, reference, RefundStatus.Succeeded, null, amount)
            : throw new ProviderRefusedException(Name, "CREDIT_LIMIT", $"The customer would have more than {new Money(StoreCreditBook.Most, amount.Currency)}."));

    public Task<ProviderRefund?> FindRefund(string id, string reference, CancellationToken cancellationToken) => Ask(
        "find-refund",
        async () => await book.Find(MovementOf(reference), cancellationToken) is { } entry
            ? new ProviderRefund(reference, id, reference, RefundStatus.Succeeded, null, entry.Amount)
            : null);

    public ProviderNotice ReadWebhook(IHeaderDictionary headers, ReadOnlyMemory<byte> body) =>
        throw new Failure(ErrorReason.WebhookSignatureInvalid, "Store credit sends no webhooks.");

    private static string MovementOf(string reference) => $"{reference}/credit";

    private static string OrderOf(string reference) => reference.Split('/', 2)[0];

    private async Task<Authorisation> Now(string id, CancellationToken cancellationToken) =>
        await book.FindHold(id, cancellationToken) is { } hold ? Of(hold) : throw new ProviderRefusedException(Name, "not_found", $"There is no hold {id}.");

    private static Authorisation Of(CreditHold hold) => new(
        hold.Id,
        hold.Id,
        hold.Declined ? AuthorisationStatus.Declined : AuthorisationStatus.Authorised,
        hold.Declined ? Insufficient : null,
        hold.Amount,
        hold.Captured,
        hold.Refunded,
        hold.Voided);

    private async Task<T> Ask<T>(string operation, Func<Task<T>> work)
    {
        try
        {
            return await work();
        }
        catch (NpgsqlException exception)
        {
            throw new ProviderUnavailableException(Name, $"{operation} had no answer ({exception.SqlState ?? exception.GetType().Name}).", exception);
        }
    }
}

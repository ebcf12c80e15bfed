using Commerce.Messaging;
using Commerce.Payments.V1;
using Commerce.ServiceDefaults;
using Commerce.Types.V1;
using Npgsql;

namespace Commerce.Payments.StoreCredits;

/// <summary>Gives a customer credit without a payment behind it, or takes back what was given by mistake; once for each request.</summary>
public sealed class GrantStoreCredit(StoreCreditBook book, NpgsqlDataSource database, Requests requests)
{
    /// <summary>What is wrong with a request, apart from whose credit it is.</summary>
    public static void Check(GrantStoreCreditRequest request, List<FieldError> errors)
    {
        errors.RequestId(request.RequestId, "grant");
        errors.Reason(request.Note);
        if (!request.Amount.TryToMoney(out var amount, out var error))
            errors.Add(new FieldError("amount", error));
        else if (amount.IsZero)
            errors.Add(new FieldError("amount", "Must not be zero: more is given, less is taken back."));
        else if (amount.Minor is > StoreCreditBook.Most or < -StoreCreditBook.Most)
            errors.Add(new FieldError("amount", $"Must be at most {new Money(StoreCreditBook.Most, amount.Currency)}."));
    }

    /// <exception cref="Failure">INSUFFICIENT_CREDIT, CREDIT_LIMIT, REQUEST_ID_REUSED.</exception>
    public async Task<CreditEntry> Grant(GrantStoreCreditRequest request, RequestKey key, CancellationToken cancellationToken)
    {
        while (true)
        {
            try
            {
                return await Attempt(request, key, cancellationToken);
            }
            catch (Failure failure) when (failure.Reason is ErrorReason.InsufficientCredit or ErrorReason.CreditLimit)
            {
                // The same request again, after the first one took what was left: it has its answer already.
                if (await Earlier(key, cancellationToken) is { } earlier)
                    return earlier;
                throw;
            }
            catch (PostgresException exception) when (Requests.IsRepeated(exception))
            {
                if (await Earlier(key, cancellationToken) is { } earlier)
                    return earlier;
            }
        }
    }

    private async Task<CreditEntry> Attempt(GrantStoreCreditRequest request, RequestKey key, CancellationToken cancellationToken)
    {
        request.Amount.TryToMoney(out var amount, out _);
        var movement = $"grant/{Guid.CreateVersion7():N}";
        var owner = new CreditOwner(request.StoreId, request.CustomerId, amount.Currency);
        await using var connection = await database.OpenConnectionAsync(cancellationToken);
        await using var transaction = await connection.BeginTransactionAsync(cancellationToken);
        await using (var record = new NpgsqlBatch(connection, transaction) { BatchCommands = { requests.Record(key, movement, 1) } })
            await record.ExecuteNonQueryAsync(cancellationToken);
        if (await book.Grant(connection, transaction, movement, owner, amount.Minor, request.Note, key.Caller, cancellationToken) is { } entry)
        {
            await transaction.CommitAsync(cancellationToken);
            return entry;
        }

        await transaction.RollbackAsync(cancellationToken);
        throw await Refusal(owner, amount, cancellationToken);
    }

    private async Task<CreditEntry?> Earlier(RequestKey key, CancellationToken cancellationToken) =>
        await requests.Find(key, cancellationToken) is { } answer ? await book.Find(answer.Resource, cancellationToken) : null;

    private async Task<Failure> Refusal(CreditOwner owner, Money amount, CancellationToken cancellationToken)
    {
        var name = $"storeCredits/{owner.StoreId}/{owner.CustomerId}";
        if (amount.Minor > 0)
        {
            var most = $"A customer may have at most {new Money(StoreCreditBook.Most, owner.Currency)}.";
            return new Failure(ErrorReason.CreditLimit, most) { Preconditions = [("CREDIT", name, most)] };
        }

        var balance = (await book.Balances(owner.StoreId, owner.CustomerId, cancellationToken)).FirstOrDefault(b => b.Currency == owner.Currency);
        var available = new Money((balance?.Balance ?? 0) - (balance?.Held ?? 0), owner.Currency);
        var why = $"Only {available} can be taken from the credit of customer {owner.CustomerId}.";
        return new Failure(ErrorReason.InsufficientCredit, why)
        {
            Preconditions = [("CREDIT", name, why)],
            Metadata = new Dictionary<string, string> { ["available"] = available.ToString().Split(' ')[0], ["currency"] = owner.Currency },
        };
    }
}

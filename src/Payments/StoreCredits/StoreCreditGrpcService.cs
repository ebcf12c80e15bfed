using System.Globalization;
using Commerce.Messaging;
using Commerce.Payments.V1;
using Commerce.ServiceDefaults;
using Google.Protobuf.WellKnownTypes;
using Grpc.Core;

namespace Commerce.Payments.StoreCredits;

/// <summary>commerce.payments.v1.StoreCreditService.</summary>
public sealed class StoreCreditGrpcService(StoreCreditBook book, GrantStoreCredit grant) : StoreCreditService.StoreCreditServiceBase
{
    private const int DefaultPage = 50;
    private const int LargestPage = 500;
    private const int LongestStoreId = 40;
    private const int LongestCustomerId = 64;

    public override async Task<StoreCredit> GetStoreCredit(GetStoreCreditRequest request, ServerCallContext context)
    {
        ThrowIfAny(Owner(request.StoreId, request.CustomerId));
        var balances = await book.Balances(request.StoreId, request.CustomerId, context.CancellationToken);
        return new StoreCredit
        {
            StoreId = request.StoreId,
            CustomerId = request.CustomerId,
            Balances =
            {
                balances.Select(b => new StoreCredit.Types.Balance
                {
                    Balance_ = new Money(b.Balance, b.Currency).ToProto(),
                    Held = new Money(b.Held, b.Currency).ToProto(),
                    Available = new Money(b.Balance - b.Held, b.Currency).ToProto(),
                    UpdateTime = Timestamp.FromDateTimeOffset(b.UpdatedAt),
                }),
            },
        };
    }

    public override async Task<ListStoreCreditEntriesResponse> ListStoreCreditEntries(ListStoreCreditEntriesRequest request, ServerCallContext context)
    {
        var errors = Owner(request.StoreId, request.CustomerId);
        if (request.PageSize is < 0 or > LargestPage)
            errors.Add(new FieldError("page_size", $"Must be between 1 and {LargestPage}, or 0 for {DefaultPage}."));
        ThrowIfAny(errors);

        var size = request.PageSize == 0 ? DefaultPage : request.PageSize;
        var found = await book.Entries(request.StoreId, request.CustomerId, After(request), size + 1, context.CancellationToken);
        var response = new ListStoreCreditEntriesResponse { Entries = { found.Take(size).Select(ToProto) } };
        if (found.Count > size)
        {
            var last = found[size - 1];
            response.NextPageToken = PageToken.Encode(request, string.Create(CultureInfo.InvariantCulture, $"{last.CreatedAt.UtcTicks} {last.Amount.Currency} {last.Number}"));
        }

        return response;
    }

    public override async Task<StoreCreditEntry> GrantStoreCredit(GrantStoreCreditRequest request, ServerCallContext context)
    {
        var errors = Owner(request.StoreId, request.CustomerId);
        StoreCredits.GrantStoreCredit.Check(request, errors);
        ThrowIfAny(errors);
        return ToProto(await grant.Grant(request, RequestKey.For(context, request.RequestId, request), context.CancellationToken));
    }

    private static StoreCreditEntry ToProto(CreditEntry entry) => new()
    {
        EntryNumber = entry.Number,
        Kind = (StoreCreditEntry.Types.Kind)entry.Kind,
        Amount = entry.Amount.ToProto(),
        Balance = entry.Balance.ToProto(),
        OrderId = entry.OrderId,
        Note = entry.Note,
        Actor = entry.Actor,
        CreateTime = Timestamp.FromDateTimeOffset(entry.CreatedAt),
        Movement = entry.Movement,
    };

    private static List<FieldError> Owner(string storeId, string customerId)
    {
        var errors = new List<FieldError>();
        if (storeId.Length is 0 or > LongestStoreId || storeId.Contains('/', StringComparison.Ordinal))
            errors.Add(new FieldError("store_id", "Name the store, for example \"main\"."));
        if (customerId.Length is 0 or > LongestCustomerId || !customerId.All(c => char.IsAsciiLetterOrDigit(c) || c is '.' or '_' or ':' or '-'))
            errors.Add(new FieldError("customer_id", "Give the shop's own id of the customer: 1 to 64 letters, digits, '.', '_', ':' or '-'."));
        return errors;
    }

    private static void ThrowIfAny(List<FieldError> errors)
    {
        if (errors.Count > 0)
            throw Failure.Invalid(errors);
    }

    private static (DateTimeOffset, string, int)? After(ListStoreCreditEntriesRequest request)
    {
        if (PageToken.Decode(request) is not { } position)
            return null;
        return position.Split(' ') is [var ticks, var currency, var entry]
            && long.TryParse(ticks, NumberStyles.None, CultureInfo.InvariantCulture, out var at) && at <= DateTime.MaxValue.Ticks
            && int.TryParse(entry, NumberStyles.None, CultureInfo.InvariantCulture, out var number)
                ? (new DateTimeOffset(at, TimeSpan.Zero), currency, number)
                : throw PageToken.Invalid("It is not a token that this method gave out; leave it empty for the first page.");
    }
}

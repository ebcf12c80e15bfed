using System.Globalization;
using System.Numerics;
using Commerce.Payments.FindingPayments;
using Commerce.Payments.V1;
using Commerce.ServiceDefaults;
using Google.Protobuf.WellKnownTypes;
using Grpc.Core;

namespace Commerce.Payments.Ledger;

/// <summary>commerce.payments.v1.LedgerService.</summary>
public sealed class LedgerGrpcService(LedgerStore ledger) : LedgerService.LedgerServiceBase
{
    private const int DefaultPage = 100;
    private const int LargestPage = 1000;
    private const int LongestStoreId = 40;
    private const int LongestAccount = 200;

    public override async Task<ListEntriesResponse> ListEntries(ListEntriesRequest request, ServerCallContext context)
    {
        var errors = Store(request.StoreId);
        if (request.PageSize is < 0 or > LargestPage)
            errors.Add(new FieldError("page_size", $"Must be between 1 and {LargestPage}, or 0 for {DefaultPage}."));
        if (request.Account.Length > LongestAccount)
            errors.Add(new FieldError("account", "Is not the name of an account, such as \"main/EUR/SALES\"."));
        var from = Time("start_time", request.StartTime, errors);
        var until = Time("end_time", request.EndTime, errors);
        if (errors.Count > 0)
            throw Failure.Invalid(errors);
        var orderId = request.OrderId.Length == 0
            ? ""
            : PaymentNames.OrderId("order_id", request.OrderId, "Is not an Order ID, such as \"ORD-7K3M9QX-T2F8CRW\".");

        var size = request.PageSize == 0 ? DefaultPage : request.PageSize;
        var found = await ledger.List(request.StoreId, orderId, request.Account, from, until, After(request), size + 1, context.CancellationToken);
        var response = new ListEntriesResponse { Entries = { found.Take(size).Select(ToProto) } };
        if (found.Count > size)
        {
            var last = found[size - 1];
            response.NextPageToken = PageToken.Encode(request, string.Create(CultureInfo.InvariantCulture, $"{last.PostedAt.UtcTicks} {last.Line} {last.Movement}"));
        }

        return response;
    }

    public override async Task<TrialBalance> GetTrialBalance(GetTrialBalanceRequest request, ServerCallContext context)
    {
        var errors = Store(request.StoreId);
        var before = Time("end_time", request.EndTime, errors);
        if (errors.Count > 0)
            throw Failure.Invalid(errors);

        var totals = await ledger.Totals(request.StoreId, before, context.CancellationToken);
        var balance = new TrialBalance { StoreId = request.StoreId };
        foreach (var total in totals)
        {
            balance.Accounts.Add(new AccountBalance
            {
                Account = total.Account,
                Kind = (V1.AccountKind)total.Kind,
                Provider = total.Provider,
                Debit = Amount(total.Debit, total.Currency),
                Credit = Amount(total.Credit, total.Currency),
                Balance = Amount(total.Debit - total.Credit, total.Currency),
                EntryCount = total.Entries,
            });
        }

        foreach (var currency in totals.GroupBy(t => t.Currency))
        {
            var (debit, credit) = currency.Aggregate((Debit: BigInteger.Zero, Credit: BigInteger.Zero), (sum, t) => (sum.Debit + t.Debit, sum.Credit + t.Credit));
            balance.Sums.Add(new CurrencySum
            {
                Debit = Amount(debit, currency.Key),
                Credit = Amount(credit, currency.Key),
                Difference = Amount(debit - credit, currency.Key),
            });
        }

        return balance;
    }

    private static V1.LedgerEntry ToProto(PostedEntry entry) => new()
    {
        Movement = entry.Movement,
        LineNumber = entry.Line,
        MovementKind = (V1.MovementKind)entry.Kind,
        OrderId = entry.OrderId,
        Account = entry.Account,
        AccountKind = (V1.AccountKind)entry.AccountKind,
        Provider = entry.Provider,
        Amount = entry.Amount.ToProto(),
        PostTime = Timestamp.FromDateTimeOffset(entry.PostedAt),
    };

    // The sums of many amounts of 64 bits still fit the units of the message for every currency that has decimals.
    private static Google.Type.Money Amount(BigInteger minor, string currency)
    {
        var decimals = Currencies.MinorUnits(currency) ?? throw new InvalidOperationException($"{currency} is not an active ISO 4217 currency.");
        var (units, rest) = BigInteger.DivRem(minor, BigInteger.Pow(10, decimals));
        return new Google.Type.Money { CurrencyCode = currency, Units = checked((long)units), Nanos = (int)(rest * BigInteger.Pow(10, 9 - decimals)) };
    }

    private static List<FieldError> Store(string storeId) =>
        storeId.Length is 0 or > LongestStoreId ? [new FieldError("store_id", "Name the store, for example \"main\".")] : [];

    private static DateTimeOffset? Time(string field, Timestamp? given, List<FieldError> errors)
    {
        try
        {
            return given?.ToDateTimeOffset();
        }
        catch (InvalidOperationException)
        {
            errors.Add(new FieldError(field, "Is not a time between the years 1 and 9999."));
            return null;
        }
    }

    private static (DateTimeOffset, string, int)? After(ListEntriesRequest request)
    {
        if (PageToken.Decode(request) is not { } position)
            return null;
        return position.Split(' ', 3) is [var ticks, var line, var movement]
            && long.TryParse(ticks, NumberStyles.None, CultureInfo.InvariantCulture, out var at) && at <= DateTime.MaxValue.Ticks
            && short.TryParse(line, NumberStyles.None, CultureInfo.InvariantCulture, out var number)
                ? (new DateTimeOffset(at, TimeSpan.Zero), movement, number)
                : throw PageToken.Invalid("It is not a token that this method gave out; leave it empty for the first page.");
    }
}

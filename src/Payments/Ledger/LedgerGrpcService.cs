using System.Globalization;
using System.Numerics;
using Commerce.Messaging;
using Commerce.Payments.FindingPayments;
using Commerce.Payments.Settling;
using Commerce.Payments.V1;
using Commerce.ServiceDefaults;
using Google.Protobuf.WellKnownTypes;
using Grpc.Core;

namespace Commerce.Payments.Ledger;

/// <summary>commerce.payments.v1.LedgerService.</summary>
public sealed class LedgerGrpcService(LedgerStore ledger, ImportSettlement importSettlement, Reconcile reconcile, CorrectEntry correctEntry, TimeProvider time) : LedgerService.LedgerServiceBase
{
    private const int DefaultPage = 100;
    private const int LargestPage = 1000;
    private const int LongestStoreId = 40;
    private const int LongestAccount = 200;
    private const int MostDifferences = 1000;
    private const int DefaultPeriodDays = 31;
    private const int LongestPeriodDays = 400;

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

    public override Task<ImportSettlementResponse> ImportSettlement(IAsyncStreamReader<ImportSettlementRequest> requestStream, ServerCallContext context)
    {
        return importSettlement.Import(requestStream, context.CancellationToken);
    }

    public override async Task<CorrectEntryResponse> CorrectEntry(CorrectEntryRequest request, ServerCallContext context)
    {
        var entries = await correctEntry.Correct(request, RequestKey.For(context, request.RequestId, request), context.CancellationToken);
        return new CorrectEntryResponse { Entries = { entries.Select(ToProto) } };
    }

    public override async Task<Reconciliation> GetReconciliation(GetReconciliationRequest request, ServerCallContext context)
    {
        var errors = Store(request.StoreId);
        if (request.Provider.Length is 0 or > LongestStoreId)
            errors.Add(new FieldError("provider", "Name the provider, for example \"sandbox\"."));
        if (request.MaxDifferences is < 0 or > MostDifferences)
            errors.Add(new FieldError("max_differences", $"Must be between 1 and {MostDifferences}, or 0 for {DefaultPage}."));
        var until = Time("end_time", request.EndTime, errors) ?? time.GetUtcNow();
        var from = Time("start_time", request.StartTime, errors) ?? until.AddDays(-DefaultPeriodDays);
        if (errors.Count == 0 && (from >= until || until - from > TimeSpan.FromDays(LongestPeriodDays)))
            errors.Add(new FieldError("start_time", $"Must be before end_time, and at most {LongestPeriodDays} days."));
        if (errors.Count > 0)
            throw Failure.Invalid(errors);

        var limit = request.MaxDifferences == 0 ? DefaultPage : request.MaxDifferences;
        var sums = await reconcile.Sums(request.StoreId, request.Provider, from, until, context.CancellationToken);
        var differences = await reconcile.Differences(request.StoreId, request.Provider, from, until, limit, context.CancellationToken);
        return new Reconciliation
        {
            StoreId = request.StoreId,
            Provider = request.Provider,
            StartTime = Timestamp.FromDateTimeOffset(from),
            EndTime = Timestamp.FromDateTimeOffset(until),
            Currencies =
            {
                sums.Select(s => new Reconciliation.Types.Currency
                {
                    CapturedHere = Amount(s.CapturedHere, s.Currency),
                    CapturedThere = Amount(s.CapturedThere, s.Currency),
                    RefundedHere = Amount(s.RefundedHere, s.Currency),
                    RefundedThere = Amount(s.RefundedThere, s.Currency),
                    Fees = Amount(s.Fees, s.Currency),
                    Taxes = Amount(s.Taxes, s.Currency),
                    Chargebacks = Amount(s.Chargebacks, s.Currency),
                    Payouts = Amount(s.Payouts, s.Currency),
                    ClearingBalance = Amount(s.Clearing, s.Currency),
                    MatchedCount = s.Matched,
                    DifferenceCount = s.Differences,
                }),
            },
            Differences =
            {
                differences.Select(d => new Reconciliation.Types.Difference
                {
                    Kind = (Reconciliation.Types.Difference.Types.Kind)d.Kind,
                    Type = (V1.SettlementType)d.Type,
                    OrderId = d.Part.Split('/')[0],
                    Reference = d.Part,
                    AmountHere = new Money(d.Ours, d.Currency).ToProto(),
                    AmountThere = new Money(d.Theirs, d.Currency).ToProto(),
                }),
            },
        };
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
        Note = entry.Note,
        Actor = entry.Actor,
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

using System.Globalization;
using Commerce.Payments.Storage;
using Commerce.Payments.V1;
using Commerce.ServiceDefaults;
using Commerce.Types.V1;
using Grpc.Core;

namespace Commerce.Payments.FindingPayments;

/// <summary>commerce.payments.v1.PaymentService.</summary>
public sealed class PaymentGrpcService(PaymentStore store) : PaymentService.PaymentServiceBase
{
    private const string Prefix = "payments/";
    private const int DefaultPage = 50;
    private const int LargestPage = 500;
    private const int LongestStoreId = 40;

    public override async Task<V1.Payment> GetPayment(GetPaymentRequest request, ServerCallContext context)
    {
        var orderId = OrderIdOf(request.Name);
        if (request.MinVersion < 0)
            throw Failure.Invalid(new FieldError("min_version", "Must not be negative; 0 asks for whatever there is."));
        PaymentsTelemetry.TagOrder(orderId);
        var payment = await store.Find(orderId, context.CancellationToken);
        if (request.MinVersion > 0 && (payment?.Version ?? 0) < request.MinVersion)
        {
            throw new Failure(ErrorReason.VersionNotReached, $"The payment of {orderId} is not at version {request.MinVersion} yet; try again.")
            {
                RetryAfter = TimeSpan.FromMilliseconds(100),
            };
        }

        return payment is null
            ? throw new Failure(ErrorReason.PaymentNotFound, $"There is no payment of {orderId}. The payment of an order just placed appears moments after it.")
            : PaymentMapping.ToProto(payment);
    }

    public override async Task<ListPaymentsResponse> ListPayments(ListPaymentsRequest request, ServerCallContext context)
    {
        var errors = new List<FieldError>();
        if (request.StoreId.Length is 0 or > LongestStoreId)
            errors.Add(new FieldError("store_id", "Name the store, for example \"main\"."));
        if (request.PageSize is < 0 or > LargestPage)
            errors.Add(new FieldError("page_size", $"Must be between 1 and {LargestPage}, or 0 for {DefaultPage}."));
        if (!Enum.IsDefined(request.State))
            errors.Add(new FieldError("state", "Is not a state that a payment can have."));
        if (errors.Count > 0)
            throw Failure.Invalid(errors);

        var size = request.PageSize == 0 ? DefaultPage : request.PageSize;
        PaymentState? state = request.State == V1.Payment.Types.State.Unspecified ? null : (PaymentState)request.State;
        // One more than asked tells whether there is a next page.
        var found = await store.List(request.StoreId, state, After(request), size + 1, context.CancellationToken);
        var response = new ListPaymentsResponse { Payments = { found.Take(size).Select(PaymentMapping.ToProto) } };
        if (found.Count > size)
        {
            var last = found[size - 1];
            response.NextPageToken = PageToken.Encode(request, string.Create(CultureInfo.InvariantCulture, $"{last.CreatedAt.UtcTicks} {last.OrderId}"));
        }

        return response;
    }

    private static (DateTimeOffset, string)? After(ListPaymentsRequest request)
    {
        if (PageToken.Decode(request) is not { } position)
            return null;
        return position.Split(' ') is [var ticks, var orderId]
            && long.TryParse(ticks, NumberStyles.None, CultureInfo.InvariantCulture, out var at) && at <= DateTime.MaxValue.Ticks
                ? (new DateTimeOffset(at, TimeSpan.Zero), orderId)
                : throw PageToken.Invalid("It is not a token that this method gave out; leave it empty for the first page.");
    }

    private static string OrderIdOf(string name)
    {
        const string form = "Give \"payments/{order_id}\", for example \"payments/ORD-7K3M9QX-T2F8CRW\".";
        if (!name.StartsWith(Prefix, StringComparison.Ordinal))
            throw Failure.Invalid(new FieldError("name", form));
        var reading = OrderId.Read(name[Prefix.Length..]);
        return reading.Kind switch
        {
            OrderIdReadingKind.Valid => reading.Id.ToString(),
            OrderIdReadingKind.Mistyped => throw new Failure(
                ErrorReason.OrderIdMistyped,
                "The Order ID's check symbols do not agree with it; compare it with the confirmation.",
                new FieldError("name", "Contains a mistyped Order ID.")),
            _ => throw Failure.Invalid(new FieldError("name", form)),
        };
    }
}

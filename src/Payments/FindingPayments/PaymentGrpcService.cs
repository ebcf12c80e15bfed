using System.Globalization;
using Commerce.Messaging;
using Commerce.Payments.CapturingPayment;
using Commerce.Payments.RefundingPayment;
using Commerce.Payments.Storage;
using Commerce.Payments.V1;
using Commerce.ServiceDefaults;
using Commerce.Types.V1;
using Grpc.Core;

namespace Commerce.Payments.FindingPayments;

/// <summary>commerce.payments.v1.PaymentService.</summary>
public sealed class PaymentGrpcService(PaymentStore store, RefundPayment refundPayment, CapturePayment capturePayment) : PaymentService.PaymentServiceBase
{
    private const int DefaultPage = 50;
    private const int LargestPage = 500;
    private const int LongestStoreId = 40;

    public override async Task<V1.Payment> GetPayment(GetPaymentRequest request, ServerCallContext context)
    {
        var orderId = PaymentNames.OrderId("name", request.Name);
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

        return PaymentMapping.ToProto(payment ?? throw PaymentNames.NotFound(orderId));
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

    public override async Task<V1.Payment> CapturePayment(CapturePaymentRequest request, ServerCallContext context) =>
        PaymentMapping.ToProto(await capturePayment.Capture(request, RequestKey.For(context, request.RequestId, request), context.CancellationToken));

    public override async Task<V1.Payment> VoidPayment(VoidPaymentRequest request, ServerCallContext context) =>
        PaymentMapping.ToProto(await capturePayment.Void(request, RequestKey.For(context, request.RequestId, request), context.CancellationToken));

    public override async Task<V1.Refund> RefundPayment(RefundPaymentRequest request, ServerCallContext context)
    {
        var (payment, refund) = await refundPayment.Ask(request, RequestKey.For(context, request.RequestId, request), context.CancellationToken);
        return PaymentMapping.ToProto(payment, refund);
    }

    public override async Task<V1.Refund> GetRefund(GetRefundRequest request, ServerCallContext context)
    {
        var (orderId, number) = PaymentNames.Refund("name", request.Name);
        PaymentsTelemetry.TagOrder(orderId);
        var payment = await store.Find(orderId, context.CancellationToken) ?? throw PaymentNames.NotFound(orderId);
        return payment.Refunds.FirstOrDefault(r => r.Number == number) is { } refund
            ? PaymentMapping.ToProto(payment, refund)
            : throw new Failure(ErrorReason.RefundNotFound, $"The payment of {orderId} has no refund {number}; it has {payment.Refunds.Count}.");
    }

    public override async Task<ListRefundsResponse> ListRefunds(ListRefundsRequest request, ServerCallContext context)
    {
        var orderId = PaymentNames.OrderId("parent", request.Parent);
        if (request.PageSize is < 0 or > LargestPage)
            throw Failure.Invalid(new FieldError("page_size", $"Must be between 1 and {LargestPage}, or 0 for {DefaultPage}."));
        var after = 0;
        if (PageToken.Decode(request) is { } position && !int.TryParse(position, NumberStyles.None, CultureInfo.InvariantCulture, out after))
            throw PageToken.Invalid("It is not a token that this method gave out; leave it empty for the first page.");

        PaymentsTelemetry.TagOrder(orderId);
        var payment = await store.Find(orderId, context.CancellationToken) ?? throw PaymentNames.NotFound(orderId);
        var size = request.PageSize == 0 ? DefaultPage : request.PageSize;
        var found = payment.Refunds.Where(r => r.Number > after).Take(size).ToList();
        return new ListRefundsResponse
        {
            Refunds = { found.Select(r => PaymentMapping.ToProto(payment, r)) },
            NextPageToken = found is [.., var last] && last.Number < payment.Refunds.Count
                ? PageToken.Encode(request, last.Number.ToString(CultureInfo.InvariantCulture))
                : "",
            RefundableAmount = payment.Refundable.ToProto(),
        };
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
}

using System.Collections.Concurrent;
using Commerce.Payments.V1;
using Grpc.Core;

namespace Commerce.Shipments.Tests;

/// <summary>What Shipments asks of Payments: one refund a request_id, settled when the test says so.</summary>
internal sealed class FakePayments : PaymentService.PaymentServiceClient
{
    private readonly ConcurrentDictionary<string, Refund> _refunds = new();

    /// <summary>How refunds end; pending: not yet.</summary>
    public Refund.Types.State Settles { get; set; } = Refund.Types.State.Succeeded;

    /// <summary>What was taken, and what of it was given back, of every order.</summary>
    public (long Captured, long Refunded) Money { get; set; } = (1_000_00, 0);

    /// <summary>The answer to so many first calls is lost.</summary>
    public int Lost { get; set; }

    /// <summary>Refunds by request_id.</summary>
    public IReadOnlyDictionary<string, Refund> Refunds => _refunds;

    public override AsyncUnaryCall<Payment> GetPaymentAsync(GetPaymentRequest request, CallOptions options) => Answer(() => new Payment
    {
        Name = request.Name,
        CapturedAmount = new Money(Money.Captured, "BRL").ToProto(),
        RefundedAmount = new Money(Money.Refunded, "BRL").ToProto(),
    });

    public override AsyncUnaryCall<Refund> RefundPaymentAsync(RefundPaymentRequest request, CallOptions options)
    {
        var refund = _refunds.GetOrAdd(request.RequestId, id => new Refund { Name = $"{request.Name}/refunds/{id}", Amount = request.Amount });
        return Answer(() => Lost-- > 0 ? throw new RpcException(new Status(StatusCode.Unavailable, "gone")) : Seen(refund));
    }

    public override AsyncUnaryCall<Refund> GetRefundAsync(GetRefundRequest request, CallOptions options) =>
        Answer(() => Seen(_refunds.Values.Single(refund => refund.Name == request.Name)));

    private Refund Seen(Refund refund)
    {
        var seen = refund.Clone();
        seen.State = Settles;
        if (Settles == Refund.Types.State.Failed)
            seen.Parts.Add(new Refund.Types.Part { FailureReason = "account_closed" });
        return seen;
    }

    private static AsyncUnaryCall<T> Answer<T>(Func<T> answer)
    {
        Task<T> task;
        try
        {
            task = Task.FromResult(answer());
        }
        catch (RpcException exception)
        {
            task = Task.FromException<T>(exception);
        }

        return new(task, Task.FromResult(new Metadata()), () => Status.DefaultSuccess, () => [], () => { });
    }
}

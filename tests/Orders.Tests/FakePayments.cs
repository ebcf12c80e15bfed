using System.Collections.Concurrent;
using Commerce.Payments.V1;
using Google.Rpc;
using Grpc.Core;

namespace Commerce.Orders.Tests;

/// <summary>
/// Payments, as far as returns ask it: it promises what is left and no more, once for each request_id, and settles as the test
/// says. It outlives the service that asks it.
/// </summary>
internal sealed class FakePayments : PaymentService.PaymentServiceClient
{
    private readonly Lock _lock = new();
    private readonly Dictionary<string, Account> _accounts = [];
    private readonly ConcurrentDictionary<string, byte> _down = new();
    private readonly ConcurrentDictionary<string, byte> _forgetful = new();

    /// <summary>The real one, where a test runs it beside: it is asked, and this one is not.</summary>
    public PaymentService.PaymentServiceClient? Real { get; set; }

    /// <summary>What was taken for an order.</summary>
    public void Captured(string orderId, long minor)
    {
        lock (_lock)
            _accounts[orderId] = new Account { Captured = minor };
    }

    /// <summary>Does not answer about this order.</summary>
    public void Down(string orderId, bool down = true) => Set(_down, orderId, down);

    /// <summary>Promises, and its answer is lost.</summary>
    public void Forgetful(string orderId, bool forgetful = true) => Set(_forgetful, orderId, forgetful);

    /// <summary>How refunds of an order end from now on.</summary>
    public void Settles(string orderId, Refund.Types.State state) => Of(orderId, account => account.Settles = state);

    /// <summary>Something of an order's payment is under way that nobody asked for here.</summary>
    public void Unsettled(string orderId, bool unsettled = true) => Of(orderId, account => account.Unsettled = unsettled);

    /// <summary>Refunds of an order that are on their way end now.</summary>
    public void Settle(string orderId, Refund.Types.State state, string why = "") => Of(orderId, account =>
    {
        foreach (var refund in account.Refunds.Where(r => r.State == Refund.Types.State.Pending))
            End(refund, state, why);
    });

    /// <summary>Somebody has money given back without a return.</summary>
    public void GiveBack(string orderId, long minor) => Of(orderId, account => End(account.Add(orderId, minor), Refund.Types.State.Succeeded, ""));

    /// <summary>What was given back of an order.</summary>
    public long GivenBack(string orderId)
    {
        lock (_lock)
            return _accounts[orderId].Given;
    }

    public IReadOnlyList<Refund> RefundsOf(string orderId)
    {
        lock (_lock)
            return [.. _accounts.GetValueOrDefault(orderId)?.Refunds.Select(r => r.Clone()) ?? []];
    }

    public override AsyncUnaryCall<Refund> RefundPaymentAsync(RefundPaymentRequest request, CallOptions options) => Real is { } real ? real.RefundPaymentAsync(request, options) : Call(request.Name, account =>
    {
        var orderId = request.Name["payments/".Length..];
        if (account.ByRequest.TryGetValue(request.RequestId, out var earlier))
        {
            Assert.Equal(earlier.Request, request);
            return earlier.Refund;
        }

        Assert.True(request.Amount.TryToMoney(out var amount, out _));
        if (amount.Minor > account.Left)
        {
            var info = new ErrorInfo { Reason = "REFUND_EXCEEDS_PAYMENT", Domain = "commerce" };
            info.Metadata["refundable"] = new Commerce.Money(account.Left, "EUR").ToString().Split(' ')[0];
            info.Metadata["currency"] = "EUR";
            throw new Google.Rpc.Status { Code = (int)Code.FailedPrecondition, Message = "Only so much is left.", Details = { Google.Protobuf.WellKnownTypes.Any.Pack(info) } }
                .ToRpcException();
        }

        var refund = account.Add(orderId, amount.Minor);
        refund.Destination = request.Destination;
        if (account.Settles != Refund.Types.State.Pending)
            End(refund, account.Settles, "account_closed");
        account.ByRequest[request.RequestId] = (request.Clone(), refund);
        return _forgetful.ContainsKey(orderId) ? throw new RpcException(new Grpc.Core.Status(StatusCode.Unavailable, "The answer is lost.")) : refund;
    });

    public override AsyncUnaryCall<Refund> GetRefundAsync(GetRefundRequest request, CallOptions options) => Real is { } real
        ? real.GetRefundAsync(request, options)
        : Call(string.Join('/', request.Name.Split('/').Take(2)), account => account.Refunds.Single(r => r.Name == request.Name));

    public override AsyncUnaryCall<Payment> GetPaymentAsync(GetPaymentRequest request, CallOptions options) => Real is { } real
        ? real.GetPaymentAsync(request, options)
        : Call(request.Name, account => new Payment { Name = request.Name, Settled = !account.Unsettled && account.Refunds.All(r => r.State != Refund.Types.State.Pending) });

    private AsyncUnaryCall<T> Call<T>(string name, Func<Account, T> answer)
        where T : Google.Protobuf.IDeepCloneable<T> =>
        new(Answer(name["payments/".Length..], answer), Task.FromResult(new Metadata()), () => Grpc.Core.Status.DefaultSuccess, () => [], () => { });

    private async Task<T> Answer<T>(string orderId, Func<Account, T> answer)
        where T : Google.Protobuf.IDeepCloneable<T>
    {
        await Task.Yield();
        if (_down.ContainsKey(orderId))
            throw new RpcException(new Grpc.Core.Status(StatusCode.Unavailable, "Payments is down."));
        lock (_lock)
        {
            return _accounts.TryGetValue(orderId, out var account)
                ? answer(account).Clone()
                : throw new RpcException(new Grpc.Core.Status(StatusCode.NotFound, "There is no payment."));
        }
    }

    private void Of(string orderId, Action<Account> change)
    {
        lock (_lock)
            change(_accounts[orderId]);
    }

    private static void Set(ConcurrentDictionary<string, byte> set, string orderId, bool on)
    {
        if (on)
            set[orderId] = 0;
        else
            set.TryRemove(orderId, out _);
    }

    private static void End(Refund refund, Refund.Types.State state, string why)
    {
        refund.State = state;
        refund.RefundedAmount = state == Refund.Types.State.Succeeded ? refund.Amount : Request.Euro(0);
        if (state == Refund.Types.State.Failed)
            refund.Parts.Add(new Refund.Types.Part { PartNumber = 1, FailureReason = why });
    }

    private sealed class Account
    {
        public required long Captured { get; init; }

        public Refund.Types.State Settles { get; set; } = Refund.Types.State.Succeeded;

        public bool Unsettled { get; set; }

        public List<Refund> Refunds { get; } = [];

        public Dictionary<string, (RefundPaymentRequest Request, Refund Refund)> ByRequest { get; } = [];

        public long Given => Refunds.Where(r => r.State == Refund.Types.State.Succeeded).Sum(Minor);

        public long Left => Captured - Given - Refunds.Where(r => r.State == Refund.Types.State.Pending).Sum(Minor);

        public Refund Add(string orderId, long minor)
        {
            var refund = new Refund
            {
                Name = $"payments/{orderId}/refunds/{Refunds.Count + 1}",
                OrderId = orderId,
                State = Refund.Types.State.Pending,
                Amount = Request.Euro(minor),
                RefundedAmount = Request.Euro(0),
            };
            Refunds.Add(refund);
            return refund;
        }

        private static long Minor(Refund refund) => refund.Amount.TryToMoney(out var money, out _) ? money.Minor : 0;
    }
}

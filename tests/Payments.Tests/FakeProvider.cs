using System.Collections.Concurrent;
using Commerce.Payments.Providers;
using Microsoft.AspNetCore.Http;

namespace Commerce.Payments.Tests;

/// <summary>How a call to the fake goes wrong.</summary>
internal enum ProviderFault
{
    None,

    /// <summary>No answer, and nothing was done.</summary>
    BeforeTheWork,

    /// <summary>No answer, and the work was done.</summary>
    AfterTheWork,
}

/// <summary>
/// A provider in memory, by the same rules as a real one: a key's work is done once, amounts only grow, nothing is taken
/// that is not held. Its books are what the tests judge by. Tokens: "declined", "pending", and anything else is good.
/// </summary>
internal sealed class FakeProvider : IPaymentProvider
{
    private readonly Lock _lock = new();
    private readonly Dictionary<string, string> _idsByKey = [];
    private readonly Dictionary<string, Authorisation> _books = [];
    private readonly HashSet<string> _done = [];
    private readonly ConcurrentQueue<Authorisation> _said = [];
    private readonly Dictionary<string, ProviderRefund> _refunds = [];
    private readonly Dictionary<string, string> _refundsByKey = [];
    private readonly ConcurrentQueue<ProviderRefund> _saidOfRefunds = [];
    private int _numbers;

    public string Name => "fake";

    /// <summary>Asked before each call: how it goes wrong.</summary>
    public Func<string, ProviderFault> Fault { get; set; } = _ => ProviderFault.None;

    /// <summary>Runs after the work and before the answer, outside the lock: here a test interferes.</summary>
    public Func<string, Task> OnAnswer { get; set; } = _ => Task.CompletedTask;

    /// <summary>How a refund is answered, by its reference.</summary>
    public Func<string, RefundStatus> RefundsEnd { get; set; } = _ => RefundStatus.Succeeded;

    public int Calls { get; private set; }

    /// <summary>Everything that was ever said, in order: webhooks carry these.</summary>
    public IReadOnlyList<Authorisation> Said => [.. _said];

    /// <summary>Everything that was ever said of refunds, in order.</summary>
    public IReadOnlyList<ProviderRefund> SaidOfRefunds => [.. _saidOfRefunds];

    public IReadOnlyList<Authorisation> BooksOf(string orderId)
    {
        lock (_lock) return [.. _books.Values.Where(a => a.Reference.StartsWith(orderId + "/", StringComparison.Ordinal))];
    }

    /// <summary>The shopper of every pending authorisation of the order decides.</summary>
    public void Decide(string orderId, bool pays)
    {
        lock (_lock)
        {
            foreach (var a in _books.Values.Where(a => a.Status == AuthorisationStatus.Pending && !a.Voided && a.Reference.StartsWith(orderId + "/", StringComparison.Ordinal)).ToList())
                Keep(a with { Status = pays ? AuthorisationStatus.Authorised : AuthorisationStatus.Declined, DeclineReason = pays ? null : "abandoned" });
        }
    }

    public Task<Authorisation> Authorise(AuthoriseRequest request, string key, CancellationToken cancellationToken) => Call("authorise", () =>
    {
        if (_idsByKey.TryGetValue(key, out var known))
            return _books[known];
        var status = request.Token switch
        {
            "declined" => AuthorisationStatus.Declined,
            "pending" => AuthorisationStatus.Pending,
            _ => AuthorisationStatus.Authorised,
        };
        var id = $"fake_{++_numbers}_{request.Reference}";
        _idsByKey[key] = id;
        return Keep(new Authorisation(
            id, request.Reference, status, status == AuthorisationStatus.Declined ? "insufficient_funds" : null, request.Amount, 0, 0, Voided: false));
    });

    public Task<Authorisation?> FindByKey(string key, CancellationToken cancellationToken) =>
        Call("find", () => _idsByKey.TryGetValue(key, out var id) ? _books[id] : null);

    public Task<Authorisation> Get(string id, CancellationToken cancellationToken) => Call("get", () => _books[id]);

    public Task<Authorisation> Capture(string id, Money amount, string key, CancellationToken cancellationToken) => Call("capture", () =>
    {
        var a = _books[id];
        if (!_done.Add(key))
            return a;
        if (a.Voided || a.Status != AuthorisationStatus.Authorised || a.Captured + amount.Minor > a.Amount.Minor)
        {
            _done.Remove(key);
            throw new ProviderRefusedException(Name, "not_capturable", "It is void, not authorised, or captured.");
        }

        return Keep(a with { Captured = a.Captured + amount.Minor });
    });

    public Task<Authorisation> Void(string id, string key, CancellationToken cancellationToken) => Call("void", () =>
    {
        var a = _books[id];
        if (a.Voided)
            return a;
        return a.Captured == a.Amount.Minor || a.Status == AuthorisationStatus.Declined
            ? throw new ProviderRefusedException(Name, "not_voidable", "It is captured or declined.")
            : Keep(a with { Voided = true });
    });

    public Task<ProviderRefund> Refund(string id, Money amount, string reference, string key, CancellationToken cancellationToken) => Call("refund", () =>
    {
        if (_refundsByKey.TryGetValue(key, out var known))
            return _refunds[known];
        var a = _books[id];
        if (a.Refunded + _refunds.Values.Where(r => r.AuthorisationId == id && r.Status == RefundStatus.Pending).Sum(r => r.Amount.Minor) + amount.Minor > a.Captured)
            throw new ProviderRefusedException(Name, "too_much", "More than was captured.");
        var refund = new ProviderRefund($"re_{++_numbers}_{reference}", id, reference, RefundStatus.Pending, null, amount);
        _refundsByKey[key] = refund.Id;
        return Keep(refund, RefundsEnd(reference));
    });

    public Task<ProviderRefund?> FindRefund(string id, string reference, CancellationToken cancellationToken) =>
        Call("find-refund", () => _refunds.Values.SingleOrDefault(r => r.AuthorisationId == id && r.Reference == reference));

    /// <summary>The provider settles every refund of the order that is pending.</summary>
    public void SettleRefunds(string orderId, RefundStatus settled)
    {
        lock (_lock)
        {
            foreach (var refund in _refunds.Values.Where(r => r.Status == RefundStatus.Pending && r.Reference.StartsWith(orderId + "/", StringComparison.Ordinal)).ToList())
                Keep(refund, settled);
        }
    }

    private ProviderRefund Keep(ProviderRefund refund, RefundStatus status)
    {
        refund = refund with { Status = status, FailureReason = status == RefundStatus.Failed ? "bank_says_no" : null };
        _refunds[refund.Id] = refund;
        _saidOfRefunds.Enqueue(refund);
        if (status == RefundStatus.Succeeded)
        {
            var a = _books[refund.AuthorisationId];
            Keep(a with { Refunded = a.Refunded + refund.Amount.Minor });
        }

        return refund;
    }

    public ProviderNotice ReadWebhook(IHeaderDictionary headers, ReadOnlyMemory<byte> body) => throw new NotSupportedException("The fake's webhooks are handed over as they are.");

    private Authorisation Keep(Authorisation authorisation)
    {
        _books[authorisation.Id] = authorisation;
        _said.Enqueue(authorisation);
        return authorisation;
    }

    private async Task<T> Call<T>(string operation, Func<T> work)
    {
        var fault = Fault(operation);
        if (fault == ProviderFault.BeforeTheWork)
            throw new ProviderUnavailableException(Name, $"{operation} never arrived.");
        T answer;
        lock (_lock)
        {
            Calls++;
            answer = work();
        }

        await OnAnswer(operation);
        return fault == ProviderFault.AfterTheWork ? throw new ProviderUnavailableException(Name, $"The answer to {operation} was lost.") : answer;
    }
}

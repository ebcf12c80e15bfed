using Commerce.Facts;
using Commerce.Messaging;
using Commerce.Orders.Checking;
using Commerce.Orders.V1;
using Commerce.ServiceDefaults;

namespace Commerce.Orders.ReturningItems;

/// <summary>The shop says yes or no to a return, or the shopper takes it back.</summary>
public sealed class DecideReturn(ReturnChanges changes)
{
    private const int LongestNote = 500;

    /// <exception cref="Failure">RETURN_STATE, RETURN_NOT_FOUND, INVALID_FIELD, ETAG_MISMATCH, REQUEST_ID_REUSED.</exception>
    public Task<V1.Return> Approve(ApproveReturnRequest request, RequestKey key, CancellationToken cancellationToken)
    {
        Check(request.RequestId, request.Etag, errors => errors.Optional("note", request.Note, LongestNote));
        return changes.Once(request.Name, request.Etag, key, (decision, one) => Approve(decision, one, request.Note, !request.WithoutLabel), cancellationToken);
    }

    /// <exception cref="Failure">As <see cref="Approve(ApproveReturnRequest, RequestKey, CancellationToken)"/>.</exception>
    public Task<V1.Return> Reject(RejectReturnRequest request, RequestKey key, CancellationToken cancellationToken)
    {
        Check(request.RequestId, request.Etag, errors => errors.Required("reason", request.Reason, LongestNote));
        return changes.Once(
            request.Name,
            request.Etag,
            key,
            (decision, one) =>
            {
                one.Reject(request.Reason, decision.Moment.Time);
                decision.Tell(one, request.Reason, version => new ReturnRejected(one.OrderId.ToString(), one.StoreId, version, decision.Moment.Time, one.Number));
            },
            cancellationToken);
    }

    /// <exception cref="Failure">RETURN_STATE, RETURN_NOT_FOUND, INVALID_FIELD, ETAG_MISMATCH, REQUEST_ID_REUSED.</exception>
    public Task<V1.Return> Cancel(CancelReturnRequest request, RequestKey key, CancellationToken cancellationToken)
    {
        Check(request.RequestId, request.Etag, errors => errors.Optional("note", request.Note, LongestNote));
        return changes.Once(
            request.Name,
            request.Etag,
            key,
            (decision, one) =>
            {
                if (one.Cancel(request.Note, decision.Moment.Time))
                    decision.Tell(one, request.Note, version => new ReturnCancelled(one.OrderId.ToString(), one.StoreId, version, decision.Moment.Time, one.Number));
            },
            cancellationToken);
    }

    /// <summary>Approves in a transaction that is under way.</summary>
    public static void Approve(ReturnDecision decision, Return one, string note, bool labelWanted)
    {
        if (!one.Approve(note, labelWanted, decision.Moment.Time))
            return;
        decision.Tell(one, note, version => new ReturnApproved(one.OrderId.ToString(), one.StoreId, version, decision.Moment.Time, one.Number, labelWanted));
    }

    private static void Check(string requestId, string etag, Action<FieldErrors> more)
    {
        var errors = new FieldErrors();
        errors.RequestId(requestId, required: true);
        errors.Etag("etag", etag);
        more(errors);
        errors.ThrowIfAny();
    }
}

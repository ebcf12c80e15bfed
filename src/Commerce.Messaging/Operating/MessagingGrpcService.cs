using System.Diagnostics;
using Commerce.Operations.V1;
using Commerce.ServiceDefaults;
using Commerce.Types.V1;
using Google.Protobuf.WellKnownTypes;
using Grpc.Core;

namespace Commerce.Messaging.Operating;

/// <summary>commerce.operations.v1.MessagingService, for the queues of the service that it runs in.</summary>
internal sealed class MessagingGrpcService(QueueOperations operations) : MessagingService.MessagingServiceBase
{
    private const string Collection = "queues/";
    private const int DefaultOnPage = 50;
    private const int MostOnPage = 500;

    public override async Task<ListQueuesResponse> ListQueues(ListQueuesRequest request, ServerCallContext context)
    {
        if (request.PageSize is < 0 or > MostOnPage)
            throw Failure.Invalid(new FieldError("page_size", $"Must be 0 (for {DefaultOnPage}) to {MostOnPage}."));
        var size = request.PageSize == 0 ? DefaultOnPage : request.PageSize;
        var after = PageToken.Decode(request) ?? "";
        var queues = operations.Queues.Where(queue => string.CompareOrdinal(queue, after) > 0).Take(size + 1).ToList();
        var response = new ListQueuesResponse();
        foreach (var queue in queues.Take(size))
            response.Queues.Add(ToProto(await operations.Look(queue, context.CancellationToken)));
        if (queues.Count > size)
            response.NextPageToken = PageToken.Encode(request, queues[size - 1]);
        return response;
    }

    public override async Task<RedriveQueueResponse> RedriveQueue(RedriveQueueRequest request, ServerCallContext context)
    {
        var queue = request.Name.StartsWith(Collection, StringComparison.Ordinal) ? request.Name[Collection.Length..] : "";
        if (queue.Length == 0)
            throw Failure.Invalid(new FieldError("name", "Expected queues/{queue}, for example queues/notifications.orders."));
        if (!operations.Queues.Contains(queue))
            throw new Failure(ErrorReason.QueueNotFound, $"This service does not consume such a queue; it consumes: {string.Join(", ", operations.Queues)}.");
        var redriven = await operations.Redrive(queue, context.CancellationToken);
        return new RedriveQueueResponse { Name = Collection + queue, ReturnedMessages = redriven.FromErrorQueue, DueFacts = redriven.MadeDue };
    }

    private static Queue ToProto(QueueState state) => new()
    {
        Name = Collection + state.Queue,
        WaitingMessages = state.Waiting,
        SetAsideFacts = state.SetAside,
        ParkedFacts = state.Parked,
        ErrorMessages = state.Errors,
        OldestTime = state.Oldest?.ToTimestamp(),
        LastError = state.Last is { } last ? ToProto(last) : null,
    };

    // Of a message that may be anybody's only what has the form of ours is passed on.
    private static QueueError ToProto(QueueFailure failure) => new()
    {
        Reason = failure.Reason switch
        {
            "set-aside" => QueueError.Types.Reason.SetAside,
            "gave-up" => QueueError.Types.Reason.GaveUp,
            "undecodable" => QueueError.Types.Reason.Undecodable,
            "unknown-fact" => QueueError.Types.Reason.UnknownFact,
            _ => QueueError.Types.Reason.DeliveryLimit,
        },
        Error = failure.Error,
        Fact = failure.Fact ?? "",
        MessageId = Guid.TryParse(failure.MessageId, out var id) ? id.ToString() : "",
        TraceId = ActivityContext.TryParse(failure.TraceParent, null, out var trace) ? trace.TraceId.ToHexString() : "",
        Attempts = failure.Attempts,
        FailTime = failure.At.ToTimestamp(),
    };
}

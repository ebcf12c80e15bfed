using Commerce.Messaging;
using Commerce.ServiceDefaults;
using Commerce.Shipments.ChangingDelivery;
using Commerce.Shipments.Storage;
using Commerce.Shipments.V1;
using Commerce.Types.V1;
using Npgsql;
using Action = Commerce.Shipments.V1.ResolutionAction;
using State = Commerce.Shipments.V1.Resolution.Types.State;

namespace Commerce.Shipments.ResolvingExceptions;

/// <summary>Stores what somebody wants done about a parcel; <see cref="CarryOutResolution"/> does it.</summary>
internal sealed class BeginResolution(NpgsqlDataSource database, Requests requests, Outbox outbox, RecoveryPoints recoveryPoints, TimeProvider time)
{
    private const int LongestNote = 500;
    private const int LongestRequestId = 128;

    /// <exception cref="Failure">INVALID_FIELD, SHIPMENT_NOT_FOUND, RESOLUTION_NOT_POSSIBLE, REQUEST_ID_REUSED.</exception>
    public async Task<Resolution> Begin(Guid shipmentId, ResolveExceptionRequest request, RequestKey key, CancellationToken cancellationToken)
    {
        var amount = Check(request, DateOnly.FromDateTime(time.GetUtcNow().UtcDateTime));
        try
        {
            return await Store(shipmentId, request, amount, key, cancellationToken);
        }
        // The same request again, after the first settled it: it has its answer already.
        catch (Failure failure) when (failure.Reason == ErrorReason.ResolutionNotPossible)
        {
            if (await Earlier(shipmentId, key, cancellationToken) is { } earlier)
                return earlier;
            throw;
        }
        catch (PostgresException exception) when (Requests.IsRepeated(exception))
        {
            return await Earlier(shipmentId, key, cancellationToken)
                ?? throw new Failure(ErrorReason.RequestInProgress, "The same request was accepted and can no longer be found; try again.");
        }
    }

    private async Task<Resolution> Store(Guid shipmentId, ResolveExceptionRequest request, Money? amount, RequestKey key, CancellationToken cancellationToken)
    {
        var now = time.GetUtcNow();
        await using var connection = await database.OpenConnectionAsync(cancellationToken);
        await using var transaction = await connection.BeginTransactionAsync(cancellationToken);
        var shipment = await ShipmentStore.Lock(connection, transaction, shipmentId, cancellationToken)
            ?? throw new Failure(ErrorReason.ShipmentNotFound, $"There is no shipment {shipmentId:N}.");
        ShipmentsTelemetry.TagOrder(shipment.OrderId);
        var earlier = (await ResolutionStore.Of(connection, transaction, [shipmentId], cancellationToken))[shipmentId].ToList();
        MustBePossible(shipment, earlier, request.Action, amount);

        var one = new Resolution(shipmentId, earlier.Count + 1, request.Action, State.Pending, "", amount, "", request.Note, key.Caller, now, now) { Day = DayOf(request) };
        await using var batch = new NpgsqlBatch(connection, transaction);
        batch.BatchCommands.Add(requests.Record(key, one.Name, shipment.Version));
        if (request.Action == Action.Dismiss)
        {
            one = one.Settle(State.Done, "Somebody looked at it; it leaves the list.", now);
            if (shipment.Clear(now) is { } fact)
            {
                outbox.Add(batch, fact);
                batch.BatchCommands.Add(ShipmentStore.Update(shipment));
            }
        }
        else
        {
            recoveryPoints.Add(batch, CarryOutResolution.PointOf(one));
            if (DecidedRemedyRecord.Of(one) is { } decided)
            {
                outbox.Add(batch, shipment.RemedyWasDecided(decided, now));
                batch.BatchCommands.Add(ShipmentStore.Update(shipment));
            }
        }

        batch.BatchCommands.Add(ResolutionStore.Insert(one));
        await batch.ExecuteNonQueryAsync(cancellationToken);
        await transaction.CommitAsync(cancellationToken);
        outbox.Wake();
        recoveryPoints.Wake();
        return one;
    }

    /// <summary>Pieces are sent again or paid back, never both; and only what is wrong can be put right.</summary>
    private static void MustBePossible(Shipment shipment, List<Resolution> earlier, Action action, Money? amount)
    {
        if (earlier.Count >= Resolution.Most)
            throw Refused($"{Resolution.Most} things were done about this parcel already.");
        if (action == Action.Dismiss)
        {
            if (shipment.Exception is null)
                throw Refused("Nothing is wrong with this parcel.");
            return;
        }

        // A day can be wished for as often as the shopper is out.
        if (action != Action.Reschedule && earlier.Find(one => one.Action == action && one.State != State.Failed) is { } same)
            throw Refused($"That is {(same.IsOver ? "done" : "being done")} already: {same.Name}.");
        if (!TrackingStatusRules.WasHandedOver(shipment.Tracking))
            throw Refused("The carrier does not have the parcel yet: cancel it, or wait for it to be handed over.");
        if (action is Action.Claim or Action.Reschedule)
            return;
        if (shipment.ReturnNumber > 0)
            throw Refused("It brings goods back; receive or cancel its return instead.");
        if (shipment.Tracking.Status == V1.TrackingStatus.Delivered)
            throw Refused("It was delivered: what is wrong with it is a return, an exchange or a refund of the order.");
        if (earlier.Find(one => one.Action is Action.Reship or Action.Refund && one.State != State.Failed) is { } other)
            throw Refused($"Its pieces are sent again or paid back, not both: see {other.Name}.");
        if (amount is { } asked && asked.Currency != shipment.Value.Currency)
            throw Failure.Invalid(new FieldError("amount.currency_code", $"The order is in {shipment.Value.Currency}."));
    }

    private static Failure Refused(string why) => new(ErrorReason.ResolutionNotPossible, why);

    private async Task<Resolution?> Earlier(Guid shipmentId, RequestKey key, CancellationToken cancellationToken) =>
        await requests.Find(key, cancellationToken) is { } answer
            ? (await ResolutionStore.Of(database, [shipmentId], cancellationToken))[shipmentId].FirstOrDefault(one => one.Name == answer.Resource)
            : null;

    private static DateOnly? DayOf(ResolveExceptionRequest request) => request.PreferredDay is { } day ? DeliveryRequests.DayOf(day) : null;

    private static Money? Check(ResolveExceptionRequest request, DateOnly today)
    {
        var errors = new List<FieldError>();
        if (request.RequestId.Length is 0 or > LongestRequestId || !request.RequestId.All(c => c is > ' ' and < '\x7f'))
            errors.Add(new FieldError("request_id", $"Give 1 to {LongestRequestId} visible ASCII characters, a UUID by preference."));
        if (request.Note.Length > LongestNote)
            errors.Add(new FieldError("note", $"Has {request.Note.Length} characters; at most {LongestNote} are allowed."));
        if (request.Action == Action.Unspecified || !Enum.IsDefined(request.Action))
            errors.Add(new FieldError("action", "Say what is to be done: RESOLUTION_ACTION_CLAIM, _RESHIP, _REFUND, _RESCHEDULE or _DISMISS."));
        if (request.Action != Action.Reschedule && request.PreferredDay is not null)
            errors.Add(new FieldError("preferred_day", "Only rescheduling has a day."));
        else if (request.Action == Action.Reschedule && (DayOf(request) is not { } day || day < today || day > today.AddDays(DeliveryRequests.DaysAhead)))
            errors.Add(new FieldError("preferred_day", $"Give the day on which the carrier is to try again: not in the past, at most {DeliveryRequests.DaysAhead} days ahead."));
        Money? amount = null;
        if (request.Amount is { } given)
        {
            if (request.Action is not (Action.Claim or Action.Refund))
                errors.Add(new FieldError("amount", "Only a claim and a refund have an amount."));
            else if (!given.TryToMoney(out var money, out var error))
                errors.Add(new FieldError("amount", error));
            else if (money.Minor <= 0)
                errors.Add(new FieldError("amount", "Must be more than nothing."));
            else
                amount = money;
        }

        return errors.Count == 0 ? amount : throw Failure.Invalid([.. errors]);
    }
}

using System.Runtime.CompilerServices;
using Commerce.Gateway.V1;
using Commerce.Gateway.Views;
using Commerce.ServiceDefaults;
using Commerce.Types.V1;
using StackExchange.Redis;

namespace Commerce.Gateway.Lookup;

/// <summary>A code that was found, and the view that it leads to.</summary>
internal sealed record Found(Located Located, OrderView View);

/// <summary>Finds out what a code is, and answers with the view that it leads to.</summary>
internal sealed class CodeLookup(ViewReader views, CodeBook codes, HotAnswers hot, ChangeFeed feed, RedisLink link, GatewayTelemetry telemetry)
{
    /// <summary>The answer to a request that wants everything of whatever version, if it is in memory; null otherwise.</summary>
    public Task<ViewBytes>? Hot(LookupRequest request, Audience audience, CallTrail? trail)
    {
        if (request.ReadMask is not null || request.MinOrderVersion != 0 || request.MinVersion != 0 || request.MinVersions.Count != 0)
            return null;
        return Hot(KeyOf(request.Code, request.StoreId, Selection.All(audience.Class).And(audience.Parts), audience), audience, 0, trail);
    }

    /// <summary>The answer, serialised.</summary>
    /// <param name="question">What is wanted.</param>
    /// <param name="cancellationToken">Ends it.</param>
    /// <param name="trail">Is told which order it is, whatever code it was found by.</param>
    /// <exception cref="Failure">CODE_NOT_FOUND, CODE_AMBIGUOUS, ORDER_ID_MISTYPED, RETURN_NOT_FOUND, VERSION_NOT_REACHED, DEPENDENCY_UNAVAILABLE.</exception>
    public Task<ViewBytes> Answer(Question question, CancellationToken cancellationToken, CallTrail? trail = null)
    {
        var key = KeyOf(question);
        return (question.TakesByVersion ? Hot(key, question.Audience, question.Needs.MinVersion, trail) : null) ?? AnswerCold(key, question, trail, cancellationToken);
    }

    /// <summary>The view of now that a code leads to.</summary>
    /// <exception cref="Failure">As above.</exception>
    public async Task<Found> Find(Question question, CancellationToken cancellationToken)
    {
        using var activity = GatewayTelemetry.Source.StartActivity("lookup");
        try
        {
            return (await FindCold(question, cancellationToken)).Found;
        }
        catch (Failure failure)
        {
            Failed(question.Code, failure);
            throw;
        }
    }

    /// <summary>The same for several questions, in their order: an answer, or why there is none. Services are asked about all codes at once.</summary>
    public async Task<IReadOnlyList<(ViewBytes? Answer, Failure? Failure)>> Answer(
        IReadOnlyList<string> typed, string storeId, Func<string, Question> questionOf, CancellationToken cancellationToken)
    {
        var answers = new (ViewBytes? Answer, Failure? Failure)[typed.Count];
        var unknown = new List<(int At, Question Question)>();
        // All of them go to Redis behind each other, without one waiting for the other.
        await Task.WhenAll(Enumerable.Range(0, typed.Count).Select(async i =>
        {
            try
            {
                var question = questionOf(typed[i]);
                var key = KeyOf(question);
                if (hot.Find(key) is { } answer && question.Audience.MaySee(answer.Found.Order, answer.StoreId))
                    answers[i] = (answer.Bytes, null);
                else
                {
                    var (kept, left) = ((ViewBytes?)null, question);
                    if (BeginKept(question) is { } reading)
                    {
                        await RedisLink.End(reading.Begun);
                        (kept, left) = Take(key, question, reading);
                    }

                    if (kept is not null)
                        answers[i] = (kept, null);
                    else if (await FindKnown(left, cancellationToken) is var (found, marks))
                        answers[i] = (await Serialise(key, question, found, marks), null);
                    else
                    {
                        lock (unknown)
                            unknown.Add((i, question));
                    }
                }
            }
            catch (Failure failure)
            {
                answers[i] = (null, failure);
            }
        }));
        if (unknown.Count > 0)
        {
            var asked = await codes.Ask([.. unknown.Select(one => one.Question.Code)], storeId, cancellationToken);
            await Task.WhenAll(unknown.Select(async (one, n) =>
            {
                try
                {
                    var (found, marks) = await Conclude(one.Question, asked[n], cancellationToken);
                    answers[one.At] = (await Serialise(KeyOf(one.Question), one.Question, found, marks), null);
                }
                catch (Failure failure)
                {
                    answers[one.At] = (null, failure);
                }
            }));
        }

        foreach (var (answer, failure) in answers)
            telemetry.LookedUp("batch", failure is null ? "found" : OutcomeOf(failure));
        return answers;
    }

    private static HotAnswers.Key KeyOf(Question question) => KeyOf(question.Code, question.StoreId, question.Selection, question.Audience);

    private static HotAnswers.Key KeyOf(string code, string storeId, Selection selection, Audience audience) => new(code, storeId, selection.Bits, audience.Class, !audience.IsLimited);

    private Task<ViewBytes>? Hot(in HotAnswers.Key key, Audience audience, long minVersion, CallTrail? trail)
    {
        if (hot.Find(key) is not { } answer || answer.Bytes.Version < minVersion || !audience.MaySee(answer.Found.Order, answer.StoreId))
            return null;
        using var activity = GatewayTelemetry.Source.StartActivity("lookup");
        telemetry.LookedUp(KindOf(answer.Found.Kind), "found");
        telemetry.Read("memory");
        trail?.About(answer.Bytes.OrderName);
        return answer.Bytes.Completed;
    }

    private static string KindOf(CodeKind kind) => kind switch
    {
        CodeKind.OrderId => "order_id",
        CodeKind.TrackingId => "tracking_id",
        CodeKind.ReturnNumber => "return_number",
        CodeKind.DocumentNumber => "document_number",
        CodeKind.ExternalId => "external_id",
        _ => "unknown",
    };

    private static string OutcomeOf(Failure failure) => failure.Reason switch
    {
        ErrorReason.CodeNotFound or ErrorReason.ReturnNotFound => "not_found",
        ErrorReason.CodeAmbiguous => "ambiguous",
        ErrorReason.OrderIdMistyped => "mistyped",
        ErrorReason.InvalidField => "invalid",
        _ => "unavailable",
    };

    // A return is said as its order with "-R1" behind. Only where an Order ID is left, for a carrier's number may end like that, too.
    private static Located? ReturnOf(string code)
    {
        var text = code.AsSpan().TrimEnd();
        var digits = text.Length - text.TrimEnd("0123456789").Length;
        if (digits is not (1 or 2 or 3) || text[..^digits] is not [.. var before, 'R' or 'r'])
            return null;
        var reading = OrderId.Read(before.TrimEnd("- ").ToString());
        var number = text[^digits..].TrimStart('0').ToString();
        return reading.Kind == OrderIdReadingKind.Valid ? new Located(reading.Id, CodeKind.ReturnNumber, number, $"orders/{reading.Id}/returns/{number}") : null;
    }

    private void Failed(string code, Failure failure) =>
        telemetry.LookedUp(OrderId.Read(code).Kind == OrderIdReadingKind.NotAnOrderId ? "unknown" : "order_id", OutcomeOf(failure));

    private async Task<ViewBytes> AnswerCold(HotAnswers.Key key, Question question, CallTrail? trail, CancellationToken cancellationToken)
    {
        using var activity = GatewayTelemetry.Source.StartActivity("lookup");
        try
        {
            var (answer, left, kind) = (default(ViewBytes), question, CodeKind.OrderId);
            if (BeginKept(question) is { } reading)
            {
                await RedisLink.End(reading.Begun);
                (answer, left) = Take(key, question, reading);
            }

            if (answer is null)
            {
                var (found, marks) = await FindKnown(left, cancellationToken) ?? await FindAsked(question, cancellationToken);
                (answer, kind) = (await Serialise(key, question, found, marks), found.Located.Kind);
            }

            telemetry.LookedUp(KindOf(kind), "found");
            trail?.About(answer.OrderName);
            return answer;
        }
        catch (Failure failure)
        {
            Failed(question.Code, failure);
            throw;
        }
    }

    /// <summary>Begins to read the answer that Redis may have put together, if everything of an order is wanted, by its Order ID and of whatever version: most questions are this one.</summary>
    private Reading? BeginKept(Question question) =>
        question.TakesAnyOfAll && OrderId.TryParse(question.Code, out var id) && question.Audience.MaySee(id)
            ? new Reading(id, MarksOf(id), views.BeginAnswer(id, question.Audience.Class))
            : null;

    private HotAnswers.Marks MarksOf(OrderId id) => new(feed.MarkOf(id), null, link.Epoch);

    /// <summary>The answer that Redis has put together, or what is left to ask.</summary>
    private (ViewBytes? Answer, Question Left) Take(in HotAnswers.Key key, Question question, in Reading ended)
    {
        var (kept, isKnown) = views.AnswerOf(ended.Begun, ended.Order);
        if (kept is null || !question.Audience.MaySee(ended.Order, kept.StoreId))
            return (null, question with { Needs = question.Needs with { IsUnknown = !isKnown } });
        hot.Keep(key, kept.StoreId, kept.FreshUntil, new Located(ended.Order, CodeKind.OrderId), kept.Answer, ended.Marks);
        return (kept.Answer, question);
    }

    private async ValueTask<ViewBytes> Serialise(HotAnswers.Key key, Question question, Found found, HotAnswers.Marks marks)
    {
        var bytes = found.View.Join(found.Located, question.Selection, question.Audience.Class);
        if (found.View.IsWhole)
            hot.Keep(key, found.View.StoreId, found.View.FreshUntil, found.Located, bytes, marks);
        if (found.Located.Kind == CodeKind.OrderId && question.TakesAnyOfAll)
            await views.Keep(found.View, question.Audience.Class, bytes);
        return bytes;
    }

    private async Task<(Found Found, HotAnswers.Marks Marks)> FindCold(Question question, CancellationToken cancellationToken) =>
        await FindKnown(question, cancellationToken) ?? await FindAsked(question, cancellationToken);

    private async Task<(Found Found, HotAnswers.Marks Marks)> FindAsked(Question question, CancellationToken cancellationToken)
    {
        var asked = await codes.Ask([question.Code], question.StoreId, cancellationToken);
        return await Conclude(question, asked[0], cancellationToken);
    }

    /// <summary>What is found without asking anybody what the code is: Order IDs, returns, and what was found before.</summary>
    [AsyncMethodBuilder(typeof(PoolingAsyncValueTaskMethodBuilder<>))]
    private async ValueTask<(Found Found, HotAnswers.Marks Marks)?> FindKnown(Question question, CancellationToken cancellationToken)
    {
        var reading = OrderId.Read(question.Code);
        // An Order ID alone shows nobody anything, not even that there is such an order.
        if (reading.Kind == OrderIdReadingKind.Valid && question.Audience.Class != Visibility.Public)
        {
            // Some carriers' numbers look like a valid Order ID by chance: if no order has it, others are asked.
            var marks = MarksOf(reading.Id);
            return await Read(reading.Id, question.Needs, question.Audience, cancellationToken) is { } view
                ? (new Found(new Located(reading.Id, CodeKind.OrderId), view), marks)
                : null;
        }

        if (question.Audience.Class != Visibility.Public && ReturnOf(question.Code) is { } returned)
        {
            var marks = MarksOf(returned.Order);
            if (await Read(returned.Order, question.Needs with { Head = PartKind.Returns }, question.Audience, cancellationToken) is not { } view)
                return null;
            if (!view.MayHaveReturn(returned.Number))
            {
                throw new Failure(ErrorReason.ReturnNotFound, $"The order {returned.Order} has no return {returned.Number}; compare the number with the label or the message.")
                {
                    Metadata = new Dictionary<string, string> { ["order"] = returned.Order.ToString() },
                };
            }

            return (new Found(returned, view), marks);
        }

        var (ofCode, epoch) = (feed.MarkOf(CodeBook.KeyOf(question.Code)), link.Epoch);
        return await codes.Known(question.Code, question.StoreId) is { } located && IsFor(question.Audience, located)
            ? await View(question, located, ofCode, epoch, cancellationToken)
            : null;
    }

    private async Task<(Found Found, HotAnswers.Marks Marks)> Conclude(Question question, CodeBook.Asked asked, CancellationToken cancellationToken)
    {
        // Who is not staff knows a parcel by its number, and of what else the number is in some shop learns nothing.
        var isStaff = question.Audience.Class == Visibility.Staff;
        if ((isStaff ? asked.Found : asked.Borne) is { } located && IsFor(question.Audience, located))
        {
            // The next who asks takes what is kept now with a mark of its own.
            if (await View(question, located, null, asked.Epoch, cancellationToken) is { } found)
            {
                if (asked.IsWhole && located == asked.Found)
                    await codes.Keep(question.Code, question.StoreId, located, asked.Epoch);
                return found;
            }
        }

        // That a parcel bears exactly this number says more than that it resembles an Order ID.
        var reading = OrderId.Read(question.Code);
        if (reading.Kind == OrderIdReadingKind.Mistyped && (!isStaff || asked.Failure is not { Reason: ErrorReason.CodeAmbiguous }))
            throw await Mistyped(reading.Meant, question.Audience, cancellationToken);
        // What it leads to may be another's.
        if (isStaff && asked.Failure is { Reason: ErrorReason.CodeAmbiguous } && question.Audience.IsLimited)
            throw new Failure(ErrorReason.CodeAmbiguous, "This code leads to several orders. Give the store (store_id), or the Order ID.", new FieldError("code", "Leads to several orders."));
        throw asked.Failure is { } failure && (isStaff || failure.Reason != ErrorReason.CodeAmbiguous) ? failure : new Failure(ErrorReason.CodeNotFound, "No order, parcel, return or document has this code; compare it with the confirmation or the label.");
    }

    // Numbers that are given out one after the other are no secret: they lead nobody anywhere who is not known.
    private static bool IsFor(Audience audience, Located located) => audience.Class == Visibility.Staff || located.Kind == CodeKind.TrackingId;

    private async Task<(Found Found, HotAnswers.Marks Marks)?> View(
        Question question, Located located, ChangeFeed.Mark? ofCode, long epoch, CancellationToken cancellationToken)
    {
        var ofOrder = feed.MarkOf(located.Order);
        var needs = located.Kind == CodeKind.TrackingId ? question.Needs with { Head = PartKind.Shipments } : question.Needs;
        if (question.Audience.IsLimited)
            located = located with { Others = "" };
        if (await Read(located.Order, needs, question.Audience, cancellationToken) is not { } view || located.Kind == CodeKind.TrackingId && !view.Bears(located.Number))
            return null;
        // Without a mark of the code nobody would hear that it leads elsewhere: such an answer is for now only.
        var marks = ofCode is null ? new HotAnswers.Marks(default, null, 0) : new HotAnswers.Marks(ofOrder, ofCode, epoch);
        return (new Found(located, view), marks);
    }

    // Two wrong symbols can look like one wrong symbol of another code: only one that exists may have been meant, and only who may
    // see the order is told.
    private async Task<Failure> Mistyped(OrderId? meant, Audience audience, CancellationToken cancellationToken)
    {
        if (meant is { } id && audience.Class == Visibility.Staff && await Exists(id, audience, cancellationToken))
        {
            return new Failure(ErrorReason.OrderIdMistyped, $"The Order ID is mistyped. Did you mean {id}?", new FieldError("code", $"Mistyped; {id} was probably meant."))
            {
                Metadata = new Dictionary<string, string> { ["meant"] = id.ToString() },
            };
        }

        return new Failure(
            ErrorReason.OrderIdMistyped, "The Order ID is mistyped: its check symbols do not agree. Compare it with the confirmation.",
            new FieldError("code", "Mistyped: the check symbols do not agree."));
    }

    // What belongs to a store that is not the caller's, or to another shopper, does not exist for it. Of another shopper's nothing is
    // even read: what goes wrong with that, and the time that it takes, would tell of it.
    [AsyncMethodBuilder(typeof(PoolingAsyncValueTaskMethodBuilder<>))]
    private async ValueTask<OrderView?> Read(OrderId id, ReadNeeds needs, Audience audience, CancellationToken cancellationToken)
    {
        if (!audience.MaySee(id))
            return null;
        try
        {
            return await views.Read(id, needs, cancellationToken) is { } view && audience.MaySee(id, view.StoreId) ? view : null;
        }
        catch (Failure failure) when (failure.Reason == ErrorReason.VersionNotReached && audience.Stores is not null)
        {
            // Which version it has is told to who may see it, and to nobody else that there is one.
            if (await Read(id, new ReadNeeds(default), audience, cancellationToken) is null)
                return null;
            throw;
        }
    }

    private async Task<bool> Exists(OrderId id, Audience audience, CancellationToken cancellationToken)
    {
        try
        {
            return await Read(id, new ReadNeeds(default), audience, cancellationToken) is not null;
        }
        catch (Failure failure) when (failure.Reason == ErrorReason.DependencyUnavailable)
        {
            return false;
        }
    }

    /// <summary>An answer that is being read, and what had been told of its order before.</summary>
    private readonly record struct Reading(OrderId Order, HotAnswers.Marks Marks, Task<RedisValue[]?> Begun);
}

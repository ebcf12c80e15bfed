using Commerce.Gateway.Lookup;
using Commerce.Gateway.V1;
using Commerce.ServiceDefaults;
using Commerce.Types.V1;
using Google.Protobuf.WellKnownTypes;

namespace Commerce.Gateway.Shoppers;

/// <summary>What anybody may know of a parcel who has its number.</summary>
internal sealed class Journeys(CodeLookup lookup, Guesses guesses, TimeProvider time)
{
    /// <exception cref="Failure">CODE_NOT_FOUND, SECOND_FACTOR_NEEDED, ORDER_ID_MISTYPED, GUESSING_SLOWED, DEPENDENCY_UNAVAILABLE, INVALID_FIELD.</exception>
    public async Task<GetJourneyResponse> Find(string code, string address, CancellationToken cancellationToken)
    {
        var errors = new List<FieldError>();
        var (id, number) = TypedCode.Check(code, errors);
        if (errors.Count > 0)
            throw Failure.Invalid(errors);

        guesses.Check(address);
        try
        {
            if (number is null)
                throw NeedsMore();
            if (TypedCode.Mistyped(code) is { } mistyped)
                throw mistyped;
            var view = (await lookup.Answer(Question.Of(new LookupRequest { Code = number }, Audiences.Anybody), cancellationToken)).Parse();
            return new GetJourneyResponse
            {
                Journeys = { view.Journeys },
                StaleSinceTime = view.StaleParts is [var stale, ..] ? stale.ReadTime ?? Timestamp.FromDateTimeOffset(time.GetUtcNow()) : null,
            };
        }
        catch (Failure failure) when (failure.Reason is ErrorReason.CodeNotFound or ErrorReason.OrderIdMistyped or ErrorReason.SecondFactorNeeded)
        {
            (await guesses.From(address)).Wrong();
            // Of every Order ID the same is said, whether there is such an order or not.
            throw id is null || failure.Reason == ErrorReason.SecondFactorNeeded ? failure : NeedsMore();
        }
    }

    private static Failure NeedsMore() => new(
        ErrorReason.SecondFactorNeeded,
        "An Order ID shows nothing by itself. Open the order with its e-mail address, telephone number or postal code (POST /v1/track/{code}:open), or with the link in a message about it.");
}

using Commerce.ServiceDefaults;

namespace Commerce.Payments;

/// <summary>What is looked at alike in every call that changes something.</summary>
internal static class RequestChecks
{
    private const int LongestRequestId = 128;
    private const int LongestEtag = 40;
    private const int LongestNote = 500;

    /// <param name="errors">Where what is wrong is added.</param>
    /// <param name="requestId">The request's id.</param>
    /// <param name="what">What the call makes, for example "refund".</param>
    public static void RequestId(this List<FieldError> errors, string requestId, string what)
    {
        if (requestId.Length is 0 or > LongestRequestId)
            errors.Add(new FieldError("request_id", $"Give 1 to {LongestRequestId} characters, the same for each attempt at the same {what}."));
    }

    public static void Etag(this List<FieldError> errors, string etag)
    {
        if (etag.Length > LongestEtag)
            errors.Add(new FieldError("etag", "Is not a payment's etag."));
    }

    /// <summary>Why money is moved by hand.</summary>
    public static void Reason(this List<FieldError> errors, string note)
    {
        if (string.IsNullOrWhiteSpace(note) || note.Length > LongestNote || note.Any(char.IsControl))
            errors.Add(new FieldError("note", $"Say why, in 1 to {LongestNote} characters."));
    }

    /// <param name="errors">Where what is wrong is added.</param>
    /// <param name="asked">The amount; null: all.</param>
    /// <param name="all">What all is, for example "all that is left".</param>
    public static void Amount(this List<FieldError> errors, Google.Type.Money? asked, string all)
    {
        if (asked is null)
            return;
        if (!asked.TryToMoney(out var amount, out var error))
            errors.Add(new FieldError("amount", error));
        else if (amount.Minor <= 0)
            errors.Add(new FieldError("amount", $"Must be more than zero; leave it out for {all}."));
    }

    /// <summary>The amount that was asked for, in the currency of what is left; all of that where none was.</summary>
    /// <exception cref="Failure">INVALID_FIELD: another currency.</exception>
    public static Money AmountOf(Google.Type.Money? asked, Money left)
    {
        if (asked is null)
            return left;
        asked.TryToMoney(out var amount, out _);
        return amount.Currency == left.Currency
            ? amount
            : throw Failure.Invalid(new FieldError("amount.currency_code", $"The payment is in {left.Currency}; give the amount in it."));
    }
}

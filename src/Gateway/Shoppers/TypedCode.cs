using Commerce.ServiceDefaults;
using Commerce.Types.V1;

namespace Commerce.Gateway.Shoppers;

/// <summary>A code as somebody typed it of whom nothing is known: an Order ID or a Tracking ID, or it leads nowhere.</summary>
internal static class TypedCode
{
    private const int Longest = 100;

    /// <summary>
    /// Both that it can be, in the form in which all spellings are one; neither, and what is wrong, where it can be none. Of a mistyped
    /// Order ID the number is what remains: one is a carrier's by chance.
    /// </summary>
    public static (OrderId? Id, string? Number) Check(string code, List<FieldError> errors)
    {
        if (code.Length == 0 || code.Length > Longest)
        {
            errors.Add(new FieldError("code", $"Give an Order ID or a Tracking ID, 1 to {Longest} characters."));
            return default;
        }

        var reading = OrderId.Read(code);
        OrderId? id = reading.Kind == OrderIdReadingKind.Valid ? reading.Id : null;
        var number = TrackingNumber.Normalise(code);
        if (CodeCharacters.WrongIn(code) is { } invisible)
            errors.Add(new FieldError("code", invisible));
        else if (id is null && number is null)
            errors.Add(new FieldError("code", code.FirstOrDefault(c => CodeCharacters.Fold(c) == '\0' && !CodeCharacters.IsBetween(c)) is var odd and not '\0'
                ? $"Neither an Order ID nor a Tracking ID has the character U+{(int)odd:X4}: both are letters and digits, for example ORD-7K3M9QX-T2F8CRW."
                : "Give an Order ID, for example ORD-7K3M9QX-T2F8CRW, or a Tracking ID of 4 to 50 letters and digits."));
        return (id, number);
    }

    /// <summary>
    /// An Order ID, by its dashes, of which the check symbols disagree: nobody has to be asked for it. Without dashes it may be a carrier's number.
    /// </summary>
    public static Failure? Mistyped(string code) => OrderId.Read(code).Kind == OrderIdReadingKind.Mistyped && code.Any(CodeCharacters.IsDash)
        ? new Failure(
            ErrorReason.OrderIdMistyped, "The Order ID is mistyped: its check symbols do not agree. Compare it with the confirmation.",
            new FieldError("code", "Mistyped: the check symbols do not agree."))
        : null;
}

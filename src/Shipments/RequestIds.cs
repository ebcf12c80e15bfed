using Commerce.ServiceDefaults;

namespace Commerce.Shipments;

internal static class RequestIds
{
    private const int Longest = 128;

    public static void Check(List<FieldError> errors, string requestId)
    {
        if (requestId.Length is 0 or > Longest)
            errors.Add(new FieldError("request_id", $"Give 1 to {Longest} characters of your own, the same when the call is repeated."));
    }
}

using System.Globalization;
using Commerce.ServiceDefaults;
using Commerce.Types.V1;

namespace Commerce.Orders.Checking;

/// <summary>Collects what is wrong with a request, so that the caller learns of all of it at once.</summary>
public sealed class FieldErrors
{
    /// <summary>Errors travel in an HTTP/2 trailer, whose size clients bound (64 KiB is usual): no more than these are named.</summary>
    public const int MostNamed = 50;

    private const int LongestSku = 64;
    private const int LongestCustomerId = 64;

    private readonly List<FieldError> _errors = [];
    private int _unnamed;

    public bool Any => _errors.Count > 0;

    public void Add(string field, string description)
    {
        if (_errors.Count < MostNamed)
            _errors.Add(new FieldError(field, description));
        else
            _unnamed++;
    }

    /// <exception cref="Failure">INVALID_FIELD with everything that was added.</exception>
    public void ThrowIfAny()
    {
        if (_errors.Count == 0)
            return;
        if (_unnamed == 0)
            throw Failure.Invalid(_errors);
        throw new Failure(ErrorReason.InvalidField, Text($"{_errors.Count + _unnamed} fields are wrong; the first {_errors.Count} are named."), _errors);
    }

    /// <summary>A text of at least one visible character and at most <paramref name="longest"/>.</summary>
    public void Required(string field, string value, int longest)
    {
        if (string.IsNullOrWhiteSpace(value))
            Add(field, Text($"Give 1 to {longest} characters."));
        else
            Optional(field, value, longest);
    }

    /// <summary>A text of at most <paramref name="longest"/> characters, without control characters.</summary>
    public void Optional(string field, string value, int longest)
    {
        if (value.Length > longest && Characters(value) > longest)
            Add(field, Text($"Has {Characters(value)} characters; at most {longest} are allowed."));
        else if (HasControl(value))
            Add(field, "Contains a control character (such as a line break or NUL); remove it.");
        else if (value.Contains('\uFFFD', StringComparison.Ordinal))
            Add(field, "Contains U+FFFD, which stands for bytes that were not valid UTF-8; send the text in UTF-8.");
    }

    /// <summary>A store's code of an article.</summary>
    public void Sku(string field, string value)
    {
        if (value.Length is 0 or > LongestSku || !value.All(c => char.IsAsciiLetterOrDigit(c) || c is '.' or '_' or '-'))
            Add(field, "Give 1 to 64 letters, digits, '.', '_' or '-'.");
    }

    /// <summary>The shop's own id of a customer: nothing that could be an address or a name.</summary>
    public void CustomerId(string field, string value, bool required)
    {
        if (value.Length == 0 && required)
            Add(field, "Is needed to pay with store credit: say whose it is, or in the part's token which order's.");
        else if (value.Length > LongestCustomerId || !value.All(c => char.IsAsciiLetterOrDigit(c) || c is '.' or '_' or ':' or '-'))
            Add(field, "Give the shop's own id of the customer, 1 to 64 letters, digits, '.', '_', ':' or '-', or none.");
        else if (OrderId.TryParse(value, out _))
            Add(field, "Is an Order ID, under which an order's own store credit is kept; give the shop's own id of the customer, or none.");
    }

    /// <summary>Whose store credit pays: empty for the customer's own.</summary>
    public void CreditHolder(string field, string value)
    {
        if (value.Length == 0)
            return;
        var reading = OrderId.Read(value);
        if (reading.Kind != OrderIdReadingKind.Valid)
        {
            Add(field, reading.Meant is { } meant
                ? $"Is mistyped. Did you mean {meant}?"
                : "Leave it empty for the customer's own store credit, or give the Order ID of the order whose refund became credit.");
        }
    }

    /// <summary>An order's etag as it was read; empty: none.</summary>
    public void Etag(string field, string value)
    {
        if (value.Length > 40)
            Add(field, "Is not an order's etag.");
    }

    public void RequestId(string value, bool required)
    {
        if ((value.Length == 0 && required) || value.Length > 128 || value.AsSpan().ContainsAnyExceptInRange('!', '~'))
            Add("request_id", "Give 1 to 128 visible ASCII characters, a UUID by preference; the same for every repetition of this request.");
    }

    /// <summary>The amount in minor units, null (and an error) where it is none, has another currency or is out of bounds.</summary>
    public long? Amount(string field, Google.Type.Money? value, string currency, long least, long most)
    {
        if (!value.TryToMoney(out var money, out var error))
        {
            Add(field, error);
            return null;
        }

        if (money.Currency != currency)
        {
            Add(field, $"Is in {money.Currency}; every amount here must be in {currency}.");
            return null;
        }

        if (money.Minor < least || money.Minor > most)
        {
            Add(field, $"Is {money}; it must be between {new Money(least, currency)} and {new Money(most, currency)}.");
            return null;
        }

        return money.Minor;
    }

    /// <summary>A time; null where none is given, or (and an error) where it is none.</summary>
    public DateTimeOffset? Time(string field, Google.Protobuf.WellKnownTypes.Timestamp? value)
    {
        if (value is null)
            return null;
        if (ProtoTime.TryRead(value, out var time))
            return time;
        Add(field, "Is not a time between the years 1 and 9999.");
        return null;
    }

    /// <summary>A span of times of creation, in which either end may be open.</summary>
    /// <param name="prefix">What stands before the fields' names, for example "filter.".</param>
    /// <param name="first">"create_time_from".</param>
    /// <param name="end">"create_time_until".</param>
    public (DateTimeOffset? From, DateTimeOffset? Until) CreateTimes(
        string prefix, Google.Protobuf.WellKnownTypes.Timestamp? first, Google.Protobuf.WellKnownTypes.Timestamp? end)
    {
        var from = Time(prefix + "create_time_from", first);
        var until = Time(prefix + "create_time_until", end);
        if (from >= until)
            Add(prefix + "create_time_until", "Must be later than create_time_from.");
        return (from, until);
    }

    /// <summary>Weight and size of one piece.</summary>
    public void Dimensions(string field, Dimensions? value)
    {
        if (value is null)
            return;
        Between(field + ".weight_grams", value.WeightGrams, 0, 1_000_000);
        Between(field + ".length_mm", value.LengthMm, 0, 10_000);
        Between(field + ".width_mm", value.WidthMm, 0, 10_000);
        Between(field + ".height_mm", value.HeightMm, 0, 10_000);
    }

    /// <summary>A place that goods leave from; null or empty is the store's own.</summary>
    public void Place(string field, Place? value)
    {
        if (value is null || value.CalculateSize() == 0)
            return;
        Optional(field + ".location_id", value.LocationId, 64);
        Optional(field + ".locality", value.Locality, 100);
        Optional(field + ".administrative_area", value.AdministrativeArea, 100);
        Optional(field + ".postal_code", value.PostalCode, 20);
        Region(field + ".region_code", value.RegionCode);
    }

    public void Region(string field, string value)
    {
        if (!Plausible.Region(value))
            Add(field, "Give the country as two capital letters (ISO 3166-1 alpha-2), for example \"DE\".");
    }

    public void Between(string field, long value, long least, long most)
    {
        if (value < least || value > most)
            Add(field, Text($"Is {value}; it must be between {least} and {most}."));
    }

    public void Count(string field, int count, int least, int most, string what)
    {
        if (count < least || count > most)
            Add(field, Text($"Has {count} {what}; {least} to {most} are allowed."));
    }

    /// <summary>Formats without the machine's culture.</summary>
    public static string Text(FormattableString text) => text.ToString(CultureInfo.InvariantCulture);

    // Counted as Unicode scalar values: an emoji is one character and not the two of UTF-16.
    private static int Characters(string value)
    {
        var count = 0;
        foreach (var _ in value.EnumerateRunes())
            count++;
        return count;
    }

    private static bool HasControl(string value)
    {
        foreach (var c in value)
        {
            if (char.IsControl(c))
                return true;
        }

        return false;
    }
}

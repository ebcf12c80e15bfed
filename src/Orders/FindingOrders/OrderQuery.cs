using Commerce.Orders.Checking;
using Commerce.Orders.Stores;
using Commerce.Orders.V1;

namespace Commerce.Orders.FindingOrders;

/// <summary>A filter that was checked, in the form in which the database has it.</summary>
public sealed record OrderQuery
{
    public const int MostWords = 8;

    private static readonly string[] Narrowing =
        ["email", "phone", "external_id", "postal_code", "name", "sku", "create_time_from", "create_time_until", "states"];

    private HashSet<string> _given = [];

    /// <summary>Null where the Order ID or the tracking number says enough.</summary>
    public string? StoreId { get; init; }

    /// <summary>As it was typed; still to be resolved.</summary>
    public string? OrderId { get; init; }

    public string? TrackingNumber { get; init; }

    public string? ExternalId { get; init; }

    public string? EmailKey { get; init; }

    /// <summary>"+" and digits where the country's code was given, else the digits that the number ends with.</summary>
    public string? Phone { get; init; }

    public string? PostalKey { get; init; }

    public string? Sku { get; init; }

    public IReadOnlyList<string> NameWords { get; init; } = [];

    public IReadOnlyList<string> TextWords { get; init; } = [];

    public short[] States { get; init; } = [];

    public short[] PaymentStates { get; init; } = [];

    public short[] FulfilmentStates { get; init; } = [];

    public DateTimeOffset? From { get; init; }

    public DateTimeOffset? Until { get; init; }

    public string? Currency { get; init; }

    public long? TotalFrom { get; init; }

    public long? TotalUntil { get; init; }

    public bool HasWords => NameWords.Count + TextWords.Count > 0;

    /// <summary>Filters that are not given and would narrow it, the best first.</summary>
    public IEnumerable<string> ToAdd => Narrowing.Where(name => !_given.Contains(name)).Take(4);

    /// <summary>What is wrong is added to the errors; the answer is of use only where there are none.</summary>
    public static OrderQuery Check(OrderFilter? filter, FieldErrors errors)
    {
        filter ??= new OrderFilter();
        if (filter.OrderId.Length == 0 && filter.TrackingNumber.Length == 0 && filter.StoreId.Length == 0)
            errors.Add("filter.store_id", "Say which store, for example \"main\", or give an Order ID or a tracking number.");
        else if (filter.StoreId.Length > 0 && !StoreBook.IsStoreId(filter.StoreId))
            errors.Add("filter.store_id", "Is not a store's id; give one such as \"main\".");
        errors.Optional("filter.external_id", filter.ExternalId, 64);
        if (filter.Email.Length > 0 && !Plausible.Email(filter.Email))
            errors.Add("filter.email", "Is not an e-mail address.");
        if (filter.Sku.Length > 0)
            errors.Sku("filter.sku", filter.Sku);
        errors.Optional("filter.postal_code", filter.PostalCode, 20);
        var (from, until) = errors.CreateTimes("filter.", filter.CreateTimeFrom, filter.CreateTimeUntil);
        var (currency, least, most) = Totals(filter, errors);

        return new OrderQuery
        {
            StoreId = Given(filter.StoreId),
            OrderId = Given(filter.OrderId),
            TrackingNumber = filter.TrackingNumber.Length == 0 ? null : Normal(filter.TrackingNumber, errors),
            ExternalId = Given(filter.ExternalId),
            EmailKey = Plausible.EmailKey(filter.Email),
            Phone = filter.Phone.Length == 0 ? null : PhoneKey(filter.Phone, errors),
            PostalKey = filter.PostalCode.Length == 0 ? null : Code(filter.PostalCode, errors),
            Sku = Given(filter.Sku.ToLowerInvariant()),
            NameWords = Words("filter.name", filter.Name, errors),
            TextWords = Words("filter.text", filter.Text, errors),
            States = StateValues("filter.states", filter.States, errors),
            PaymentStates = StateValues("filter.payment_states", filter.PaymentStates, errors),
            FulfilmentStates = StateValues("filter.fulfilment_states", filter.FulfilmentStates, errors),
            From = from,
            Until = until,
            Currency = currency,
            TotalFrom = least,
            TotalUntil = most,
            _given = [.. OrderFilter.Descriptor.Fields.InDeclarationOrder().Where(field => IsGiven(field.Accessor.GetValue(filter))).Select(field => field.Name)],
        };
    }

    private static bool IsGiven(object? value) => value is not (null or "" or System.Collections.ICollection { Count: 0 });

    private static string? Given(string text) => text.Length == 0 ? null : text;

    private static string? Normal(string trackingNumber, FieldErrors errors)
    {
        var number = Commerce.TrackingNumber.Normalise(trackingNumber);
        if (number is null)
            errors.Add("filter.tracking_number", "Is not a tracking number: give 4 to 50 letters and digits.");
        return number;
    }

    private static string? Code(string postalCode, FieldErrors errors)
    {
        var key = OrderTerms.PostalKey(postalCode);
        if (key.Length == 0)
            errors.Add("filter.postal_code", "Has neither letters nor digits.");
        return key;
    }

    private static string? PhoneKey(string phone, FieldErrors errors)
    {
        var digits = OrderTerms.Digits(phone);
        var international = phone.TrimStart().StartsWith('+');
        if (!international && digits.StartsWith("00", StringComparison.Ordinal))
            (international, digits) = (true, digits[2..]);
        // What is dialled within a country begins with a zero or two that the number abroad does not have.
        if (!international)
            digits = digits.TrimStart('0');
        if (phone.Length > 40 || digits.Length is < OrderTerms.PhoneDigits or > 15)
        {
            errors.Add("filter.phone", FieldErrors.Text($"Give the number with its country's code, or its last {OrderTerms.PhoneDigits} to 15 digits."));
            return null;
        }

        return international ? "+" + digits : digits;
    }

    private static IReadOnlyList<string> Words(string field, string text, FieldErrors errors)
    {
        errors.Optional(field, text, 200);
        if (text.Length is 0 or > 400)
            return [];
        var words = SearchWords.Of(text);
        if (words.Count is 0 or > MostWords)
            errors.Add(field, FieldErrors.Text($"Has {words.Count} words; give 1 to {MostWords} of letters or digits."));
        return words;
    }

    private static short[] StateValues<T>(string field, Google.Protobuf.Collections.RepeatedField<T> values, FieldErrors errors)
        where T : struct, Enum
    {
        for (var i = 0; i < values.Count; i++)
        {
            if (!Enum.IsDefined(values[i]) || Convert.ToInt32(values[i], null) == 0)
                errors.Add(FieldErrors.Text($"{field}[{i}]"), "Is not a state that is known here.");
        }

        return [.. values.Select(value => (short)Convert.ToInt32(value, null)).Distinct().Order()];
    }

    private static (string? Currency, long? From, long? Until) Totals(OrderFilter filter, FieldErrors errors)
    {
        var currency = (filter.TotalFrom ?? filter.TotalUntil)?.CurrencyCode;
        var from = Total("filter.total_from", filter.TotalFrom);
        var until = Total("filter.total_until", filter.TotalUntil);
        if (from > until)
            errors.Add("filter.total_until", "Must not be less than total_from.");
        return (currency, from, until);

        long? Total(string field, Google.Type.Money? value)
        {
            if (value is null)
                return null;
            if (!value.TryToMoney(out var money, out var error))
                errors.Add(field, error);
            else if (money.Currency != currency)
                errors.Add(field, $"Is in {money.Currency}; both ends must be in one currency.");
            else
                return money.Minor;
            return null;
        }
    }
}

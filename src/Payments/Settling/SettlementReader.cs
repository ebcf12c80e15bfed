using System.Globalization;

namespace Commerce.Payments.Settling;

/// <summary>Makes lines of a file's records, or says what is wrong with one.</summary>
internal sealed class SettlementReader
{
    private const long Most = 1_000_000_000_000_000;
    private const int LongestId = 100;
    private const int LongestReference = 200;

    private static readonly string[] Needed = ["id", "type", "currency", "amount", "occurred_at"];

    private static readonly Dictionary<string, SettlementType> Types = new(StringComparer.OrdinalIgnoreCase)
    {
        ["charge"] = SettlementType.Charge,
        ["refund"] = SettlementType.Refund,
        ["fee"] = SettlementType.Fee,
        ["chargeback"] = SettlementType.Chargeback,
        ["chargeback_reversed"] = SettlementType.ChargebackReversed,
        ["payout"] = SettlementType.Payout,
    };

    private Dictionary<string, int>? _columns;

    /// <summary>Takes the header in: false, and nothing of the file can be read, if a column that is needed is not there.</summary>
    public string? Header(IReadOnlyList<string> record)
    {
        var columns = new Dictionary<string, int>(StringComparer.OrdinalIgnoreCase);
        for (var i = 0; i < record.Count; i++)
            columns.TryAdd(record[i].Trim(), i);
        var missing = Needed.Where(name => !columns.ContainsKey(name)).ToList();
        if (missing.Count > 0)
            return $"The header has no column {string.Join(", ", missing)}; a settlement has {string.Join(", ", Needed)}, and may have fee, tax, reference, authorization_id, payout_id and account.";
        _columns = columns;
        return null;
    }

    /// <summary>The line of a record, or what is wrong with it.</summary>
    public (SettlementLine? Line, string Id, string Error) Line(IReadOnlyList<string> record, DateTimeOffset now) => Check(
        Column(record, "id"), Column(record, "type"), Column(record, "currency"), Column(record, "amount"), Column(record, "fee"), Column(record, "tax"),
        Column(record, "reference"), Column(record, "authorization_id"), Column(record, "payout_id"), Column(record, "occurred_at"), now);

    /// <summary>The merchant account that a record belongs to; empty where the file does not say.</summary>
    public string Account(IReadOnlyList<string> record) => Column(record, "account");

    private static (SettlementLine?, string, string) Check(
        string id, string typeName, string currency, string amountText, string feeText, string taxText, string reference, string authorisation, string payout, string time, DateTimeOffset now)
    {
        var errors = new List<string>();
        if (id.Length is 0 or > LongestId || id.Any(char.IsControl))
            errors.Add($"id: give 1 to {LongestId} characters, unique with the provider.");
        if (!Types.TryGetValue(typeName, out var type))
            errors.Add($"type: must be one of {string.Join(", ", Types.Keys)}.");
        currency = currency.ToUpperInvariant();
        var decimals = Currencies.MinorUnits(currency);
        if (decimals is null)
            errors.Add("currency: is not an active ISO 4217 currency.");
        var amount = Amount("amount", amountText, decimals, least: 1, errors);
        var fee = Amount("fee", feeText.Length == 0 ? "0" : feeText, decimals, least: 0, errors);
        var tax = Amount("tax", taxText.Length == 0 ? "0" : taxText, decimals, least: 0, errors);
        if (reference.Length > LongestReference || authorisation.Length > LongestReference || payout.Length > LongestReference)
            errors.Add($"reference, authorization_id, payout_id: have at most {LongestReference} characters.");
        if (type is SettlementType.Charge or SettlementType.Refund && reference.Length == 0 && authorisation.Length == 0)
            errors.Add("reference: a charge or refund needs one, or an authorization_id.");
        if (!DateTimeOffset.TryParse(time, CultureInfo.InvariantCulture, DateTimeStyles.AssumeUniversal | DateTimeStyles.AdjustToUniversal, out var occurred) || occurred.Year < 1990)
            errors.Add("occurred_at: is not a time such as 2026-01-31T12:00:00Z.");
        else if (occurred > now.AddDays(2))
            errors.Add("occurred_at: is in the future.");
        var shown = new string([.. id.Where(c => !char.IsControl(c)).Take(LongestId)]);
        return errors.Count > 0
            ? (null, shown, string.Join(' ', errors))
            : (new SettlementLine(id, type, currency, amount, fee, tax, reference, authorisation, payout, occurred), shown, "");
    }

    private static long Amount(string field, string text, int? decimals, long least, List<string> errors)
    {
        if (decimals is not { } digits)
            return 0;
        if (!decimal.TryParse(text, NumberStyles.AllowDecimalPoint, CultureInfo.InvariantCulture, out var value) || value.Scale > digits && value != decimal.Round(value, digits))
        {
            errors.Add($"{field}: is not an amount with at most {digits} decimals and without a sign; the type says which way it went.");
            return 0;
        }

        for (var i = 0; i < digits && value <= Most; i++)
            value *= 10;
        if (value < least || value > Most)
        {
            errors.Add($"{field}: must be {(least > 0 ? "more than zero" : "zero or more")}, and at most {Most} of the smallest unit.");
            return 0;
        }

        return (long)value;
    }

    private string Column(IReadOnlyList<string> record, string name) =>
        _columns!.TryGetValue(name, out var i) && i < record.Count ? record[i].Trim() : "";
}

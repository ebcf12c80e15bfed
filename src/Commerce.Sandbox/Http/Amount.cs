using System.Text.Json.Serialization;

namespace Commerce.Sandbox.Http;

/// <summary>Money on the wire: an ISO 4217 code and integer minor units of it.</summary>
internal sealed record Amount(string? Currency, long? Minor)
{
    /// <summary>Ten billion minor units of anything is more than a shop sells in one order.</summary>
    private const long Max = 10_000_000_000;

    [JsonIgnore]
    public long Value => Minor ?? 0;

    [JsonIgnore]
    public string Code => Currency ?? "";

    public static void Check(Validation check, Amount? amount, string path, long min)
    {
        if (amount is null)
        {
            check.Require(false, path, "is required");
            return;
        }

        check.Require(amount.Currency is { Length: 3 } c && c.All(char.IsAsciiLetterUpper), $"{path}.currency", "must be an ISO 4217 code in capitals, such as BRL");
        check.Range(amount.Minor, $"{path}.minor", min, Max);
    }
}

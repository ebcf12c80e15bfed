using System.Text.RegularExpressions;

namespace Commerce.Payments.Ledger;

/// <summary>How accounts are called: "main/BRL/SALES", "main/BRL/PROVIDER_CLEARING/sandbox".</summary>
internal static partial class AccountName
{
    private static readonly Dictionary<AccountKind, string> Kinds =
        Enum.GetValues<AccountKind>().ToDictionary(k => k, k => Capital().Replace(k.ToString(), "_$0").ToUpperInvariant());

    public static string Of(string storeId, string currency, AccountKind kind, string provider) =>
        provider.Length == 0 ? $"{storeId}/{currency}/{Kinds[kind]}" : $"{storeId}/{currency}/{Kinds[kind]}/{provider}";

    [GeneratedRegex("(?<!^)[A-Z]")]
    private static partial Regex Capital();
}

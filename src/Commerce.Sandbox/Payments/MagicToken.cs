namespace Commerce.Sandbox.Payments;

/// <summary>Tokens that steer the provider, recognised by how they begin; any other token is an ordinary one.</summary>
internal static class MagicToken
{
    private const string Never = "tok_never";
    private const string Pending = "tok_pending";
    private const string TimeoutAfterSuccess = "tok_timeout_after_success";
    private const string ErrorOnce = "tok_error_once";

    private static readonly (string Prefix, string Reason)[] Declines =
    [
        ("tok_declined", "card_declined"),
        ("tok_insufficient_funds", "insufficient_funds"),
        ("tok_expired_card", "expired_card"),
    ];

    public static string? DeclineReason(string token) =>
        Declines.Where(d => token.StartsWith(d.Prefix, StringComparison.Ordinal)).Select(d => d.Reason).FirstOrDefault();

    public static bool PaysLater(string token) => token.StartsWith(Pending, StringComparison.Ordinal);

    public static bool NeverPays(string token) => token.StartsWith(Never, StringComparison.Ordinal);

    public static bool HangsAfterSuccess(string token) => token.StartsWith(TimeoutAfterSuccess, StringComparison.Ordinal);

    public static bool FailsOnce(string token) => token.StartsWith(ErrorOnce, StringComparison.Ordinal);
}

using System.Globalization;
using Commerce.Sandbox.Http;

namespace Commerce.Sandbox.Payments;

internal sealed record PaymentMethod(string? Type, string? Token);

/// <param name="Account">The merchant account that it is taken for: each has its own settlement and payouts. None: all the shop's others.</param>
internal sealed record AuthorizeRequest(string? Reference, Amount? Amount, PaymentMethod? Method, int? Installments, string? Account = null)
{
    private static readonly string[] Types = ["card", "voucher", "boleto", "debit_card", "wallet"];

    public AuthorizeRequest Checked()
    {
        var check = new Validation();
        check.Text(Reference, "reference", 200);
        Amount.Check(check, Amount, "amount", min: 1);
        check.Require(Method is not null, "method", "is required");
        if (Method is not null)
        {
            check.Require(Types.Contains(Method.Type), "method.type", $"must be one of {string.Join(", ", Types)}");
            check.Text(Method.Token, "method.token", 200);
        }

        check.Require(Account is null or { Length: <= 64 }, "account", "must have at most 64 characters");
        check.Require(Installments is null or (>= 1 and <= 99), "installments", "must lie between 1 and 99");
        check.ThrowIfInvalid();
        return this;
    }
}

internal sealed record CaptureRequest(Amount? Amount)
{
    public CaptureRequest Checked()
    {
        var check = new Validation();
        Amount.Check(check, Amount, "amount", min: 1);
        check.ThrowIfInvalid();
        return this;
    }
}

internal sealed record RefundRequest(Amount? Amount, string? Reference)
{
    public RefundRequest Checked()
    {
        var check = new Validation();
        Amount.Check(check, Amount, "amount", min: 1);
        check.Text(Reference, "reference", 200);
        check.ThrowIfInvalid();
        return this;
    }
}

/// <summary>An authorization as callers see it. <c>captured + voided</c> never exceeds <c>amount</c>, <c>refunded</c> never <c>captured</c>.</summary>
internal sealed record AuthorizationView(
    string Id,
    string Reference,
    string Status,
    string? DeclineReason,
    Amount Amount,
    Amount Captured,
    Amount Refunded,
    Amount Voided,
    string Method,
    int Installments,
    string CreatedAt);

internal sealed record RefundView(string Id, string AuthorizationId, string Reference, Amount Amount, string Status, string CreatedAt)
{
    public string? FailureReason => Status == PaymentStatus.Failed ? "refund_failed" : null;
}

internal sealed record CaptureView(string Id, Amount Amount, string CreatedAt);

/// <summary>An authorization as a row of the books; amounts in minor units.</summary>
internal sealed record Authorization(
    long Seq,
    string Id,
    string Reference,
    string Method,
    int Installments,
    string Currency,
    long Amount,
    long Captured,
    long Refunded,
    long Voided,
    string Status,
    string? DeclineReason,
    long CreatedAt,
    long? ResolvesAt,
    string Account)
{
    public AuthorizationView View() => new(
        Id,
        Reference,
        Status,
        DeclineReason,
        Money(Amount),
        Money(Captured),
        Money(Refunded),
        Money(Voided),
        Method,
        Installments,
        Rfc3339(CreatedAt));

    public Amount Money(long minor) => new(Currency, minor);

    public static string Rfc3339(long unixMilliseconds) =>
        DateTimeOffset.FromUnixTimeMilliseconds(unixMilliseconds).ToString("yyyy-MM-dd'T'HH:mm:ss.FFF'Z'", CultureInfo.InvariantCulture);
}

internal static class PaymentStatus
{
    public const string Authorized = "authorized";
    public const string Declined = "declined";
    public const string Pending = "pending";
    public const string Succeeded = "succeeded";
    public const string Failed = "failed";
}

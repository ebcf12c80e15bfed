using Commerce.Orders.Checking;
using Commerce.Orders.V1;
using Google.Protobuf;

namespace Commerce.Orders.ReturningItems;

/// <summary>The rules of a store for what comes back.</summary>
public static class ReturnPolicies
{
    public const int BasisPoints = 10_000;

    private const int DefaultWindowDays = 30;
    private const int LongestWindowDays = 3_650;

    private static readonly JsonParser Parser = new(JsonParser.Settings.Default.WithIgnoreUnknownFields(true));

    /// <summary>Reasons for which nobody but the shop is to blame: always accepted, at the shop's cost.</summary>
    public static bool IsShopsFault(ReturnReason reason) =>
        reason is ReturnReason.Faulty or ReturnReason.ArrivedDamaged or ReturnReason.WrongItem or ReturnReason.NotAsDescribed;

    /// <summary>The policy with the defaults where it says nothing.</summary>
    public static ReturnPolicy Effective(ReturnPolicy? policy)
    {
        var effective = policy?.Clone() ?? new ReturnPolicy();
        if (!effective.HasWindowDays)
            effective.WindowDays = DefaultWindowDays;
        if (!effective.HasDamagedRefundBasisPoints)
            effective.DamagedRefundBasisPoints = BasisPoints;
        return effective;
    }

    public static bool Accepts(this ReturnPolicy policy, ReturnReason reason) =>
        IsShopsFault(reason) || policy.AcceptedReasons.Count == 0 || policy.AcceptedReasons.Contains(reason);

    public static string ToJson(ReturnPolicy policy) => JsonFormatter.Default.Format(policy);

    /// <summary>As it was stored; null: the defaults.</summary>
    public static ReturnPolicy FromJson(string? json) => Effective(json is null ? null : Parser.Parse<ReturnPolicy>(json));

    /// <summary>What is wrong with a policy that somebody wishes.</summary>
    public static void Policy(this FieldErrors errors, string field, ReturnPolicy? policy, string currency)
    {
        if (policy is null)
            return;
        errors.Between(field + ".window_days", policy.WindowDays, 0, LongestWindowDays);
        errors.Between(field + ".restocking_fee_basis_points", policy.RestockingFeeBasisPoints, 0, BasisPoints);
        errors.Between(field + ".damaged_refund_basis_points", policy.DamagedRefundBasisPoints, 0, BasisPoints);
        if (policy.ReturnPostage is not null)
            errors.Amount(field + ".return_postage", policy.ReturnPostage, currency, 0, PlacingOrder.PlaceOrderCheck.MostMinor);
        Reasons(errors, field + ".accepted_reasons", policy.AcceptedReasons);
        Reasons(errors, field + ".shopper_pays_reasons", policy.ShopperPaysReasons);
        if (policy.ShopperPaysReasons.FirstOrDefault(IsShopsFault) is var fault && fault != ReturnReason.Unspecified)
            errors.Add(field + ".shopper_pays_reasons", $"{FactName.Of(fault)} is the shop's fault: the shop pays.");
    }

    private static void Reasons(FieldErrors errors, string field, Google.Protobuf.Collections.RepeatedField<ReturnReason> reasons)
    {
        errors.Count(field, reasons.Count, 0, 20, "reasons");
        if (reasons.Any(reason => !Enum.IsDefined(reason) || reason == ReturnReason.Unspecified))
            errors.Add(field, "Has a reason that is not known here.");
        if (reasons.Distinct().Count() != reasons.Count)
            errors.Add(field, "Has a reason twice.");
    }
}

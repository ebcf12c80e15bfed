using Commerce.Sandbox.Books;
using Commerce.Sandbox.Http;

namespace Commerce.Sandbox.Control;

/// <summary>What shall happen to the labels bought with one order reference.</summary>
internal sealed record Scenario(string? EndsAt, int? CarrierRefuses, bool? Silent)
{
    public void Check(Validation check, string path)
    {
        check.Require(EndsAt is null || Enum.TryParse<JourneyEnd>(EndsAt, out _), $"{path}ends_at", $"must be one of {string.Join(", ", Enum.GetNames<JourneyEnd>())}");
        check.Require(CarrierRefuses is null or (>= 0 and <= 1000), $"{path}carrier_refuses", "must lie between 0 and 1000");
    }
}

/// <summary>Where a parcel's journey comes to rest; spelt as the contract spells it.</summary>
internal enum JourneyEnd
{
#pragma warning disable CA1707 // The names are the wire's.
    PRE_TRANSIT,
    PICKED_UP,
    IN_TRANSIT,
    OUT_FOR_DELIVERY,
    DELIVERED,
    RETURN_TO_SENDER,
    DELIVERY_FAILED,
#pragma warning restore CA1707
}

/// <summary>A scenario as it is kept.</summary>
internal sealed record KeptScenario(JourneyEnd? EndsAt, long RefusalsLeft, bool Silent);

/// <summary>The scenarios' place in the books.</summary>
internal static class ScenarioBook
{
    public static void Put(WritingPage page, string orderReference, Scenario scenario) => page.Execute(
        """
        INSERT INTO scenarios (order_reference, ends_at, refusals_left, silent) VALUES ($1, $2, $3, $4)
        ON CONFLICT (order_reference) DO UPDATE SET ends_at = excluded.ends_at, refusals_left = excluded.refusals_left, silent = excluded.silent
        """,
        orderReference,
        scenario.EndsAt,
        scenario.CarrierRefuses ?? 0,
        scenario.Silent == true ? 1 : 0);

    public static KeptScenario? Find(Page page, string orderReference) => page.First(
        "SELECT ends_at, refusals_left, silent FROM scenarios WHERE order_reference = $1",
        r => new KeptScenario(r.IsDBNull(0) ? null : Enum.Parse<JourneyEnd>(r.GetString(0)), r.GetInt64(1), r.GetBoolean(2)),
        orderReference);

    public static void CountRefusal(WritingPage page, string orderReference) =>
        page.Execute("UPDATE scenarios SET refusals_left = refusals_left - 1 WHERE order_reference = $1", orderReference);
}

using Commerce.Payments.Providers;
using CsCheck;

namespace Commerce.Payments.Tests;

public sealed class PaymentPartTests
{
    private const long Whole = 1000;

    // What one provider can truly say of one authorisation, in the order in which it says it.
    private static readonly Gen<Authorisation[]> Histories = Gen.OneOf(
        History(Seen("pending"), Seen("authorised"), Seen("authorised", captured: Whole), Seen("authorised", captured: Whole, refunded: 400), Seen("authorised", captured: Whole, refunded: Whole)),
        History(Seen("pending"), Seen("authorised"), Seen("authorised", voided: true)),
        History(Seen("pending"), Seen("pending", voided: true)),
        History(Seen("authorised"), Seen("authorised", captured: Whole)),
        History(Seen("pending"), Seen("declined")),
        History(Seen("declined")));

    [Fact]
    public void Answers_in_any_order_doubled_or_stale_end_in_the_state_of_the_last_one()
    {
        Gen.Select(Histories, Gen.Int[0, int.MaxValue].Array[0, 12]).Sample((history, extra) =>
        {
            var inOrder = Asked();
            foreach (var seen in history)
                inOrder.Learn(seen);

            // The same, mixed and doubled at will, but each said at least once.
            var told = history.Concat(extra.Select(i => history[i % history.Length])).ToArray();
            new Random(extra.Length == 0 ? 7 : extra[0]).Shuffle(told);
            var mixed = Asked();
            foreach (var seen in told)
                mixed.Learn(seen);

            Assert.Equal((inOrder.State, inOrder.Captured, inOrder.Refunded), (mixed.State, mixed.Captured, mixed.Refunded));
            Assert.False(mixed.Learn(history[^1]), "What is known already is no news.");
        });
    }

    [Fact]
    public void Refunded_never_exceeds_captured_and_captured_never_the_amount_whatever_the_provider_says()
    {
        var anything = Gen.Select(Gen.OneOf(Gen.Const("pending"), Gen.Const("authorised"), Gen.Const("declined")), Gen.Long[-10, 1500], Gen.Long[-10, 1500], Gen.Bool)
            .Select((status, captured, refunded, voided) => Seen(status, captured, refunded, voided));
        anything.Array[1, 10].Sample(all =>
        {
            var part = Asked();
            foreach (var seen in all)
            {
                var before = (part.State, part.Captured, part.Refunded);
                try
                {
                    part.Learn(seen);
                }
                catch (ProviderFaultException)
                {
                    Assert.Equal(before, (part.State, part.Captured, part.Refunded));
                }

                Assert.InRange(part.Captured.Minor, 0, Whole);
                Assert.InRange(part.Refunded.Minor, 0, part.Captured.Minor);
            }
        });
    }

    [Fact]
    public void An_answer_about_another_authorisation_amount_or_currency_is_a_fault()
    {
        var part = Asked();
        part.Learn(Seen("authorised"));

        Assert.Throws<ProviderFaultException>(() => part.Learn(Seen("authorised") with { Id = "another" }));
        Assert.Throws<ProviderFaultException>(() => part.Learn(Seen("authorised") with { Amount = new Money(Whole + 1, "BRL") }));
        Assert.Throws<ProviderFaultException>(() => part.Learn(Seen("authorised") with { Amount = new Money(Whole, "EUR") }));
        Assert.Equal(PartState.Authorised, part.State);
    }

    [Fact]
    public void A_part_can_be_asked_for_only_once()
    {
        var part = Asked();

        Assert.Throws<InvalidOperationException>(part.Ask);
        Assert.Throws<InvalidOperationException>(part.Drop);
    }

    private static Gen<Authorisation[]> History(params Authorisation[] seen) => Gen.Const(seen);

    private static PaymentPart Asked()
    {
        var part = PaymentPart.New(1, "CARD", "tok_ok", new Money(Whole, "BRL"), 1, "fake");
        part.Ask();
        return part;
    }

    private static Authorisation Seen(string status, long captured = 0, long refunded = 0, bool voided = false) => new(
        "auth_1",
        "ORD/1",
        status switch { "pending" => AuthorisationStatus.Pending, "declined" => AuthorisationStatus.Declined, _ => AuthorisationStatus.Authorised },
        status == "declined" ? "card_declined" : null,
        new Money(Whole, "BRL"),
        captured,
        refunded,
        voided);
}

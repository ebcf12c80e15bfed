using Commerce.Orders.V1;
using Commerce.Payments.V1;
using Commerce.Shipments.Carriers;
using Commerce.Shipments.V1;
using Commerce.Testing;
using Grpc.Core;
using Kind = Commerce.Shipments.V1.ShipmentException.Types.Kind;
using Severity = Commerce.Shipments.V1.ExceptionReport.Types.Severity;
using State = Commerce.Shipments.V1.Resolution.Types.State;

namespace Commerce.Shipments.Tests;

public sealed class ResolvingExceptionsTests(ShipmentsApp app) : IClassFixture<ShipmentsApp>
{
    private readonly ShipmentsApp _app = app.Required;

    [Fact]
    public async Task What_was_lost_is_sent_again_once_and_leaves_the_list()
    {
        var (order, lost) = await Lost();
        var report = await Report(lost);
        Assert.Equal((Kind.Silent, Severity.Medium, "Ana Souza", 40L), (report.Exception.Kind, report.Severity, report.CustomerName, report.Value.Units));
        Assert.Equal([ResolutionAction.Reship, ResolutionAction.Refund, ResolutionAction.Claim, ResolutionAction.Dismiss], report.ProposedActions);

        var request = Request(lost, ResolutionAction.Reship);
        var begun = await _app.Exceptions.ResolveExceptionAsync(request);
        Assert.Equal(begun.Name, (await _app.Exceptions.ResolveExceptionAsync(request)).Name);
        await Settled(begun, State.Done);
        var decided = (await _app.Parcel(lost, one => one.DecidedRemedy?.State == V1.DecidedRemedy.Types.State.Done)).DecidedRemedy;
        Assert.Equal((V1.Shipment.Types.Remedy.Reshipped, null), (decided.Remedy, decided.Amount));
        Assert.Equal("shipments/" + lost.ShipmentId, Assert.Single(_app.Orders.Replaced, pair => pair.Value == lost.Name).Value);

        await _app.Replaced(order, lost);
        var parcels = await _app.Parcels(order, all => all.Count == 2 && all.All(one => one.TrackingNumber.Length > 0));
        var again = parcels.Single(one => one.ShipmentId != lost.ShipmentId);
        Assert.Equal(lost.Lines, again.Lines);
        Assert.Equal(V1.Shipment.Types.Remedy.Reshipped, parcels.Single(one => one.ShipmentId == lost.ShipmentId).Remedy);
        Assert.DoesNotContain(await List(), one => one.Shipment == lost.Name);
        await Refused(_app.Exceptions.ResolveExceptionAsync(Request(lost, ResolutionAction.Refund)));
    }

    [Fact]
    public async Task What_turns_up_after_all_is_not_sent_a_second_time()
    {
        var (order, lost) = await Lost();
        await _app.Replaced(order, lost);
        var again = (await _app.Parcels(order, all => all.Count == 2 && all.All(one => one.TrackingNumber.Length > 0))).Single(one => one.ShipmentId != lost.ShipmentId);
        await Scan(lost, "D", 30);
        await _app.Parcel(again, one => one.Status == TrackingStatus.Cancelled);
        Assert.Contains(_app.Ups.Voided, label => label.Contains(again.ShipmentId, StringComparison.Ordinal));
        var found = await _app.Parcel(lost, one => one.Exception is not null);
        Assert.Equal((TrackingStatus.Delivered, Kind.ArrivedAfterRemedy), (found.Status, found.Exception.Kind));

        await _app.Exceptions.ResolveExceptionAsync(Request(lost, ResolutionAction.Dismiss));
        Assert.Null((await _app.Parcel(lost, _ => true)).Exception);
    }

    [Fact]
    public async Task What_is_sold_out_cannot_be_sent_again_and_says_what_to_do_instead()
    {
        var (_, lost) = await Lost();
        _app.Orders.SoldOut = true;
        try
        {
            var failed = await Settled(await _app.Exceptions.ResolveExceptionAsync(Request(lost, ResolutionAction.Reship)), State.Failed);
            Assert.Equal("2 pieces of \"sku-1\" are wanted, 0 are available. Pay its pieces back, or send them again when there are some.", failed.Detail);
        }
        finally
        {
            _app.Orders.SoldOut = false;
        }

        // What failed stands in the way of nothing; whoever waits is told what was decided last.
        Assert.Equal(V1.DecidedRemedy.Types.State.Failed, (await _app.Parcel(lost)).DecidedRemedy.State);
        await Settled(await _app.Exceptions.ResolveExceptionAsync(Request(lost, ResolutionAction.Refund)), State.Done);
        var decided = (await _app.Parcel(lost)).DecidedRemedy;
        Assert.Equal((V1.Shipment.Types.Remedy.Refunded, V1.DecidedRemedy.Types.State.Done, 40), (decided.Remedy, decided.State, decided.Amount.Units));
    }

    [Fact]
    public async Task A_refund_is_asked_for_once_although_the_first_answers_are_lost()
    {
        var (_, lost) = await Lost();
        _app.Payments.Lost = 2;
        var done = await Settled(await _app.Exceptions.ResolveExceptionAsync(Request(lost, ResolutionAction.Refund)), State.Done);
        var refund = Assert.Single(_app.Payments.Refunds, pair => pair.Key.Contains(lost.ShipmentId, StringComparison.Ordinal)).Value;
        Assert.Equal((refund.Name, done.Amount), (done.Outcome, refund.Amount));
        Assert.Equal(40, done.Amount.Units);
        Assert.Equal(V1.Shipment.Types.Remedy.Refunded, (await _app.Parcel(lost, one => one.Exception is null)).Remedy);
        await Refused(_app.Exceptions.ResolveExceptionAsync(Request(lost, ResolutionAction.Reship)));
    }

    [Fact]
    public async Task A_refund_that_fails_is_told_as_failed_and_the_parcel_stays_on_the_list()
    {
        var (_, lost) = await Lost();
        _app.Payments.Settles = Refund.Types.State.Pending;
        try
        {
            var begun = await _app.Exceptions.ResolveExceptionAsync(Request(lost, ResolutionAction.Refund));
            await Settled(begun, State.Waiting);
            var waiting = await _app.Parcel(lost, one => one.DecidedRemedy?.Amount is not null);
            Assert.Equal((V1.DecidedRemedy.Types.State.Pending, lost.Version + 2), (waiting.DecidedRemedy.State, waiting.Version));
            _app.Payments.Settles = Refund.Types.State.Failed;
            Assert.Equal("The refund failed: account_closed.", (await Settled(begun, State.Failed)).Detail);
        }
        finally
        {
            _app.Payments.Settles = Refund.Types.State.Succeeded;
        }

        Assert.Contains(await List(), one => one.Shipment == lost.Name);
    }

    [Theory]
    [InlineData(ClaimDecision.Accepted, State.Done, "ups pays 40.00 BRL.")]
    [InlineData(ClaimDecision.Rejected, State.Failed, "ups rejects the claim: not ours")]
    internal async Task A_claim_is_filed_once_and_ends_as_the_carrier_decides(ClaimDecision decision, State state, string detail)
    {
        var (_, lost) = await Lost();
        var before = await Claims(lost);
        _app.Ups.Decision = ClaimDecision.Open;
        var begun = await _app.Exceptions.ResolveExceptionAsync(Request(lost, ResolutionAction.Claim));
        await Settled(begun, State.Waiting);
        _app.Ups.Decision = decision;
        Assert.Equal(detail, (await Settled(begun, state)).Detail);
        Assert.Single(_app.Ups.Claims, pair => pair.Key.Contains(lost.ShipmentId, StringComparison.Ordinal));
        var claims = await Claims(lost);
        Assert.Equal((1, decision == ClaimDecision.Accepted ? 1 : 0, decision == ClaimDecision.Rejected ? 1 : 0), (claims.Claims - before.Claims, claims.ClaimsGranted - before.ClaimsGranted, claims.ClaimsRejected - before.ClaimsRejected));
        Assert.Equal(40, Units(claims.ClaimedAmounts) - Units(before.ClaimedAmounts));
        Assert.Equal(decision == ClaimDecision.Accepted ? 40 : 0, Units(claims.PaidAmounts) - Units(before.PaidAmounts));
        // A claim is the shop's; the shopper still waits.
        Assert.Contains(await List(), one => one.Shipment == lost.Name);
    }

    // How its carrier does on its lane this week, as far as claims are concerned: its parcel never ended.
    private async Task<CarrierPerformance.Types.Row> Claims(V1.Shipment parcel)
    {
        var answer = await _app.Carriers.GetCarrierPerformanceAsync(new GetCarrierPerformanceRequest
        {
            Carrier = parcel.Carrier,
            LaneFrom = "BR-SP",
            GroupBy = { GetCarrierPerformanceRequest.Types.GroupBy.Service, GetCarrierPerformanceRequest.Types.GroupBy.Lane, GetCarrierPerformanceRequest.Types.GroupBy.Week },
        });
        return answer.Rows.SingleOrDefault(row => row.Claims > 0) ?? new CarrierPerformance.Types.Row();
    }

    private static long Units(IEnumerable<Google.Type.Money> amounts) => amounts.Sum(one => one.Units);

    [Fact]
    public async Task A_parcel_whose_delivery_failed_is_brought_again_on_another_day()
    {
        var parcel = Assert.Single(await _app.Ship(_app.Orders.Add("a")));
        await Scan(parcel, "P", 1);
        var request = Request(parcel, ResolutionAction.Reschedule);
        Assert.Equal(StatusCode.InvalidArgument, (await Assert.ThrowsAsync<RpcException>(async () => await _app.Exceptions.ResolveExceptionAsync(request))).StatusCode);
        var day = DateOnly.FromDateTime(TimeProvider.System.GetUtcNow().UtcDateTime).AddDays(3);
        request.PreferredDay = new Google.Type.Date { Year = day.Year, Month = day.Month, Day = day.Day };
        var done = await Settled(await _app.Exceptions.ResolveExceptionAsync(request), State.Done);
        Assert.Equal(request.PreferredDay, done.PreferredDay);
        var asked = await Eventually.Value(
            () => Task.FromResult(_app.Ups.Changes.Values.FirstOrDefault(change => change.LabelId.Contains(parcel.ShipmentId, StringComparison.Ordinal))), change => change.LabelId is not null);
        Assert.Equal(day.ToString("yyyy-MM-dd", System.Globalization.CultureInfo.InvariantCulture), asked.To.Wishes!.Day);
    }

    [Fact]
    public async Task The_worst_comes_first_and_pages_follow_one_another_without_a_gap()
    {
        var (_, silent) = await Lost();
        var (_, back) = await Lost();
        await Scan(back, "RS", 30);
        await _app.Parcel(back, one => one.Status == TrackingStatus.ReturnToSender);

        var all = await List();
        Assert.Equal(Severity.Critical, all.First().Severity);
        Assert.True(all.FindIndex(one => one.Shipment == back.Name) < all.FindIndex(one => one.Shipment == silent.Name));
        Assert.Equal([.. all.OrderByDescending(one => one.Severity).ThenBy(one => one.Exception.Time)], all);
        Assert.DoesNotContain(await List(Severity.High), one => one.Shipment == silent.Name);

        var paged = new List<string>();
        var request = new ListExceptionsRequest { StoreId = "main", PageSize = 1 };
        do
        {
            var page = await _app.Exceptions.ListExceptionsAsync(request);
            paged.AddRange(page.Exceptions.Select(one => one.Shipment));
            request.PageToken = page.NextPageToken;
        }
        while (request.PageToken.Length > 0);
        Assert.Equal(paged.Distinct().Count(), paged.Count);
        Assert.True(paged.ToHashSet().IsSupersetOf([silent.Name, back.Name]));
    }

    [Fact]
    public async Task What_is_not_with_the_carrier_or_is_delivered_cannot_be_resolved_that_way()
    {
        var order = _app.Orders.Add("a");
        var parcel = Assert.Single(await _app.Ship(order));
        await Refused(_app.Exceptions.ResolveExceptionAsync(Request(parcel, ResolutionAction.Reship)));
        await Refused(_app.Exceptions.ResolveExceptionAsync(Request(parcel, ResolutionAction.Dismiss)));
        await Scan(parcel, "D", 3);
        await _app.Parcel(parcel, one => one.Status == TrackingStatus.Delivered);
        await Refused(_app.Exceptions.ResolveExceptionAsync(Request(parcel, ResolutionAction.Refund)));

        var bad = Request(parcel, ResolutionAction.Reship);
        bad.Amount = new Money(1, "BRL").ToProto();
        Assert.Equal(StatusCode.InvalidArgument, (await Assert.ThrowsAsync<RpcException>(async () => await _app.Exceptions.ResolveExceptionAsync(bad))).StatusCode);
    }

    /// <summary>A parcel that the carrier had once, and of which nothing was heard since.</summary>
    private async Task<(Order Order, V1.Shipment Parcel)> Lost()
    {
        var order = _app.Orders.Change(_app.Orders.Add("a", "a"), o =>
        {
            o.Subtotal = new Money(40_00, "BRL").ToProto();
            o.Total = new Money(40_00, "BRL").ToProto();
        });
        var parcel = Assert.Single(await _app.Ship(order));
        await Scan(parcel, "P", 1);
        return (order, await _app.Parcel(parcel, one => one.Exception?.Kind == Kind.Silent));
    }

    private async Task Scan(V1.Shipment parcel, string code, int hour)
    {
        using var response = await _app.Webhook(parcel.Carrier, ShipmentsApp.Event(parcel.TrackingNumber, code, hour));
        response.EnsureSuccessStatusCode();
    }

    private async Task<Resolution> Settled(Resolution one, State state)
    {
        Resolution seen = one;
        await Eventually.True(async () => (seen = await _app.Exceptions.GetResolutionAsync(new GetResolutionRequest { Name = one.Name })).State == state, describe: () => seen.ToString());
        return seen;
    }

    private async Task<List<ExceptionReport>> List(Severity min = Severity.Unspecified) =>
        [.. (await _app.Exceptions.ListExceptionsAsync(new ListExceptionsRequest { StoreId = "main", PageSize = 500, MinSeverity = min })).Exceptions];

    private async Task<ExceptionReport> Report(V1.Shipment parcel) => (await List()).Single(one => one.Shipment == parcel.Name);

    private static ResolveExceptionRequest Request(V1.Shipment parcel, ResolutionAction action) =>
        new() { Name = parcel.Name, RequestId = Guid.NewGuid().ToString(), Action = action, Note = "test" };

    private static async Task Refused(AsyncUnaryCall<Resolution> call) =>
        Assert.Equal(StatusCode.FailedPrecondition, (await Assert.ThrowsAsync<RpcException>(async () => await call)).StatusCode);
}

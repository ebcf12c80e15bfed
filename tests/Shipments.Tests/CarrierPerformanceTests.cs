using Commerce.ServiceDefaults;
using Commerce.Shipments.MeasuringCarriers;
using Commerce.Shipments.V1;
using Commerce.Testing;
using Commerce.Types.V1;
using CsCheck;
using Google.Protobuf.WellKnownTypes;
using Grpc.Core;
using GroupBy = Commerce.Shipments.V1.GetCarrierPerformanceRequest.Types.GroupBy;

namespace Commerce.Shipments.Tests;

/// <summary>How carriers do, from the parcels that ended.</summary>
public sealed class CarrierPerformanceTests(ShipmentsApp fixture) : IClassFixture<ShipmentsApp>
{
    private readonly ShipmentsApp _app = fixture.Required;

    [Fact]
    public async Task Delivered_parcels_count_once_with_days_attempts_and_cost_and_are_counted_anew_when_more_is_known()
    {
        var parcels = new List<V1.Shipment>();
        foreach (var failed in (bool[])[false, false, true])
        {
            var parcel = Assert.Single(await _app.Ship(_app.Orders.Add("a")));
            parcels.Add(parcel);
            var number = parcel.TrackingNumber;
            // 2025-03-01 was a Saturday: two calendar days, one working day.
            string[] journey = [ShipmentsApp.Event(number, "P", 1), .. failed ? [ShipmentsApp.Event(number, "X", 30, "Delivery attempted, recipient not home")] : Array.Empty<string>(), ShipmentsApp.Event(number, "D", 50)];
            await _app.Webhook("ups", journey);
            await _app.Webhook("ups", journey);
            await _app.Parcel(parcel, one => one.Status == TrackingStatus.Delivered);
        }

        var row = await Row(one => one.Parcels == 3);
        Assert.Equal(("ups", "", 3, 0, 3), (row.Carrier, row.Service, row.Delivered, row.Returned, row.Measured));
        Assert.Equal((1.0, 1.0), (row.InTimeShare, row.PromiseKeptShare));
        Assert.Equal((2 / 3.0, 1 / 3.0), (row.FirstAttemptShare, row.ExceptionShare));
        Assert.Equal((2, 2, 2.0), (row.CalendarDays.P50, row.CalendarDays.P95, row.CalendarDays.Mean));
        Assert.Equal((1, 1.0), (row.BusinessDays.P50, row.BusinessDays.Mean));
        Assert.Equal((30, 10), (Assert.Single(row.Costs).Units, Assert.Single(row.AverageCosts).Units));

        // A late scan says that the first parcel was attempted before: it counts as the same parcel, otherwise.
        await _app.Webhook("ups", ShipmentsApp.Event(parcels[0].TrackingNumber, "X", 20, "Delivery attempted, recipient not home"));
        row = await Row(one => one.FirstAttemptShare < 0.5);
        Assert.Equal((3, 1 / 3.0), (row.Parcels, row.FirstAttemptShare));

        var lanes = await Ask(GroupBy.Service, GroupBy.Lane, GroupBy.Zone, GroupBy.Week);
        var lane = Assert.Single(lanes.Rows);
        Assert.Equal(("ground", "BR-SP", "BR-SP", "same_region"), (lane.Service, lane.LaneFrom, lane.LaneTo, lane.Zone));
        Assert.Equal(new DateTime(2025, 3, 3, 0, 0, 0, DateTimeKind.Utc), lane.Week.ToDateTime());

        // A shop is told the same of its own parcels, and nothing of another's.
        Assert.Equal(lanes, await AsShop("main"));
        Assert.Empty((await AsShop("outlet")).Rows);
        await _app.Database.CreateCommand($"UPDATE shipments SET store_id = 'outlet' WHERE tracking_number = '{parcels[0].TrackingNumber}'").ExecuteNonQueryAsync(TestContext.Current.CancellationToken);
        Assert.Equal((2, 1), (Assert.Single((await AsShop("main")).Rows).Parcels, Assert.Single((await AsShop("outlet")).Rows).Parcels));
        Assert.Equal(lanes, await AsShop("outlet", "main"));

        async Task<CarrierPerformance> AsShop(params string[] stores)
        {
            using var channel = Grpc.Net.Client.GrpcChannel.ForAddress(_app.GrpcAddress);
            return await new CarrierService.CarrierServiceClient(channel).GetCarrierPerformanceAsync(
                Of(GroupBy.Service, GroupBy.Lane, GroupBy.Zone, GroupBy.Week), TestAccess.As("shipments", new Principal(PrincipalKind.Shop, "shop", ScopeSet.All, stores)));
        }
    }

    [Fact]
    public async Task A_delivered_parcel_speaks_where_offers_on_its_lane_are_ranked()
    {
        var parcel = Assert.Single(await _app.Ship(_app.Orders.Add("a")));
        var now = TimeProvider.System.GetUtcNow();
        await _app.Webhook("ups", Event("P", now.AddHours(-40)), Event("D", now.AddHours(-2)));
        await _app.Parcel(parcel, one => one.Status == TrackingStatus.Delivered);

        var place = new Place { RegionCode = "BR", PostalCode = "01310-100", AdministrativeArea = "SP" };
        var request = new QuoteRatesRequest { ShipFrom = place, ShipTo = place, Dimensions = new Dimensions { WeightGrams = 100 } };
        var reliability = await Eventually.Value(async () => (await _app.Shipments.QuoteRatesAsync(request)).Quotes.Single(one => one.Carrier == "ups").Reliability, one => one.Delivered > 0);

        Assert.Equal(("lane", 1L), (reliability.Basis, reliability.Delivered));
        // One parcel weighs little beside what is usual.
        Assert.InRange(reliability.InTimeShare, 0.9001, 0.93);

        string Event(string code, DateTimeOffset at) => $$"""{"event_id":"{{Guid.NewGuid()}}","tracking_number":"{{parcel.TrackingNumber}}","code":"{{code}}","occurred_at":"{{at:yyyy-MM-ddTHH:mm:sszzz}}"}""";
    }

    [Fact]
    public async Task What_is_wrong_with_the_question_is_told_by_field()
    {
        var refused = await Assert.ThrowsAsync<RpcException>(async () => await _app.Carriers.GetCarrierPerformanceAsync(
            new GetCarrierPerformanceRequest { Zone = "moon", GroupBy = { (GroupBy)77 }, StartTime = new Timestamp { Seconds = long.MaxValue } }));

        Assert.Equal(["zone", "group_by", "start_time"], refused.GetRpcStatus()!.GetDetail<Google.Rpc.BadRequest>()!.FieldViolations.Select(one => one.Field));
    }

    [Fact]
    public void Working_days_are_those_between_that_are_no_weekend()
    {
        var day = Gen.Int[0, 3000].Select(days => new DateOnly(2024, 1, 1).AddDays(days));
        Gen.Select(day, Gen.Int[0, 60]).Sample((first, days) =>
        {
            var expected = Enumerable.Range(1, days).Count(i => first.AddDays(i).DayOfWeek is not (DayOfWeek.Saturday or DayOfWeek.Sunday));
            Assert.Equal(expected, ParcelOutcome.WeekdaysBetween(first, first.AddDays(days)));
            Assert.Equal(DayOfWeek.Monday, ParcelOutcome.MondayOf(first).DayOfWeek);
            Assert.InRange(first.DayNumber - ParcelOutcome.MondayOf(first).DayNumber, 0, 6);
        });
    }

    private Task<CarrierPerformance.Types.Row> Row(Func<CarrierPerformance.Types.Row, bool> accept) =>
        Eventually.Value(async () => (await Ask()).Rows.SingleOrDefault() ?? new CarrierPerformance.Types.Row(), accept);

    private async Task<CarrierPerformance> Ask(params GroupBy[] by) => await _app.Carriers.GetCarrierPerformanceAsync(Of(by));

    private static GetCarrierPerformanceRequest Of(params GroupBy[] by) =>
        new() { GroupBy = { by }, StartTime = Day(2025), EndTime = Day(2026) };

    private static Timestamp Day(int year) => Timestamp.FromDateTime(new DateTime(year, 1, 1, 0, 0, 0, DateTimeKind.Utc));
}

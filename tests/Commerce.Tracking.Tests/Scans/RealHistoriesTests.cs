using Commerce.Tracking.Payloads;
using Commerce.Tracking.Tests.Payloads;
using CsCheck;

namespace Commerce.Tracking.Tests.Scans;

/// <summary>Histories that carriers really told, in any order, doubled, late, and told by two.</summary>
public sealed class RealHistoriesTests
{
    private static readonly DateTimeOffset Now = new(2026, 11, 24, 12, 0, 0, TimeSpan.Zero);

    private static readonly Lazy<ReportedScan[][]> Histories = new(() =>
    [
        .. RealPayloads.All().SelectMany(payload =>
        {
            try
            {
                return new PayloadReader().Read(payload.Bytes, payload.Source).Scans.GroupBy(scan => scan.TrackingNumber).Select(parcel => parcel.ToArray());
            }
            catch (PayloadException)
            {
                return [];
            }
        }).Where(history => history.Length > 1),
    ]);

    [Fact]
    public void A_history_gives_one_and_the_same_status_in_whatever_order_and_number_and_however_late_its_scans_come()
    {
        Assert.NotEmpty(Histories.Value);
        Gen.Select(Gen.Int, Gen.Int).Sample((which, seed) =>
        {
            var history = Histories.Value[(which & int.MaxValue) % Histories.Value.Length];
            var random = new Random(seed);
            var told = history.Concat(history.Where(_ => random.Next(2) == 0)).ToArray();
            random.Shuffle(told);

            var expected = TrackingStatusRules.Derive(history.Select(scan => scan.ToScan("webhook", Now, TimeSpan.FromHours(26))), Now);
            // Each at another time and by another way: webhooks that come days late, and polls.
            var heard = told.Select((scan, at) => scan.ToScan(at % 2 == 0 ? "webhook" : "poll", Now.AddMinutes(random.Next(100_000)), TimeSpan.FromHours(26)));
            var actual = TrackingStatusRules.Derive(heard, Now);

            Assert.Equal(expected.Reached, actual.Reached);
            Assert.Equal(expected with { Reached = [], StatusAt = default, DeliveredAt = default }, actual with { Reached = [], StatusAt = default, DeliveredAt = default });
        });
    }

    [Fact]
    public void A_late_shipped_does_not_downgrade_delivered() =>
        Gen.Select(Gen.Int, Gen.Int).Sample((which, seed) =>
        {
            var history = Histories.Value[(which & int.MaxValue) % Histories.Value.Length].Select(scan => scan.ToScan("webhook", Now, TimeSpan.FromHours(26))).ToArray();
            var whole = TrackingStatusRules.Derive(history, Now);
            if (whole.Status != V1.TrackingStatus.Delivered)
                return;
            var random = new Random(seed);
            random.Shuffle(history);
            // Scan by scan: once delivered, what happened before never takes it back.
            var delivered = false;
            for (var heard = 1; heard <= history.Length; heard++)
            {
                var state = TrackingStatusRules.Derive(history.Take(heard), Now);
                if (delivered && history[heard - 1].OccurredAt < whole.DeliveredAt)
                    Assert.Equal(V1.TrackingStatus.Delivered, state.Status);
                delivered = state.Status == V1.TrackingStatus.Delivered;
            }
        });

    [Fact]
    public void Tracking_again_doubles_no_checkpoint()
    {
        foreach (var history in Histories.Value)
        {
            var once = history.Select(scan => scan.ToScan("poll", Now, TimeSpan.FromHours(26)).Id).ToHashSet();
            Assert.All(history, scan => Assert.Contains(scan.ToScan("webhook", Now.AddDays(40), TimeSpan.FromHours(26)).Id, once));
        }
    }

    [Fact]
    public void What_the_carrier_and_an_aggregator_both_tell_is_shown_once_and_names_both()
    {
        var own = new PayloadReader().Read("""
            {"trackingNumber":"9400109104250532908587","uniqueMailPieceID":"1","trackingEvents":[
             {"eventType":"Delivered, Parcel Locker","eventTimestamp":"2024-11-22T13:58:00","GMTOffset":"-05:00","eventCity":"HERNANDO","eventState":"FL","eventZIP":"34442","eventCode":"01"},
             {"eventType":"Out for Delivery","eventTimestamp":"2024-11-22T09:10:00","GMTOffset":"-05:00","eventCity":"HERNANDO","eventState":"FL","eventZIP":"34442","eventCode":"OF"}]}
            """u8, "usps").Scans;
        var told = new PayloadReader().Read("""
            {"object":"Tracker","tracking_code":"9400109104250532908587","carrier":"USPS","status":"delivered","tracking_details":[
             {"message":"Delivered, In Locker","status":"delivered","datetime":"2024-11-22T18:58:00Z","carrier_code":"01","tracking_location":{"city":"Hernando","state":"FL","country":null,"zip":"34442"}},
             {"message":"Out for Delivery","status":"out_for_delivery","datetime":"2024-11-22T14:10:00Z","carrier_code":null,"tracking_location":{"city":null,"state":null,"country":null,"zip":null}},
             {"message":"Arrived at Post Office","status":"in_transit","datetime":"2024-11-22T13:59:00Z","carrier_code":"07","tracking_location":{"city":"LECANTO","state":"FL","country":"US","zip":"34461"}}]}
            """u8, "easypost").Scans;
        var scans = own.Concat(told).Select(scan => scan.ToScan("webhook", Now, TimeSpan.FromHours(26))).ToArray();

        var merged = ScanMerge.Merge(scans);

        Assert.Equal(3, merged.Count);
        Assert.Equal(2, merged.Count(one => one.Scan.Reporter == "usps" && one.AlsoReportedBy is ["easypost"]));
        new Random(3).Shuffle(scans);
        Assert.Equal(merged.Select(one => one.Scan.Id).Order(), ScanMerge.Merge(scans).Select(one => one.Scan.Id).Order());
        Assert.Equal(V1.TrackingStatus.Delivered, TrackingStatusRules.Derive(scans, Now).Status);
    }

    [Fact]
    public void A_carrier_that_stamps_everything_in_1970_still_delivers()
    {
        var scans = new PayloadReader().Read("""
            {"trackingEvents":[{"code":"DL","time":"1970-01-01T00:00:00Z","carrierEventDescription":"Delivered"},{"code":"PU","time":"1970-01-01T00:00:00Z","carrierEventDescription":"Picked up"}],"trackingNumber":"ASENDIA123456789"}
            """u8, "asendia").Scans;

        // The picked-up scan is heard of last.
        var state = TrackingStatusRules.Derive(scans.Select((scan, at) => scan.ToScan("webhook", Now.AddHours(at), TimeSpan.FromHours(26))), Now);

        Assert.Equal(V1.TrackingStatus.Delivered, state.Status);
    }
}

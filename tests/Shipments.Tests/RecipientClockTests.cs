using Commerce.Shipments.EstimatingArrivals;
using Microsoft.Extensions.Time.Testing;

namespace Commerce.Shipments.Tests;

/// <summary>"ETA off by a day: time zones" (shippo-php 29, shippo-node 52): a day of delivery is the recipient's.</summary>
public class RecipientClockTests
{
    private static readonly DateTimeOffset Now = new(2026, 3, 1, 12, 0, 0, TimeSpan.Zero);

    [Theory]
    [InlineData("BR", "SP", "2026-03-04T02:30:00Z", 3)]
    [InlineData("BR", "AC", "2026-03-04T04:30:00Z", 3)]
    [InlineData("JP", "", "2026-03-03T15:30:00Z", 4)]
    [InlineData("US", "CA", "2026-03-04T07:59:00Z", 3)]
    [InlineData("US", "US-CA", "2026-03-04T08:01:00Z", 4)]
    [InlineData("NZ", "", "2026-03-03T11:30:00Z", 4)]
    [InlineData("", "", "2026-03-03T23:59:00Z", 3)]
    public void An_ETA_near_midnight_is_on_the_recipient_s_day(string country, string region, string stated, int day)
    {
        var parcel = Parcel(country, region, DateTimeOffset.Parse(stated, System.Globalization.CultureInfo.InvariantCulture));
        var arrival = ArrivalMessage.Of(new ArrivalEstimator(new FakeTimeProvider(Now)).Of(parcel, [])!);

        Assert.Equal(day, arrival.ExpectedDay.Day);
        // The moment itself is the same, wherever one looks from.
        Assert.InRange((arrival.ExpectedTime.ToDateTimeOffset() - parcel.EstimatedAt!.Value).TotalSeconds, -60, 60);
        Assert.All(arrival.Windows, window => Assert.True(window.FromTime.ToDateTimeOffset() >= Now));
    }

    [Theory]
    [InlineData("IN", "KA", "Asia/Kolkata")]
    [InlineData("BR", "am", "America/Manaus")]
    [InlineData("BR", "", "America/Sao_Paulo")]
    [InlineData("DE", "BY", "Europe/Berlin")]
    [InlineData("GB", "", "Europe/London")]
    [InlineData("ZZ", "x", "Etc/UTC")]
    public void A_time_zone_comes_from_the_address(string country, string region, string zone) => Assert.Equal(zone, RecipientClock.ZoneOf(country, region));

    [Fact]
    public void Summer_time_moves_the_day_s_end() => Assert.Equal(
        [1.0, 2.0],
        ((string[])["2026-01-15T12:00:00Z", "2026-07-15T12:00:00Z"]).Select(text => RecipientClock.At(DateTimeOffset.Parse(text, System.Globalization.CultureInfo.InvariantCulture), "Europe/Berlin").Offset.TotalHours));

    private static Shipment Parcel(string country, string region, DateTimeOffset stated) => new()
    {
        Id = Guid.NewGuid(),
        StoreId = "main",
        OrderId = "ORD-1",
        OrderReference = "1",
        LocationId = "a",
        Position = 0,
        ShipFrom = new PlaceRecord("a", "Cajamar", "SP", "07750", "BR"),
        ShipTo = new AddressRecord("", [], "", region, "", country),
        Lines = [],
        Size = new ParcelSize(500, 1, 1, 1),
        Value = new Money(100, "BRL"),
        EstimatedAt = stated,
        CreatedAt = Now,
    };
}

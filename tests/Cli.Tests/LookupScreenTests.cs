using Commerce.Cli.Lookup;
using Commerce.Shipments.V1;
using Google.Protobuf.WellKnownTypes;

namespace Commerce.Cli.Tests;

public sealed class LookupScreenTests
{
    [Theory]
    [InlineData("2026-11-26T08:00:00-03:00", Scan.Types.TimeBasis.Carrier, "2026-11-26 08:00:00 -03:00")]
    [InlineData("1970-01-01T00:00:00Z", Scan.Types.TimeBasis.Received, "2026-11-26 11:20:00 received, told as 1970-01-01T00:00:00Z")]
    [InlineData("", Scan.Types.TimeBasis.Received, "2026-11-26 11:20:00 received")]
    [InlineData("last Tuesday", Scan.Types.TimeBasis.Assumed, "last Tuesday")]
    public void A_time_that_cannot_be_right_is_not_shown_as_if_it_were(string told, Scan.Types.TimeBasis basis, string shown) => Assert.Equal(
        shown,
        LookupScreen.LocalTime(new Scan { LocalTime = told, TimeBasis = basis, ReceivedTime = Timestamp.FromDateTimeOffset(new DateTimeOffset(2026, 11, 26, 11, 20, 0, TimeSpan.Zero)) }));
}

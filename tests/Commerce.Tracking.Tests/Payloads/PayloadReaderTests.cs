using Commerce.Tracking.Payloads;

namespace Commerce.Tracking.Tests.Payloads;

public sealed class PayloadReaderTests(ITestOutputHelper output)
{
    [Fact]
    public void Show()
    {
        var reader = new PayloadReader();
        foreach (var (source, name, bytes) in RealPayloads.All())
        {
            try
            {
                var reading = reader.Read(bytes, source);
                output.WriteLine($"### {name} → {reading.Shape}, {reading.Scans.Count} scans, {reading.Rejected.Count} rejected");
                foreach (var scan in reading.Scans.Take(30))
                    output.WriteLine($"   {scan.Carrier} {scan.TrackingNumber} [{scan.Code}] {scan.Time.Text} {scan.Time.Basis} <{scan.Place.Locality}|{scan.Place.Region}|{scan.Place.PostalCode}|{scan.Place.Country}> {scan.Meaning.Status}/{scan.Meaning.Reason}{(scan.Meaning.Inferred ? "~" : "")} {scan.AggregatorStatus} «{scan.Words}»");
                foreach (var problem in reading.Problems.Take(5))
                    output.WriteLine($"   ! {problem.Code}: {problem.Message}");
            }
            catch (PayloadException exception)
            {
                output.WriteLine($"### {name}: {exception.Message}");
            }
        }
    }
}

using System.Globalization;
using Commerce.Shipping.Labels;

namespace Commerce.Shipping.Tests.Labels;

public sealed class ManifestTests
{
    [Theory]
    [InlineData(0, 1)]
    [InlineData(1, 1)]
    [InlineData(40, 2)]
    [InlineData(200, 5)]
    public void Every_parcel_is_on_the_list_and_the_sum_is_on_the_last_page(int parcels, int pages)
    {
        var rows = Enumerable.Range(1, parcels).Select(i => new ManifestRow($"1Z{i:D16}", "Ground", "ORD-7K3M9QX-T2F8CRW", "BR", 1000 + i)).ToList();
        var manifest = new ManifestSheet("UPS", "Lumen & Sons", "Hamburg", 7, new DateTimeOffset(2026, 11, 26, 17, 5, 0, TimeSpan.Zero), rows);
        var pdf = ManifestPdf.Render(manifest);
        Assert.Equal(pages, Scanner.PagesOf(pdf));
        var text = string.Concat(Enumerable.Range(1, pages).Select(page => Scanner.TextOf(pdf, page)));
        Assert.All(rows, row => Assert.Contains(row.TrackingNumber, text, StringComparison.Ordinal));
        Assert.Contains("UPS manifest no. 7", text, StringComparison.Ordinal);
        Assert.Contains("Closed 2026-11-26 17:05 UTC", text, StringComparison.Ordinal);
        var last = Scanner.TextOf(pdf, pages);
        Assert.Contains(parcels == 1 ? "1 parcel" : parcels.ToString(CultureInfo.InvariantCulture) + " parcels", last, StringComparison.Ordinal);
        Assert.Contains("signature", last, StringComparison.Ordinal);
        Assert.Equal(pdf, ManifestPdf.Render(manifest));
    }
}

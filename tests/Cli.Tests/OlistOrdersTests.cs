using Commerce.Cli.Replay;
using Commerce.Testing;

namespace Commerce.Cli.Tests;

/// <summary>On the real data: what the replay tells the suite is what the data says, to the centavo.</summary>
public sealed class OlistOrdersTests
{
    [Fact]
    public void Every_order_of_the_data_is_told_with_what_was_really_paid()
    {
        var data = OlistData.Read(Folder());
        Assert.NotEmpty(data.Orders);
        foreach (var order in data.Orders)
        {
            var request = OlistOrders.Request(order, data, "run", DateTimeOffset.UnixEpoch);
            var total = request.Lines.Sum(line => OlistOrders.Minor(line.UnitPrice) * line.Quantity)
                + OlistOrders.Minor(request.ShippingCharge) + request.Adjustments.Sum(adjustment => OlistOrders.Minor(adjustment.Amount));
            Assert.Equal(order.Paid, total);
            Assert.Equal(order.Paid, request.PaymentParts.Sum(part => OlistOrders.Minor(part.Amount)));
            Assert.Equal(Math.Max(1, order.Items.Count), request.Lines.Sum(line => line.Quantity));
        }
    }

    [Fact]
    public void Every_seller_of_an_order_ships_from_its_own_place()
    {
        var data = OlistData.Read(Folder());
        foreach (var order in data.Orders.Where(order => order.Items.Count > 0))
        {
            var request = OlistOrders.Request(order, data, "run", DateTimeOffset.UnixEpoch);
            Assert.Equal(order.Items.Select(item => item.SellerId).Distinct().Order(), request.Lines.Select(line => line.ShipFrom.LocationId).Distinct().Order());
        }
    }

    private static string Folder()
    {
        for (var folder = new DirectoryInfo(AppContext.BaseDirectory); folder is not null; folder = folder.Parent)
        {
            if (!File.Exists(Path.Combine(folder.FullName, "Commerce.sln")))
                continue;
            var data = Path.Combine(Environment.GetEnvironmentVariable("COMMERCE_DATA") ?? Path.Combine(folder.FullName, "..", "shared", "data"), "olist");
            return Directory.Exists(data) ? data : throw TestServers.Missing($"The real data is not at {data}; set COMMERCE_DATA to its folder.");
        }

        throw new InvalidOperationException("Commerce.sln is not above the tests.");
    }
}

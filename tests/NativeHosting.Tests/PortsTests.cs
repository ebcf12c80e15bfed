using Commerce.NativeHosting.State;

namespace Commerce.NativeHosting.Tests;

public sealed class PortsTests : IDisposable
{
    private readonly List<string> _folders = [];

    [Fact]
    public void A_port_is_a_suites_while_nobody_listens_on_it_and_free_when_the_suite_has_ended()
    {
        var suite = new Ports(NewState());
        var port = suite.Assign("orders.http");
        Assert.True(Ports.IsFree(port));

        using (var other = new Ports(NewState()))
            Assert.NotEqual(port, other.Assign("orders.http", port));
        suite.Dispose();
        using var later = new Ports(NewState());
        Assert.Equal(port, later.Assign("orders.http", port));
    }

    [Fact]
    public void A_port_is_handed_out_once()
    {
        using var suite = new Ports(NewState());
        var port = suite.Assign("orders.http");

        Assert.NotEqual(port, suite.Assign("payments.http", port));
    }

    public void Dispose() => _folders.ForEach(folder => Directory.Delete(folder, recursive: true));

    private StateDirectory NewState()
    {
        _folders.Add(SampleSuite.NewState());
        return StateDirectory.At(_folders[^1]);
    }
}

using Commerce.ServiceDefaults;
using Commerce.Testing;
using Grpc.Net.Client;

namespace Commerce.Shipments.Tests;

/// <summary>Who is let in at the service itself.</summary>
public sealed class AccessTests(ShipmentsApp app) : IClassFixture<ShipmentsApp>
{
    [Fact]
    public async Task Every_method_refuses_every_credential_that_is_not_good_enough()
    {
        var methods = app.Service<AccessControl>().Methods;
        using var channel = GrpcChannel.ForAddress(app.GrpcAddress);
        var cases = methods.SelectMany(method => WrongCredentials.At("shipments", method), (method, wrong) => (method, wrong));
        Assert.NotEmpty(methods);
        var differing = await WrongCredentials.Try(channel.CreateCallInvoker(), cases);
        Assert.True(differing.Count == 0, string.Join("\n", differing));
    }
}

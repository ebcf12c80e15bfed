using Commerce.ServiceDefaults;
using Commerce.Testing;

namespace Commerce.Shipments.Tests;

/// <summary>What nobody who means well would send, in every field of every method.</summary>
public sealed class HostileRequestTests(ShipmentsApp app) : IClassFixture<ShipmentsApp>
{
    [Fact]
    public async Task Whatever_comes_over_gRPC_is_answered_and_never_by_a_fault()
    {
        using var channel = TestAccess.Channel(app.GrpcAddress, "shipments", options => options.MaxSendMessageSize = null);
        var answers = await HostileRequests.OverGrpc(channel.CreateCallInvoker(), app.Service<AccessControl>().Methods, []);
        TestContext.Current.TestOutputHelper?.WriteLine(answers.ToString());
        Assert.True(answers.AreRight, answers.ToString());
    }

    [Fact]
    public async Task Whatever_comes_over_REST_is_answered_and_never_by_a_fault()
    {
        var answers = await HostileRequests.OverRest(app.Http, app.Service<AccessControl>().Methods);
        TestContext.Current.TestOutputHelper?.WriteLine(answers.ToString());
        Assert.True(answers.AreRight, answers.ToString());
    }
}

using Commerce.ServiceDefaults;
using Commerce.Testing;

namespace Commerce.Payments.Tests;

/// <summary>What nobody who means well would send, in every field of every method.</summary>
public sealed class HostileRequestTests(PaymentsApp app) : IClassFixture<PaymentsApp>
{
    [Fact]
    public async Task Whatever_comes_over_gRPC_is_answered_and_never_by_a_fault()
    {
        await app.Ready;
        using var channel = TestAccess.Channel(app.GrpcAddress, "payments", options => options.MaxSendMessageSize = null);
        var answers = await HostileRequests.OverGrpc(channel.CreateCallInvoker(), app.Service<AccessControl>().Methods, []);
        TestContext.Current.TestOutputHelper?.WriteLine(answers.ToString());
        Assert.True(answers.AreRight, answers.ToString());
    }

    [Fact]
    public async Task Whatever_comes_over_REST_is_answered_and_never_by_a_fault()
    {
        await app.Ready;
        var answers = await HostileRequests.OverRest(app.Rest, app.Service<AccessControl>().Methods);
        TestContext.Current.TestOutputHelper?.WriteLine(answers.ToString());
        Assert.True(answers.AreRight, answers.ToString());
    }
}

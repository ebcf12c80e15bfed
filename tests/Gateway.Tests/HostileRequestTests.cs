using Commerce.ServiceDefaults;
using Commerce.Testing;

namespace Commerce.Gateway.Tests;

/// <summary>What nobody who means well would send, in every field of every method that the Gateway implements.</summary>
public sealed class HostileRequestTests : IAsyncLifetime
{
    private Suite _suite = null!;

    public async ValueTask InitializeAsync() => _suite = await Suite.Start(1, [.. new[] { "Read", "Write", "Search", "Bulk", "Watch" }.Select(kind => ($"Gateway:Limits:{kind}:Burst", "1000000"))]);

    public async ValueTask DisposeAsync() => await _suite.DisposeAsync();

    [Fact]
    public async Task Whatever_comes_over_gRPC_is_answered_and_never_by_a_fault()
    {
        var answers = await HostileRequests.OverGrpc(_suite.Node.Channel.CreateCallInvoker(), _suite.Node.Get<AccessControl>().Methods, []);
        TestContext.Current.TestOutputHelper?.WriteLine(answers.ToString());
        Assert.True(answers.AreRight, answers.ToString());
    }

    [Fact]
    public async Task Whatever_comes_over_REST_is_answered_and_never_by_a_fault()
    {
        var answers = await HostileRequests.OverRest(_suite.Node.Http, _suite.Node.Get<AccessControl>().Methods);
        TestContext.Current.TestOutputHelper?.WriteLine(answers.ToString());
        Assert.True(answers.AreRight, answers.ToString());
    }
}

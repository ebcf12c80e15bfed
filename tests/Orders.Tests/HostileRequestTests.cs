using Commerce.ServiceDefaults;
using Commerce.Testing;
using Microsoft.Extensions.DependencyInjection;

namespace Commerce.Orders.Tests;

/// <summary>What nobody who means well would send, in every field of every method.</summary>
public sealed class HostileRequestTests(OrdersService service) : OrdersServiceTests(service)
{
    [Fact]
    public async Task Whatever_comes_over_gRPC_is_answered_and_never_by_a_fault()
    {
        using var channel = TestAccess.Channel(new Uri(Service.App.Urls.Last()), "orders", options => options.MaxSendMessageSize = null);
        var answers = await HostileRequests.OverGrpc(channel.CreateCallInvoker(), Service.App.Services.GetRequiredService<AccessControl>().Methods, []);
        TestContext.Current.TestOutputHelper?.WriteLine(answers.ToString());
        Assert.True(answers.AreRight, answers.ToString());
    }

    [Fact]
    public async Task Whatever_comes_over_REST_is_answered_and_never_by_a_fault()
    {
        var answers = await HostileRequests.OverRest(Service.Rest, Service.App.Services.GetRequiredService<AccessControl>().Methods);
        TestContext.Current.TestOutputHelper?.WriteLine(answers.ToString());
        Assert.True(answers.AreRight, answers.ToString());
    }
}

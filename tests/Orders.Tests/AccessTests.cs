using Commerce.ServiceDefaults;
using Commerce.Testing;
using Grpc.Net.Client;
using Microsoft.Extensions.DependencyInjection;
namespace Commerce.Orders.Tests;

/// <summary>Who is let in at the service itself.</summary>
public sealed class AccessTests(OrdersService service) : OrdersServiceTests(service)
{
    [Fact]
    public async Task Every_method_refuses_every_credential_that_is_not_good_enough()
    {
        var methods = Service.App.Services.GetRequiredService<AccessControl>().Methods;
        using var channel = GrpcChannel.ForAddress(Service.App.Urls.Last());
        var cases = methods.SelectMany(method => WrongCredentials.At("orders", method), (method, wrong) => (method, wrong));
        Assert.NotEmpty(methods);
        Assert.Empty(await WrongCredentials.Try(channel.CreateCallInvoker(), cases));
    }
}

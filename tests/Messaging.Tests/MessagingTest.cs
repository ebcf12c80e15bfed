using Commerce.Testing;
using Microsoft.Extensions.DependencyInjection;

namespace Commerce.Messaging.Tests;

/// <summary>Orders tells, Notifications hears: a database each and a virtual host of their own.</summary>
public abstract class MessagingTest : IAsyncLifetime
{
    private protected const string Queue = "notifications.orders";

    private protected TestServers Servers { get; private set; } = null!;

    private protected TestVirtualHost Broker { get; private set; } = null!;

    private protected TestDatabase OrdersDatabase { get; private set; } = null!;

    private protected TestDatabase NotificationsDatabase { get; private set; } = null!;

    private protected Interference Interference { get; } = new();

    public async ValueTask InitializeAsync()
    {
        Servers = await TestServers.Get();
        Broker = await Servers.CreateVirtualHost();
        OrdersDatabase = await Databases.Create(Servers);
        NotificationsDatabase = await Databases.Create(Servers);
    }

    public async ValueTask DisposeAsync()
    {
        await Broker.DisposeAsync();
        await OrdersDatabase.DisposeAsync();
        await NotificationsDatabase.DisposeAsync();
        GC.SuppressFinalize(this);
    }

    private protected TestService Orders(string? broker = null, Action<MessagingBuilder>? messaging = null, Action<MessagingOptions>? options = null, Action<IServiceCollection>? services = null) =>
        TestService.Build("orders", OrdersDatabase.ConnectionString, broker ?? Broker.ConnectionString, messaging, options, services);

    private protected TestService Notifications(Delivery delivery = Delivery.InOrder, string? broker = null, Action<MessagingOptions>? options = null) =>
        TestService.Build(
            "notifications", NotificationsDatabase.ConnectionString, broker ?? Broker.ConnectionString,
            m => m.Consume<OrderEffects>("orders", delivery), options, s => s.AddSingleton(Interference));
}

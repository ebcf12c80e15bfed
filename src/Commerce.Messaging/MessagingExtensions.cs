using System.Reflection;
using Commerce.Facts;
using Commerce.Messaging.Broker;
using MassTransit;
using Microsoft.Extensions.Configuration;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.DependencyInjection.Extensions;
using Microsoft.Extensions.Hosting;
using Microsoft.Extensions.Logging;
using Npgsql;

namespace Commerce.Messaging;

/// <summary>Registers messaging for one service.</summary>
public static class MessagingExtensions
{
    /// <summary>
    /// Outbox and relay, inbox and consumers, idempotent requests, recovery points, for the service called
    /// <paramref name="service"/> (as in <see cref="Subscriptions"/>) on its NpgsqlDataSource and the broker of the
    /// connection string "messaging". A service that only observes needs no database.
    /// </summary>
    public static MessagingBuilder AddMessaging(this IHostApplicationBuilder builder, string service)
    {
        var messaging = new MessagingBuilder(builder, service);
        builder.Services.TryAddSingleton(TimeProvider.System);
        builder.Services.AddSingleton(new MessagingService(service));
        builder.Services.AddSingleton(provider => BrokerAddress.Read(provider.GetRequiredService<IConfiguration>()));
        builder.Services.AddSingleton<OutboxSignal>();
        builder.Services.AddSingleton<Outbox>();
        builder.Services.AddSingleton<RecoverySignal>();
        builder.Services.AddSingleton<RecoveryPoints>();
        if (builder.Services.Any(one => one.ServiceType == typeof(NpgsqlDataSource)))
        {
            builder.Services.AddSingleton<Requests>();
            builder.Services.AddSingleton<Inbox>();
            builder.Services.AddHostedService<Relay>();
            builder.Services.AddHostedService<RecoveryWorker>();
        }

        builder.Services.AddMassTransit(bus => bus.UsingRabbitMq((provider, rabbit) =>
        {
            rabbit.Host(provider.GetRequiredService<BrokerAddress>().Uri);
            rabbit.MessageTopology.SetEntityNameFormatter(new FactNames());
            rabbit.Publish<IFact>(fact => fact.Exclude = true);
            rabbit.Publish<IOrderFact>(fact => fact.Exclude = true);
            rabbit.Publish<IPaymentFact>(fact => fact.Exclude = true);
            rabbit.Publish<IShipmentFact>(fact => fact.Exclude = true);
            rabbit.ConfigureJsonSerializerOptions(_ => new System.Text.Json.JsonSerializerOptions(FactJson.Options));
            foreach (var endpoint in messaging.Endpoints)
                endpoint(provider, rabbit);
        }));
        // The bus starts beside the service: an order is accepted while the broker is down.
        builder.Services.Configure<MassTransitHostOptions>(options => options.WaitUntilStarted = false);
        builder.Services.AddLogging(logging => logging.AddFilter("MassTransit", LogLevel.Warning));
        return messaging;
    }
}

/// <summary>The service's name on the broker.</summary>
internal sealed record MessagingService(string Name);

/// <summary>Where the broker is.</summary>
internal sealed record BrokerAddress(Uri Uri)
{
    public static BrokerAddress Read(IConfiguration configuration) => new(new Uri(
        configuration.GetConnectionString("messaging")
        ?? throw new InvalidOperationException("The connection string \"messaging\" is missing: set ConnectionStrings:messaging to an amqp:// address.")));
}

/// <summary>Says what a service listens to and what it carries out.</summary>
public sealed class MessagingBuilder(IHostApplicationBuilder builder, string service)
{
    // Consumers of one queue at work at a time; the inbox settles what they race for.
    private const int Concurrency = 16;

    internal List<Action<IServiceProvider, IRabbitMqBusFactoryConfigurator>> Endpoints { get; } = [];

    /// <summary>The service's name on the broker.</summary>
    public string Service => service;

    /// <summary>
    /// Listens to every fact of <paramref name="source"/> that <see cref="Subscriptions"/> lists for this service;
    /// TConsumer implements <see cref="IConsumeFact{TFact}"/> for each of them (checked at start).
    /// </summary>
    public MessagingBuilder Consume<TConsumer>(string source, Delivery delivery)
        where TConsumer : class
    {
        var subscription = Find(source);
        foreach (var fact in subscription.Facts.Where(fact => !typeof(IConsumeFact<>).MakeGenericType(fact).IsAssignableFrom(typeof(TConsumer))))
            throw new InvalidOperationException($"{typeof(TConsumer).Name} listens to \"{subscription.Queue}\" and must implement IConsumeFact<{fact.Name}>.");
        builder.Services.AddScoped<TConsumer>();
        var definition = new ConsumerDefinition(subscription.Queue, typeof(TConsumer), subscription, delivery);
        AddEndpoint(subscription, (provider, fact, messageId, token) => provider.GetRequiredService<Inbox>().Handle(definition, fact, messageId, token));
        return this;
    }

    /// <summary>Listens without a database: for consumers whose effect is idempotent by nature (the Gateway's view).</summary>
    public MessagingBuilder Observe<TObserver>(string source)
        where TObserver : class, IObserveFacts
    {
        builder.Services.TryAddSingleton<TObserver>();
        AddEndpoint(Find(source), (provider, fact, _, token) => provider.GetRequiredService<TObserver>().Observe(fact, token));
        return this;
    }

    /// <summary>Carries out recovery points of the handler's kind.</summary>
    public MessagingBuilder Recover<THandler>()
        where THandler : class, IRecover
    {
        builder.Services.AddScoped<IRecover, THandler>();
        return this;
    }

    private Subscription Find(string source) =>
        Subscriptions.All.SingleOrDefault(one => one.Subscriber == service && one.Source == source)
        ?? throw new InvalidOperationException($"Subscriptions lists nothing that {service} hears of {source}.");

    private void AddEndpoint(Subscription subscription, Func<IServiceProvider, IFact, Guid, CancellationToken, Task> handle) =>
        Endpoints.Add((provider, rabbit) => rabbit.ReceiveEndpoint(subscription.Queue, endpoint =>
        {
            Topology.Configure(endpoint, subscription);
            endpoint.PrefetchCount = 2 * Concurrency;
            endpoint.ConcurrentMessageLimit = Concurrency;
            // A server that is away comes back: that is waited for in place, and never makes a fact a failure.
            endpoint.UseMessageRetry(retry =>
            {
                retry.Handle<Exception>(TransientErrors.IsTransient);
                retry.Exponential(int.MaxValue, TimeSpan.FromMilliseconds(100), TimeSpan.FromSeconds(5), TimeSpan.FromMilliseconds(200));
            });
            endpoint.UseMessageRetry(retry =>
            {
                retry.Ignore<Exception>(TransientErrors.IsTransient);
                retry.Exponential(6, TimeSpan.FromMilliseconds(100), TimeSpan.FromSeconds(10), TimeSpan.FromMilliseconds(300));
            });
            foreach (var fact in subscription.Facts)
                typeof(MessagingBuilder).GetMethod(nameof(AddHandler), BindingFlags.Static | BindingFlags.NonPublic)!.MakeGenericMethod(fact).Invoke(null, [endpoint, provider, handle]);
        }));

    private static void AddHandler<TFact>(
        IRabbitMqReceiveEndpointConfigurator endpoint, IServiceProvider provider, Func<IServiceProvider, IFact, Guid, CancellationToken, Task> handle)
        where TFact : class, IFact =>
        endpoint.Handler<TFact>(context => handle(
            provider,
            context.Message,
            context.MessageId ?? throw new InvalidOperationException("The message has no id, so it cannot be told from its twin."),
            context.CancellationToken));
}

/// <summary>Sees every fact of a source, at least once and in any order.</summary>
public interface IObserveFacts
{
    Task Observe(IFact fact, CancellationToken cancellationToken);
}

using Commerce.Facts;
using Commerce.Messaging.Broker;
using Commerce.Messaging.Consuming;
using Commerce.Messaging.Operating;
using Commerce.Messaging.Recovering;
using Commerce.Messaging.Relaying;
using Commerce.Messaging.Retaining;
using MassTransit;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Routing;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.DependencyInjection.Extensions;
using Microsoft.Extensions.Diagnostics.HealthChecks;
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
    /// connection string "messaging". A service without a NpgsqlDataSource can only observe.
    /// </summary>
    public static MessagingBuilder AddMessaging(this IHostApplicationBuilder builder, string service)
    {
        var registration = new Registration(service);
        var services = builder.Services;
        services.AddOptions<MessagingOptions>().BindConfiguration(MessagingOptions.Section).ValidateDataAnnotations()
            .Validate(o => o.KeepRequests >= TimeSpan.FromHours(72), "Messaging:KeepRequests must be at least 72 hours: that long a caller may repeat a request.")
            .ValidateOnStart();
        services.TryAddSingleton(TimeProvider.System);
        services.AddSingleton(registration);
        services.AddSingleton<MessagingTelemetry>();
        services.AddSingleton<OutboxSignal>();
        services.AddSingleton<Outbox>();
        services.AddSingleton<RecoverySignal>();
        services.AddSingleton<RecoveryPoints>();
        AddWithDatabase<Requests>(services);
        services.AddSingleton<BrokerConnection>();
        services.AddSingleton<ErrorQueues>();
        services.AddSingleton<QueueInspector>();
        services.AddSingleton<ErasedFacts>();
        services.AddScoped<IRecover>(provider => provider.GetRequiredService<ErasedFacts>());
        services.AddSingleton<FactReceiver>();
        AddWithDatabase<Inbox>(services);
        AddWithDatabase<RecoveryStore>(services);
        services.AddSingleton(provider => new Redrive(
            provider.GetRequiredService<ErrorQueues>(), registration, provider.GetRequiredService<TimeProvider>(), provider));
        services.AddSingleton<QueueOperations>();

        services.AddMassTransit(bus =>
        {
            bus.UsingRabbitMq(BusSetup.Configure);
            // The suite accepts orders while the broker is down: that is worse than healthy, but not unhealthy.
            bus.ConfigureHealthCheckOptions(health => health.MinimalFailureStatus = HealthStatus.Degraded);
        });
        services.Configure<UsageTelemetryOptions>(options => options.Enabled = false);
        services.RemoveMassTransitHostedService();
        services.AddHostedService<BusKeeper>();
        builder.Logging.AddFilter("MassTransit", LogLevel.Warning);

        AddWorker<Relay>(services);
        AddWorker<RecoveryWorker>(services);
        AddWorker<FailedFactsWorker>(services);
        AddWorker<RetentionWorker>(services);
        AddWorker<GaugeWorker>(services);
        return new MessagingBuilder(builder, registration);
    }

    /// <summary>Serves commerce.operations.v1.MessagingService for the queues of this service.</summary>
    public static void MapMessaging(this IEndpointRouteBuilder endpoints) => endpoints.MapGrpcService<MessagingGrpcService>();

    // By a factory: a host that validates its services would refuse these where there is no database, which nobody asks for there.
    private static void AddWithDatabase<TService>(IServiceCollection services)
        where TService : class =>
        services.AddSingleton(provider => ActivatorUtilities.CreateInstance<TService>(provider));

    // Asked when the host starts and not now: the database may be registered after messaging, or not at all.
    private static void AddWorker<TWorker>(IServiceCollection services)
        where TWorker : class, IHostedService =>
        services.AddSingleton<IHostedService>(provider =>
            provider.GetService<NpgsqlDataSource>() is null ? new NoWorker() : ActivatorUtilities.CreateInstance<TWorker>(provider));

    private sealed class NoWorker : IHostedService
    {
        public Task StartAsync(CancellationToken cancellationToken) => Task.CompletedTask;

        public Task StopAsync(CancellationToken cancellationToken) => Task.CompletedTask;
    }
}

/// <summary>Says what a service listens to and what it carries out.</summary>
public sealed class MessagingBuilder
{
    private readonly IHostApplicationBuilder _builder;
    private readonly Registration _registration;

    internal MessagingBuilder(IHostApplicationBuilder builder, Registration registration) => (_builder, _registration) = (builder, registration);

    /// <summary>The service's name on the broker.</summary>
    public string Service => _registration.Service;

    /// <summary>
    /// Listens to every fact of <paramref name="source"/> that <see cref="Subscriptions"/> lists for this service;
    /// TConsumer implements <see cref="IConsumeFact{TFact}"/> for each of them.
    /// </summary>
    /// <exception cref="InvalidOperationException">It does not, or nothing is listed.</exception>
    public MessagingBuilder Consume<TConsumer>(string source, Delivery delivery)
        where TConsumer : class
    {
        var binding = new ConsumerBinding(_registration.SubscriptionTo(source), typeof(TConsumer), delivery);
        binding.Validate();
        _registration.Consumers.Add(binding);
        _builder.Services.TryAddScoped<TConsumer>();
        return this;
    }

    /// <summary>Listens without a database: for consumers whose effect is idempotent by nature (the Gateway's view).</summary>
    public MessagingBuilder Observe<TObserver>(string source)
        where TObserver : class, IObserveFacts
    {
        _registration.Observers.Add(new ObserverBinding(_registration.SubscriptionTo(source), typeof(TObserver)));
        _builder.Services.TryAddSingleton<TObserver>();
        return this;
    }

    /// <summary>Carries out recovery points of the handler's kind.</summary>
    public MessagingBuilder Recover<THandler>()
        where THandler : class, IRecover
    {
        _builder.Services.AddScoped<IRecover, THandler>();
        return this;
    }
}

/// <summary>Sees every fact of a source, at least once and in any order.</summary>
public interface IObserveFacts
{
    Task Observe(IFact fact, CancellationToken cancellationToken);
}

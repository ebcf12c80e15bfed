using Commerce.Facts;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Hosting;

namespace Commerce.Messaging;

/// <summary>Registers messaging for one service.</summary>
public static class MessagingExtensions
{
    /// <summary>
    /// Outbox and relay, inbox and consumers, idempotent requests, recovery points, for the service called
    /// <paramref name="service"/> (as in <see cref="Subscriptions"/>) on its NpgsqlDataSource and the broker of the
    /// connection string "messaging".
    /// </summary>
    public static MessagingBuilder AddMessaging(this IHostApplicationBuilder builder, string service)
    {
        builder.Services.AddSingleton<OutboxSignal>();
        builder.Services.AddSingleton<Outbox>();
        builder.Services.AddSingleton<RecoverySignal>();
        builder.Services.AddSingleton<RecoveryPoints>();
        builder.Services.AddSingleton<Requests>();
        return new MessagingBuilder(builder, service);
    }
}

/// <summary>Says what a service listens to and what it carries out.</summary>
public sealed class MessagingBuilder(IHostApplicationBuilder builder, string service)
{
    /// <summary>The service's name on the broker.</summary>
    public string Service => service;

    /// <summary>
    /// Listens to every fact of <paramref name="source"/> that <see cref="Subscriptions"/> lists for this service;
    /// TConsumer implements <see cref="IConsumeFact{TFact}"/> for each of them (checked at start).
    /// </summary>
    public MessagingBuilder Consume<TConsumer>(string source, Delivery delivery)
        where TConsumer : class
    {
        builder.Services.AddScoped<TConsumer>();
        return this;
    }

    /// <summary>Listens without a database: for consumers whose effect is idempotent by nature (the Gateway's view).</summary>
    public MessagingBuilder Observe<TObserver>(string source)
        where TObserver : class, IObserveFacts
    {
        builder.Services.AddSingleton<TObserver>();
        return this;
    }

    /// <summary>Carries out recovery points of the handler's kind.</summary>
    public MessagingBuilder Recover<THandler>()
        where THandler : class, IRecover
    {
        builder.Services.AddScoped<IRecover, THandler>();
        return this;
    }
}

/// <summary>Sees every fact of a source, at least once and in any order.</summary>
public interface IObserveFacts
{
    Task Observe(IFact fact, CancellationToken cancellationToken);
}

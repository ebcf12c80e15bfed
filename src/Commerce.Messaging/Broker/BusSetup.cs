using System.Runtime.ExceptionServices;
using Commerce.Facts;
using Commerce.Messaging.Consuming;
using MassTransit;
using Microsoft.Extensions.Configuration;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Options;
using Npgsql;

namespace Commerce.Messaging.Broker;

/// <summary>
/// How MassTransit is set up: for consuming, with topology from <see cref="Topology"/>, and none of its own retries or error
/// queues. The relay publishes without it.
/// </summary>
internal static class BusSetup
{
    public static void Configure(IBusRegistrationContext services, IRabbitMqBusFactoryConfigurator bus)
    {
        var registration = services.GetRequiredService<Registration>();
        bus.Host(BrokerConnection.Address(services.GetRequiredService<IConfiguration>()), registration.Service, host =>
        {
            host.Heartbeat(TimeSpan.FromSeconds(10));
            host.PublisherConfirmation = true;
        });
        bus.MessageTopology.SetEntityNameFormatter(new FactNames());
        // Subscribers bind to the facts themselves; exchanges for the interfaces would only be published through in vain.
        bus.Publish<IFact>(topology => topology.Exclude = true);
        bus.Publish<IOrderFact>(topology => topology.Exclude = true);
        bus.Publish<IPaymentFact>(topology => topology.Exclude = true);
        bus.Publish<IShipmentFact>(topology => topology.Exclude = true);

        var receiver = services.GetRequiredService<FactReceiver>();
        foreach (var binding in registration.Consumers)
        {
            var inbox = services.GetRequiredService<Inbox>();
            var database = services.GetRequiredService<NpgsqlDataSource>();
            Endpoint(bus, services, receiver, binding.Subscription, (fact, message) => receiver.Receive(binding, inbox, database, fact, message));
        }

        foreach (var binding in registration.Observers)
            Endpoint(bus, services, receiver, binding.Subscription, (fact, message) => receiver.Observe(binding, fact, message));
    }

    private static void Endpoint(
        IRabbitMqBusFactoryConfigurator bus, IServiceProvider services, FactReceiver receiver, Subscription subscription, Func<IFact, ConsumeContext, Task> handle) =>
        bus.ReceiveEndpoint(subscription.Queue, endpoint =>
        {
            var options = services.GetRequiredService<IOptions<MessagingOptions>>().Value;
            endpoint.ConfigureConsumeTopology = false;
            endpoint.PublishFaults = false;
            endpoint.PrefetchCount = (ushort)options.ConsumerPrefetch;
            endpoint.ConcurrentMessageLimit = options.ConsumerConcurrency;
            foreach (var (name, value) in Topology.QueueArguments(subscription.Queue))
                endpoint.SetQueueArgument(name, value!);
            foreach (var fact in subscription.Facts)
            {
                endpoint.Bind(FactType.ExchangeOf(fact));
                FactTypes.Get(fact).Handle(endpoint, (message, context) =>
                {
                    context.ReceiveContext.GetOrAddPayload(() => new Reached());
                    return handle(message, context);
                });
            }

            endpoint.ConfigureError(pipe => pipe.UseFilter(new ErrorFilter(receiver, subscription.Queue)));
            endpoint.ConfigureDeadLetter(pipe => pipe.UseFilter(new UnknownFilter(receiver, subscription.Queue)));
        });

    /// <summary>
    /// What never reached the receiver, which keeps failures to itself: the body could not be read. Of what did reach it, only
    /// a delivery that is over comes here: nothing is wrong with the fact, and the broker delivers it again.
    /// </summary>
    private sealed class ErrorFilter(FactReceiver receiver, string queue) : IFilter<ExceptionReceiveContext>
    {
        public async Task Send(ExceptionReceiveContext context, IPipe<ExceptionReceiveContext> next)
        {
            if (context.TryGetPayload<Reached>(out _))
                ExceptionDispatchInfo.Throw(context.Exception);
            await receiver.MoveToErrorQueue(queue, context, new ErrorCause("undecodable", context.Exception, 1));
            context.GetOrAddPayload(() => new Moved());
        }

        public void Probe(ProbeContext context) => context.CreateFilterScope("error-queue");
    }

    /// <summary>The body was read, and the receiver has it.</summary>
    private sealed class Reached;

    /// <summary>MassTransit takes a message that was moved for one that nobody wanted, and asks the next filter about it too.</summary>
    private sealed class Moved;

    /// <summary>The body is readable, but no fact that this queue is for.</summary>
    private sealed class UnknownFilter(FactReceiver receiver, string queue) : IFilter<ReceiveContext>
    {
        public Task Send(ReceiveContext context, IPipe<ReceiveContext> next) => context.TryGetPayload<Moved>(out _)
            ? Task.CompletedTask
            : receiver.MoveToErrorQueue(queue, context, new ErrorCause("unknown-fact", null, 1));

        public void Probe(ProbeContext context) => context.CreateFilterScope("error-queue");
    }

    /// <summary>Facts keep their own names on the broker, without a namespace: other languages read them too.</summary>
    private sealed class FactNames : IEntityNameFormatter
    {
        public string FormatEntityName<T>() => FactType.ExchangeOf(typeof(T));
    }
}

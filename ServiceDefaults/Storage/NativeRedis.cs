#if !USE_ASPIRE
using Aspire.StackExchange.Redis;
using Microsoft.Extensions.Configuration;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.DependencyInjection.Extensions;
using Microsoft.Extensions.Diagnostics.HealthChecks;
using Microsoft.Extensions.Logging;
using OpenTelemetry.Instrumentation.StackExchangeRedis;
using OpenTelemetry.Trace;
using StackExchange.Redis;

// The namespaces and names of the Aspire client integration, so that the callers are the same in both builds.
namespace Aspire.StackExchange.Redis
{
    /// <summary>Settings of a Redis connection, from the section Aspire:StackExchange:Redis (and :{name}).</summary>
    public sealed class StackExchangeRedisSettings
    {
        public string? ConnectionString { get; set; }

        public bool DisableHealthChecks { get; set; }

        public bool DisableTracing { get; set; }

        /// <summary>False: connect when the host starts, not at first use.</summary>
        public bool DisableAutoActivation { get; set; } = true;
    }
}

namespace Microsoft.Extensions.Hosting
{
    /// <summary>Registers Redis connections where the Aspire packages are not used.</summary>
    public static class NativeRedisExtensions
    {
        private const string Section = "Aspire:StackExchange:Redis";

        /// <summary>Registers a singleton <see cref="IConnectionMultiplexer"/>, its health check "StackExchange.Redis" and traces.</summary>
        public static void AddRedisClient(
            this IHostApplicationBuilder builder, string connectionName,
            Action<StackExchangeRedisSettings>? configureSettings = null, Action<ConfigurationOptions>? configureOptions = null) =>
            Add(builder, connectionName, key: null, configureSettings, configureOptions);

        /// <summary>The same under a key; the health check is "StackExchange.Redis_{name}".</summary>
        public static void AddKeyedRedisClient(
            this IHostApplicationBuilder builder, string name,
            Action<StackExchangeRedisSettings>? configureSettings = null, Action<ConfigurationOptions>? configureOptions = null) =>
            Add(builder, name, key: name, configureSettings, configureOptions);

        private static void Add(
            IHostApplicationBuilder builder, string name, object? key,
            Action<StackExchangeRedisSettings>? configureSettings, Action<ConfigurationOptions>? configureOptions)
        {
            ArgumentException.ThrowIfNullOrEmpty(name);
            var configuration = builder.Configuration;
            var settings = new StackExchangeRedisSettings();
            configuration.GetSection(Section).Bind(settings);
            configuration.GetSection($"{Section}:{name}").Bind(settings);
            if (configuration.GetConnectionString(name) is { Length: > 0 } connectionString)
                settings.ConnectionString = connectionString;
            configureSettings?.Invoke(settings);

            var services = builder.Services;
            services.TryAddKeyedSingleton<IConnectionMultiplexer>(key, (provider, _) => Connect(provider, name, settings, options =>
            {
                configuration.GetSection($"{Section}:ConfigurationOptions").Bind(options);
                configuration.GetSection($"{Section}:{name}:ConfigurationOptions").Bind(options);
                configureOptions?.Invoke(options);
            }));

            if (!settings.DisableHealthChecks)
            {
                services.AddHealthChecks().Add(new HealthCheckRegistration(
                    key is null ? "StackExchange.Redis" : $"StackExchange.Redis_{name}",
                    provider => new RedisHealthCheck(() => provider.GetRequiredKeyedService<IConnectionMultiplexer>(key)),
                    failureStatus: null, tags: null));
            }

            if (!settings.DisableTracing)
                services.AddOpenTelemetry().WithTracing(tracing => tracing.AddRedisInstrumentation());
            if (!settings.DisableAutoActivation)
                services.AddHostedService(provider => new RedisActivation(() => provider.GetRequiredKeyedService<IConnectionMultiplexer>(key)));
        }

        private static ConnectionMultiplexer Connect(
            IServiceProvider provider, string name, StackExchangeRedisSettings settings, Action<ConfigurationOptions> configure)
        {
            if (string.IsNullOrEmpty(settings.ConnectionString))
            {
                throw new InvalidOperationException(
                    $"No endpoints specified. Ensure a valid connection string was provided in 'ConnectionStrings:{name}' or for the '{Section}:ConfigurationOptions' configuration section.");
            }

            var options = ConfigurationOptions.Parse(settings.ConnectionString);
            // A Redis that is down at the start is a slower start of the answers, not the end of the process.
            options.AbortOnConnectFail = false;
            configure(options);
            options.LoggerFactory ??= provider.GetService<ILoggerFactory>();
            var connection = ConnectionMultiplexer.Connect(options);
            provider.GetService<StackExchangeRedisInstrumentation>()?.AddConnection(connection);
            return connection;
        }
    }

    internal sealed class RedisHealthCheck(Func<IConnectionMultiplexer> connection) : IHealthCheck
    {
        public async Task<HealthCheckResult> CheckHealthAsync(HealthCheckContext context, CancellationToken cancellationToken = default)
        {
            try
            {
                await connection().GetDatabase().PingAsync().WaitAsync(cancellationToken);
                return HealthCheckResult.Healthy();
            }
            catch (Exception exception) when (exception is not OperationCanceledException)
            {
                return new HealthCheckResult(context.Registration.FailureStatus, exception: exception);
            }
        }
    }

    internal sealed class RedisActivation(Func<IConnectionMultiplexer> connection) : IHostedService
    {
        public Task StartAsync(CancellationToken cancellationToken)
        {
            _ = connection();
            return Task.CompletedTask;
        }

        public Task StopAsync(CancellationToken cancellationToken) => Task.CompletedTask;
    }
}
#endif

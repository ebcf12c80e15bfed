#if !USE_ASPIRE
using System.Data.Common;
using Aspire.Npgsql;
using Microsoft.Extensions.Configuration;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.DependencyInjection.Extensions;
using Microsoft.Extensions.Diagnostics.HealthChecks;
using Microsoft.Extensions.Logging;
using Npgsql;

// The namespaces and names of the Aspire client integration, so that the callers are the same in both builds.
namespace Aspire.Npgsql
{
    /// <summary>Settings of a Postgres data source, from the section Aspire:Npgsql (and :{name}).</summary>
    public sealed class NpgsqlSettings
    {
        public string? ConnectionString { get; set; }

        public bool DisableHealthChecks { get; set; }

        public bool DisableTracing { get; set; }

        public bool DisableMetrics { get; set; }
    }
}

namespace Microsoft.Extensions.Hosting
{
    /// <summary>Registers Postgres data sources where the Aspire packages are not used.</summary>
    public static class NativePostgresExtensions
    {
        private const string Section = "Aspire:Npgsql";

        /// <summary>Registers a singleton <see cref="NpgsqlDataSource"/>, its health check "PostgreSql", traces and metrics.</summary>
        public static void AddNpgsqlDataSource(
            this IHostApplicationBuilder builder, string connectionName,
            Action<NpgsqlSettings>? configureSettings = null, Action<NpgsqlDataSourceBuilder>? configureDataSourceBuilder = null) =>
            Add(builder, connectionName, key: null, configureSettings, configureDataSourceBuilder);

        /// <summary>The same under a key; the health check is "PostgreSql_{name}".</summary>
        public static void AddKeyedNpgsqlDataSource(
            this IHostApplicationBuilder builder, string name,
            Action<NpgsqlSettings>? configureSettings = null, Action<NpgsqlDataSourceBuilder>? configureDataSourceBuilder = null) =>
            Add(builder, name, key: name, configureSettings, configureDataSourceBuilder);

        private static void Add(
            IHostApplicationBuilder builder, string name, object? key,
            Action<NpgsqlSettings>? configureSettings, Action<NpgsqlDataSourceBuilder>? configureDataSource)
        {
            ArgumentException.ThrowIfNullOrEmpty(name);
            var settings = new NpgsqlSettings();
            builder.Configuration.GetSection(Section).Bind(settings);
            builder.Configuration.GetSection($"{Section}:{name}").Bind(settings);
            if (builder.Configuration.GetConnectionString(name) is { Length: > 0 } connectionString)
                settings.ConnectionString = connectionString;
            configureSettings?.Invoke(settings);

            var services = builder.Services;
            services.TryAddKeyedSingleton(key, (provider, _) => Create(provider, name, settings, configureDataSource));
            services.TryAddKeyedSingleton<DbDataSource>(key, (provider, k) => provider.GetRequiredKeyedService<NpgsqlDataSource>(k));
            services.TryAddKeyedTransient(key, (provider, k) => provider.GetRequiredKeyedService<NpgsqlDataSource>(k).CreateConnection());
            services.TryAddKeyedTransient<DbConnection>(key, (provider, k) => provider.GetRequiredKeyedService<NpgsqlConnection>(k));

            if (!settings.DisableHealthChecks)
            {
                services.AddHealthChecks().Add(new HealthCheckRegistration(
                    key is null ? "PostgreSql" : $"PostgreSql_{name}",
                    provider => new PostgresHealthCheck(() => provider.GetRequiredKeyedService<NpgsqlDataSource>(key)),
                    failureStatus: null, tags: null));
            }

            if (!settings.DisableTracing)
                services.AddOpenTelemetry().WithTracing(tracing => tracing.AddNpgsql());
            if (!settings.DisableMetrics)
                services.AddOpenTelemetry().WithMetrics(metrics => metrics.AddMeter("Npgsql"));
        }

        private static NpgsqlDataSource Create(
            IServiceProvider provider, string name, NpgsqlSettings settings, Action<NpgsqlDataSourceBuilder>? configure)
        {
            if (string.IsNullOrEmpty(settings.ConnectionString))
            {
                throw new InvalidOperationException(
                    $"ConnectionString is missing. It should be provided in 'ConnectionStrings:{name}' or under the 'ConnectionString' key in '{Section}' or '{Section}:{name}' configuration section.");
            }

            var dataSource = new NpgsqlDataSourceBuilder(settings.ConnectionString);
            dataSource.UseLoggerFactory(provider.GetService<ILoggerFactory>());
            configure?.Invoke(dataSource);
            return dataSource.Build();
        }
    }

    internal sealed class PostgresHealthCheck(Func<NpgsqlDataSource> dataSource) : IHealthCheck
    {
        public async Task<HealthCheckResult> CheckHealthAsync(HealthCheckContext context, CancellationToken cancellationToken = default)
        {
            try
            {
                await using var connection = await dataSource().OpenConnectionAsync(cancellationToken);
                await using var command = new NpgsqlCommand("SELECT 1", connection);
                await command.ExecuteScalarAsync(cancellationToken);
                return HealthCheckResult.Healthy();
            }
            catch (Exception exception) when (exception is not OperationCanceledException)
            {
                return new HealthCheckResult(context.Registration.FailureStatus, exception: exception);
            }
        }
    }
}
#endif

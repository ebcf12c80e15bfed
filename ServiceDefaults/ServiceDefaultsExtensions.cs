using System.IO.Compression;
using System.Reflection;
using Google.Protobuf.Reflection;
using Google.Rpc;
using Grpc.Core;
using Grpc.Core.Interceptors;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Diagnostics.HealthChecks;
using Microsoft.AspNetCore.Grpc.JsonTranscoding;
using Microsoft.AspNetCore.Hosting;
using Microsoft.AspNetCore.Server.Kestrel.Core;
using Microsoft.Extensions.Configuration;
using Microsoft.Extensions.Configuration.Memory;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.DependencyInjection.Extensions;
using Microsoft.Extensions.Diagnostics.HealthChecks;
using Microsoft.Extensions.Hosting;
using Microsoft.Extensions.Logging;
using Microsoft.Extensions.Logging.Console;
using Microsoft.Extensions.Options;

namespace Commerce.ServiceDefaults;

/// <summary>What every process of the suite shares. A service's Program.cs calls these and its own module, and no more.</summary>
public static class ServiceDefaultsExtensions
{
    private const string Live = "live";

    /// <summary>
    /// Telemetry (source and meter "Commerce.{service}"), health, resilience, service discovery, gRPC with the error,
    /// access and deadline interceptors, JSON transcoding, limits, TimeProvider.
    /// </summary>
    public static IHostApplicationBuilder AddServiceDefaults(this IHostApplicationBuilder builder, string service)
    {
        builder.Services.TryAddSingleton(TimeProvider.System);
        builder.Services.AddSingleton(new ServiceIdentity(service.ToLowerInvariant()));
        builder.AddLogging();
        builder.AddTelemetry(service);
        builder.AddCalls();
        builder.AddLimits();

        builder.Services.AddServiceDiscovery();
        builder.Services.ConfigureHttpClientDefaults(http => http.AddServiceDiscovery());

        builder.Services.AddHealthChecks().AddCheck("self", () => HealthCheckResult.Healthy(), [Live]);
        builder.Services.AddGrpcHealthChecks();
        return builder;
    }

    /// <summary>Adds the embedded SQL migrations of an assembly (folder Storage/Migrations or Migrations), to be applied in the order of calls.</summary>
    public static IHostApplicationBuilder AddMigrations(this IHostApplicationBuilder builder, Assembly assembly)
    {
        builder.Services.AddSingleton(new MigrationSource(assembly));
        builder.Services.TryAddSingleton<Migrator>();
        return builder;
    }

    /// <summary>
    /// A gRPC client of another service, found by service discovery (endpoint "grpc" of <paramref name="service"/>), with
    /// the deadline and the principal of the call being served, retries for UNAVAILABLE where that is safe, telemetry.
    /// </summary>
    /// <param name="builder">The host.</param>
    /// <param name="service">The service that is called.</param>
    /// <param name="asItself">The principal is always this service, for what is read for more than one caller.</param>
    public static IHostApplicationBuilder AddServiceClient<TClient>(this IHostApplicationBuilder builder, string service, bool asItself = false)
        where TClient : ClientBase
    {
        builder.Services.AddSingleton(new CalledService(service, typeof(TClient)));
        builder.Services.TryAddSingleton<ServiceChannels>();
        builder.Services.AddSingleton(provider => ActivatorUtilities.CreateInstance<TClient>(
            provider,
            provider.GetRequiredService<ServiceChannels>().To(service).Intercept(new ServiceCallInterceptor(provider.GetRequiredService<TokenMinter>(), service, asItself))));
        return builder;
    }

    /// <summary>Health (/health, /alive, gRPC health) and, in development, gRPC reflection. To be called last: it looks at who may call the methods that are mapped.</summary>
    public static WebApplication MapServiceDefaults(this WebApplication app)
    {
        ErrorMiddleware.UseFailures(app);
        app.MapHealthChecks("/health", new HealthCheckOptions { ResponseWriter = HealthReports.Write });
        app.MapHealthChecks("/alive", new HealthCheckOptions { Predicate = check => check.Tags.Contains(Live), ResponseWriter = HealthReports.Write });
        app.MapGrpcHealthChecksService();
        if (app.Environment.IsDevelopment())
            app.MapGrpcReflectionService();
        app.Services.GetRequiredService<AccessControl>().Load(app);
        return app;
    }

    /// <summary>Applies the migrations of <see cref="AddMigrations"/>, as a start does; for hosts that are not run by <see cref="RunServiceAsync"/>.</summary>
    public static async Task MigrateAsync(this IHost host, CancellationToken cancellationToken = default)
    {
        if (host.Services.GetService<Migrator>() is { } migrator)
            await migrator.Migrate(cancellationToken);
    }

    /// <summary>Applies the migrations and serves; with the argument "migrate", applies them and ends, with exit code 0 or 1.</summary>
    public static async Task RunServiceAsync(this WebApplication app, string[] args)
    {
        var migrator = app.Services.GetService<Migrator>();
        if (args is ["migrate", ..])
        {
            await using (app)
                Environment.ExitCode = await MigrateOnly(migrator);
            return;
        }

        if (migrator is { OnStart: true })
            await migrator.Migrate(app.Lifetime.ApplicationStopping);
        await app.RunAsync();
    }

    private static async Task<int> MigrateOnly(Migrator? migrator)
    {
        try
        {
            var applied = migrator is null ? [] : await migrator.Migrate(CancellationToken.None);
            foreach (var script in applied)
                Console.Out.WriteLine($"applied {script}");
            Console.Out.WriteLine($"The database is up to date; {applied.Count} migrations were applied now.");
            return 0;
        }
        // The argument is typed by a person: what went wrong is told in a line, whatever it was.
        catch (Exception exception)
        {
            await Console.Error.WriteLineAsync(exception.Message);
            return 1;
        }
    }

    private static void AddCalls(this IHostApplicationBuilder builder)
    {
        var services = builder.Services;
        services.AddSingleton<ErrorMapper>();
        services.AddTransient<IStartupFilter, ErrorStartupFilter>();
        services.AddSingleton<ErrorInterceptor>();
        services.AddSingleton<TokenVerifier>();
        services.AddSingleton(provider => new TokenMinter(provider.GetRequiredService<ServiceIdentity>().Name, provider.GetRequiredService<IOptions<AccessOptions>>().Value.Services));
        services.AddSingleton(provider => new AccessControl(provider.GetRequiredService<TokenVerifier>()));
        services.AddSingleton<AccessInterceptor>();
        services.AddSingleton<HeadersInterceptor>();
        services.AddSingleton<DeadlineInterceptor>();
        services.AddGrpc(options =>
            {
                options.MaxReceiveMessageSize = Limits.RequestBytes;
                options.CompressionProviders = [new BoundedGzip()];
                // What AnswerCompression allows.
                options.ResponseCompressionAlgorithm = "gzip";
                options.ResponseCompressionLevel = CompressionLevel.Fastest;
                options.Interceptors.Add<ErrorInterceptor>();
                options.Interceptors.Add<AccessInterceptor>();
                options.Interceptors.Add<HeadersInterceptor>();
                options.Interceptors.Add<DeadlineInterceptor>();
            })
            .AddJsonTranscoding(options =>
            {
                options.JsonSettings = new GrpcJsonSettings { WriteInt64sAsStrings = true };
                options.TypeRegistry = TypeRegistry.FromMessages(
                    ErrorInfo.Descriptor, BadRequest.Descriptor, PreconditionFailure.Descriptor, QuotaFailure.Descriptor, RetryInfo.Descriptor);
            });
        services.AddGrpcReflection();
        services.AddSingleton<IValidateOptions<AccessOptions>, AccessOptionsCheck>();
        services.AddOptions<AccessOptions>().BindConfiguration(AccessOptions.Section).ValidateOnStart();
    }

    private static void AddLimits(this IHostApplicationBuilder builder)
    {
        builder.Services.AddOptions<HttpLimits>().BindConfiguration(HttpLimits.Section).ValidateDataAnnotations().ValidateOnStart();
        builder.Services.AddOptions<KestrelServerOptions>().Configure<IOptions<HttpLimits>, ILoggerFactory>((kestrel, http, logs) =>
        {
            kestrel.ConfigureEndpointDefaults(endpoint => endpoint.Use(next => new AbandonedConnections(next, http.Value.AbandonAfter, logs.CreateLogger<AbandonedConnections>()).Serve));
            kestrel.AddServerHeader = false;
            var slowest = new MinDataRate(http.Value.LeastBytesPerSecond, http.Value.SlowFor);
            kestrel.Limits.MaxConcurrentConnections = http.Value.Connections;
            kestrel.Limits.KeepAliveTimeout = http.Value.KeepAlive;
            kestrel.Limits.RequestHeadersTimeout = http.Value.HeadersWithin;
            kestrel.Limits.MaxRequestLineSize = Limits.RequestLineBytes;
            kestrel.Limits.MaxRequestHeadersTotalSize = Limits.HeaderBytes;
            kestrel.Limits.MaxRequestHeaderCount = Limits.Headers;
            // Requests are refused from Limits.RequestBytes on; up to here what follows is read away, so that the answer arrives.
            kestrel.Limits.MaxRequestBodySize = 4L * Limits.RequestBytes;
            kestrel.Limits.MinRequestBodyDataRate = slowest;
            kestrel.Limits.MinResponseDataRate = slowest;
            kestrel.Limits.Http2.MaxRequestHeaderFieldSize = Limits.HeaderBytes;
            kestrel.Limits.Http2.MaxStreamsPerConnection = Limits.StreamsPerConnection;
            kestrel.Limits.Http2.KeepAlivePingDelay = TimeSpan.FromSeconds(30);
            kestrel.Limits.Http2.KeepAlivePingTimeout = TimeSpan.FromSeconds(20);
        });
        builder.Services.Configure<HostOptions>(host => host.ShutdownTimeout = TimeSpan.FromSeconds(15));
    }

    private static void AddLogging(this IHostApplicationBuilder builder)
    {
        // Before all other sources, so that any of them wins.
        ((IConfigurationBuilder)builder.Configuration).Sources.Insert(0, new MemoryConfigurationSource
        {
            InitialData = new Dictionary<string, string?>
            {
                ["Logging:LogLevel:Default"] = "Information",
                ["Logging:LogLevel:Microsoft.AspNetCore"] = "Warning",
                // The error interceptor has logged it, with the trace.
                ["Logging:LogLevel:Grpc.AspNetCore.Server.ServerCallHandler"] = "None",
                ["Logging:LogLevel:Microsoft.AspNetCore.Grpc"] = "None",
                ["Logging:LogLevel:Grpc"] = "Warning",
                ["Logging:LogLevel:System.Net.Http.HttpClient"] = "Warning",
                ["Logging:LogLevel:Microsoft.Extensions.ServiceDiscovery"] = "Warning",
                ["Logging:LogLevel:Polly"] = "Warning",
                ["Logging:LogLevel:Npgsql"] = "Warning",
                ["Logging:LogLevel:StackExchange.Redis"] = "Warning",
                ["Logging:LogLevel:MassTransit"] = "Warning",
            },
        });
        if (builder.Environment.IsDevelopment())
        {
            builder.Logging.AddSimpleConsole(console =>
            {
                console.SingleLine = true;
                console.TimestampFormat = "HH:mm:ss.fff ";
                console.UseUtcTimestamp = true;
                console.ColorBehavior = LoggerColorBehavior.Default;
            });
        }
        else
        {
            builder.Logging.AddJsonConsole(console => console.UseUtcTimestamp = true);
        }
    }
}

/// <summary>The service that this process is, in lower case.</summary>
internal sealed record ServiceIdentity(string Name);

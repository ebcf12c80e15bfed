using Microsoft.AspNetCore.Http;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Hosting;
using Microsoft.Extensions.Logging;
using Npgsql;
using OpenTelemetry;
using OpenTelemetry.Metrics;
using OpenTelemetry.Resources;
using OpenTelemetry.Trace;

namespace Commerce.ServiceDefaults;

/// <summary>Traces, metrics and logs by OpenTelemetry; sent only where OTEL_EXPORTER_OTLP_ENDPOINT says to.</summary>
public static class TelemetryExtensions
{
    private static readonly double[] SecondBuckets = [0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30];

    /// <summary>Somebody receives what this process tells of itself.</summary>
    public static bool SendsTelemetry(this IHostApplicationBuilder builder) => !string.IsNullOrWhiteSpace(builder.Configuration["OTEL_EXPORTER_OTLP_ENDPOINT"]);

    internal static void AddTelemetry(this IHostApplicationBuilder builder, string service)
    {
        if (!builder.SendsTelemetry())
        {
            // The client integrations register sources too, and spans that nobody receives would cost a tenth of the machine.
            builder.Services.ConfigureOpenTelemetryTracerProvider(tracing => tracing.SetSampler(new AlwaysOffSampler()));
            return;
        }

        builder.Logging.AddOpenTelemetry(logging =>
        {
            logging.IncludeFormattedMessage = true;
            logging.IncludeScopes = true;
        });

        builder.Services.AddOpenTelemetry()
            // Detectors of OTEL_SERVICE_NAME and OTEL_RESOURCE_ATTRIBUTES come after it and win.
            .ConfigureResource(resource => resource.AddService(service.ToLowerInvariant()).AddEnvironmentVariableDetector())
            .WithTracing(tracing => tracing
                .AddSource("Commerce.*", "MassTransit")
                .AddNpgsql()
                // Query values are redacted by both HTTP instrumentations; paths hold codes and no personal data.
                .AddAspNetCoreInstrumentation(options => options.Filter = http => !IsProbe(http.Request.Path))
                // The gRPC client's own span stands for the HTTP request below it.
                .AddGrpcClientInstrumentation(options => options.SuppressDownstreamInstrumentation = true)
                .AddHttpClientInstrumentation())
            .WithMetrics(metrics => metrics
                .AddMeter("Commerce.*", "MassTransit", "Npgsql", "Microsoft.AspNetCore.Server.Kestrel", "System.Net.NameResolution")
                .AddAspNetCoreInstrumentation()
                .AddHttpClientInstrumentation()
                .AddRuntimeInstrumentation()
                .AddView(instrument => instrument is { Unit: "s" } && instrument.GetType().Name.StartsWith("Histogram", StringComparison.Ordinal)
                    ? new ExplicitBucketHistogramConfiguration { Boundaries = SecondBuckets }
                    : null))
            .UseOtlpExporter();
    }

    private static bool IsProbe(PathString path) =>
        path.StartsWithSegments("/health", StringComparison.Ordinal) || path.StartsWithSegments("/alive", StringComparison.Ordinal)
        || path.StartsWithSegments("/grpc.health.v1.Health", StringComparison.Ordinal);
}

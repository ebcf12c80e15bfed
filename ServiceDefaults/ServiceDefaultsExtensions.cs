using Grpc.Core;
using Microsoft.AspNetCore.Builder;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.DependencyInjection.Extensions;
using Microsoft.Extensions.Hosting;

namespace Commerce.ServiceDefaults;

/// <summary>What every process of the suite shares. A service's Program.cs calls these and its own module, and no more.</summary>
public static class ServiceDefaultsExtensions
{
    /// <summary>
    /// Telemetry (source and meter "Commerce.{service}"), health, resilience, service discovery, gRPC with the error,
    /// principal and deadline interceptors, JSON transcoding, limits, TimeProvider.
    /// </summary>
    public static IHostApplicationBuilder AddServiceDefaults(this IHostApplicationBuilder builder, string service)
    {
        builder.Services.TryAddSingleton(TimeProvider.System);
        builder.Services.AddGrpc().AddJsonTranscoding();
        return builder;
    }

    /// <summary>Adds the embedded SQL migrations of an assembly (folder Storage/Migrations or Migrations), to be applied in the order of calls.</summary>
    public static IHostApplicationBuilder AddMigrations(this IHostApplicationBuilder builder, System.Reflection.Assembly assembly) => builder;

    /// <summary>
    /// A gRPC client of another service, found by service discovery (endpoint "grpc" of <paramref name="service"/>), with
    /// the deadline and the principal of the call being served, retries for UNAVAILABLE where that is safe, telemetry.
    /// </summary>
    public static IHttpClientBuilder AddServiceClient<TClient>(this IHostApplicationBuilder builder, string service)
        where TClient : ClientBase => builder.Services.AddGrpcClient<TClient>(o => o.Address = new Uri($"http://_grpc.{service}"));

    /// <summary>Health (/health, /alive, gRPC health) and, in development, gRPC reflection.</summary>
    public static WebApplication MapServiceDefaults(this WebApplication app) => app;

    /// <summary>Applies the migrations and serves; with the argument "migrate", applies them and ends.</summary>
    public static async Task RunServiceAsync(this WebApplication app, string[] args)
    {
        await app.RunAsync();
    }
}

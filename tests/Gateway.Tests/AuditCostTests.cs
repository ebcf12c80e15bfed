using System.Diagnostics;
using System.Diagnostics.Metrics;
using System.Net;
using Commerce.Gateway.Auditing;
using Commerce.Gateway.V1;
using Commerce.ServiceDefaults;
using Microsoft.AspNetCore.Http;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Logging.Abstractions;
using Microsoft.Extensions.Options;
using Npgsql;

namespace Commerce.Gateway.Tests;

/// <summary>What being written down costs a call that is answered from memory.</summary>
public sealed class AuditCostTests
{
    private const int Calls = 200_000;
    private const long MostBytes = 400;

    [Fact]
    public async Task A_look_up_that_is_made_again_and_again_costs_a_look_up_in_memory_and_hardly_a_byte()
    {
        using var services = new ServiceCollection().AddMetrics().BuildServiceProvider();
        using var telemetry = new GatewayTelemetry(services.GetRequiredService<IMeterFactory>());
        await using var nowhere = NpgsqlDataSource.Create("Host=127.0.0.1;Port=1");
        using var log = new AuditLog(new AuditStore(nowhere), Options.Create(new AuditOptions()), TimeProvider.System, telemetry, NullLogger<AuditLog>.Instance);
        var anna = new Principal(PrincipalKind.Staff, "anna", ScopeSet.All);
        var request = new LookupRequest { Code = "ORD-7K3M9QX-T2F8CRW" };
        var trail = new AuditTrail(
            http =>
            {
                Principal.Establish(http, anna);
                CallTrail.Tell(http, anna, "/commerce.gateway.v1.LookupService/Lookup", request);
                CallTrail.Of(http)!.About("orders/ORD-7K3M9QX-T2F8CRW");
                return Task.CompletedTask;
            },
            log, TimeProvider.System);
        var without = new RequestDelegate(http =>
        {
            Principal.Establish(http, anna);
            return Task.CompletedTask;
        });
        var context = new DefaultHttpContext();
        context.Request.Path = "/commerce.gateway.v1.LookupService/Lookup";
        context.Connection.RemoteIpAddress = IPAddress.Loopback;

        var (bytes, time) = await Measured(() => trail.Invoke(context));
        var (bareBytes, bareTime) = await Measured(() => without(context));

        var (more, longer) = (bytes - bareBytes, time - bareTime);
        TestContext.Current.SendDiagnosticMessage($"{more} bytes and {longer.TotalNanoseconds:0} ns a call");
        Assert.True(more <= MostBytes, $"{more} bytes a call");
    }

    private static async Task<(long Bytes, TimeSpan Time)> Measured(Func<Task> call)
    {
        for (var i = 0; i < Calls; i++)
            await call();
        var (bytes, began) = (GC.GetAllocatedBytesForCurrentThread(), Stopwatch.GetTimestamp());
        for (var i = 0; i < Calls; i++)
            await call();
        return ((GC.GetAllocatedBytesForCurrentThread() - bytes) / Calls, Stopwatch.GetElapsedTime(began) / Calls);
    }
}

using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Http;
using Microsoft.Extensions.DependencyInjection;

namespace Commerce.ServiceDefaults.Tests;

public sealed class OutsideClientTests
{
    [Fact]
    public async Task The_outside_is_found_by_service_discovery_and_asked_once()
    {
        var asked = 0;
        await using var outside = await TestService.Start(map: app => app.MapPost("/charge", () =>
        {
            Interlocked.Increment(ref asked);
            return Results.StatusCode(503);
        }));
        await using var service = await TestService.Start(
            configure: builder => builder.AddOutsideClient("provider", "sandbox"),
            settings: new() { ["services:sandbox:http:0"] = outside.Rest.BaseAddress!.ToString() });
        var client = service.App.Services.GetRequiredService<IHttpClientFactory>().CreateClient("provider");
        using var response = await client.PostAsync("/charge", null);
        Assert.Equal(503, (int)response.StatusCode);
        Assert.Equal(1, asked);
    }

    [Fact]
    public async Task An_address_and_a_timeout_can_be_configured()
    {
        await using var service = await TestService.Start(
            configure: builder => builder.AddOutsideClient("provider", "sandbox"),
            settings: new() { ["Outside:provider:Address"] = "https://provider.example", ["Outside:provider:Timeout"] = "00:00:03" });
        var client = service.App.Services.GetRequiredService<IHttpClientFactory>().CreateClient("provider");
        Assert.Equal(("https://provider.example/", TimeSpan.FromSeconds(3)), (client.BaseAddress!.ToString(), client.Timeout));
        await Assert.ThrowsAsync<InvalidOperationException>(() => TestService.Start(
            configure: builder => builder.AddOutsideClient("provider", "sandbox"), settings: new() { ["Outside:provider:Address"] = "ftp://x" }));
    }
}

using System.Globalization;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Hosting;
using Microsoft.Extensions.Logging;

namespace Commerce.Bench;

/// <summary>An ASP.NET Core service that does nothing: the limit of what one of ours may need when idle.</summary>
internal static class EmptyService
{
    /// <summary>Says its process on standard output once it serves, and ends with standard input.</summary>
    public static async Task<int> Run()
    {
        var builder = WebApplication.CreateBuilder();
        builder.Logging.ClearProviders();
        builder.WebHost.UseUrls("http://127.0.0.1:0");
        await using var app = builder.Build();
        app.MapGet("/health", () => "healthy");
        await app.StartAsync();
        using (var client = new HttpClient())
            await client.GetStringAsync(new Uri(app.Urls.First() + "/health"));
        Console.Out.WriteLine(Environment.ProcessId.ToString(CultureInfo.InvariantCulture));
        await Console.In.ReadToEndAsync();
        await app.StopAsync();
        return 0;
    }
}

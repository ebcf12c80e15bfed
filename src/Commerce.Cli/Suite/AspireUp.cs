using System.Diagnostics;
using Commerce.NativeHosting.Engine;

namespace Commerce.Cli.Suite;

/// <summary>`up` with Aspire: its AppHost runs in the foreground and its dashboard shows the rest.</summary>
internal static class AspireUp
{
    private static readonly TimeSpan StopBound = TimeSpan.FromSeconds(60);

    public static async Task<int> RunAsync(bool detach, bool fresh, CancellationToken cancellationToken)
    {
        if (detach || fresh)
        {
            await Console.Error.WriteLineAsync(detach
                ? "--detach is for the native engine; with Aspire run it in the foreground, or choose the other with UseAspire=false."
                : "--fresh is for the native engine; with Aspire the data is in volumes of the container engine: remove those named after the AppHost ('docker volume ls', 'docker volume rm').");
            return Exit.Usage;
        }

        Console.WriteLine("Engine: Aspire (containers). For this machine's own servers, on Linux: UseAspire=false ./commerce up");
        // On any system, so without the native engine's watcher: the terminal sends Ctrl-C to both, and Aspire ends what it started.
        using var host = Process.Start(new ProcessStartInfo(
            "dotnet", ["run", "--no-build", "--configuration", Repository.Configuration, "--project", Repository.AppHost])
        {
            WorkingDirectory = Repository.AppHost,
        })!;
        var exit = host.WaitForExitAsync(CancellationToken.None);
        try
        {
            var connection = SuiteConnection.Find();
            using var http = new HttpClient { Timeout = TimeSpan.FromSeconds(5) };
            while (!exit.IsCompleted && !await AnswersAsync(http, new Uri(connection.Gateway, "/health"), cancellationToken))
                await Task.Delay(TimeSpan.FromMilliseconds(500), TimeProvider.System, cancellationToken);
            if (!exit.IsCompleted)
                Screen.WhatToTry(connection.Gateway.ToString().TrimEnd('/'), connection.Sandbox?.ToString().TrimEnd('/'));
            await exit.WaitAsync(cancellationToken);
            return host.ExitCode == 0 ? Exit.Done : Exit.Unavailable;
        }
        catch (OperationCanceledException) when (cancellationToken.IsCancellationRequested)
        {
            return Exit.Done;
        }
        finally
        {
            if (!exit.IsCompleted)
                await StopAsync(host, exit);
        }
    }

    private static async Task StopAsync(Process host, Task exit)
    {
        // Who was asked to end by a signal to this process alone passes it on; a second one after a Ctrl-C changes nothing.
        if (!OperatingSystem.IsWindows())
            Signals.Send(host.Id, Signals.Terminate);
        try
        {
            await exit.WaitAsync(StopBound, TimeProvider.System);
        }
        catch (TimeoutException)
        {
            host.Kill(entireProcessTree: true);
        }
    }

    private static async Task<bool> AnswersAsync(HttpClient http, Uri address, CancellationToken cancellationToken)
    {
        try
        {
            using var response = await http.GetAsync(address, cancellationToken);
            return response.IsSuccessStatusCode;
        }
        catch (Exception e) when (e is HttpRequestException or TaskCanceledException && !cancellationToken.IsCancellationRequested)
        {
            return false;
        }
    }
}

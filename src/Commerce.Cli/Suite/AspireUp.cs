using Commerce.NativeHosting.Engine;

namespace Commerce.Cli.Suite;

/// <summary>`up` with Aspire: its AppHost runs in the foreground and its dashboard shows the rest.</summary>
internal static class AspireUp
{
    public static async Task<int> RunAsync(bool detach, CancellationToken cancellationToken)
    {
        if (detach)
        {
            await Console.Error.WriteLineAsync("--detach is for the native engine; with Aspire run it in the foreground, or choose the other with UseAspire=false.");
            return Exit.Usage;
        }

        Console.WriteLine("Engine: Aspire (containers). For this machine's own servers: UseAspire=false ./commerce up");
        using var host = ChildProcess.Start(
            new ChildSpec("dotnet", ["run", "--no-build", "--project", Repository.AppHost], Repository.AppHost, new Dictionary<string, string?>(), "INT", TimeSpan.FromSeconds(60)),
            Console.WriteLine);
        var exit = host.WaitAsync(CancellationToken.None);
        try
        {
            var connection = SuiteConnection.Find();
            using var http = new HttpClient { Timeout = TimeSpan.FromSeconds(5) };
            while (!exit.IsCompleted && !await AnswersAsync(http, new Uri(connection.Gateway, "/health"), cancellationToken))
                await Task.Delay(TimeSpan.FromMilliseconds(500), TimeProvider.System, cancellationToken);
            if (!exit.IsCompleted)
                Screen.WhatToTry(connection.Gateway.ToString().TrimEnd('/'), connection.Sandbox?.ToString().TrimEnd('/'));
            return await exit.WaitAsync(cancellationToken) == 0 ? Exit.Done : Exit.Unavailable;
        }
        catch (OperationCanceledException) when (cancellationToken.IsCancellationRequested)
        {
            return Exit.Done;
        }
        finally
        {
            if (!exit.IsCompleted)
                await host.StopAsync();
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

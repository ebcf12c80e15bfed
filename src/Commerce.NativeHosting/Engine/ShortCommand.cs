using System.Diagnostics;

namespace Commerce.NativeHosting.Engine;

/// <summary>Runs a short command to its end.</summary>
internal static class ShortCommand
{
    /// <exception cref="EngineException">It failed; its output is in the message.</exception>
    public static async Task RunAsync(string file, IReadOnlyList<string> arguments, CancellationToken cancellationToken)
    {
        var start = new ProcessStartInfo(file, arguments) { RedirectStandardOutput = true, RedirectStandardError = true, WorkingDirectory = "/" };
        start.Environment["LC_ALL"] = "C";
        using var process = Process.Start(start) ?? throw new EngineException($"'{file}' did not start.");
        var output = process.StandardOutput.ReadToEndAsync(cancellationToken);
        var errors = process.StandardError.ReadToEndAsync(cancellationToken);
        try
        {
            await process.WaitForExitAsync(cancellationToken);
        }
        catch (OperationCanceledException)
        {
            process.Kill(entireProcessTree: true);
            throw;
        }

        if (process.ExitCode != 0)
            throw new EngineException($"'{file} {string.Join(' ', arguments)}' failed with exit code {process.ExitCode}:\n{await output}{await errors}");
    }
}

using System.Text;
using Google.Rpc;
using Grpc.Core;

namespace Commerce.Cli.Api;

/// <summary>Runs what a command does, and turns what went wrong into words on standard error and an exit code.</summary>
internal static class ApiCall
{
    public static Task<int> Run(Func<SuiteApi, Task<int>> action, CancellationToken cancellationToken) => Run(
        async () =>
        {
            using var api = SuiteApi.Connect();
            return await action(api);
        },
        cancellationToken);

    public static async Task<int> Run(Func<Task<int>> action, CancellationToken cancellationToken)
    {
        try
        {
            return await action();
        }
        catch (SuiteNotRunningException exception)
        {
            await Console.Error.WriteLineAsync(exception.Message);
            return Exit.Unavailable;
        }
        catch (RpcException) when (cancellationToken.IsCancellationRequested)
        {
            return Exit.Done;
        }
        catch (OperationCanceledException) when (cancellationToken.IsCancellationRequested)
        {
            return Exit.Done;
        }
        catch (RpcException exception)
        {
            await Console.Error.WriteLineAsync(Describe(exception));
            return Exit.Of(exception.StatusCode);
        }
        catch (HttpRequestException exception)
        {
            await Console.Error.WriteLineAsync($"The suite does not answer: {exception.Message}");
            return Exit.Unavailable;
        }
        catch (UsageException exception)
        {
            await Console.Error.WriteLineAsync(exception.Message);
            return Exit.Usage;
        }
    }

    /// <summary>The reason, the message, and each wrong field on a line of its own.</summary>
    public static string Describe(RpcException exception)
    {
        var text = new StringBuilder();
        var status = exception.GetRpcStatus();
        var info = status?.GetDetail<ErrorInfo>();
        text.Append(info?.Reason ?? exception.StatusCode.ToString()).Append(": ").Append(Safe(exception.Status.Detail));
        foreach (var violation in status?.GetDetail<BadRequest>()?.FieldViolations ?? [])
            text.AppendLine().Append("  ").Append(Safe(violation.Field)).Append(": ").Append(Safe(violation.Description));
        foreach (var violation in status?.GetDetail<PreconditionFailure>()?.Violations ?? [])
            text.AppendLine().Append("  ").Append(Safe(violation.Subject)).Append(": ").Append(Safe(violation.Description));
        if (info?.Metadata.TryGetValue("meant", out var meant) == true)
            text.AppendLine().Append("Did you mean ").Append(meant).Append('?');
        return text.ToString();
    }

    // What a server says may quote what a stranger typed: no control character of it reaches the terminal.
    private static string Safe(string text) => string.Concat(text.Where(c => !char.IsControl(c)));
}

/// <summary>The command's words are off: exit code 2.</summary>
internal sealed class UsageException(string message) : Exception(message);

/// <summary>There is no suite to talk to: exit code 5.</summary>
internal sealed class SuiteNotRunningException(string message) : Exception(message);

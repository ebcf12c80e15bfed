using Commerce.Types.V1;
using Grpc.Core;

namespace Commerce.ServiceDefaults;

/// <summary>
/// Gives a unary call without a deadline the default one, with a token that stops its work, and makes the call known to the
/// clients of other services that it uses. Transcoded calls have no deadline of their own, so theirs is always the default.
/// </summary>
internal sealed class DeadlineInterceptor : CallInterceptor
{
    protected override async Task<T> Around<T>(ServerCallContext context, object? request, bool streams, Func<ServerCallContext, Task<T>> call)
    {
        if (streams || context.Deadline != DateTime.MaxValue)
        {
            ServedCall.Current = context;
            return await call(context);
        }

        // Deadlines are promised to the other end of a wire, so they run on the system's clock even where a test sets the service's.
        using var timer = new CancellationTokenSource(Limits.DefaultDeadline, TimeProvider.System);
        using var linked = CancellationTokenSource.CreateLinkedTokenSource(timer.Token, context.CancellationToken);
        var bounded = new ServedCall(context, TimeProvider.System.GetUtcNow().UtcDateTime + Limits.DefaultDeadline, linked.Token);
        ServedCall.Current = bounded;
        try
        {
            return await call(bounded);
        }
        catch (Exception exception) when (exception is not Failure && timer.IsCancellationRequested && !context.CancellationToken.IsCancellationRequested)
        {
            throw new Failure(ErrorReason.DeadlineExceeded, $"The work was not done within {Limits.DefaultDeadline.TotalSeconds:0} s; repeat it with the same request_id to learn what became of it.", exception);
        }
    }
}

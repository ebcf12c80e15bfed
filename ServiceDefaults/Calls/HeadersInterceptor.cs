using Google.Protobuf;
using Grpc.Core;
using Microsoft.AspNetCore.Http;

namespace Commerce.ServiceDefaults;

/// <summary>
/// What the headers of a call mean beside its message: <see cref="IdempotencyKey"/> and <see cref="Conditions"/> on REST,
/// <see cref="AnswerCompression"/> everywhere. One interceptor, since each costs every call.
/// </summary>
internal sealed class HeadersInterceptor : CallInterceptor
{
    protected override Task<T> Around<T>(ServerCallContext context, object? request, bool streams, Func<ServerCallContext, Task<T>> call)
    {
        var http = context.GetHttpContext();
        if (!ErrorMiddleware.IsGrpc(http.Request))
            return streams ? call(context) : Rest(context, http, request as IMessage, call);
        AnswerCompression.Forbid(context);
        return !streams && AnswerCompression.IsAskedFor(http) ? Compressed(context, call) : call(context);
    }

    private static async Task<T> Rest<T>(ServerCallContext context, HttpContext http, IMessage? request, Func<ServerCallContext, Task<T>> call)
    {
        if (request is not null)
        {
            IdempotencyKey.Apply(http, request);
            Conditions.Expect(http, request);
        }

        var answer = await call(context);
        if (answer is IMessage message)
        {
            Conditions.Tell(http, message);
            AnswerCompression.Tell(http, message);
        }

        return answer;
    }

    private static async Task<T> Compressed<T>(ServerCallContext context, Func<ServerCallContext, Task<T>> call)
    {
        var answer = await call(context);
        if (answer is IMessage message)
            AnswerCompression.Allow(context, message);
        return answer;
    }
}

using Google.Protobuf;
using Grpc.Core;

namespace Commerce.ServiceDefaults;

/// <summary>
/// What the headers of a call mean beside its message: <see cref="IdempotencyKey"/> and <see cref="Conditions"/> on REST,
/// <see cref="AnswerCompression"/> everywhere. One interceptor, since each costs every call.
/// </summary>
internal sealed class HeadersInterceptor : CallInterceptor
{
    protected override async Task<T> Around<T>(ServerCallContext context, object? request, bool streams, Func<ServerCallContext, Task<T>> call)
    {
        var http = context.GetHttpContext();
        var isGrpc = ErrorMiddleware.IsGrpc(http.Request);
        AnswerCompression.Forbid(context);
        if (!isGrpc && request is IMessage message)
        {
            IdempotencyKey.Apply(http, message);
            Conditions.Expect(http, message);
        }

        var answer = await call(context);
        if (!streams && answer is IMessage one)
        {
            if (!isGrpc)
                Conditions.Tell(http, one);
            AnswerCompression.Allow(context, http, isGrpc, one);
        }

        return answer;
    }
}

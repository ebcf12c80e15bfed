using Google.Protobuf;
using Grpc.Core;

namespace Commerce.ServiceDefaults;

/// <summary>Outermost: whatever a call throws leaves as a google.rpc.Status with its reason.</summary>
internal sealed class ErrorInterceptor(ErrorMapper errors) : CallInterceptor
{
    protected override async Task<T> Around<T>(ServerCallContext context, object? request, bool streams, Func<ServerCallContext, Task<T>> call)
    {
        var http = context.GetHttpContext();
        ErrorMiddleware.Entered(http);
        try
        {
            return await call(context);
        }
        catch (Exception exception)
        {
            // A request stream is parsed message by message, inside the call.
            var status = exception is InvalidProtocolBufferException && request is null
                ? ErrorStatus.Create(Types.V1.ErrorReason.MalformedRequest, "A message of the stream is not a valid protobuf message of this method.")
                : errors.Of(exception, context);
            ErrorMiddleware.Remember(http, status);
            throw status.ToRpcException();
        }
    }
}

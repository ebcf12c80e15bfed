using Google.Protobuf.Reflection;
using Google.Rpc;
using Grpc.Core;

namespace Commerce.Testing;

/// <summary>Calls any method by its descriptor, with bytes that need not be its message.</summary>
public static class RawCall
{
    /// <summary>Of a stream only the first answer is waited for.</summary>
    /// <param name="calls">The service.</param>
    /// <param name="method">The method.</param>
    /// <param name="headers">The call's headers.</param>
    /// <param name="message">What is sent; null: nothing on a stream, an empty message otherwise.</param>
    /// <param name="within">How long it may take.</param>
    public static async Task<(StatusCode Code, string? Reason, byte[] Answer)> Make(
        CallInvoker calls, MethodDescriptor method, Metadata headers, byte[]? message, TimeSpan? within = null)
    {
        var bytes = Marshallers.Create<byte[]>(one => one, one => one);
        var type = (method.IsClientStreaming, method.IsServerStreaming) switch
        {
            (false, false) => MethodType.Unary,
            (true, false) => MethodType.ClientStreaming,
            (false, true) => MethodType.ServerStreaming,
            _ => MethodType.DuplexStreaming,
        };
        var called = new Method<byte[], byte[]>(type, method.Service.FullName, method.Name, bytes, bytes);
        var options = new CallOptions(headers, TimeProvider.System.GetUtcNow().UtcDateTime + (within ?? TimeSpan.FromSeconds(20)));
        byte[] answer = [];
        try
        {
            switch (type)
            {
                case MethodType.Unary:
                    answer = await calls.AsyncUnaryCall(called, null, options, message ?? []);
                    break;
                case MethodType.ServerStreaming:
                    using (var stream = calls.AsyncServerStreamingCall(called, null, options, message ?? []))
                    {
                        if (await stream.ResponseStream.MoveNext(CancellationToken.None))
                            answer = stream.ResponseStream.Current;
                    }

                    break;
                case MethodType.ClientStreaming:
                    using (var stream = calls.AsyncClientStreamingCall(called, null, options))
                    {
                        await Send(stream.RequestStream, message);
                        answer = await stream;
                    }

                    break;
                default:
                    throw new NotSupportedException(method.FullName);
            }

            return (StatusCode.OK, null, answer);
        }
        catch (RpcException error)
        {
            return (error.StatusCode, error.GetRpcStatus()?.GetDetail<ErrorInfo>()?.Reason, []);
        }
    }

    private static async Task Send(IClientStreamWriter<byte[]> stream, byte[]? message)
    {
        try
        {
            if (message is not null)
                await stream.WriteAsync(message);
            await stream.CompleteAsync();
        }
        catch (Exception exception) when (exception is RpcException or InvalidOperationException or IOException)
        {
            // Refused before it was read, or with it the connection; the answer says why.
        }
    }
}

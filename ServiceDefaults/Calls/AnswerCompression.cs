using System.Collections.Concurrent;
using Google.Protobuf;
using Google.Protobuf.Reflection;
using Grpc.Core;
using Microsoft.AspNetCore.Http;

namespace Commerce.ServiceDefaults;

/// <summary>
/// Which answers may be compressed. On gRPC a caller that compresses its request (grpc-encoding) gets its answer compressed
/// where that saves something: asking for it by accepting alone would cost every caller of the usual libraries the time, and
/// those inside most. Messages of streams never are: they are small and must not wait. What carries a secret never is either,
/// and on REST is marked no-store, which the Gateway does not compress: beside a part that an attacker chooses, the length
/// of a compressed answer would tell of the secret (BREACH).
/// </summary>
internal static class AnswerCompression
{
    /// <summary>Below, the frame and the work cost more than the bytes that are saved.</summary>
    public const int UsefulBytes = 1024;

    private static readonly WriteOptions AsIs = new(WriteFlags.NoCompress);
    private static readonly ConcurrentDictionary<MessageDescriptor, bool> Secrets = new();

    /// <summary>Before the call: nothing is compressed unless <see cref="Allow"/> says so.</summary>
    public static void Forbid(ServerCallContext context) => context.WriteOptions = AsIs;

    /// <summary>The caller of a gRPC method compresses its own messages.</summary>
    public static bool IsAskedFor(HttpContext http) => http.Request.Headers["grpc-encoding"] == "gzip";

    /// <summary>After a unary gRPC call: its answer is compressed where that saves something.</summary>
    public static void Allow(ServerCallContext context, IMessage answer)
    {
        if (!HasSecret(answer.Descriptor) && answer.CalculateSize() >= UsefulBytes)
            context.WriteOptions = null;
    }

    /// <summary>On REST: whether it may be kept, and so be compressed.</summary>
    public static void Tell(HttpContext http, IMessage answer)
    {
        if (HasSecret(answer.Descriptor))
            http.Response.Headers.CacheControl = "no-store";
    }

    /// <summary>A field that the protos mark with debug_redact is a secret.</summary>
    private static bool HasSecret(MessageDescriptor descriptor) => Secrets.GetOrAdd(descriptor, static one => Search(one, []));

    private static bool Search(MessageDescriptor descriptor, HashSet<MessageDescriptor> seen) => seen.Add(descriptor) && descriptor.Fields.InDeclarationOrder()
        .Any(field => field.GetOptions()?.DebugRedact == true || field.FieldType == FieldType.Message && Search(field.MessageType, seen));
}

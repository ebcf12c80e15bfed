using Google.Rpc;
using Grpc.Core;

namespace Commerce.Shipments.Tests;

/// <summary>What an error says to a program.</summary>
internal static class RpcErrors
{
    public static string Reason(this RpcException error) => error.GetRpcStatus()?.GetDetail<ErrorInfo>()?.Reason ?? error.Status.ToString();

    public static string Metadata(this RpcException error, string key) => error.GetRpcStatus()?.GetDetail<ErrorInfo>()?.Metadata.GetValueOrDefault(key) ?? "";

    public static IReadOnlyList<string> Fields(this RpcException error) =>
        [.. error.GetRpcStatus()?.GetDetail<BadRequest>()?.FieldViolations.Select(violation => violation.Field) ?? [error.Status.ToString()]];
}

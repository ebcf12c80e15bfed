using Grpc.Core;

namespace Commerce.ServiceDefaults;

/// <summary>What another service's error says about asking it again.</summary>
public static class Refusals
{
    /// <summary>The answer will be the same when asked again: a refusal, and no outage.</summary>
    public static bool IsFinal(StatusCode code) =>
        code is StatusCode.InvalidArgument or StatusCode.NotFound or StatusCode.FailedPrecondition or StatusCode.PermissionDenied or StatusCode.OutOfRange;
}

using Grpc.Core;

namespace Commerce.Cli;

/// <summary>What `./commerce` ends with, so that scripts can tell what happened.</summary>
internal static class Exit
{
    public const int Done = 0;
    public const int Fault = 1;
    public const int Usage = 2;
    public const int NotFound = 3;
    public const int Rejected = 4;
    public const int Unavailable = 5;

    public static int Of(StatusCode code) => code switch
    {
        StatusCode.OK => Done,
        StatusCode.NotFound => NotFound,
        StatusCode.Unavailable or StatusCode.DeadlineExceeded => Unavailable,
        StatusCode.Internal or StatusCode.Unknown or StatusCode.DataLoss => Fault,
        _ => Rejected,
    };
}

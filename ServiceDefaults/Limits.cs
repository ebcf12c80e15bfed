namespace Commerce.ServiceDefaults;

/// <summary>What every process bounds.</summary>
internal static class Limits
{
    /// <summary>The largest request, in bytes: 500 lines of the longest texts stay well below.</summary>
    public const int RequestBytes = 4 * 1024 * 1024;

    /// <summary>For a unary call whose caller set no deadline.</summary>
    public static readonly TimeSpan DefaultDeadline = TimeSpan.FromSeconds(30);

    /// <summary>For a call to another service that is not made on behalf of a call being served.</summary>
    public static readonly TimeSpan DefaultClientDeadline = TimeSpan.FromSeconds(10);
}

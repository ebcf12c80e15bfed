namespace Commerce.ServiceDefaults;

/// <summary>What every process bounds.</summary>
internal static class Limits
{
    /// <summary>The largest request, in bytes: 500 lines of the longest texts stay well below.</summary>
    public const int RequestBytes = 4 * 1024 * 1024;

    /// <summary>The longest first line of a request on HTTP/1, in bytes.</summary>
    public const int RequestLineBytes = 8 * 1024;

    /// <summary>Most bytes of headers: a token with many stores and roles stays well below.</summary>
    public const int HeaderBytes = 32 * 1024;

    /// <summary>Most headers of a request.</summary>
    public const int Headers = 100;

    /// <summary>Most calls at the same time on one connection of HTTP/2.</summary>
    public const int StreamsPerConnection = 100;

    /// <summary>For a unary call whose caller set no deadline.</summary>
    public static readonly TimeSpan DefaultDeadline = TimeSpan.FromSeconds(30);

    /// <summary>For a call to another service that is not made on behalf of a call being served.</summary>
    public static readonly TimeSpan DefaultClientDeadline = TimeSpan.FromSeconds(10);
}

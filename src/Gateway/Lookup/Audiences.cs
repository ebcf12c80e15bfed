using Commerce.Gateway.Views;
using Grpc.Core;

namespace Commerce.Gateway.Lookup;

/// <summary>Which class of callers somebody belongs to: the one place that decides what is seen.</summary>
internal static class Audiences
{
    public static Visibility Of(ServerCallContext call)
    {
        _ = call;
        return Visibility.Staff;
    }

    public static Visibility Of(HttpContext http)
    {
        _ = http;
        return Visibility.Staff;
    }
}

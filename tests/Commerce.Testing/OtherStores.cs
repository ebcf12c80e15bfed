using System.Text;
using Commerce.ServiceDefaults;
using Commerce.Types.V1;
using Google.Protobuf;
using Google.Protobuf.Reflection;
using Grpc.Core;

namespace Commerce.Testing;

/// <summary>
/// Tries what is a store's as a caller of another store, and then as one of its own: each method that keeps stores apart by what belongs to
/// them (STORE_ACCESS_RESOURCE), so that a new one has to be given a request.
/// </summary>
public static class OtherStores
{
    /// <param name="calls">The service.</param>
    /// <param name="service">Its name.</param>
    /// <param name="methods">All its methods.</param>
    /// <param name="store">Whose the things are that the requests are about.</param>
    /// <param name="secret">What no caller of another store may be answered, wherever it stands.</param>
    /// <param name="requests">A request for each method, in the order in which they can follow on each other; made when its turn comes.</param>
    /// <returns>What was answered otherwise than it should be.</returns>
    public static async Task<IReadOnlyList<string>> Try(
        CallInvoker calls, string service, IEnumerable<MethodDescriptor> methods, string store, string secret, params IReadOnlyList<IMessage> requests)
    {
        Metadata Of(string one) => TestAccess.As(service, new Principal(PrincipalKind.Shop, one, ScopeSet.All, [one]));
        var apart = methods.Where(method => WrongCredentials.AccessOf(method) is { Stores: StoreAccess.Resource } access && access.Callers.Contains(Caller.Shop)).ToDictionary(method => method.InputType);
        var wrong = apart.Where(one => !requests.Any(request => request.Descriptor == one.Key)).Select(one => $"{one.Value.FullName}: no request to try it with").ToList();
        foreach (var request in requests)
        {
            var method = apart[request.Descriptor];
            var (code, _, answer) = await RawCall.Make(calls, method, Of("elsewhere"), request.ToByteArray());
            if (code != StatusCode.NotFound && (code != StatusCode.OK || answer.AsSpan().IndexOf(Encoding.UTF8.GetBytes(secret)) >= 0))
                wrong.Add($"{method.FullName} answers a caller of another store with {code}");
            (code, var reason, _) = await RawCall.Make(calls, method, Of(store), request.ToByteArray());
            if (code is StatusCode.NotFound or StatusCode.PermissionDenied or StatusCode.Unauthenticated or StatusCode.InvalidArgument or StatusCode.Internal or StatusCode.Unknown)
                wrong.Add($"{method.FullName} answers a caller of the store with {code} {reason}");
        }

        return wrong;
    }
}

using System.Reflection;
using Google.Protobuf.Reflection;
using Grpc.Core;
using Grpc.Net.Client.Configuration;

namespace Commerce.ServiceDefaults;

/// <summary>How the services' gRPC clients connect and when they try again.</summary>
internal static class ServiceClients
{
    private static readonly RetryPolicy Policy = new()
    {
        MaxAttempts = 4,
        InitialBackoff = TimeSpan.FromMilliseconds(50),
        MaxBackoff = TimeSpan.FromSeconds(1),
        BackoffMultiplier = 3,
        RetryableStatusCodes = { StatusCode.Unavailable },
    };

    public static SocketsHttpHandler CreateHandler() => new()
    {
        ConnectTimeout = TimeSpan.FromSeconds(2),
        EnableMultipleHttp2Connections = true,
        // Finds a peer that vanished without a word, for example in a lost virtual machine, while streams are open.
        KeepAlivePingDelay = TimeSpan.FromSeconds(30),
        KeepAlivePingTimeout = TimeSpan.FromSeconds(10),
        KeepAlivePingPolicy = HttpKeepAlivePingPolicy.WithActiveRequests,
        PooledConnectionIdleTimeout = TimeSpan.FromMinutes(5),
    };

    /// <summary>
    /// Retries for UNAVAILABLE on reads and on calls with a request_id, method by method as the protos declare them. The
    /// deadline bounds them all together.
    /// </summary>
    public static ServiceConfig RetriesOf(IEnumerable<Type> clients)
    {
        var config = new ServiceConfig();
        foreach (var client in clients.Distinct())
        {
            var descriptor = (ServiceDescriptor?)client.DeclaringType?.GetProperty("Descriptor", BindingFlags.Public | BindingFlags.Static)?.GetValue(null);
            foreach (var method in descriptor?.Methods ?? [])
            {
                if (!Repeatable.Is(method))
                    continue;
                config.MethodConfigs.Add(new MethodConfig
                {
                    Names = { new MethodName { Service = descriptor!.FullName, Method = method.Name } },
                    RetryPolicy = Policy,
                });
            }
        }

        return config;
    }
}

using Commerce.NativeHosting.Engine;
using Commerce.Testing;

namespace Commerce.NativeHosting.Tests;

/// <summary>What the engine's tests need of the machine.</summary>
internal static class Machine
{
    /// <summary>Skips the test, or fails it in CI, where a server is not installed.</summary>
    public static void HasServers()
    {
        try
        {
            Binaries.PostgresBin();
            Binaries.RedisServer();
            Binaries.RabbitMqServer();
        }
        catch (EngineException e)
        {
            throw TestServers.Missing(e.Message);
        }
    }
}

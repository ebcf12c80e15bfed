using Aspire.Hosting.ApplicationModel;
using Commerce.NativeHosting.Engine;
using Commerce.NativeHosting.State;
using Microsoft.Extensions.Configuration;

namespace Commerce.NativeHosting;

/// <summary>A Postgres, a Redis and a RabbitMQ of their own, without services: for tests and benches.</summary>
public sealed class ServerSet : IAsyncDisposable
{
    private readonly NativeEngine _engine;

    private ServerSet(NativeEngine engine, string postgres, string redis, string rabbitMq, string rabbitMqManagement)
    {
        _engine = engine;
        Postgres = postgres;
        Redis = redis;
        RabbitMq = rabbitMq;
        RabbitMqManagement = rabbitMqManagement;
    }

    /// <summary>Npgsql connection string of the superuser, without a database.</summary>
    public string Postgres { get; }

    /// <summary>StackExchange.Redis configuration string.</summary>
    public string Redis { get; }

    /// <summary>AMQP URI of the administrator, default virtual host.</summary>
    public string RabbitMq { get; }

    /// <summary>Base URL of the broker's management API.</summary>
    public string RabbitMqManagement { get; }

    /// <summary>Starts the three and returns when they answer.</summary>
    /// <param name="stateDirectory">Where their data goes.</param>
    /// <param name="cancellationToken">Gives up starting.</param>
    /// <exception cref="EngineException">A server is not installed, or cannot start; the message says what to do.</exception>
    public static async Task<ServerSet> StartAsync(string stateDirectory, CancellationToken cancellationToken = default)
    {
        ParameterResource Password(string name) => new($"{name}-password", () =>
            ParameterFile.GetOrAdd(stateDirectory, $"{name}-password", new GenerateParameterDefault { Special = false }.GetDefaultValue));

        var postgres = new PostgresServerResource("postgres", Password("postgres"));
        var redis = new RedisResource("redis", Password("redis"));
        var rabbitMq = new RabbitMQServerResource("messaging", Password("messaging")) { HasManagement = true };
        rabbitMq.Endpoints.Add(new Endpoint("management", "http") { Host = "127.0.0.1" });
        var model = new AppModel([postgres, redis, rabbitMq], StateDirectory.At(stateDirectory), new ConfigurationManager());
        var engine = await NativeEngine.StartAsync(model, toConsole: false, cancellationToken);
        try
        {
            await engine.WaitUntilHealthyAsync(cancellationToken);
        }
        catch
        {
            await engine.DisposeAsync();
            throw;
        }

        return new ServerSet(
            engine, postgres.Connection!.Value.ConnectionString, redis.Connection!.Value.ConnectionString,
            rabbitMq.Connection!.Value.ConnectionString, rabbitMq.GetEndpoint("management").Url);
    }

    /// <summary>Stops them in order.</summary>
    public ValueTask DisposeAsync() => _engine.DisposeAsync();
}

using System.Runtime.CompilerServices;

namespace Aspire.Hosting.ApplicationModel;

/// <summary>Something that the AppHost runs or knows.</summary>
public interface IResource
{
    /// <summary>Unique within the model.</summary>
    string Name { get; }
}

/// <summary>A resource that is given environment variables.</summary>
public interface IResourceWithEnvironment : IResource;

/// <summary>A resource that listens.</summary>
public interface IResourceWithEndpoints : IResource;

/// <summary>A resource that others find by name.</summary>
public interface IResourceWithServiceDiscovery : IResourceWithEndpoints;

/// <summary>A resource that can wait for another to be healthy.</summary>
public interface IResourceWithWaitSupport : IResource;

/// <summary>A resource reached through a connection string.</summary>
public interface IResourceWithConnectionString : IResource;

/// <summary>Configures one resource of the model.</summary>
public interface IResourceBuilder<out T> where T : IResource
{
    /// <summary>The model.</summary>
    IDistributedApplicationBuilder ApplicationBuilder { get; }

    /// <summary>The resource.</summary>
    T Resource { get; }
}

/// <summary>What all resources have in common.</summary>
public abstract class Resource(string name) : IResource
{
    /// <inheritdoc/>
    public string Name { get; } = name;

    internal List<Endpoint> Endpoints { get; } = [];

    internal List<Resource> WaitsFor { get; } = [];

    internal Endpoint GetEndpoint(string name) =>
        Endpoints.Find(e => string.Equals(e.Name, name, StringComparison.OrdinalIgnoreCase))
        ?? throw new InvalidOperationException($"'{Name}' has no endpoint '{name}'; it has: {string.Join(", ", Endpoints.Select(e => e.Name))}.");

    /// <summary>Connection string and its parts (Aspire's property names), once ports are assigned.</summary>
    internal virtual (string ConnectionString, IReadOnlyDictionary<string, string> Properties)? Connection => null;
}

/// <summary>One address that a resource listens on. The port is assigned before anything starts.</summary>
internal sealed class Endpoint(string name, string scheme)
{
    public string Name { get; } = name;

    public string Scheme { get; } = scheme;

    public int? PreferredPort { get; set; }

    public string? PortVariable { get; init; }

    public string Host { get; init; } = "localhost";

    public bool IsKestrel { get; init; }

    public bool IsExternal { get; set; }

    public int Port { get; set; }

    public string Url => $"{Scheme}://{Host}:{Port}";
}

/// <summary>Points at an endpoint whose port is not known yet.</summary>
public sealed class EndpointReference
{
    private readonly Resource _owner;

    internal EndpointReference(Resource owner, string endpointName)
    {
        _owner = owner;
        EndpointName = endpointName;
    }

    /// <summary>The endpoint's name.</summary>
    public string EndpointName { get; }

    /// <summary>Scheme, host and port, once assigned.</summary>
    public string Url => _owner.GetEndpoint(EndpointName).Url;

    /// <summary>A part of it.</summary>
    public EndpointReferenceExpression Property(EndpointProperty property) => new(this, property);

    internal string Value(EndpointProperty property)
    {
        var endpoint = _owner.GetEndpoint(EndpointName);
        return property switch
        {
            EndpointProperty.Host => endpoint.Host,
            EndpointProperty.Port => $"{endpoint.Port}",
            _ => endpoint.Url,
        };
    }
}

/// <summary>The parts of an endpoint.</summary>
public enum EndpointProperty
{
    /// <summary>Scheme, host and port.</summary>
    Url,

    /// <summary>The host.</summary>
    Host,

    /// <summary>The port.</summary>
    Port,
}

/// <summary>Points at a part of an endpoint whose port is not known yet.</summary>
public sealed class EndpointReferenceExpression
{
    private readonly EndpointReference _endpoint;
    private readonly EndpointProperty _property;

    internal EndpointReferenceExpression(EndpointReference endpoint, EndpointProperty property) => (_endpoint, _property) = (endpoint, property);

    internal string Value => _endpoint.Value(_property);
}

/// <summary>A text of which parts are known only once ports are assigned.</summary>
public static class ReferenceExpression
{
    /// <summary>Made by the compiler from an interpolated string.</summary>
    [InterpolatedStringHandler]
    public readonly ref struct ExpressionInterpolatedStringHandler
    {
        private readonly List<Func<string>> _parts;

        /// <summary>Called by the compiler.</summary>
        public ExpressionInterpolatedStringHandler(int literalLength, int formattedCount) => _parts = new List<Func<string>>((2 * formattedCount) + 1);

        /// <summary>Text.</summary>
        public void AppendLiteral(string value) => _parts.Add(() => value);

        /// <summary>Text.</summary>
        public void AppendFormatted(string? value) => _parts.Add(() => value ?? "");

        /// <summary>A part of an endpoint.</summary>
        public void AppendFormatted(EndpointReferenceExpression value) => _parts.Add(() => value.Value);

        /// <summary>A parameter's value.</summary>
        public void AppendFormatted(IResourceBuilder<ParameterResource> value) => _parts.Add(() => value.Resource.Value.Value);

        internal Func<string> Text
        {
            get
            {
                var parts = _parts;
                return () => string.Concat(parts.Select(part => part()));
            }
        }
    }
}

/// <summary>A value from outside: <c>Parameters:{name}</c> in the configuration, or generated.</summary>
public sealed class ParameterResource : Resource
{
    internal ParameterResource(string name, Func<string> value) : base(name) => Value = new Lazy<string>(value);

    internal Lazy<string> Value { get; }
}

/// <summary>How to come by a parameter that nobody gave.</summary>
public abstract class ParameterDefault
{
    /// <summary>A new value.</summary>
    public abstract string GetDefaultValue();
}

/// <summary>A PostgreSQL server.</summary>
public sealed class PostgresServerResource : Resource, IResourceWithConnectionString, IResourceWithEndpoints, IResourceWithEnvironment, IResourceWithWaitSupport
{
    internal PostgresServerResource(string name, ParameterResource password) : base(name)
    {
        Password = password;
        Endpoints.Add(new Endpoint("tcp", "tcp") { Host = "127.0.0.1" });
    }

    /// <summary>Where it listens.</summary>
    public EndpointReference PrimaryEndpoint => new(this, "tcp");

    internal ParameterResource Password { get; }

    internal List<PostgresDatabaseResource> Databases { get; } = [];

    internal override (string ConnectionString, IReadOnlyDictionary<string, string> Properties)? Connection
    {
        get
        {
            var endpoint = GetEndpoint("tcp");
            var password = Password.Value.Value;
            return ($"Host={endpoint.Host};Port={endpoint.Port};Username=postgres;Password={password}", new Dictionary<string, string>
            {
                ["HOST"] = endpoint.Host,
                ["PORT"] = $"{endpoint.Port}",
                ["USERNAME"] = "postgres",
                ["PASSWORD"] = password,
                ["URI"] = $"postgresql://postgres:{Uri.EscapeDataString(password)}@{endpoint.Host}:{endpoint.Port}",
                ["JDBCCONNECTIONSTRING"] = $"jdbc:postgresql://{endpoint.Host}:{endpoint.Port}",
            });
        }
    }
}

/// <summary>A database on a PostgreSQL server, created when missing.</summary>
public sealed class PostgresDatabaseResource : Resource, IResourceWithConnectionString
{
    internal PostgresDatabaseResource(string name, string databaseName, PostgresServerResource parent) : base(name)
    {
        DatabaseName = databaseName;
        Parent = parent;
        WaitsFor.Add(parent);
    }

    /// <summary>The name on the server.</summary>
    public string DatabaseName { get; }

    /// <summary>The server.</summary>
    public PostgresServerResource Parent { get; }

    internal override (string ConnectionString, IReadOnlyDictionary<string, string> Properties)? Connection
    {
        get
        {
            var (server, parts) = Parent.Connection!.Value;
            return ($"{server};Database={DatabaseName}", new Dictionary<string, string>(parts)
            {
                ["DATABASENAME"] = DatabaseName,
                ["URI"] = $"{parts["URI"]}/{DatabaseName}",
                ["JDBCCONNECTIONSTRING"] = $"{parts["JDBCCONNECTIONSTRING"]}/{DatabaseName}",
            });
        }
    }
}

/// <summary>A Redis server.</summary>
public sealed class RedisResource : Resource, IResourceWithConnectionString, IResourceWithEndpoints, IResourceWithEnvironment, IResourceWithWaitSupport
{
    internal RedisResource(string name, ParameterResource password) : base(name)
    {
        Password = password;
        Endpoints.Add(new Endpoint("tcp", "tcp") { Host = "127.0.0.1" });
    }

    internal ParameterResource Password { get; }

    internal override (string ConnectionString, IReadOnlyDictionary<string, string> Properties)? Connection
    {
        get
        {
            var endpoint = GetEndpoint("tcp");
            var password = Password.Value.Value;
            return ($"{endpoint.Host}:{endpoint.Port},password={password}", new Dictionary<string, string>
            {
                ["HOST"] = endpoint.Host,
                ["PORT"] = $"{endpoint.Port}",
                ["PASSWORD"] = password,
                ["URI"] = $"redis://:{Uri.EscapeDataString(password)}@{endpoint.Host}:{endpoint.Port}",
            });
        }
    }
}

/// <summary>A RabbitMQ broker.</summary>
public sealed class RabbitMQServerResource : Resource, IResourceWithConnectionString, IResourceWithEndpoints, IResourceWithEnvironment, IResourceWithWaitSupport
{
    internal RabbitMQServerResource(string name, ParameterResource password) : base(name)
    {
        Password = password;
        Endpoints.Add(new Endpoint("tcp", "tcp") { Host = "127.0.0.1" });
    }

    internal ParameterResource Password { get; }

    internal bool HasManagement { get; set; }

    internal override (string ConnectionString, IReadOnlyDictionary<string, string> Properties)? Connection
    {
        get
        {
            var endpoint = GetEndpoint("tcp");
            var password = Password.Value.Value;
            var uri = $"amqp://guest:{Uri.EscapeDataString(password)}@{endpoint.Host}:{endpoint.Port}";
            return (uri, new Dictionary<string, string>
            {
                ["HOST"] = endpoint.Host,
                ["PORT"] = $"{endpoint.Port}",
                ["USERNAME"] = "guest",
                ["PASSWORD"] = password,
                ["URI"] = uri,
            });
        }
    }
}

/// <summary>A .NET project of this solution, run as a process.</summary>
public sealed class ProjectResource : Resource, IResourceWithEnvironment, IResourceWithServiceDiscovery, IResourceWithWaitSupport
{
    internal ProjectResource(string name, IProjectMetadata metadata) : base(name) => Metadata = metadata;

    internal IProjectMetadata Metadata { get; }

    internal List<Action<IDictionary<string, string>>> Environment { get; } = [];

    internal (string Path, int StatusCode, string? EndpointName)? HealthCheck { get; set; }
}

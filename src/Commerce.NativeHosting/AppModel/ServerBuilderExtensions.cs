using Aspire.Hosting.ApplicationModel;

namespace Aspire.Hosting;

/// <summary>PostgreSQL in the model.</summary>
public static class PostgresBuilderExtensions
{
    /// <summary>Adds a server; its data is kept between runs.</summary>
    public static IResourceBuilder<PostgresServerResource> AddPostgres(
        this IDistributedApplicationBuilder builder, string name,
        IResourceBuilder<ParameterResource>? userName = null, IResourceBuilder<ParameterResource>? password = null, int? port = null)
    {
        Unsupported.Refuse(userName, nameof(userName));
        var resource = builder.AddResource(new PostgresServerResource(name, password?.Resource ?? builder.Password(name)));
        resource.Resource.GetEndpoint("tcp").PreferredPort = port;
        return resource;
    }

    /// <summary>Natively the data is always on disk; the volume's name means nothing here.</summary>
    public static IResourceBuilder<PostgresServerResource> WithDataVolume(
        this IResourceBuilder<PostgresServerResource> builder, string? name = null, bool isReadOnly = false) => builder;

    /// <summary>Adds a database, created when missing.</summary>
    public static IResourceBuilder<PostgresDatabaseResource> AddDatabase(
        this IResourceBuilder<PostgresServerResource> builder, string name, string? databaseName = null)
    {
        var database = new PostgresDatabaseResource(name, databaseName ?? name, builder.Resource);
        builder.Resource.Databases.Add(database);
        return builder.ApplicationBuilder.AddResource(database);
    }
}

/// <summary>Redis in the model.</summary>
public static class RedisBuilderExtensions
{
    /// <summary>Adds a server; nothing of it outlives it.</summary>
    public static IResourceBuilder<RedisResource> AddRedis(
        this IDistributedApplicationBuilder builder, string name, int? port = null, IResourceBuilder<ParameterResource>? password = null)
    {
        var resource = builder.AddResource(new RedisResource(name, password?.Resource ?? builder.Password(name)));
        resource.Resource.GetEndpoint("tcp").PreferredPort = port;
        return resource;
    }
}

/// <summary>RabbitMQ in the model.</summary>
public static class RabbitMQBuilderExtensions
{
    /// <summary>Adds a broker; its data is kept between runs.</summary>
    public static IResourceBuilder<RabbitMQServerResource> AddRabbitMQ(
        this IDistributedApplicationBuilder builder, string name,
        IResourceBuilder<ParameterResource>? userName = null, IResourceBuilder<ParameterResource>? password = null, int? port = null)
    {
        Unsupported.Refuse(userName, nameof(userName));
        var resource = builder.AddResource(new RabbitMQServerResource(name, password?.Resource ?? builder.Password(name)));
        resource.Resource.GetEndpoint("tcp").PreferredPort = port;
        return resource;
    }

    /// <summary>Natively the data is always on disk; the volume's name means nothing here.</summary>
    public static IResourceBuilder<RabbitMQServerResource> WithDataVolume(
        this IResourceBuilder<RabbitMQServerResource> builder, string? name = null, bool isReadOnly = false) => builder;

    /// <summary>Adds the management API and pages.</summary>
    public static IResourceBuilder<RabbitMQServerResource> WithManagementPlugin(this IResourceBuilder<RabbitMQServerResource> builder) =>
        builder.WithManagementPlugin(null);

    /// <inheritdoc cref="WithManagementPlugin(IResourceBuilder{RabbitMQServerResource})"/>
    public static IResourceBuilder<RabbitMQServerResource> WithManagementPlugin(this IResourceBuilder<RabbitMQServerResource> builder, int? port)
    {
        builder.Resource.HasManagement = true;
        builder.Resource.Endpoints.Add(new Endpoint("management", "http") { Host = "127.0.0.1", PreferredPort = port });
        return builder;
    }
}

internal static class Unsupported
{
    public static void Refuse(IResourceBuilder<ParameterResource>? parameter, string what)
    {
        if (parameter is not null)
            throw new NotSupportedException($"The native engine takes no {what}.");
    }

    public static ParameterResource Password(this IDistributedApplicationBuilder builder, string server) =>
        ParameterResourceBuilderExtensions.Create(builder, $"{server}-password", new GenerateParameterDefault { MinLength = 22, Special = false }, persist: true);
}

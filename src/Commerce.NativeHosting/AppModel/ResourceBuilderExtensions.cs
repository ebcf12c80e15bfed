using System.Net.Sockets;
using Aspire.Hosting.ApplicationModel;

namespace Aspire.Hosting;

/// <summary>What can be said of any resource.</summary>
public static class ResourceBuilderExtensions
{
    /// <summary>Sets a variable.</summary>
    public static IResourceBuilder<T> WithEnvironment<T>(this IResourceBuilder<T> builder, string name, string? value)
        where T : IResourceWithEnvironment => builder.Set(variables => variables[name] = value ?? "");

    /// <summary>Sets a variable to an endpoint's URL.</summary>
    public static IResourceBuilder<T> WithEnvironment<T>(this IResourceBuilder<T> builder, string name, EndpointReference endpointReference)
        where T : IResourceWithEnvironment => builder.Set(variables => variables[name] = endpointReference.Url);

    /// <summary>Sets a variable to a parameter's value.</summary>
    public static IResourceBuilder<T> WithEnvironment<T>(this IResourceBuilder<T> builder, string name, IResourceBuilder<ParameterResource> parameter)
        where T : IResourceWithEnvironment => builder.Set(variables => variables[name] = parameter.Resource.Value.Value);

    /// <summary>Sets a variable to a text with parts that are known only once ports are assigned.</summary>
    public static IResourceBuilder<T> WithEnvironment<T>(this IResourceBuilder<T> builder, string name, in ReferenceExpression.ExpressionInterpolatedStringHandler value)
        where T : IResourceWithEnvironment
    {
        var text = value.Text;
        return builder.Set(variables => variables[name] = text());
    }

    /// <summary>Passes a connection string: <c>ConnectionStrings__{name}</c> and its parts as <c>{NAME}_{PART}</c>.</summary>
    public static IResourceBuilder<TDestination> WithReference<TDestination>(
        this IResourceBuilder<TDestination> builder, IResourceBuilder<IResourceWithConnectionString> source, string? connectionName = null, bool optional = false)
        where TDestination : IResourceWithEnvironment
    {
        var resource = (Resource)(IResource)source.Resource;
        var name = connectionName ?? resource.Name;
        return builder.Set(variables =>
        {
            if (resource.Connection is not { } connection)
            {
                if (!optional)
                    throw new InvalidOperationException($"'{resource.Name}' has no connection string.");
                return;
            }

            variables[$"ConnectionStrings__{name}"] = connection.ConnectionString;
            foreach (var (key, value) in connection.Properties)
                variables[$"{Encode(name)}_{key}"] = value;
        });
    }

    /// <summary>Passes the addresses of a service: <c>services__{name}__{endpoint}__0</c> and <c>{NAME}_{ENDPOINT}</c>.</summary>
    public static IResourceBuilder<TDestination> WithReference<TDestination>(
        this IResourceBuilder<TDestination> builder, IResourceBuilder<IResourceWithServiceDiscovery> source)
        where TDestination : IResourceWithEnvironment
    {
        var resource = (Resource)(IResource)source.Resource;
        return builder.Set(variables =>
        {
            foreach (var endpoint in resource.Endpoints)
            {
                variables[$"services__{resource.Name}__{endpoint.Name}__0"] = endpoint.Url;
                variables[$"{Encode(resource.Name)}_{Encode(endpoint.Name)}"] = endpoint.Url;
            }
        });
    }

    /// <summary>Starts the resource only once the other is healthy.</summary>
    public static IResourceBuilder<T> WaitFor<T>(this IResourceBuilder<T> builder, IResourceBuilder<IResource> dependency)
        where T : IResourceWithWaitSupport
    {
        builder.Native().WaitsFor.Add((Resource)dependency.Resource);
        return builder;
    }

    /// <summary>The resource is healthy when this path answers with this status (200).</summary>
    public static IResourceBuilder<T> WithHttpHealthCheck<T>(
        this IResourceBuilder<T> builder, string? path = null, int? statusCode = null, string? endpointName = null)
        where T : IResourceWithEndpoints
    {
        if (builder.Native() is ProjectResource project)
            project.HealthCheck = (path ?? "/", statusCode ?? 200, endpointName);
        return builder;
    }

    /// <summary>Adds an endpoint; its port is passed in the variable <paramref name="env"/>.</summary>
    public static IResourceBuilder<T> WithEndpoint<T>(
        this IResourceBuilder<T> builder, int? port = null, int? targetPort = null, string? scheme = null, string? name = null,
        string? env = null, bool isProxied = true, bool? isExternal = null, ProtocolType? protocol = null)
        where T : IResourceWithEndpoints
    {
        var endpointScheme = scheme ?? (protocol == ProtocolType.Udp ? "udp" : "tcp");
        builder.Native().Endpoints.Add(new Endpoint(name ?? endpointScheme, endpointScheme)
        {
            PreferredPort = targetPort ?? port,
            PortVariable = env,
            IsExternal = isExternal ?? false,
        });
        return builder;
    }

    /// <summary>Marks the HTTP endpoints as meant for callers outside.</summary>
    public static IResourceBuilder<T> WithExternalHttpEndpoints<T>(this IResourceBuilder<T> builder) where T : IResourceWithEndpoints
    {
        foreach (var endpoint in builder.Native().Endpoints.Where(e => e.Scheme is "http" or "https"))
            endpoint.IsExternal = true;
        return builder;
    }

    /// <summary>An endpoint, to pass on.</summary>
    public static EndpointReference GetEndpoint<T>(this IResourceBuilder<T> builder, string name) where T : IResourceWithEndpoints =>
        new(builder.Native(), name);

    private static Resource Native<T>(this IResourceBuilder<T> builder) where T : IResource => (Resource)(IResource)builder.Resource;

    private static IResourceBuilder<T> Set<T>(this IResourceBuilder<T> builder, Action<IDictionary<string, string>> callback)
        where T : IResourceWithEnvironment
    {
        if (builder.Native() is not ProjectResource project)
            throw new NotSupportedException($"The native engine sets variables of projects only, not of '{builder.Resource.Name}'.");
        project.Environment.Add(callback);
        return builder;
    }

    private static string Encode(string name) =>
        string.Concat(name.Select(c => char.IsAsciiLetterOrDigit(c) ? char.ToUpperInvariant(c) : '_'));
}

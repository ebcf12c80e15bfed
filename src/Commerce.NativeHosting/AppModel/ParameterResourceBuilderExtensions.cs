using Aspire.Hosting.ApplicationModel;
using Commerce.NativeHosting.State;

namespace Aspire.Hosting;

/// <summary>Values from outside the model.</summary>
public static class ParameterResourceBuilderExtensions
{
    /// <summary>Adds a parameter: <c>Parameters:{name}</c>, else the default, kept between runs with <paramref name="persist"/>.</summary>
    public static IResourceBuilder<ParameterResource> AddParameter(
        this IDistributedApplicationBuilder builder, string name, ParameterDefault value, bool secret = false, bool persist = false) =>
        builder.AddResource(Create(builder, name, value, persist));

    internal static ParameterResource Create(IDistributedApplicationBuilder builder, string name, ParameterDefault value, bool persist) => new(name, () =>
        builder.Configuration[$"Parameters:{name}"]
        ?? builder.Configuration[$"Parameters:{name.Replace('-', '_')}"]
        ?? (persist
            ? ParameterFile.GetOrAdd(builder.Configuration["COMMERCE_STATE_DIR"]!, name, value.GetDefaultValue)
            : value.GetDefaultValue()));
}

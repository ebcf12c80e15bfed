using System.Reflection;
using Aspire.Hosting.ApplicationModel;
using Commerce.NativeHosting.Engine;
using Commerce.NativeHosting.State;
using Microsoft.Extensions.Configuration;

namespace Aspire.Hosting;

/// <summary>The app model being put together. Names and signatures are Aspire's, so that one AppHost.cs fits both engines.</summary>
public interface IDistributedApplicationBuilder
{
    /// <summary>Environment, command line and the engine's own settings (<c>COMMERCE_STATE_DIR</c>).</summary>
    ConfigurationManager Configuration { get; }

    /// <summary>The folder of the AppHost project.</summary>
    string AppHostDirectory { get; }

    /// <summary>What the model is evaluated for.</summary>
    DistributedApplicationExecutionContext ExecutionContext { get; }

    /// <summary>Adds a resource to the model.</summary>
    IResourceBuilder<T> AddResource<T>(T resource) where T : IResource;

    /// <summary>Ends the model.</summary>
    DistributedApplication Build();
}

/// <summary>What a model is evaluated for: here always to run it; publishing is Aspire's alone.</summary>
public sealed class DistributedApplicationExecutionContext
{
    internal DistributedApplicationExecutionContext()
    {
    }

    /// <summary>Whether the model is run on this machine.</summary>
    public bool IsRunMode { get; } = true;

    /// <summary>Whether the model is written down for a deployment.</summary>
    public bool IsPublishMode => !IsRunMode;
}

/// <summary>An app model that runs on this machine's own servers.</summary>
public sealed class DistributedApplication
{
    private readonly NativeBuilder _builder;

    private DistributedApplication(NativeBuilder builder) => _builder = builder;

    /// <summary>Begins an app model for the AppHost that calls this.</summary>
    public static IDistributedApplicationBuilder CreateBuilder(string[] args) =>
        new NativeBuilder(args, Assembly.GetEntryAssembly() ?? throw new InvalidOperationException("There is no entry assembly."));

    /// <summary>Runs everything until Ctrl-C, SIGTERM or a start that cannot succeed (then the exit code is 1).</summary>
    public void Run() => RunAsync().GetAwaiter().GetResult();

    /// <inheritdoc cref="Run"/>
    public async Task RunAsync(CancellationToken cancellationToken = default) =>
        Environment.ExitCode = await NativeEngine.RunAsync(_builder.Model, cancellationToken);

    private sealed class NativeBuilder : IDistributedApplicationBuilder
    {
        private readonly StateDirectory _state;

        public NativeBuilder(string[] args, Assembly appHost)
        {
            AppHostDirectory = appHost.GetCustomAttributes<AssemblyMetadataAttribute>()
                .FirstOrDefault(a => string.Equals(a.Key, "apphostprojectpath", StringComparison.OrdinalIgnoreCase))?.Value
                ?? AppContext.BaseDirectory;
            Configuration.AddEnvironmentVariables().AddCommandLine(args);
            _state = StateDirectory.Resolve(AppHostDirectory);
            Configuration["COMMERCE_STATE_DIR"] = _state.Path;
            Model = new AppModel(Resources, _state, Configuration);
        }

        public ConfigurationManager Configuration { get; } = new();

        public string AppHostDirectory { get; }

        public DistributedApplicationExecutionContext ExecutionContext { get; } = new();

        public List<Resource> Resources { get; } = [];

        public AppModel Model { get; }

        public IResourceBuilder<T> AddResource<T>(T resource) where T : IResource
        {
            if (Resources.Exists(r => string.Equals(r.Name, resource.Name, StringComparison.OrdinalIgnoreCase)))
                throw new ArgumentException($"There is a resource '{resource.Name}' already.", nameof(resource));
            Resources.Add((Resource)(IResource)resource);
            return new ResourceBuilder<T>(this, resource);
        }

        public DistributedApplication Build() => new(this);
    }

    private sealed class ResourceBuilder<T>(IDistributedApplicationBuilder builder, T resource) : IResourceBuilder<T> where T : IResource
    {
        public IDistributedApplicationBuilder ApplicationBuilder => builder;

        public T Resource => resource;
    }
}

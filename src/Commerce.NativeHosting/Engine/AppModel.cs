using Aspire.Hosting.ApplicationModel;
using Commerce.NativeHosting.State;
using Microsoft.Extensions.Configuration;

namespace Commerce.NativeHosting.Engine;

/// <summary>What AppHost.cs declared.</summary>
internal sealed record AppModel(IReadOnlyList<Resource> Resources, StateDirectory State, IConfiguration Configuration);

/// <summary>The suite cannot start, and the message says why and what to do.</summary>
public sealed class EngineException(string message) : Exception(message);

using System.Diagnostics.Metrics;
using System.Reflection;
using System.Reflection.Metadata;
using System.Reflection.Metadata.Ecma335;
using System.Reflection.PortableExecutable;
using System.Runtime.CompilerServices;
using System.Text.RegularExpressions;
using Commerce.Gateway;
using Commerce.Messaging;
using Commerce.Notifications;
using Commerce.Orders;
using Commerce.Payments;
using Commerce.Shipments;
using Microsoft.Extensions.DependencyInjection;

namespace Commerce.Telemetry.Tests;

/// <summary>The instruments that the services really make, and the attributes that their code really names.</summary>
internal static partial class TelemetryInCode
{
    private static readonly Assembly[] Assemblies =
    [
        typeof(ServiceDefaults.Principal).Assembly, typeof(Outbox).Assembly, typeof(OrdersModule).Assembly, typeof(PaymentsModule).Assembly,
        typeof(ShipmentsModule).Assembly, typeof(NotificationsModule).Assembly, typeof(GatewayModule).Assembly,
    ];

    /// <summary>Every instrument of every meter "Commerce.*", made by touching every class that holds a meter or an instrument.</summary>
    public static IReadOnlyList<DeclaredInstrument> Instruments()
    {
        var instruments = new List<DeclaredInstrument>();
        using var listener = new MeterListener();
        listener.InstrumentPublished = (instrument, _) =>
        {
            if (instrument.Meter.Name.StartsWith("Commerce.", StringComparison.Ordinal))
                instruments.Add(new DeclaredInstrument(instrument.Meter.Name, instrument.Name, KindOf(instrument), instrument.Unit ?? "", instrument.Description ?? ""));
        };
        listener.Start();
        using var services = new ServiceCollection().AddMetrics().BuildServiceProvider();
        foreach (var type in Assemblies.SelectMany(assembly => assembly.GetTypes()))
        {
            if (HoldsInstruments(type, BindingFlags.Static))
                RuntimeHelpers.RunClassConstructor(type.TypeHandle);
            if (HoldsInstruments(type, BindingFlags.Instance))
                (ActivatorUtilities.CreateInstance(services, type) as IDisposable)?.Dispose();
        }

        return [.. instruments.Distinct()];
    }

    /// <summary>
    /// Every text "commerce.…" in the compiled code that is neither an instrument nor a resource: however it is used, it names
    /// something that leaves the process.
    /// </summary>
    public static IReadOnlyList<string> Attributes(IEnumerable<DeclaredInstrument> instruments)
    {
        var others = instruments.Select(instrument => instrument.Name).Concat(Assemblies.SelectMany(assembly => assembly.GetManifestResourceNames())).ToHashSet(StringComparer.Ordinal);
        return [.. Assemblies.SelectMany(Texts).Where(text => Name().IsMatch(text) && !others.Contains(text)).Distinct().Order(StringComparer.Ordinal)];
    }

    private static bool HoldsInstruments(Type type, BindingFlags which) =>
        !type.IsDefined(typeof(CompilerGeneratedAttribute))
        && type.GetFields(which | BindingFlags.Public | BindingFlags.NonPublic | BindingFlags.DeclaredOnly)
            .Any(field => field.FieldType == typeof(Meter) || typeof(Instrument).IsAssignableFrom(field.FieldType));

    private static string KindOf(Instrument instrument) => instrument.GetType().Name.Split('`')[0] switch
    {
        "Counter" or "ObservableCounter" => "counter",
        "UpDownCounter" or "ObservableUpDownCounter" => "updowncounter",
        "Gauge" or "ObservableGauge" => "gauge",
        "Histogram" => "histogram",
        var other => other,
    };

    private static IEnumerable<string> Texts(Assembly assembly)
    {
        using var file = new PEReader(File.OpenRead(assembly.Location));
        var metadata = file.GetMetadataReader();
        // The heap's first entry is empty.
        for (var handle = metadata.GetNextHandle(MetadataTokens.UserStringHandle(0)); !handle.IsNil; handle = metadata.GetNextHandle(handle))
            yield return metadata.GetUserString(handle);
    }

    [GeneratedRegex(@"\Acommerce(\.[a-z_]+)+\z", RegexOptions.CultureInvariant)]
    private static partial Regex Name();
}

using Commerce.Cli.Api;
using Commerce.Cli.Orders;
using Commerce.Shipments.V1;

namespace Commerce.Cli.Shipments;

/// <summary>A parcel as people name it: "shipments/…", its id of 32 hexadecimal digits, or its tracking number.</summary>
internal static class ShipmentNames
{
    private const string Prefix = "shipments/";

    public static async Task<string> Of(SuiteApi api, string typed, CancellationToken cancellationToken) =>
        NameIn(typed) ?? (await Find(api, typed, cancellationToken)).Name;

    /// <summary>The parcel itself.</summary>
    public static async Task<Shipment> Find(SuiteApi api, string typed, CancellationToken cancellationToken) => NameIn(typed) is { } name
        ? await api.Shipments.GetShipmentAsync(new GetShipmentRequest { Name = name }, OrderCommands.Options(cancellationToken))
        : await api.Tracking.GetTrackingAsync(new GetTrackingRequest { TrackingNumber = typed.Trim() }, OrderCommands.Options(cancellationToken));

    // Null for a tracking number.
    private static string? NameIn(string typed)
    {
        var text = typed.Trim();
        if (text.StartsWith(Prefix, StringComparison.Ordinal))
            return text;
        return Guid.TryParseExact(text, "N", out _) ? Prefix + text : null;
    }

    public static async Task Save(string file, ReadOnlyMemory<byte> bytes, CancellationToken cancellationToken)
    {
        try
        {
            await File.WriteAllBytesAsync(file, bytes, cancellationToken);
        }
        catch (Exception exception) when (exception is IOException or UnauthorizedAccessException)
        {
            throw new UsageException($"Cannot write {file}: {exception.Message}");
        }
    }
}

using Commerce.Cli.Api;
using Commerce.Cli.Orders;
using Commerce.Shipments.V1;

namespace Commerce.Cli.Shipments;

/// <summary>A parcel as people name it: "shipments/…", its id of 32 hexadecimal digits, or its tracking number.</summary>
internal static class ShipmentNames
{
    public const string Prefix = "shipments/";

    public static async Task<string> Of(SuiteApi api, string typed, CancellationToken cancellationToken)
    {
        var text = typed.Trim();
        if (text.StartsWith(Prefix, StringComparison.Ordinal))
            return text;
        if (Guid.TryParseExact(text, "N", out _))
            return Prefix + text;
        return (await api.Tracking.GetTrackingAsync(new GetTrackingRequest { TrackingNumber = text }, OrderCommands.Options(cancellationToken))).Name;
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

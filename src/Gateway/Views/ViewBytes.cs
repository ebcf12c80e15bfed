using Commerce.Gateway.V1;
using Google.Protobuf;

namespace Commerce.Gateway.Views;

/// <summary>A LookupView, serialised once for everybody who gets it.</summary>
internal sealed class ViewBytes
{
    private static readonly JsonFormatter Formatter = new(JsonFormatter.Settings.Default.WithFormatDefaultValues(true));

    private string? _json;
    private Task<ViewBytes>? _completed;

    public ViewBytes(ReadOnlyMemory<byte> bytes, long version, string orderName) => (Bytes, Version, OrderName) = (bytes, version, orderName);

    public ReadOnlyMemory<byte> Bytes { get; }

    /// <summary>As in the view.</summary>
    public long Version { get; }

    /// <summary>Of which order it is: "orders/{order_id}".</summary>
    public string OrderName { get; }

    /// <summary>Itself, for those who await it.</summary>
    public Task<ViewBytes> Completed => _completed ??= Task.FromResult(this);

    /// <summary>As server-sent events carry it.</summary>
    public string Json => _json ??= Formatter.Format(Parse());

    public LookupView Parse() => LookupView.Parser.ParseFrom(Bytes.Span);
}

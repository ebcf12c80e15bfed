using Commerce.Orders.V1;
using Commerce.Shipments.V1;

namespace Commerce.Gateway.Views;

/// <summary>
/// What the join asks of a part without parsing it. Of the order: "Order ID|store". Of shipments and returns, which are repeated fields: a line
/// for each, in their order, with what a code can call it by; a shipment's line is "number|former number,…", a return's its number.
/// </summary>
internal static class PartIndex
{
    public static string Of(Order order) => $"{order.OrderId}|{order.StoreId}";

    /// <summary>Which order it is, and whose; empty where nobody knows.</summary>
    public static (string OrderId, string StoreId) OfOrder(string index) => index.IndexOf('|', StringComparison.Ordinal) is >= 0 and var at ? (index[..at], index[(at + 1)..]) : ("", "");

    public static string Of(IEnumerable<Shipment> shipments) => string.Join('\n', shipments.Select(shipment =>
        $"{TrackingNumber.Normalise(shipment.TrackingNumber)}|{string.Join(',', shipment.FormerTracking.Select(former => TrackingNumber.Normalise(former.TrackingNumber)))}"));

    public static string Of(IEnumerable<Return> returns) => string.Join('\n', returns.Select(one => one.Name[(one.Name.LastIndexOf('/') + 1)..]));

    /// <summary>How near each shipment is to a number: 2: it bears it; 1: it was corrected from it; 0: neither.</summary>
    public static int[] NearnessOfShipments(string index, string trackingNumber) => [.. index.Split('\n').Select(line => line.Split('|') switch
    {
        [var borne, _] when borne == trackingNumber => 2,
        [_, var former] when former.Split(',').Contains(trackingNumber) => 1,
        _ => 0,
    })];

    /// <summary>1 for the return with this number, 0 for the others.</summary>
    public static int[] NearnessOfReturns(string index, string number) => [.. index.Split('\n').Select(line => line == number ? 1 : 0)];

    /// <summary>Where each item of a repeated message field is in the part's bytes.</summary>
    public static List<Range> Items(ReadOnlySpan<byte> fields)
    {
        var items = new List<Range>();
        var at = 0;
        while (at < fields.Length)
        {
            var begin = at;
            Varint(fields, ref at);
            var length = (int)Varint(fields, ref at);
            at += length;
            items.Add(begin..at);
        }

        return items;
    }

    private static ulong Varint(ReadOnlySpan<byte> bytes, ref int at)
    {
        var value = 0UL;
        for (var shift = 0; ; shift += 7)
        {
            var one = bytes[at++];
            value |= (ulong)(one & 0x7F) << shift;
            if (one < 0x80)
                return value;
        }
    }
}

using System.Globalization;
using Commerce.Gateway.V1;
using Google.Protobuf.WellKnownTypes;

namespace Commerce.Gateway.Lookup;

/// <summary>What a code leads to.</summary>
/// <param name="Order">The order.</param>
/// <param name="Kind">What the code is.</param>
/// <param name="Number">The Tracking ID in the form of <see cref="TrackingNumber.Normalise(string?)"/>, or the return's number; empty for other codes.</param>
/// <param name="Resource">What it names, by its resource name; empty: the order.</param>
/// <param name="Others">The other parcels that have borne it; see <see cref="OtherBearers"/>.</param>
internal sealed record Located(OrderId Order, CodeKind Kind, string Number = "", string Resource = "", string Others = "")
{
    /// <summary>As in the view.</summary>
    public IEnumerable<Bearer> OtherBearers => Others.Length == 0 ? [] : Others.Split('\n').Select(line => line.Split('|') switch
    {
        [var shipment, var order, var carrier, var created, var former] => new Bearer
        {
            Shipment = shipment,
            OrderId = order,
            Carrier = carrier,
            Former = former.Length > 0,
            CreateTime = Timestamp.FromDateTimeOffset(DateTimeOffset.FromUnixTimeMilliseconds(long.Parse(created, CultureInfo.InvariantCulture))),
        },
        _ => new Bearer(),
    });

    /// <summary>A line of <see cref="Others"/>.</summary>
    public static string LineOf(Shipments.V1.ParcelMatch parcel) => string.Create(
        CultureInfo.InvariantCulture,
        $"{parcel.Shipment}|{parcel.OrderId}|{parcel.Carrier}|{parcel.CreateTime.ToDateTimeOffset().ToUnixTimeMilliseconds()}|{(parcel.Former ? "former" : "")}");
}

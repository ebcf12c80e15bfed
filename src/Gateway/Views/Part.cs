using System.Buffers.Binary;
using System.Text;
using Commerce.Orders.V1;
using Commerce.Payments.V1;
using Commerce.Shipments.V1;
using Google.Protobuf;

namespace Commerce.Gateway.Views;

/// <summary>The parts of a view, one for each service that owns one.</summary>
internal enum PartKind
{
    Order,
    Payment,
    Shipments,
}

/// <summary>
/// A copy of one part as its service answered: the serialised message (Order, Payment or ListShipmentsResponse), empty if
/// the service has nothing yet.
/// </summary>
/// <param name="Payload">The serialised message.</param>
/// <param name="Versions">"key=version" of each aggregate in it; the key is "order", "payment" or the shipment's id.</param>
/// <param name="Version">
/// The sum of those versions. Aggregates are only ever added to a part and their versions only ever grow, so the sum
/// grows with each change: it counts the facts that made the part.
/// </param>
/// <param name="ReadTime">When the service answered.</param>
/// <param name="Epoch">Redis's epoch when the service was asked; see <see cref="RedisLink"/>.</param>
internal sealed record Part(ReadOnlyMemory<byte> Payload, string Versions, long Version, DateTimeOffset ReadTime, long Epoch)
{
    private const int HeaderBytes = 3 * sizeof(long);

    public static readonly IReadOnlyList<PartKind> Kinds = [PartKind.Order, PartKind.Payment, PartKind.Shipments];

    /// <summary>The service has nothing of this part yet.</summary>
    public bool IsAbsent => Version == 0;

    /// <summary>As it is called in <c>StalePart.part</c>.</summary>
    public static string NameOf(PartKind kind) => kind switch
    {
        PartKind.Order => "order",
        PartKind.Payment => "payment",
        _ => "shipments",
    };

    public static Part Of(Order order, DateTimeOffset readTime, long epoch) =>
        new(order.ToByteArray(), $"order={order.Version}", order.Version, readTime, epoch);

    public static Part Of(Payment payment, DateTimeOffset readTime, long epoch) =>
        new(payment.ToByteArray(), $"payment={payment.Version}", payment.Version, readTime, epoch);

    public static Part Of(IReadOnlyList<Shipment> shipments, DateTimeOffset readTime, long epoch)
    {
        var versions = new StringBuilder();
        var sum = 0L;
        foreach (var shipment in shipments)
        {
            versions.Append(versions.Length == 0 ? "" : ",").Append(shipment.ShipmentId).Append('=').Append(shipment.Version);
            sum += shipment.Version;
        }

        return new Part(new ListShipmentsResponse { Shipments = { shipments } }.ToByteArray(), versions.ToString(), sum, readTime, epoch);
    }

    public static Part Absent(DateTimeOffset readTime, long epoch) => new(ReadOnlyMemory<byte>.Empty, "", 0, readTime, epoch);

    /// <summary>As kept in Redis: epoch, read time in milliseconds, version (each 8 bytes, big-endian), payload.</summary>
    public byte[] ToBytes()
    {
        var bytes = new byte[HeaderBytes + Payload.Length];
        BinaryPrimitives.WriteInt64BigEndian(bytes, Epoch);
        BinaryPrimitives.WriteInt64BigEndian(bytes.AsSpan(8), ReadTime.ToUnixTimeMilliseconds());
        BinaryPrimitives.WriteInt64BigEndian(bytes.AsSpan(16), Version);
        Payload.CopyTo(bytes.AsMemory(HeaderBytes));
        return bytes;
    }

    /// <summary>Reads a kept copy; null if it is none. What only writers need (<see cref="Versions"/>) is not in it.</summary>
    public static Part? FromBytes(byte[]? bytes)
    {
        if (bytes is null || bytes.Length < HeaderBytes)
            return null;
        var milliseconds = BinaryPrimitives.ReadInt64BigEndian(bytes.AsSpan(8));
        if (milliseconds < 0 || milliseconds > DateTimeOffset.MaxValue.ToUnixTimeMilliseconds())
            return null;
        return new Part(
            bytes.AsMemory(HeaderBytes),
            "",
            BinaryPrimitives.ReadInt64BigEndian(bytes.AsSpan(16)),
            DateTimeOffset.FromUnixTimeMilliseconds(milliseconds),
            BinaryPrimitives.ReadInt64BigEndian(bytes));
    }
}

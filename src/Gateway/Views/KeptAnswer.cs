using System.Buffers.Binary;
using System.Text;

namespace Commerce.Gateway.Views;

/// <summary>Everything of an order put together for a class of callers, as an Order ID is answered with, as Redis has it.</summary>
/// <param name="Answer">What is answered.</param>
/// <param name="StoreId">The store that the order belongs to.</param>
/// <param name="FreshUntil">Until when nobody needs to ask for its parts unless a fact tells of a change.</param>
/// <param name="Epoch">Redis's epoch when the services were asked; see <see cref="RedisLink"/>.</param>
internal sealed record KeptAnswer(ViewBytes Answer, string StoreId, DateTimeOffset FreshUntil, long Epoch)
{
    private const int HeaderBytes = (3 * sizeof(long)) + sizeof(int);

    private static readonly long LatestTime = DateTimeOffset.MaxValue.ToUnixTimeMilliseconds();

    /// <summary>
    /// As kept in Redis: epoch, until when it is fresh in milliseconds, version (each 8 bytes, big-endian), "orders/{order_id}|store" with its
    /// length before it (4 bytes), and the answer.
    /// </summary>
    public byte[] ToBytes()
    {
        var index = Encoding.UTF8.GetBytes($"{Answer.OrderName}|{StoreId}");
        var bytes = new byte[HeaderBytes + index.Length + Answer.Bytes.Length];
        BinaryPrimitives.WriteInt64BigEndian(bytes, Epoch);
        BinaryPrimitives.WriteInt64BigEndian(bytes.AsSpan(8), FreshUntil.ToUnixTimeMilliseconds());
        BinaryPrimitives.WriteInt64BigEndian(bytes.AsSpan(16), Answer.Version);
        BinaryPrimitives.WriteInt32BigEndian(bytes.AsSpan(24), index.Length);
        index.CopyTo(bytes, HeaderBytes);
        Answer.Bytes.CopyTo(bytes.AsMemory(HeaderBytes + index.Length));
        return bytes;
    }

    /// <summary>Reads what was kept; null if it is none, or one of an order with the same value and another prefix.</summary>
    public static KeptAnswer? FromBytes(byte[]? bytes, OrderId id)
    {
        if (bytes is null || bytes.Length < HeaderBytes)
            return null;
        var milliseconds = BinaryPrimitives.ReadInt64BigEndian(bytes.AsSpan(8));
        var index = BinaryPrimitives.ReadInt32BigEndian(bytes.AsSpan(24));
        if (milliseconds < 0 || milliseconds > LatestTime || index < 0 || index > bytes.Length - HeaderBytes)
            return null;
        var whose = Encoding.UTF8.GetString(bytes, HeaderBytes, index);
        var end = whose.IndexOf('|', StringComparison.Ordinal);
        // The value alone is the key.
        if (end < 0 || !whose.AsSpan(0, end).StartsWith($"orders/{id.Prefix}-", StringComparison.Ordinal))
            return null;
        var answer = new ViewBytes(bytes.AsMemory(HeaderBytes + index), BinaryPrimitives.ReadInt64BigEndian(bytes.AsSpan(16)), whose[..end]);
        return new KeptAnswer(answer, whose[(end + 1)..], DateTimeOffset.FromUnixTimeMilliseconds(milliseconds), BinaryPrimitives.ReadInt64BigEndian(bytes));
    }
}

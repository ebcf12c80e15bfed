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
    private const int HeaderBytes = (3 * sizeof(long)) + (2 * sizeof(int));
    private const string Names = "orders/";

    private static readonly long LatestTime = DateTimeOffset.MaxValue.ToUnixTimeMilliseconds();

    /// <summary>
    /// As kept in Redis: epoch, until when it is fresh in milliseconds, version (each 8 bytes, big-endian), the lengths of the order's name and of
    /// the store (each 4 bytes), these two, and the answer.
    /// </summary>
    public byte[] ToBytes()
    {
        var (order, store) = (Encoding.UTF8.GetBytes(Answer.OrderName), Encoding.UTF8.GetBytes(StoreId));
        var bytes = new byte[HeaderBytes + order.Length + store.Length + Answer.Bytes.Length];
        BinaryPrimitives.WriteInt64BigEndian(bytes, Epoch);
        BinaryPrimitives.WriteInt64BigEndian(bytes.AsSpan(8), FreshUntil.ToUnixTimeMilliseconds());
        BinaryPrimitives.WriteInt64BigEndian(bytes.AsSpan(16), Answer.Version);
        BinaryPrimitives.WriteInt32BigEndian(bytes.AsSpan(24), order.Length);
        BinaryPrimitives.WriteInt32BigEndian(bytes.AsSpan(28), store.Length);
        order.CopyTo(bytes, HeaderBytes);
        store.CopyTo(bytes, HeaderBytes + order.Length);
        Answer.Bytes.CopyTo(bytes.AsMemory(HeaderBytes + order.Length + store.Length));
        return bytes;
    }

    /// <summary>Reads what was kept; null if it is none, or one of an order with the same value and another prefix.</summary>
    public static KeptAnswer? FromBytes(byte[]? bytes, OrderId id)
    {
        if (bytes is null || bytes.Length < HeaderBytes)
            return null;
        var milliseconds = BinaryPrimitives.ReadInt64BigEndian(bytes.AsSpan(8));
        var (order, store) = (BinaryPrimitives.ReadInt32BigEndian(bytes.AsSpan(24)), BinaryPrimitives.ReadInt32BigEndian(bytes.AsSpan(28)));
        if (milliseconds < 0 || milliseconds > LatestTime || order < 0 || store < 0 || order > bytes.Length - HeaderBytes - (long)store)
            return null;
        var name = Encoding.UTF8.GetString(bytes, HeaderBytes, order);
        // The value alone is the key, so it is the prefix that may be another.
        if (!name.StartsWith(Names, StringComparison.Ordinal) || !name.AsSpan(Names.Length).StartsWith(id.Prefix) || name.IndexOf('-', StringComparison.Ordinal) != Names.Length + id.Prefix.Length)
            return null;
        var answer = new ViewBytes(bytes.AsMemory(HeaderBytes + order + store), BinaryPrimitives.ReadInt64BigEndian(bytes.AsSpan(16)), name);
        return new KeptAnswer(
            answer, Encoding.UTF8.GetString(bytes, HeaderBytes + order, store), DateTimeOffset.FromUnixTimeMilliseconds(milliseconds), BinaryPrimitives.ReadInt64BigEndian(bytes));
    }
}

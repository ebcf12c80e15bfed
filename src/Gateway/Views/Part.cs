using System.Buffers.Binary;
using System.Text;
using Commerce.Gateway.V1;
using Google.Protobuf;

namespace Commerce.Gateway.Views;

/// <summary>The parts of a view: what one service answers to one question about an order.</summary>
internal enum PartKind
{
    Order,
    Returns,
    Payment,
    Documents,
    Shipments,
    Notifications,
}

/// <summary>
/// A copy of one part as its service answered: the fields of a serialised <see cref="LookupView"/> that it fills, so that parts are joined
/// by putting them behind each other.
/// </summary>
internal sealed class Part
{
    private const int HeaderBytes = (3 * sizeof(long)) + sizeof(int);

    private static readonly long LatestTime = DateTimeOffset.MaxValue.ToUnixTimeMilliseconds();

    private readonly ReadOnlyMemory<byte> _index;
    private string? _indexText;
    // One for each class; read by the hundred thousand a second, so not an array.
    private (ReadOnlyMemory<byte> Bytes, bool Is) _staff;
    private (ReadOnlyMemory<byte> Bytes, bool Is) _shopper;
    private (ReadOnlyMemory<byte> Bytes, bool Is) _public;

    private Part(PartKind kind, long version, ReadOnlyMemory<byte> index, DateTimeOffset readTime, long epoch) =>
        (Kind, Version, _index, ReadTime, Epoch) = (kind, version, index, readTime, epoch);

    public static PartKind[] Kinds { get; } = Enum.GetValues<PartKind>();

    public PartKind Kind { get; }

    /// <summary>
    /// The sum of the versions of what is in it; 0: its service has nothing yet. Aggregates are only ever added to a part and their versions
    /// only ever grow, so the sum grows with each change: it counts the changes that made the part.
    /// </summary>
    public long Version { get; }

    /// <summary>"key=version,…": which facts it has, for marks: each says that a version of a key exists. Only in a copy just asked for.</summary>
    public string Has { get; private init; } = "";

    /// <summary>What is asked of the part and must not need parsing it: see <see cref="PartIndex"/>.</summary>
    public string Index => _indexText ??= Encoding.UTF8.GetString(_index.Span);

    /// <summary>When the service answered.</summary>
    public DateTimeOffset ReadTime { get; }

    /// <summary>Redis's epoch when the service was asked; see <see cref="RedisLink"/>.</summary>
    public long Epoch { get; }

    /// <summary>The service has nothing of this part yet.</summary>
    public bool IsAbsent => Version == 0;

    /// <summary>As it is called in <c>StalePart.part</c>.</summary>
    public static string NameOf(PartKind kind) => kind switch
    {
        PartKind.Order => "order",
        PartKind.Returns => "returns",
        PartKind.Payment => "payment",
        PartKind.Documents => "documents",
        PartKind.Shipments => "shipments",
        _ => "notifications",
    };

    /// <summary>A copy just asked for.</summary>
    public static Part Of(PartKind kind, LookupView fields, long version, string has, string index, DateTimeOffset readTime, long epoch)
    {
        var part = new Part(kind, version, Encoding.UTF8.GetBytes(index), readTime, epoch) { Has = has };
        part.Put(Visibility.Staff, fields.ToByteArray());
        return part;
    }

    public static Part Absent(PartKind kind, DateTimeOffset readTime, long epoch) => Of(kind, new LookupView(), 0, "", "", readTime, epoch);

    /// <summary>What of it is visible to a class of callers.</summary>
    public ReadOnlyMemory<byte> Copy(Visibility visibility) => CopyOf(visibility) is { Is: true } copy
        ? copy.Bytes
        : Put(visibility, Visibilities.Reduce(LookupView.Parser.ParseFrom(Copy(Visibility.Staff).Span), visibility).ToByteArray());

    public ReadOnlyMemory<byte> Put(Visibility visibility, ReadOnlyMemory<byte> copy)
    {
        CopyOf(visibility) = (copy, true);
        return copy;
    }

    /// <summary>As kept in Redis: epoch, read time in milliseconds, version (each 8 bytes, big-endian), the index with its length before it (4 bytes).</summary>
    public byte[] HeadToBytes() => ToBytes(default);

    /// <summary>The same with a copy behind it.</summary>
    public byte[] ToBytes(ReadOnlyMemory<byte> copy)
    {
        var bytes = new byte[HeaderBytes + _index.Length + copy.Length];
        BinaryPrimitives.WriteInt64BigEndian(bytes, Epoch);
        BinaryPrimitives.WriteInt64BigEndian(bytes.AsSpan(8), ReadTime.ToUnixTimeMilliseconds());
        BinaryPrimitives.WriteInt64BigEndian(bytes.AsSpan(16), Version);
        BinaryPrimitives.WriteInt32BigEndian(bytes.AsSpan(24), _index.Length);
        _index.CopyTo(bytes.AsMemory(HeaderBytes));
        copy.CopyTo(bytes.AsMemory(HeaderBytes + _index.Length));
        return bytes;
    }

    /// <summary>Reads what was kept, with the copy if it is one's of a class; null if it is none. What only writers need (<see cref="Has"/>) is not in it.</summary>
    public static Part? FromBytes(PartKind kind, byte[]? bytes, Visibility? visibility)
    {
        if (bytes is null || bytes.Length < HeaderBytes)
            return null;
        var milliseconds = BinaryPrimitives.ReadInt64BigEndian(bytes.AsSpan(8));
        var index = BinaryPrimitives.ReadInt32BigEndian(bytes.AsSpan(24));
        if (milliseconds < 0 || milliseconds > LatestTime || index < 0 || index > bytes.Length - HeaderBytes)
            return null;
        var part = new Part(
            kind,
            BinaryPrimitives.ReadInt64BigEndian(bytes.AsSpan(16)),
            bytes.AsMemory(HeaderBytes, index),
            DateTimeOffset.FromUnixTimeMilliseconds(milliseconds),
            BinaryPrimitives.ReadInt64BigEndian(bytes));
        if (visibility is { } of)
            part.Put(of, bytes.AsMemory(HeaderBytes + index));
        return part;
    }

    private ref (ReadOnlyMemory<byte> Bytes, bool Is) CopyOf(Visibility visibility)
    {
        switch (visibility)
        {
            case Visibility.Staff:
                return ref _staff;
            case Visibility.Shopper:
                return ref _shopper;
            default:
                return ref _public;
        }
    }
}

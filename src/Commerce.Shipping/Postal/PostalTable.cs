using System.Buffers.Binary;
using System.Runtime.InteropServices;
using System.Text;

namespace Commerce.Shipping.Postal;

/// <summary>Degrees, WGS 84.</summary>
public readonly record struct Position(double Latitude, double Longitude)
{
    private const double EarthRadiusKm = 6371.0088;

    /// <summary>As the crow flies, in kilometres.</summary>
    public double KilometresTo(Position other)
    {
        var (a, b) = (double.DegreesToRadians(Latitude), double.DegreesToRadians(other.Latitude));
        var h = Math.Pow(Math.Sin((b - a) / 2), 2) + (Math.Cos(a) * Math.Cos(b) * Math.Pow(Math.Sin(double.DegreesToRadians(other.Longitude - Longitude) / 2), 2));
        return 2 * EarthRadiusKm * Math.Asin(Math.Min(1, Math.Sqrt(h)));
    }
}

/// <summary>What a national list says of a postal code.</summary>
/// <param name="Places">Towns or post offices, at most <see cref="PostalTable.MostPlaces"/>.</param>
/// <param name="PlaceCount">How many there are.</param>
/// <param name="Region">State or province.</param>
/// <param name="RegionCode">Its code as the list has it.</param>
/// <param name="Position">The median of its places' positions: a few of them are wrong at the source. Null if none has one.</param>
/// <param name="PostDelivers">Whether a post office of it delivers; null if the list does not say.</param>
public sealed record PostalEntry(
    ulong Key, IReadOnlyList<string> Places, int PlaceCount, string Region, string RegionCode, string District, Position? Position, bool? PostDelivers);

/// <summary>
/// The postal codes of a country in sorted, packed arrays: about 40 bytes a code, its places' names included. It is written and
/// read as it lies in memory, so that a process has it as fast as it comes over the network.
/// </summary>
public sealed class PostalTable
{
    public const int MostPlaces = 20;

    private const uint Magic = 0x504F_5354;
    private const int FormatVersion = 1;
    private const int NoPosition = int.MinValue;
    private const double UnitsPerDegree = 100_000;
    private const byte DeliveryKnown = 1;
    private const byte Delivers = 2;

    private readonly ulong[] _keys;
    private readonly int[] _latitudes;
    private readonly int[] _longitudes;
    private readonly int[] _areas;
    private readonly byte[] _flags;
    private readonly int[] _firstPlace;
    private readonly int[] _places;
    private readonly int[] _areaNames;
    private readonly byte[] _names;

    private PostalTable(string country, ulong[] keys, int[] latitudes, int[] longitudes, int[] areas, byte[] flags, int[] firstPlace, int[] places, int[] areaNames, byte[] names)
    {
        Country = country;
        (_keys, _latitudes, _longitudes, _areas, _flags, _firstPlace, _places, _areaNames, _names) = (keys, latitudes, longitudes, areas, flags, firstPlace, places, areaNames, names);
    }

    /// <summary>ISO 3166-1 alpha-2.</summary>
    public string Country { get; }

    /// <summary>How many codes it has.</summary>
    public int Count => _keys.Length;

    /// <summary>Of its arrays, in bytes.</summary>
    public long Size => (_keys.Length * 8L) + ((_latitudes.Length + _longitudes.Length + _areas.Length + _firstPlace.Length + _places.Length + _areaNames.Length) * 4L) + _flags.Length + _names.Length;

    internal ReadOnlySpan<ulong> Keys => _keys;

    /// <summary>The code, or null if there is none.</summary>
    public PostalEntry? Find(ulong key) => Array.BinarySearch(_keys, key) is >= 0 and var at ? EntryAt(at) : null;

    /// <summary>Whether there is such a code, without reading what is said of it.</summary>
    public bool Has(ulong key) => Array.BinarySearch(_keys, key) >= 0;

    /// <summary>The last code that is not after <paramref name="key"/> and not before <paramref name="first"/>.</summary>
    public PostalEntry? FindBefore(ulong key, ulong first)
    {
        var at = Array.BinarySearch(_keys, key);
        if (at < 0)
            at = ~at - 1;
        return at >= 0 && _keys[at] >= first ? EntryAt(at) : null;
    }

    public byte[] ToBytes()
    {
        using var stream = new MemoryStream();
        Span<byte> head = stackalloc byte[8];
        BinaryPrimitives.WriteUInt32LittleEndian(head, Magic);
        BinaryPrimitives.WriteInt32LittleEndian(head[4..], FormatVersion);
        stream.Write(head);
        Write(stream, Encoding.ASCII.GetBytes(Country));
        Write(stream, MemoryMarshal.AsBytes<ulong>(_keys));
        foreach (var array in (int[][])[_latitudes, _longitudes, _areas, _firstPlace, _places, _areaNames])
            Write(stream, MemoryMarshal.AsBytes<int>(array));
        Write(stream, _flags);
        Write(stream, _names);
        return stream.ToArray();
    }

    /// <exception cref="InvalidDataException">It was not written by <see cref="ToBytes"/>, or not whole.</exception>
    public static PostalTable FromBytes(ReadOnlySpan<byte> bytes)
    {
        if (bytes.Length < 8 || BinaryPrimitives.ReadUInt32LittleEndian(bytes) != Magic || BinaryPrimitives.ReadInt32LittleEndian(bytes[4..]) != FormatVersion)
            throw new InvalidDataException("It is no postal table of this version.");
        var at = 8;
        var country = Encoding.ASCII.GetString(Read<byte>(bytes, ref at));
        var keys = Read<ulong>(bytes, ref at);
        var arrays = new int[6][];
        for (var i = 0; i < arrays.Length; i++)
            arrays[i] = Read<int>(bytes, ref at);
        var (flags, names) = (Read<byte>(bytes, ref at), Read<byte>(bytes, ref at));
        var table = new PostalTable(country, keys, arrays[0], arrays[1], arrays[2], flags, arrays[3], arrays[4], arrays[5], names);
        return arrays.Take(3).All(array => array.Length == keys.Length) && flags.Length == keys.Length && arrays[3].Length == keys.Length + 1 && at == bytes.Length
            ? table
            : throw new InvalidDataException("It is a postal table of which parts are missing.");
    }

    private static void Write(Stream stream, ReadOnlySpan<byte> bytes)
    {
        Span<byte> length = stackalloc byte[4];
        BinaryPrimitives.WriteInt32LittleEndian(length, bytes.Length);
        stream.Write(length);
        stream.Write(bytes);
    }

    private static T[] Read<T>(ReadOnlySpan<byte> bytes, ref int at)
        where T : unmanaged
    {
        if (bytes.Length - at < 4 || BinaryPrimitives.ReadInt32LittleEndian(bytes[at..]) is var length && (length < 0 || length > bytes.Length - at - 4))
            throw new InvalidDataException("It is cut off.");
        var array = MemoryMarshal.Cast<byte, T>(bytes.Slice(at + 4, length)).ToArray();
        at += 4 + length;
        return array;
    }

    private PostalEntry EntryAt(int at)
    {
        var (first, last) = (_firstPlace[at], _firstPlace[at + 1]);
        var places = new string[Math.Min(last - first, MostPlaces)];
        for (var i = 0; i < places.Length; i++)
            places[i] = NameAt(_places[first + i]);
        var area = _areas[at] * 3;
        return new PostalEntry(
            _keys[at], places, last - first, NameAt(_areaNames[area]), NameAt(_areaNames[area + 1]), NameAt(_areaNames[area + 2]), PositionAt(at),
            (_flags[at] & DeliveryKnown) == 0 ? null : (_flags[at] & Delivers) != 0);
    }

    private Position? PositionAt(int at) => _latitudes[at] == NoPosition ? null : new Position(_latitudes[at] / UnitsPerDegree, _longitudes[at] / UnitsPerDegree);

    private string NameAt(int offset) => Encoding.UTF8.GetString(_names, offset + 1, _names[offset]);

    /// <summary>Takes the rows of a list in, in any order, and packs them.</summary>
    public sealed class Builder(string country)
    {
        private const int LongestName = 100;

        private readonly List<Row> _rows = [];
        private readonly Dictionary<string, int> _offsets = new(StringComparer.Ordinal);
        private readonly Dictionary<(int, int, int), int> _areas = [];
        private readonly List<int> _areaNames = [];
        private readonly List<byte> _names = [];

        public string Country => country;

        public int Rows => _rows.Count;

        public void Add(ulong key, string place, string region, string regionCode, string district, Position? position, bool? delivers)
        {
            var area = (Name(region), Name(regionCode), Name(district));
            if (!_areas.TryGetValue(area, out var areaAt))
            {
                _areas[area] = areaAt = _areas.Count;
                _areaNames.AddRange([area.Item1, area.Item2, area.Item3]);
            }

            var (latitude, longitude) = position is { } p ? ((int)Math.Round(p.Latitude * UnitsPerDegree), (int)Math.Round(p.Longitude * UnitsPerDegree)) : (NoPosition, NoPosition);
            _rows.Add(new Row(key, _rows.Count, Name(place), areaAt, latitude, longitude, delivers switch { null => 0, false => DeliveryKnown, true => DeliveryKnown | Delivers }));
        }

        public PostalTable Build()
        {
            var rows = CollectionsMarshal.AsSpan(_rows);
            rows.Sort((a, b) => a.Key != b.Key ? a.Key.CompareTo(b.Key) : a.Order.CompareTo(b.Order));
            var count = 0;
            for (var i = 0; i < rows.Length; i++)
                count += i == 0 || rows[i].Key != rows[i - 1].Key ? 1 : 0;
            var (keys, latitudes, longitudes, areas, flags, firstPlace) = (new ulong[count], new int[count], new int[count], new int[count], new byte[count], new int[count + 1]);
            var places = new List<int>(rows.Length);
            var seen = new HashSet<int>();
            var code = 0;
            for (int i = 0, end; i < rows.Length; i = end, code++)
            {
                for (end = i + 1; end < rows.Length && rows[end].Key == rows[i].Key;)
                    end++;
                var group = rows[i..end];
                keys[code] = group[0].Key;
                (latitudes[code], longitudes[code]) = (Median(group, row => row.Latitude), Median(group, row => row.Longitude));
                areas[code] = MostFrequent(group);
                firstPlace[code] = places.Count;
                seen.Clear();
                foreach (var row in group)
                {
                    flags[code] |= row.Flags;
                    if (seen.Add(row.Place))
                        places.Add(row.Place);
                }
            }

            firstPlace[count] = places.Count;
            return new PostalTable(country, keys, latitudes, longitudes, areas, flags, firstPlace, [.. places], [.. _areaNames], [.. _names]);
        }

        private static int Median(ReadOnlySpan<Row> group, Func<Row, int> of)
        {
            var known = new List<int>(group.Length);
            foreach (var row in group)
            {
                if (row.Latitude != NoPosition)
                    known.Add(of(row));
            }

            known.Sort();
            return known.Count == 0 ? NoPosition : known.Count % 2 == 1 ? known[known.Count / 2] : (int)(((long)known[(known.Count / 2) - 1] + known[known.Count / 2]) / 2);
        }

        private static int MostFrequent(ReadOnlySpan<Row> group)
        {
            if (group.Length == 1)
                return group[0].Area;
            var counts = new Dictionary<int, int>();
            foreach (var row in group)
                counts[row.Area] = counts.GetValueOrDefault(row.Area) + 1;
            // The lowest number was seen first, which settles a tie.
            return counts.OrderByDescending(pair => pair.Value).ThenBy(pair => pair.Key).First().Key;
        }

        private int Name(string text)
        {
            text = string.Concat(text.Where(c => !char.IsControl(c))).Trim();
            if (text.Length > LongestName)
                text = text[..LongestName];
            if (_offsets.TryGetValue(text, out var offset))
                return offset;
            offset = _names.Count;
            var bytes = Encoding.UTF8.GetBytes(text).AsSpan();
            // A name is cut between two characters.
            while (bytes.Length > byte.MaxValue)
            {
                text = text[..^1];
                bytes = Encoding.UTF8.GetBytes(text);
            }

            _names.Add((byte)bytes.Length);
            _names.AddRange(bytes);
            return _offsets[text] = offset;
        }

        private readonly record struct Row(ulong Key, int Order, int Place, int Area, int Latitude, int Longitude, byte Flags);
    }
}

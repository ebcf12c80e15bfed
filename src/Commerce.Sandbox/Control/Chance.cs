using System.Buffers.Binary;
using System.Collections.Concurrent;
using System.Security.Cryptography;
using System.Text;

namespace Commerce.Sandbox.Control;

/// <summary>
/// Chance that can be repeated: a roll depends on the seed, its purpose and what it is about, never on the order in which threads arrive.
/// </summary>
internal sealed class Chance(KnobBoard knobs)
{
    private readonly ConcurrentDictionary<string, StrongCount> _turns = new();

    /// <summary>A number from 0 (included) to 1 (excluded).</summary>
    public double Roll(string purpose, string about)
    {
        Span<byte> hash = stackalloc byte[32];
        SHA256.HashData(Encoding.UTF8.GetBytes($"{knobs.Current.Seed}|{purpose}|{about}"), hash);
        return (BinaryPrimitives.ReadUInt64LittleEndian(hash) >> 11) * (1.0 / (1UL << 53));
    }

    public bool Hits(double rate, string purpose, string about) => rate > 0 && Roll(purpose, about) < rate;

    /// <summary>For faults that must not stick to one caller: the nth call of a purpose rolls for itself.</summary>
    public bool HitsNext(double rate, string purpose) =>
        rate > 0 && Roll(purpose, _turns.GetOrAdd(purpose, _ => new StrongCount()).Next().ToString(System.Globalization.CultureInfo.InvariantCulture)) < rate;

    private sealed class StrongCount
    {
        private long _value;

        public long Next() => Interlocked.Increment(ref _value);
    }
}

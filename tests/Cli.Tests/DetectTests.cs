using System.Text;
using Commerce.Cli.Tracking;
using Commerce.Shipments.V1;
using Commerce.Tracking.Numbers;
using Google.Protobuf;

namespace Commerce.Cli.Tests;

/// <summary>`./commerce detect`, through a pipe.</summary>
public sealed class DetectTests
{
    [Fact]
    public void Each_line_has_one_object_in_the_order_given()
    {
        var given = new[] { "1Z5R89390357567127", "", "nothing", "9400 1112 0620 6407 6287 46", "1Z5R89390357567128" };
        var lines = Json(string.Join('\n', given) + "\n");
        Assert.Equal(given, lines.Select(line => line.Number));
        Assert.Equal(["ups", "", "", "usps", ""], lines.Select(line => line.Candidates.FirstOrDefault()?.Carrier ?? ""));
        Assert.Equal("Ground", lines[0].Candidates[0].Service);
        Assert.InRange(lines[0].Candidates[0].Confidence, 0.99, 1);
        Assert.Equal("ups", lines[4].MistypedFormat);
    }

    [Fact]
    public void Lines_end_as_on_any_system() => Assert.Equal(["a1b2", "c3d4", "e5f6"], Json("a1b2\r\nc3d4\r\ne5f6").Select(line => line.Number));

    [Fact]
    public void A_known_carrier_decides() =>
        Assert.Equal("purolator", Json("320610804900", CarrierDetector.FindCarrier("purolator")).Single().Candidates.Single().Carrier);

    [Fact]
    public void What_is_no_text_is_an_answer_all_the_same()
    {
        var lines = Json("\ud800\ufeff\0\u001b[31m\n" + new string('9', 1_000_000) + "\nJJD0002255380054291\n");
        Assert.Equal(3, lines.Count);
        Assert.Empty(lines[0].Candidates);
        Assert.Equal(200, lines[1].Number.Length);
        Assert.Equal("yodel", lines[2].Candidates[0].Carrier);
    }

    [Fact]
    public void A_table_says_what_is_ambiguous_and_what_is_mistyped()
    {
        using var output = new StringWriter();
        var numbers = new[] { "320610804900", "KYV009956937", "1Z5R89390357567128", "\u001b[31mx", "RB123456785CH" };
        DetectCommand.WriteTable(numbers.Select(number => number.AsMemory()), null, output);
        var text = output.ToString();
        Assert.Contains("320610804900  ambiguous", text, StringComparison.Ordinal);
        Assert.Contains("KYV009956937  perhaps Purolator", text, StringComparison.Ordinal);
        Assert.Contains("its check digit is wrong", text, StringComparison.Ordinal);
        Assert.Contains("Letter post, registered (RB), from CH, check digit verified", text, StringComparison.Ordinal);
        Assert.DoesNotContain('\u001b', text);
    }

    [Fact]
    public void A_million_lines_pass_through_a_fixed_amount_of_memory()
    {
        const int Lines = 1_000_000;
        using var output = new CountingStream();
        var before = GC.GetTotalMemory(forceFullCollection: true);
        var most = 0L;
        IEnumerable<ReadOnlyMemory<char>> Watched()
        {
            var n = 0;
            foreach (var line in DetectCommand.ReadLines(new Endless(Lines)))
            {
                if (++n % 100_000 == 0)
                    most = Math.Max(most, GC.GetTotalMemory(forceFullCollection: true) - before);
                yield return line;
            }
        }

        DetectCommand.WriteJson(Watched(), null, output);

        Assert.Equal(Lines, output.Lines);
        Assert.InRange(most, long.MinValue, 8 * 1024 * 1024);
    }

    [Fact]
    public void A_line_without_an_end_does_not_fill_the_memory()
    {
        // Of this thread alone: other tests run beside it.
        var before = GC.GetAllocatedBytesForCurrentThread();
        var line = DetectCommand.ReadLines(new Endless(1, length: 100_000_000)).Single();
        Assert.Equal(201, line.Length);
        Assert.InRange(GC.GetAllocatedBytesForCurrentThread() - before, 0, 4 * 1024 * 1024);
    }

    private static List<CarrierDetection> Json(string text, Commerce.Tracking.Numbers.Carrier? known = null)
    {
        using var reader = new StringReader(text);
        using var output = new MemoryStream();
        DetectCommand.WriteJson(DetectCommand.ReadLines(reader), known, output);
        return [.. Encoding.UTF8.GetString(output.ToArray()).Split('\n', StringSplitOptions.RemoveEmptyEntries).Select(JsonParser.Default.Parse<CarrierDetection>)];
    }

    /// <summary>The same number again and again, or one number of a great length.</summary>
    private sealed class Endless(int lines, int length = 0) : TextReader
    {
        private const string Line = "9400111206206407628746\n";

        private long _left = length > 0 ? length : (long)lines * Line.Length;
        private int _at;

        public override int Read(char[] buffer, int index, int count) => Read(buffer.AsSpan(index, count));

        public override int Read(Span<char> buffer)
        {
            var read = (int)Math.Min(buffer.Length, _left);
            for (var i = 0; i < read; i++)
                buffer[i] = length > 0 ? '1' : Line[_at++ % Line.Length];
            _at %= Line.Length;
            _left -= read;
            return read;
        }
    }

    private sealed class CountingStream : Stream
    {
        public int Lines { get; private set; }

        public override bool CanRead => false;

        public override bool CanSeek => false;

        public override bool CanWrite => true;

        public override long Length => throw new NotSupportedException();

        public override long Position { get => throw new NotSupportedException(); set => throw new NotSupportedException(); }

        public override void Write(ReadOnlySpan<byte> buffer) => Lines += buffer.Count((byte)'\n');

        public override void Write(byte[] buffer, int offset, int count) => Write(buffer.AsSpan(offset, count));

        public override void Flush()
        {
        }

        public override int Read(byte[] buffer, int offset, int count) => throw new NotSupportedException();

        public override long Seek(long offset, SeekOrigin origin) => throw new NotSupportedException();

        public override void SetLength(long value) => throw new NotSupportedException();
    }
}

using System.Buffers.Binary;
using System.Net.Sockets;
using System.Text;
using Google.Protobuf;

namespace Commerce.Bench.Gateway;

/// <summary>
/// As little of HTTP/2 and gRPC as a load generator needs, written on a socket: it shares the machine with what it measures, and a whole
/// client would take more of it than the server. One connection, one method; answers are counted and not read.
/// </summary>
internal sealed class RawGrpc : IDisposable
{
    private const byte Data = 0, Headers = 1, Reset = 3, Settings = 4, Ping = 6, GoAway = 7, WindowUpdate = 8;
    private const int FrameHead = 9;
    private const int Window = 1 << 30;

    private readonly Socket _socket;
    private readonly byte[] _input = new byte[1 << 18];
    private readonly byte[] _output = new byte[1 << 16];
    private readonly Dictionary<int, (long Began, bool Answered)> _open = [];
    private readonly byte[] _firstHeaders;
    private readonly byte[] _laterHeaders;
    private int _received;
    private int _written;
    private int _next = 1;
    private long _unacknowledged;

    public RawGrpc(PeerProcess process, string path)
    {
        _socket = new Socket(AddressFamily.InterNetwork, SocketType.Stream, ProtocolType.Tcp) { NoDelay = true };
        _socket.Connect(process.Grpc);
        var key = process.Key;
        // Named once, and from then on by their place in the server's table.
        var first = new List<byte> { 0x83, 0x86 };
        void Literal(byte head, params string[] texts)
        {
            first.Add(head);
            foreach (var text in texts)
            {
                first.Add((byte)text.Length);
                first.AddRange(Encoding.ASCII.GetBytes(text));
            }
        }

        Literal(0x44, path);
        Literal(0x41, "bench");
        Literal(0x5F, "application/grpc");
        Literal(0x40, "te", "trailers");
        if (key.Length > 0)
            Literal(0x57, $"Bearer {key}");
        _firstHeaders = [.. first];
        _laterHeaders = key.Length == 0 ? [0x83, 0x86, 0xC1, 0xC0, 0xBF, 0xBE] : [0x83, 0x86, 0xC2, 0xC1, 0xC0, 0xBF, 0xBE];

        Write("PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n"u8);
        // Streams' windows so large that they need no care.
        Frame(Settings, 0, 0, [0, 4, 0x7F, 0xFF, 0xFF, 0xFF, 0, 2, 0, 0, 0, 0]);
        Update(Window);
        Flush();
    }

    /// <summary>Answers that ended, since the beginning.</summary>
    public long Ended { get; private set; }

    /// <summary>Bytes of answers, since the beginning.</summary>
    public long Bytes { get; private set; }

    /// <summary>Messages of answers, counted where each comes in a frame of its own.</summary>
    public long Messages { get; private set; }

    public int Open => _open.Count;

    /// <summary>Begins a call; it goes with the next <see cref="Flush"/>.</summary>
    public void Call(ReadOnlySpan<byte> request, long began)
    {
        var id = _next;
        _next += 2;
        _open.Add(id, (began, false));
        Frame(Headers, 4, id, id == 1 ? _firstHeaders : _laterHeaders);
        Span<byte> head = stackalloc byte[FrameHead + 5];
        FrameHeadTo(head, 5 + request.Length, Data, 1, id);
        head[FrameHead] = 0;
        BinaryPrimitives.WriteInt32BigEndian(head[(FrameHead + 1)..], request.Length);
        Write(head);
        Write(request);
    }

    public void Flush()
    {
        for (var at = 0; at < _written;)
            at += _socket.Send(_output.AsSpan(at, _written - at));
        _written = 0;
    }

    /// <summary>Whether something has come, waited for at most so long.</summary>
    public bool Poll(TimeSpan wait) => _socket.Poll(wait, SelectMode.SelectRead);

    /// <summary>Waits for what comes and counts it; calls back with the begin of each call that ended, and whether it was answered with a message.</summary>
    public void Receive(Action<long, bool>? ended)
    {
        var read = _socket.Receive(_input.AsSpan(_received));
        if (read == 0)
            throw new IOException("The server closed the connection.");
        _received += read;
        var at = 0;
        while (_received - at >= FrameHead)
        {
            var head = _input.AsSpan(at);
            var length = head[0] << 16 | head[1] << 8 | head[2];
            if (_received - at < FrameHead + length)
                break;
            Take(head[3], head[4], BinaryPrimitives.ReadInt32BigEndian(head[5..]), _input.AsSpan(at + FrameHead, length), ended);
            at += FrameHead + length;
        }

        _input.AsSpan(at, _received - at).CopyTo(_input);
        _received -= at;
        if (_unacknowledged > Window / 2)
        {
            Update((int)_unacknowledged);
            _unacknowledged = 0;
            Flush();
        }
    }

    public void Dispose() => _socket.Dispose();

    private void Take(byte type, byte flags, int stream, ReadOnlySpan<byte> payload, Action<long, bool>? ended)
    {
        switch (type)
        {
            case Data:
                _unacknowledged += payload.Length;
                Bytes += payload.Length;
                if (payload.Length > 0)
                {
                    Messages++;
                    if (_open.TryGetValue(stream, out var call) && !call.Answered)
                        _open[stream] = (call.Began, true);
                }

                break;
            case Headers when (flags & 1) != 0:
                Ended++;
                if (_open.Remove(stream, out var over))
                    ended?.Invoke(over.Began, over.Answered);
                break;
            case Settings when (flags & 1) == 0:
                Frame(Settings, 1, 0, []);
                Flush();
                break;
            case Ping when (flags & 1) == 0:
                Frame(Ping, 1, 0, payload);
                Flush();
                break;
            case Reset:
                // Before all of a call was read that is refused; its answer came before.
                if (_open.Remove(stream, out var cut))
                {
                    Ended++;
                    ended?.Invoke(cut.Began, false);
                }

                break;
            case GoAway:
                throw new IOException($"The server ended it: frame {type}, stream {stream}.");
        }
    }

    private void Update(int by)
    {
        Span<byte> bytes = stackalloc byte[4];
        BinaryPrimitives.WriteInt32BigEndian(bytes, by);
        Frame(WindowUpdate, 0, 0, bytes);
    }

    private void Frame(byte type, byte flags, int stream, ReadOnlySpan<byte> payload)
    {
        Span<byte> head = stackalloc byte[FrameHead];
        FrameHeadTo(head, payload.Length, type, flags, stream);
        Write(head);
        Write(payload);
    }

    private static void FrameHeadTo(Span<byte> head, int length, byte type, byte flags, int stream)
    {
        (head[0], head[1], head[2], head[3], head[4]) = ((byte)(length >> 16), (byte)(length >> 8), (byte)length, type, flags);
        BinaryPrimitives.WriteInt32BigEndian(head[5..], stream);
    }

    private void Write(ReadOnlySpan<byte> bytes)
    {
        if (_written + bytes.Length > _output.Length)
            Flush();
        bytes.CopyTo(_output.AsSpan(_written));
        _written += bytes.Length;
    }
}

/// <summary>Calls of one method, as fast as the server answers or at a given pace.</summary>
internal static class RawLoad
{
    private const int Connections = 2;
    private const int CallsAtOnce = 32;

    /// <summary>Answers a second, each answer as long as <paramref name="expected"/>: what differs was an error.</summary>
    public static double Closed(PeerProcess process, string path, IReadOnlyList<IMessage> requests, int expected, TimeSpan time)
    {
        var bodies = requests.Select(request => request.ToByteArray()).ToArray();
        var start = TimeProvider.System.GetTimestamp();
        long calls = 0;
        Run(Connections, n =>
        {
            using var connection = new RawGrpc(process, path);
            var i = n * (bodies.Length / Connections);
            var over = false;
            void Next()
            {
                connection.Call(bodies[i++ % bodies.Length], 0);
            }

            for (var slot = 0; slot < CallsAtOnce; slot++)
                Next();
            connection.Flush();
            while (connection.Open > 0)
            {
                connection.Receive((_, _) =>
                {
                    if (!over)
                        Next();
                });
                connection.Flush();
                over = TimeProvider.System.GetElapsedTime(start) >= time;
            }

            Check(connection, expected);
            Interlocked.Add(ref calls, connection.Ended);
        });
        return calls / TimeProvider.System.GetElapsedTime(start).TotalSeconds;
    }

    /// <summary>The latencies in milliseconds, from when each call was due, at a pace that does not wait for answers.</summary>
    public static List<double> Open(PeerProcess process, string path, IReadOnlyList<IMessage> requests, int expected, double pace, TimeSpan time)
    {
        var bodies = requests.Select(request => request.ToByteArray()).ToArray();
        var all = new List<double>();
        Run(Connections, n =>
        {
            using var connection = new RawGrpc(process, path);
            using var tickEnd = new ManualResetEvent(false);
            var mine = new List<double>();
            var start = TimeProvider.System.GetTimestamp();
            var due = 0L;
            var each = pace / Connections;
            while (true)
            {
                var elapsed = TimeProvider.System.GetElapsedTime(start);
                // What is due within a millisecond goes together, and what came in it is looked at together: smaller bites would cost
                // the machine more than the server does. So no time is shorter than that, whoever answers.
                var tick = Math.Floor(elapsed.TotalMilliseconds);
                var wanted = elapsed < time ? (long)(tick / 1000 * each) : 0;
                // No more than a server takes on one connection; what waits for that counts from when it was due.
                for (; due < wanted && connection.Open < 95; due++)
                    connection.Call(bodies[(n + due) % bodies.Length], start + (long)(due / each * TimeProvider.System.TimestampFrequency));
                connection.Flush();
                if (elapsed >= time && connection.Open == 0)
                    break;
                tickEnd.WaitOne(1);
                while (connection.Poll(TimeSpan.Zero))
                {
                    connection.Receive((began, _) =>
                    {
                        // The first moments are those of new connections.
                        if (began - start > time.TotalSeconds / 4 * TimeProvider.System.TimestampFrequency)
                            mine.Add(TimeProvider.System.GetElapsedTime(began).TotalMilliseconds);
                    });
                }
            }

            Check(connection, expected);
            lock (all)
                all.AddRange(mine);
        });
        all.Sort();
        return all;
    }

    private static void Run(int threads, Action<int> work)
    {
        Exception? failure = null;
        var all = Enumerable.Range(0, threads).Select(n => new Thread(() =>
        {
            try
            {
                work(n);
            }
            catch (Exception exception)
            {
                failure = exception;
            }
        })).ToList();
        all.ForEach(thread => thread.Start());
        all.ForEach(thread => thread.Join());
        if (failure is not null)
            throw new InvalidOperationException("The load could not be made.", failure);
    }

    private static void Check(RawGrpc connection, int expected)
    {
        if (connection.Bytes != connection.Ended * (expected + 5L))
            throw new InvalidOperationException($"{connection.Ended} answers of {expected + 5} bytes were expected to be {connection.Ended * (expected + 5L)} bytes, and {connection.Bytes} came: some were errors.");
    }
}

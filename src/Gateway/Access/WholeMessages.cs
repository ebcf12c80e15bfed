using System.Buffers.Binary;
using Commerce.ServiceDefaults;

namespace Commerce.Gateway.Access;

/// <summary>
/// Passes on what a service answers, and ends between two messages: gRPC's by their lengths, server-sent events by their empty lines.
/// Half of one would be read as a fault, and hide what is told after it.
/// </summary>
/// <param name="inner">Where it goes.</param>
/// <param name="http">The request.</param>
/// <param name="cut">Ends it; called once.</param>
internal sealed class WholeMessages(Stream inner, HttpContext http, Action cut) : WriteOnlyStream
{
    private const int HeaderBytes = 5;
    private const int LengthAt = 1;

    private readonly Lock _gate = new();
    private readonly byte[] _header = new byte[HeaderBytes];
    // Of gRPC: how much of the header there is, and how much of the message behind it is missing. Of events: how many line feeds are at the end.
    private int _headerBytes;
    private long _missing;
    private int _lineFeeds = 2;
    private Framing? _framing;
    private bool _ends;
    private bool _writes;

    /// <summary>Ends it now, or when the message that is on its way is whole.</summary>
    public void End()
    {
        lock (_gate)
        {
            _ends = true;
            if (_writes || !IsBetween)
                return;
        }

        cut();
    }

    public override async ValueTask WriteAsync(ReadOnlyMemory<byte> buffer, CancellationToken cancellationToken = default)
    {
        var rest = buffer;
        while (rest.Length > 0)
        {
            int take;
            lock (_gate)
            {
                if (_ends && IsBetween)
                    break;
                _writes = true;
                take = Advance(rest.Span, toBoundary: _ends);
            }

            await inner.WriteAsync(rest[..take], cancellationToken);
            rest = rest[take..];
        }

        bool over;
        lock (_gate)
        {
            _writes = false;
            over = _ends && IsBetween;
        }

        if (!over)
            return;
        await inner.FlushAsync(CancellationToken.None);
        cut();
        cancellationToken.ThrowIfCancellationRequested();
        throw new OperationCanceledException("The stream is over.");
    }

    public override void Write(byte[] buffer, int offset, int count) => throw new NotSupportedException();

    public override Task FlushAsync(CancellationToken cancellationToken) => inner.FlushAsync(cancellationToken);

    public override void Flush() => throw new NotSupportedException();

    private bool IsBetween => _framing switch
    {
        Framing.Grpc => _headerBytes == 0 && _missing == 0,
        Framing.Events => _lineFeeds >= 2,
        _ => true,
    };

    /// <summary>How much is taken: all of it, or as much as the message that is on its way wants; at least one byte.</summary>
    private int Advance(ReadOnlySpan<byte> bytes, bool toBoundary)
    {
        _framing ??= FailureAnswer.IsGrpc(http) ? Framing.Grpc
            : ServerSentEvents.Are(http.Response) ? Framing.Events
            : Framing.None;
        var at = 0;
        while (at < bytes.Length && !(toBoundary && at > 0 && IsBetween))
        {
            switch (_framing)
            {
                case Framing.Grpc when _missing > 0:
                    var some = (int)Math.Min(_missing, bytes.Length - at);
                    (_missing, at) = (_missing - some, at + some);
                    break;
                case Framing.Grpc:
                    _header[_headerBytes++] = bytes[at++];
                    if (_headerBytes == HeaderBytes)
                        (_headerBytes, _missing) = (0, BinaryPrimitives.ReadUInt32BigEndian(_header.AsSpan(LengthAt)));
                    break;
                case Framing.Events:
                    _lineFeeds = bytes[at++] == (byte)'\n' ? _lineFeeds + 1 : 0;
                    break;
                default:
                    return bytes.Length;
            }
        }

        return at;
    }

    private enum Framing
    {
        None,
        Grpc,
        Events,
    }
}

using System.Text;

namespace Commerce.Payments.Settling;

/// <summary>
/// Reads CSV (RFC 4180) as it arrives, in chunks cut anywhere: a header that names the columns in any order, and a record a line.
/// A record that is too long or not UTF-8 is broken by itself and costs no other.
/// </summary>
internal sealed class SettlementCsv
{
    private const int LongestRecord = 16 * 1024;

    private readonly Decoder _decoder = new UTF8Encoding(encoderShouldEmitUTF8Identifier: false, throwOnInvalidBytes: false).GetDecoder();
    private readonly StringBuilder _field = new();
    private readonly List<string> _record = [];
    private long _line = 1;
    private long _began = 1;
    private int _length;
    private bool _quoted;
    private bool _afterQuote;
    private bool _first = true;

    /// <summary>The records that a chunk completes, each with the number of the line that it begins on. The last one of a file needs no line break.</summary>
    public IEnumerable<(long Line, IReadOnlyList<string>? Fields)> Read(ReadOnlyMemory<byte> chunk, bool last)
    {
        var characters = new char[_decoder.GetCharCount(chunk.Span, last)];
        var count = _decoder.GetChars(chunk.Span, characters, last);
        for (var i = 0; i < count; i++)
        {
            if (Take(characters[i]) && End() is { } record)
                yield return record;
        }

        if (last && (_record.Count > 0 || _field.Length > 0 || _quoted) && End() is { } rest)
            yield return rest;
    }

    // True at the end of a record.
    private bool Take(char c)
    {
        if (_first && c == '\uFEFF')
            return _first = false;
        _first = false;
        if (c == '\n')
            _line++;
        // What is too long is read on to its end, and not kept.
        var keep = ++_length <= LongestRecord;
        if (_quoted)
        {
            if (c == '"')
                (_quoted, _afterQuote) = (false, true);
            else if (keep)
                _field.Append(c);
            // A quote that is never closed would swallow the rest of the file.
            else
                _quoted = false;
            return false;
        }

        switch (c)
        {
            case '"' when _afterQuote:
                _quoted = true;
                if (keep)
                    _field.Append('"');
                break;
            case '"' when _field.Length == 0:
                _quoted = true;
                break;
            case ',' when keep:
                _record.Add(_field.ToString());
                _field.Clear();
                break;
            case '\n':
                _afterQuote = false;
                return true;
            case '\r':
                break;
            default:
                if (keep)
                    _field.Append(c);
                break;
        }

        _afterQuote = false;
        return false;
    }

    private (long Line, IReadOnlyList<string>? Fields)? End()
    {
        _record.Add(_field.ToString());
        _field.Clear();
        IReadOnlyList<string>? fields = _length > LongestRecord || _quoted ? null : [.. _record];
        var began = _began;
        var empty = _record is [""];
        _record.Clear();
        (_began, _length, _quoted, _afterQuote) = (_line, 0, false, false);
        return empty && fields is not null ? null : (began, fields);
    }
}

using System.Buffers;
using System.Text;

namespace Commerce.Orders.ExportingOrders;

/// <summary>
/// Writes CSV as RFC 4180 has it: UTF-8, CRLF, fields in quotes where they need them. A text that a spreadsheet would take for a
/// formula gets an apostrophe in front of it, because whoever types a name into a shop must not run anything on the machine of
/// whoever opens the export. Numbers are ours and stay numbers.
/// </summary>
internal sealed class CsvRow(IBufferWriter<byte> output)
{
    private static readonly SearchValues<char> Quoted = SearchValues.Create("\",\r\n");

    private bool _first = true;

    /// <summary>A text from outside.</summary>
    public CsvRow Text(string text) => Field(IsFormula(text) ? "'" + text : text);

    /// <summary>A number, a time, a code or a name of ours.</summary>
    public CsvRow Plain(string text) => Field(text);

    public void End()
    {
        output.Write("\r\n"u8);
        _first = true;
    }

    // Spreadsheets look past what they trim: "\t=1+1" is a formula to some, and so is one in full width.
    private static bool IsFormula(string text) =>
        text.Length > 0 && (text[0] is '\t' or '\r' or '\n' || text.AsSpan().TrimStart() is [('=' or '+' or '-' or '@' or '＝' or '＋' or '－' or '＠'), ..]);

    private CsvRow Field(string text)
    {
        if (!_first)
            output.Write(","u8);
        _first = false;
        if (text.AsSpan().ContainsAny(Quoted) || text.StartsWith(' ') || text.EndsWith(' '))
            text = '"' + text.Replace("\"", "\"\"", StringComparison.Ordinal) + '"';
        Encoding.UTF8.GetBytes(text, output);
        return this;
    }
}

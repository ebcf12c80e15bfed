using System.Globalization;
using System.Text;
using System.Text.Json;
using System.Xml;
using CsvHelper;
using CsvHelper.Configuration;

namespace Commerce.Tracking.Payloads;

/// <summary>The payload cannot be read at all; the message says what is wrong and where.</summary>
public sealed class PayloadException(string message) : Exception(message);

/// <summary>
/// Reads JSON, XML and CSV into a <see cref="Node"/>, within bounds: what is too deep or has too many parts is refused before it
/// costs memory. XML has no DTD and no entities but its own five.
/// </summary>
internal sealed class NodeReader
{
    /// <summary>Deeper than any carrier's answer.</summary>
    public const int Deepest = 48;

    /// <summary>Enough for ten thousand scans of the most talkative carrier.</summary>
    public const int MostNodes = 1_000_000;

    private static readonly UTF8Encoding Utf8 = new(encoderShouldEmitUTF8Identifier: false, throwOnInvalidBytes: false);

    private readonly Dictionary<string, string> _keys = [];
    private int _nodes;

    /// <exception cref="PayloadException">It is none of the three, or beyond the bounds.</exception>
    public static Node Read(ReadOnlySpan<byte> payload)
    {
        var start = payload.StartsWith("\uFEFF"u8) ? payload[3..] : payload;
        var first = start.TrimStart(" \t\r\n"u8);
        if (first.IsEmpty)
            throw new PayloadException("The payload is empty.");
        return first[0] switch
        {
            (byte)'{' or (byte)'[' => new NodeReader().ReadJson(start),
            (byte)'<' => new NodeReader().ReadXml(start),
            // UTF-16 begins with a mark; only XML says its own encoding.
            0xFE or 0xFF => new NodeReader().ReadXml(payload),
            _ => throw new PayloadException("The payload is neither a JSON object or array nor XML."),
        };
    }

    /// <summary>A list of rows, each with the members that the first line names.</summary>
    /// <exception cref="PayloadException">It has no header line, or too many cells.</exception>
    public static Node ReadCsv(ReadOnlySpan<byte> payload)
    {
        var reader = new NodeReader();
        var rows = Node.NewList();
        using var text = new StringReader(Utf8.GetString(payload.StartsWith("\uFEFF"u8) ? payload[3..] : payload));
        // A field that is wider than any that is kept is a quote that was never closed.
        using var csv = new CsvReader(text, new CsvConfiguration(CultureInfo.InvariantCulture)
        {
            DetectDelimiter = true,
            DetectDelimiterValues = [",", ";", "\t", "|"],
            BadDataFound = null,
            MissingFieldFound = null,
            MaxFieldSize = 64 * 1024,
        });
        try
        {
            if (!csv.Read() || !csv.ReadHeader())
                throw new PayloadException("The file has no header line.");
            var header = csv.HeaderRecord!.Select(name => reader.KeyOf(name)).ToList();
            while (csv.Read())
            {
                var row = reader.Count(Node.NewObject());
                for (var column = 0; column < Math.Min(header.Count, csv.Parser.Count); column++)
                    row.Add(header[column], reader.Count(Node.Of(csv.Parser[column])));
                rows.Add(row);
            }
        }
        catch (CsvHelperException exception)
        {
            throw new PayloadException($"The file is not CSV (line {exception.Context?.Parser?.Row ?? 0}).");
        }

        return rows;
    }

    private Node ReadJson(ReadOnlySpan<byte> payload)
    {
        var reader = new Utf8JsonReader(payload, new JsonReaderOptions { MaxDepth = Deepest, CommentHandling = JsonCommentHandling.Skip, AllowTrailingCommas = true });
        try
        {
            reader.Read();
            var node = Value(ref reader);
            if (reader.Read())
                throw new PayloadException("Something follows the JSON.");
            return node;
        }
        catch (JsonException exception)
        {
            throw new PayloadException($"The payload is not JSON, or deeper than {Deepest} levels (line {exception.LineNumber}, byte {exception.BytePositionInLine}).");
        }
    }

    private Node Value(ref Utf8JsonReader reader)
    {
        switch (reader.TokenType)
        {
            case JsonTokenType.StartObject:
                var node = Count(Node.NewObject());
                while (reader.Read() && reader.TokenType != JsonTokenType.EndObject)
                {
                    var key = KeyOf(TextOf(ref reader));
                    reader.Read();
                    node.Add(key, Value(ref reader));
                }

                return node;
            case JsonTokenType.StartArray:
                var list = Count(Node.NewList());
                while (reader.Read() && reader.TokenType != JsonTokenType.EndArray)
                    list.Add(Value(ref reader));
                return list;
            case JsonTokenType.Null:
                return Count(Node.Of(""));
            default:
                return Count(Node.Of(TextOf(ref reader)));
        }
    }

    private static string TextOf(ref Utf8JsonReader reader)
    {
        try
        {
            return reader.TokenType switch
            {
                JsonTokenType.String or JsonTokenType.PropertyName => reader.GetString() ?? "",
                JsonTokenType.True => "true",
                JsonTokenType.False => "false",
                _ => Utf8.GetString(reader.ValueSpan),
            };
        }
        // JSON may escape half a character ("\ud800"); it is found only when the text is asked for.
        catch (InvalidOperationException)
        {
            return "";
        }
    }

    private Node ReadXml(ReadOnlySpan<byte> payload)
    {
        using var stream = new MemoryStream(payload.ToArray(), writable: false);
        try
        {
            using var reader = XmlReader.Create(stream, new XmlReaderSettings
            {
                DtdProcessing = DtdProcessing.Prohibit,
                XmlResolver = null,
                IgnoreComments = true,
                IgnoreProcessingInstructions = true,
                MaxCharactersInDocument = 16 * 1024 * 1024,
            });
            reader.MoveToContent();
            // The root's name is kept: an answer is told by it from another.
            var root = Count(Node.NewObject());
            root.Add(KeyOf(reader.LocalName), Element(reader));
            return root;
        }
        catch (XmlException exception)
        {
            throw new PayloadException($"The payload is not XML that is accepted (line {exception.LineNumber}, column {exception.LinePosition}): it must be well-formed and without a DTD.");
        }
    }

    private Node Element(XmlReader reader)
    {
        if (reader.Depth > Deepest)
            throw new PayloadException($"The XML is deeper than {Deepest} levels.");
        var node = Count(Node.NewObject());
        if (reader.HasAttributes)
        {
            while (reader.MoveToNextAttribute())
            {
                if (reader.Prefix != "xmlns" && reader.Name != "xmlns")
                    node.Add(KeyOf(reader.LocalName), Count(Node.Of(reader.Value)));
            }

            reader.MoveToElement();
        }

        if (reader.IsEmptyElement)
            return node.Members.Count > 0 ? node : Node.Of("");
        var text = new StringBuilder();
        var depth = reader.Depth;
        while (reader.Read() && reader.Depth > depth)
        {
            if (reader.NodeType == XmlNodeType.Element)
                node.Add(KeyOf(reader.LocalName), Element(reader));
            else if (reader.NodeType is XmlNodeType.Text or XmlNodeType.CDATA)
                text.Append(reader.Value);
        }

        if (node.Members.Count == 0)
            return Node.Of(text.ToString());
        if (text.Length > 0)
            node.Add("text", Count(Node.Of(text.ToString())));
        return node;
    }

    private string KeyOf(string name)
    {
        if (_keys.TryGetValue(name, out var key))
            return key;
        return _keys[name] = Node.Key(name);
    }

    private Node Count(Node node) =>
        ++_nodes <= MostNodes ? node : throw new PayloadException($"The payload has more than {MostNodes} parts; send it in several.");
}

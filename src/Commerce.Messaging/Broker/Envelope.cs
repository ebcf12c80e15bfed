using System.Text.Json;

namespace Commerce.Messaging.Broker;

/// <summary>
/// A fact as it travels: MassTransit's JSON envelope, written by hand around the body that the outbox (or a table of facts
/// set aside) holds already, so that it need not be read and written again.
/// </summary>
internal static class Envelope
{
    public const string ContentType = "application/vnd.masstransit+json";

    /// <summary>The header in which MassTransit carries the W3C trace context.</summary>
    public const string TraceHeader = "MT-Activity-Id";

    public static byte[] Write(Guid messageId, string urn, string body, string? traceparent, DateTimeOffset sentAt)
    {
        var buffer = new System.Buffers.ArrayBufferWriter<byte>(body.Length + 512);
        using var writer = new Utf8JsonWriter(buffer, new JsonWriterOptions { SkipValidation = true });
        writer.WriteStartObject();
        writer.WriteString("messageId", messageId);
        writer.WriteStartArray("messageType");
        writer.WriteStringValue(urn);
        writer.WriteEndArray();
        writer.WritePropertyName("message");
        writer.WriteRawValue(body, skipInputValidation: true);
        writer.WriteString("sentTime", sentAt.UtcDateTime);
        writer.WriteStartObject("headers");
        if (traceparent is not null)
            writer.WriteString(TraceHeader, traceparent);
        writer.WriteEndObject();
        writer.WriteEndObject();
        writer.Flush();
        return buffer.WrittenSpan.ToArray();
    }
}

using System.Net.Mime;
using Commerce.Messaging.Broker;
using MassTransit;

namespace Commerce.Messaging.Relaying;

/// <summary>Puts the body on the wire as the outbox stored it, in MassTransit's envelope: it was serialised once, when it was told.</summary>
internal sealed class StoredBody(FactType type, OutboxRow row, TimeProvider time) : IMessageSerializer
{
    private static readonly ContentType EnvelopeType = new(Envelope.ContentType);

    public ContentType ContentType => EnvelopeType;

    public MessageBody GetMessageBody<T>(SendContext<T> context)
        where T : class =>
        new Bytes(Envelope.Write(
            row.MessageId, type, row.Body, context.Headers.Get<string>(Envelope.TraceHeader) ?? row.TraceParent, context.SentTime ?? time.GetUtcNow()));

    private sealed class Bytes(byte[] content) : MessageBody
    {
        public long? Length => content.Length;

        public Stream GetStream() => new MemoryStream(content, writable: false);

        public byte[] GetBytes() => content;

        public string GetString() => System.Text.Encoding.UTF8.GetString(content);
    }
}

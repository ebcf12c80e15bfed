using System.Buffers.Binary;
using System.Security.Cryptography;
using System.Text;
using Kind = Commerce.Notifications.V1.Notification.Types.Kind;
using State = Commerce.Notifications.V1.Notification.Types.State;

namespace Commerce.Notifications;

/// <summary>One message about one event, by one channel.</summary>
internal sealed record Notification(
    Guid Id,
    long Sequence,
    string StoreId,
    string OrderId,
    string ShipmentId,
    Kind Kind,
    string Channel,
    string Carrier,
    string TrackingNumber,
    State State,
    int Attempts,
    DateTimeOffset CreatedAt,
    DateTimeOffset? SentAt)
{
    public const string Email = "email";

    /// <summary>Which of several events of its kind; empty where an order or a parcel has only one.</summary>
    public string Event { get; init; } = "";

    /// <summary>The order's return; 0: none.</summary>
    public int ReturnNumber { get; init; }

    /// <summary>What was given back; only where money was.</summary>
    public Money? Amount { get; init; }

    /// <summary>Why, as the fact says it; empty where it says nothing.</summary>
    public string Reason { get; init; } = "";

    /// <param name="what">Which of several events of the kind; empty where there is only one.</param>
    public static Notification About(
        string storeId, string orderId, Kind kind, DateTimeOffset now, string shipmentId = "", string carrier = "", string trackingNumber = "", string what = "") => new(
        IdOf(orderId, shipmentId, kind, Email, what), 0, storeId, orderId, shipmentId, kind, Email, carrier, trackingNumber, State.Pending, 0, now, null)
        {
            Event = what,
        };

    /// <summary>
    /// The event names the message, so its id, and with it the Message-ID of its mail, is the same however often it is made:
    /// where a channel cannot tell whether it took a message, the recipient's mailbox can.
    /// </summary>
    private static Guid IdOf(string orderId, string shipmentId, Kind kind, string channel, string what)
    {
        var text = Encoding.UTF8.GetBytes(what.Length == 0 ? $"{orderId}\n{shipmentId}\n{channel}" : $"{orderId}\n{shipmentId}\n{channel}\n{what}");
        Span<byte> content = stackalloc byte[text.Length + sizeof(int)];
        text.CopyTo(content);
        BinaryPrimitives.WriteInt32BigEndian(content[text.Length..], (int)kind);
        return new Guid(SHA256.HashData(content).AsSpan(0, 16), bigEndian: true);
    }
}

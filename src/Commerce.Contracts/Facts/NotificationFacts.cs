namespace Commerce.Facts;

/// <summary>What became of a message is certain: it was sent, given up, or there was nobody to send it to. Told once of each.</summary>
/// <param name="NotificationId">The message.</param>
/// <param name="OrderId">The order that it is about.</param>
/// <param name="StoreId">The store.</param>
/// <param name="Version">Always 1: it changes no more.</param>
/// <param name="OccurredAt">When.</param>
/// <param name="State">How it ended, for example "SENT".</param>
public sealed record NotificationSettled(string NotificationId, string OrderId, string StoreId, long Version, DateTimeOffset OccurredAt, string State) : IFact
{
    public string Key => NotificationId;
}

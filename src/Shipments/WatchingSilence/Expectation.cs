namespace Commerce.Shipments.WatchingSilence;

/// <summary>When something should be heard of a parcel, and what it means if nothing is.</summary>
internal static class Expectation
{
    private static readonly TimeSpan DayOfDelivery = TimeSpan.FromHours(18);

    // Silent so many times as long as is borne, and it is not merely slow.
    private const int TimesUntilLost = 4;

    /// <summary>
    /// How long to wait before the carrier is asked again. One that sends webhooks: as long as its silence is borne. One that sends none: little
    /// while the parcel is out for delivery or its day has come, else by its stage, growing with its silence, so that what has gone quiet costs
    /// few questions and is still asked for.
    /// </summary>
    public static TimeSpan AskAgainAfter(Shipment shipment, ShipmentsOptions options, DateTimeOffset now)
    {
        if (!options.IsPolled(shipment))
            return options.SilenceAfter;
        var silent = now - (shipment.LastScanAt ?? shipment.CreatedAt);
        var day = (shipment.EstimatedAt ?? shipment.PromisedAt) is { } expected && TrackingStatusRules.WasHandedOver(shipment.Tracking) ? expected - DayOfDelivery : (DateTimeOffset?)null;
        var isDue = shipment.Tracking.Status == V1.TrackingStatus.OutForDelivery || day < now;
        if (isDue && silent < options.SilenceAfter)
            return options.PollWhenDue;
        var pause = shipment.Tracking.Status == V1.TrackingStatus.PreTransit ? options.PollOnTheWay * 2 : options.PollOnTheWay;
        // An eighth of the silence: a day's silence is found out within three hours, a week's within a day.
        pause = Shorter(options.PollAtLeast, Longer(pause, silent / 8));
        // Nobody sleeps through the beginning of its day, unless by then it is silent for so long that its day says nothing any more.
        return day is { } begins && begins > now && begins - now < pause && silent + (begins - now) < options.SilenceAfter
            ? Longer(options.PollWhenDue, begins - now)
            : pause;
    }

    /// <summary>What happened, as far as silence tells, and what to do.</summary>
    public static string WhatSilenceMeans(Shipment shipment, ShipmentsOptions options, DateTimeOffset now)
    {
        var since = shipment.LastScanAt ?? shipment.CreatedAt;
        var words = $"No scan since {since:yyyy-MM-dd HH:mm} UTC.";
        if (!TrackingStatusRules.WasHandedOver(shipment.Tracking))
            return $"{words} The label was made, but the carrier never had the parcel: hand it over, or cancel it.";
        if (now - since > options.SilenceAfter * TimesUntilLost)
            return $"{words} It may be lost: claim it of the carrier, and send it again or refund it.";
        return shipment.Tracking.Status switch
        {
            V1.TrackingStatus.OutForDelivery => $"{words} It was out for delivery and did not arrive: ask the carrier, and the recipient whether it came.",
            V1.TrackingStatus.AvailableForPickup => $"{words} It waits to be picked up: remind the recipient.",
            _ => $"{words} It is stuck: ask the carrier where it is.",
        };
    }

    private static TimeSpan Shorter(TimeSpan one, TimeSpan other) => one < other ? one : other;

    private static TimeSpan Longer(TimeSpan one, TimeSpan other) => one > other ? one : other;
}

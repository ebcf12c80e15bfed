using System.Globalization;
using Commerce.Shipments.FollowingPaths;

namespace Commerce.Shipments.WatchingSilence;

/// <summary>When something should be heard of a parcel, and what it means if nothing is.</summary>
internal static class Expectation
{
    private static readonly TimeSpan DayOfDelivery = TimeSpan.FromHours(18);

    // Silent so many times as long as is usual, and it is not merely slow.
    private const int TimesUntilLost = 4;

    /// <summary>
    /// How long to wait before the carrier is asked again. One that sends webhooks: as long as its silence is borne. One that sends none: little
    /// while the parcel is out for delivery or its day has come, else by its stage, growing with its silence, so that what has gone quiet costs
    /// few questions and is still asked for.
    /// </summary>
    public static TimeSpan AskAgainAfter(Shipment shipment, ShipmentsOptions options, Patience patience, DateTimeOffset now)
    {
        if (!options.IsPolled(shipment))
            return patience.Within;
        var since = shipment.SilentSince;
        var silent = now - since;
        var day = (shipment.EstimatedAt ?? shipment.PromisedAt) is { } expected && TrackingStatusRules.WasHandedOver(shipment.Tracking) ? expected - DayOfDelivery : (DateTimeOffset?)null;
        var isDue = shipment.Tracking.Status == V1.TrackingStatus.OutForDelivery || day < now;
        if (isDue && now < patience.EndsAt(since))
            return options.PollWhenDue;
        var pause = shipment.Tracking.Status == V1.TrackingStatus.PreTransit ? options.PollOnTheWay * 2 : options.PollOnTheWay;
        // An eighth of the silence: a day's silence is found out within three hours, a week's within a day.
        pause = Shorter(options.PollAtLeast, Longer(pause, silent / 8));
        // Nobody sleeps through the beginning of its day, unless by then it is silent for so long that its day says nothing any more.
        return day is { } begins && begins > now && begins - now < pause && begins < patience.EndsAt(since)
            ? Longer(options.PollWhenDue, begins - now)
            : pause;
    }

    /// <summary>What happened, as far as silence tells, what would be usual, and what to do.</summary>
    public static string WhatSilenceMeans(Shipment shipment, Patience patience, DateTimeOffset now)
    {
        var since = shipment.SilentSince;
        var silence = patience.Silence(since, now);
        var words = $"No scan since {since:yyyy-MM-dd HH:mm} UTC.{Usually(shipment, patience, silence)}";
        if (!TrackingStatusRules.WasHandedOver(shipment.Tracking))
            return $"{words} The label was made, but the carrier never had the parcel: hand it over, or cancel it.";
        if (silence > patience.Within * TimesUntilLost)
            return $"{words} It may be lost: claim it of the carrier, and send it again or refund it.";
        return patience.Stage switch
        {
            WaitStage.OutForDelivery => $"{words} It was out for delivery and did not arrive: ask the carrier, and the recipient whether it came.",
            WaitStage.AvailableForPickup => $"{words} It waits to be picked up: remind the recipient.",
            WaitStage.Customs => $"{words} Customs keep it: ask the carrier which papers are missing.",
            WaitStage.DeliveryFailed => $"{words} After the attempt that failed nothing was tried: ask the carrier for another day.",
            _ => $"{words} It is stuck: ask the carrier where it is.",
        };
    }

    private static string Usually(Shipment shipment, Patience patience, TimeSpan silence)
    {
        var where = patience.Basis switch
        {
            SilenceBasis.Lane => " on this lane",
            SilenceBasis.Countries => shipment.ShipFrom.Country == patience.Country ? $" within {patience.Country}" : $" from {shipment.ShipFrom.Country} to {patience.Country}",
            SilenceBasis.Carrier => "",
            _ => null,
        };
        if (where is null)
            return "";
        var what = patience.Stage switch
        {
            WaitStage.Label => "whose label is made",
            WaitStage.InTransit => "in transit",
            WaitStage.OutForDelivery => "out for delivery",
            WaitStage.AvailableForPickup => "that wait to be picked up",
            WaitStage.OnHold => "on hold",
            WaitStage.Customs => "with customs",
            WaitStage.DeliveryFailed => "that could not be delivered",
            _ => "on their way back",
        };
        return $" Of 100 parcels of {shipment.Carrier} {what}{where} 99 are scanned again within {Hours(patience.Within)}; nothing for {Hours(silence)} (weekends and holidays not counted).";
    }

    private static string Hours(TimeSpan time) => time.TotalHours >= 1
        ? string.Create(CultureInfo.InvariantCulture, $"{Math.Ceiling(time.TotalHours):0} h")
        : string.Create(CultureInfo.InvariantCulture, $"{Math.Ceiling(time.TotalMinutes):0} min");

    private static TimeSpan Shorter(TimeSpan one, TimeSpan other) => one < other ? one : other;

    private static TimeSpan Longer(TimeSpan one, TimeSpan other) => one > other ? one : other;
}

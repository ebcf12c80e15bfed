namespace Commerce.Sandbox.Control;

/// <summary>
/// How badly one carrier behaves, where it is not as all do: a knob that is not given is as the one of the same name for all carriers
/// (<see cref="Knobs"/>), and the delay of webhooks is then added to the carrier's own habit. Rates are probabilities from 0 to 1.
/// </summary>
internal sealed record CarrierKnobs
{
    /// <summary>Added to every call of this carrier, milliseconds.</summary>
    public double? LatencyMs { get; init; }

    /// <summary>Share of the calls that it answers with 503; nothing was done then.</summary>
    public double? ErrorRate { get; init; }

    public double? LabelRefuseRate { get; init; }

    /// <summary>Share of the labels after which it stops scanning somewhere on the way.</summary>
    public double? SilenceRate { get; init; }

    public double? WebhookDuplicateRate { get; init; }

    public double? WebhookReorderRate { get; init; }

    /// <summary>Instead of that of all and of its habit.</summary>
    public double? WebhookDelayMs { get; init; }
}

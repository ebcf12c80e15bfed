using Commerce.Sandbox.Carriers;
using Commerce.Sandbox.Http;

namespace Commerce.Sandbox.Control;

/// <summary>How badly the outside world behaves. Rates are probabilities from 0 to 1.</summary>
internal sealed record Knobs
{
    /// <summary>Added to every call of the provider and the carriers, milliseconds.</summary>
    public double LatencyMs { get; init; }

    public double PaymentDeclineRate { get; init; }

    public double PaymentTimeoutAfterSuccessRate { get; init; }

    public double PaymentErrorRate { get; init; }

    /// <summary>Share of the refunds that are accepted and then fail: no money moves.</summary>
    public double RefundFailureRate { get; init; }

    public double CarrierErrorRate { get; init; }

    public double LabelRefuseRate { get; init; }

    public double WebhookDuplicateRate { get; init; }

    public double WebhookReorderRate { get; init; }

    public double WebhookDelayMs { get; init; }

    /// <summary>Share of the labels whose carrier stops scanning somewhere on the way.</summary>
    public double CarrierSilenceRate { get; init; }

    /// <summary>
    /// How long a carrier's day lasts, in real seconds; counts for labels bought from now on. Short, so that whoever places an
    /// order sees it arrive; 86400 is a real day.
    /// </summary>
    public double DaySeconds { get; init; } = 10;

    public double PendingDelaySeconds { get; init; } = 5;

    public double SmtpRejectRate { get; init; }

    /// <summary>Carriers that behave otherwise, by code, for example "usps".</summary>
    public IReadOnlyDictionary<string, CarrierKnobs> Carriers { get; init; } = new Dictionary<string, CarrierKnobs>();

    /// <summary>The same seed and the same calls give the same faults.</summary>
    public long Seed { get; init; } = 1;

    /// <summary>What holds for one carrier: its own knobs, else those of all; null: for whoever is no carrier.</summary>
    public (double LatencyMs, double ErrorRate, double LabelRefuseRate, double SilenceRate, double WebhookDuplicateRate, double WebhookReorderRate, double WebhookDelayMs) Of(Carrier? carrier)
    {
        var own = carrier is not null && Carriers.TryGetValue(carrier.Id, out var given) ? given : new CarrierKnobs();
        return (
            own.LatencyMs ?? LatencyMs,
            own.ErrorRate ?? CarrierErrorRate,
            own.LabelRefuseRate ?? LabelRefuseRate,
            own.SilenceRate ?? CarrierSilenceRate,
            own.WebhookDuplicateRate ?? WebhookDuplicateRate,
            own.WebhookReorderRate ?? WebhookReorderRate,
            own.WebhookDelayMs ?? (WebhookDelayMs + (carrier?.Habits.TellsAfterMs ?? 0)));
    }

    public Knobs Checked()
    {
        var check = new Validation();
        Rate(PaymentDeclineRate, "payment_decline_rate");
        Rate(PaymentTimeoutAfterSuccessRate, "payment_timeout_after_success_rate");
        Rate(PaymentErrorRate, "payment_error_rate");
        Rate(RefundFailureRate, "refund_failure_rate");
        Rate(CarrierErrorRate, "carrier_error_rate");
        Rate(LabelRefuseRate, "label_refuse_rate");
        Rate(WebhookDuplicateRate, "webhook_duplicate_rate");
        Rate(WebhookReorderRate, "webhook_reorder_rate");
        Rate(CarrierSilenceRate, "carrier_silence_rate");
        Rate(SmtpRejectRate, "smtp_reject_rate");
        Between(LatencyMs, "latency_ms", 0, 60_000);
        Between(WebhookDelayMs, "webhook_delay_ms", 0, 86_400_000);
        Between(DaySeconds, "day_seconds", 0.001, 864_000);
        Between(PendingDelaySeconds, "pending_delay_seconds", 0, 864_000);
        check.Require(Carriers is not null, "carriers", "must be an object from a carrier's code to its knobs");
        foreach (var (code, own) in Carriers ?? new Dictionary<string, CarrierKnobs>())
        {
            check.Require(CarrierProfiles.All.ContainsKey(code), $"carriers.{code}", $"is no carrier; there are {string.Join(", ", CarrierProfiles.All.Keys)}");
            check.Require(own is not null, $"carriers.{code}", "must be an object");
            Rate(own?.ErrorRate ?? 0, $"carriers.{code}.error_rate");
            Rate(own?.LabelRefuseRate ?? 0, $"carriers.{code}.label_refuse_rate");
            Rate(own?.SilenceRate ?? 0, $"carriers.{code}.silence_rate");
            Rate(own?.WebhookDuplicateRate ?? 0, $"carriers.{code}.webhook_duplicate_rate");
            Rate(own?.WebhookReorderRate ?? 0, $"carriers.{code}.webhook_reorder_rate");
            Between(own?.LatencyMs ?? 0, $"carriers.{code}.latency_ms", 0, 60_000);
            Between(own?.WebhookDelayMs ?? 0, $"carriers.{code}.webhook_delay_ms", 0, 86_400_000);
        }

        check.ThrowIfInvalid();
        return this;

        void Rate(double value, string path) => Between(value, path, 0, 1);

        void Between(double value, string path, double min, double max) =>
            check.Require(value >= min && value <= max, path, FormattableString.Invariant($"must lie between {min} and {max}"));
    }
}

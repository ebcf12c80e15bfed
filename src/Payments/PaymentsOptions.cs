using System.ComponentModel.DataAnnotations;

namespace Commerce.Payments;

/// <summary>Section "Payments"; validated on start.</summary>
public sealed class PaymentsOptions
{
    /// <summary>The provider that new payments go to, by its code.</summary>
    [Required]
    public string Provider { get; set; } = "sandbox";

    /// <summary>How long a webhook is waited for before the provider is asked for the first time.</summary>
    [Range(typeof(TimeSpan), "00:00:00.1", "1.00:00:00")]
    public TimeSpan PollAfter { get; set; } = TimeSpan.FromSeconds(30);

    /// <summary>The longest time between two questions about a payment that waits.</summary>
    [Range(typeof(TimeSpan), "00:00:00.1", "1.00:00:00")]
    public TimeSpan PollAtMost { get; set; } = TimeSpan.FromHours(1);

    /// <summary>The longest time between two attempts while a provider cannot be reached; there is no last attempt.</summary>
    [Range(typeof(TimeSpan), "00:00:00.1", "1.00:00:00")]
    public TimeSpan RetryAtMost { get; set; } = TimeSpan.FromMinutes(1);

    /// <summary>The time between two passes of the standing check of the books.</summary>
    [Range(typeof(TimeSpan), "00:00:00.1", "1.00:00:00")]
    public TimeSpan CheckEvery { get; set; } = TimeSpan.FromMinutes(10);

    /// <summary>Payments, movements or accounts that the check looks at in one statement.</summary>
    [Range(1, 100_000)]
    public int CheckSlice { get; set; } = 1000;

    /// <summary>The check's pause between two slices, so that it never weighs on the work.</summary>
    [Range(typeof(TimeSpan), "00:00:00", "00:01:00")]
    public TimeSpan CheckPause { get; set; } = TimeSpan.FromMilliseconds(200);

    /// <summary>
    /// For how many years after the one in which they were issued documents are kept once their customer is erased, by the store's
    /// country (ISO 3166-1 alpha-2). What is not named here is kept for <see cref="DefaultDocumentYears"/>. Laws change: whoever runs a
    /// store says what holds for it.
    /// </summary>
    public Dictionary<string, int> DocumentYears { get; } = new(StringComparer.OrdinalIgnoreCase)
    {
        ["AT"] = 7, // § 132 BAO
        ["DE"] = 8, // § 14b UStG since 2025
        ["GB"] = 6, // VAT Notice 700/21
        ["IE"] = 6, // section 84 VAT Consolidation Act 2010
        ["NL"] = 7, // art. 52 AWR
        ["SE"] = 7, // 7 kap. 2 § bokföringslagen
    };

    /// <summary>The years of every other country.</summary>
    [Range(0, 100)]
    public int DefaultDocumentYears { get; set; } = 10;

    /// <summary>The years of a country; empty or unknown: the default.</summary>
    public int YearsToKeepDocuments(string country) => DocumentYears.GetValueOrDefault(country, DefaultDocumentYears);

    /// <summary>Parts of one payment that are worked on at the same time.</summary>
    [Range(1, 32)]
    public int PartsAtOnce { get; set; } = 4;
}

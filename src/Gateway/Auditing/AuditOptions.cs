using System.ComponentModel.DataAnnotations;

namespace Commerce.Gateway.Auditing;

/// <summary>Settings of the audit log, section "Audit" of the configuration.</summary>
internal sealed class AuditOptions
{
    public const string Section = "Audit";

    /// <summary>How long calls are gathered before they are written: what a Gateway that is killed may take with it.</summary>
    [Range(typeof(TimeSpan), "00:00:00.010", "00:00:10")]
    public TimeSpan WriteEvery { get; set; } = TimeSpan.FromMilliseconds(100);

    /// <summary>
    /// Calls that may wait in memory to be written. Beyond that no call is let in: neither the database nor the folder takes any, and
    /// nobody does anything that is not written down.
    /// </summary>
    [Range(100, 1_000_000)]
    public int MostWaiting { get; set; } = 50_000;

    /// <summary>The folder that takes calls while the database is away; it has to outlive the process. Empty: commerce-audit in the folder of the machine's own data.</summary>
    public string Folder { get; set; } = "";

    /// <summary>For how many months calls are kept, at least 13.</summary>
    [Range(13, 1200)]
    public int KeepMonths { get; set; } = 25;

    /// <summary>Who reads the same thing again within so long is written down once, and then with how often it was.</summary>
    [Range(typeof(TimeSpan), "00:00:00.010", "00:10:00")]
    public TimeSpan RepeatsWithin { get; set; } = TimeSpan.FromMinutes(1);

    /// <summary>Calls of nobody who is known that are kept in a second, journeys and wrong tries at orders among them; more are only counted.</summary>
    [Range(1, 100_000)]
    public int StrangersASecond { get; set; } = 100;

    internal string Place => Folder.Length > 0 ? Folder : Path.Combine(Environment.GetFolderPath(Environment.SpecialFolder.LocalApplicationData) is { Length: > 0 } data ? data : Path.GetTempPath(), "commerce-audit");
}

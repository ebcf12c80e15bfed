using System.ComponentModel.DataAnnotations;

namespace Commerce.Shipments.Carriers;

/// <summary>Section "Carriers": where the carriers' interfaces are, and how long they may take.</summary>
public sealed class CarrierHttpOptions
{
    /// <summary>Base of "/carriers/{carrier}/v1/…"; service discovery finds the Sandbox in development.</summary>
    [Required]
    public Uri BaseAddress { get; set; } = new("http://_http.sandbox");

    /// <summary>A carrier that takes longer did not answer.</summary>
    [Range(typeof(TimeSpan), "00:00:00.1", "00:02:00")]
    public TimeSpan Timeout { get; set; } = TimeSpan.FromSeconds(10);
}

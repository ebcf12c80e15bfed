using System.Globalization;
using Action = Commerce.Shipments.V1.ResolutionAction;
using State = Commerce.Shipments.V1.Resolution.Types.State;

namespace Commerce.Shipments.ResolvingExceptions;

/// <summary>What stands in for a parcel that did not arrive.</summary>
internal enum Remedy
{
    None,

    /// <summary>Its pieces are sent again.</summary>
    Reshipped,

    /// <summary>Its pieces were paid back.</summary>
    Refunded,
}

/// <summary>Something that is done about a parcel. What ended stays as it is.</summary>
internal sealed record Resolution(
    Guid ShipmentId, int Number, Action Action, State State, string Detail, Money? Amount, string Outcome, string Note, string Actor, DateTimeOffset CreatedAt, DateTimeOffset UpdatedAt)
{
    /// <summary>The most that is done about one parcel: more is somebody's script.</summary>
    public const int Most = 100;

    /// <summary>The day that the carrier is asked for; null for the other actions.</summary>
    public DateOnly? Day { get; init; }

    /// <summary>What the carrier pays of a claim; null: nothing, or not decided.</summary>
    public Money? Paid { get; init; }

    public bool IsOver => State is State.Done or State.Failed;

    public string Name => NameOf(ShipmentId, Number);

    public static string NameOf(Guid shipment, int number) => string.Create(CultureInfo.InvariantCulture, $"shipments/{shipment:N}/resolutions/{number}");

    public Resolution Settle(State state, string detail, DateTimeOffset now, string? outcome = null) =>
        IsOver ? this : this with { State = state, Detail = detail, Outcome = outcome ?? Outcome, UpdatedAt = now };
}

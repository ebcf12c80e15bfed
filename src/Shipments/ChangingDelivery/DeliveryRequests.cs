using System.Globalization;
using Commerce.ServiceDefaults;
using Commerce.Shipments.PlanningShipments;
using Commerce.Shipments.V1;
using Commerce.Shipping.Labels;
using Google.Type;

namespace Commerce.Shipments.ChangingDelivery;

/// <summary>What is wished of a delivery, applied to where and how a parcel goes.</summary>
/// <param name="Elsewhere">The address itself is another.</param>
internal sealed record DeliveryWish(bool Elsewhere, Func<AddressRecord, AddressRecord> Of);

/// <summary>Reads and checks what is asked.</summary>
internal static class DeliveryRequests
{
    public const int DaysAhead = 60;
    private const int LongestText = 200;
    private const int LongestCode = 64;

    /// <exception cref="Failure">INVALID_FIELD.</exception>
    public static DeliveryWish Checked(RescheduleDeliveryRequest request, DateTimeOffset now)
    {
        var errors = new List<FieldError>();
        RequestIds.Check(errors, request.RequestId);
        // Somewhere on earth it is still yesterday.
        var today = DateOnly.FromDateTime(now.UtcDateTime);
        if (request.PreferredDay is not { } day || DayOf(day) is not { } date)
        {
            errors.Add(new FieldError("preferred_day", "Give a whole date: year, month and day."));
            date = today;
        }

        if (date < today.AddDays(-1) || date > today.AddDays(DaysAhead))
            errors.Add(new FieldError("preferred_day", $"Must be today or up to {DaysAhead} days ahead."));
        var (from, until) = (request.WindowFrom, request.WindowUntil);
        if ((from is null) != (until is null))
            errors.Add(new FieldError("window_until", "Give both ends of the window, or none."));
        foreach (var (name, at) in new[] { ("window_from", from), ("window_until", until) })
        {
            if (at is not null && !IsTime(at))
                errors.Add(new FieldError(name, "Is not a time of day; give hours (0 to 23) and minutes (0 to 59)."));
        }

        if (from is not null && until is not null && (from.Hours * 60) + from.Minutes >= (until.Hours * 60) + until.Minutes)
            errors.Add(new FieldError("window_until", "Must be later than window_from."));
        if (errors.Count > 0)
            throw Failure.Invalid(errors);
        return new DeliveryWish(false, before => before with
        {
            Wishes = (before.Wishes ?? WishesRecord.None) with
            {
                Day = date.ToString("yyyy-MM-dd", CultureInfo.InvariantCulture),
                From = ShipmentPlan.TimeOf(from),
                Until = ShipmentPlan.TimeOf(until),
            },
        });
    }

    /// <exception cref="Failure">INVALID_FIELD.</exception>
    public static DeliveryWish Checked(RedirectDeliveryRequest request)
    {
        var errors = new List<FieldError>();
        RequestIds.Check(errors, request.RequestId);
        Bounded("leave_at", request.LeaveAt);
        Bounded("neighbour", request.Neighbour);
        if (request.PickupPoint.Length > LongestCode || !request.PickupPoint.All(c => char.IsAsciiLetterOrDigit(c) || c == '-'))
            errors.Add(new FieldError("pickup_point", $"Is not a carrier's code; give at most {LongestCode} letters, digits and dashes."));
        var places = new[] { request.ShipTo is not null, request.LeaveAt.Length > 0, request.Neighbour.Length > 0, request.PickupPoint.Length > 0 }.Count(given => given);
        if (places != 1)
            errors.Add(new FieldError("ship_to", "Give exactly one of ship_to, leave_at, neighbour and pickup_point."));
        if (request.ShipTo is { } address)
            Check(address);
        if (errors.Count > 0)
            throw Failure.Invalid(errors);

        if (request.ShipTo is { } to)
        {
            return new DeliveryWish(true, before => string.Equals(to.RegionCode, before.Country, StringComparison.OrdinalIgnoreCase)
                ? new AddressRecord(
                    to.Recipients.FirstOrDefault(name => name.Length > 0) ?? before.Name, [.. to.AddressLines], to.Locality, to.AdministrativeArea, to.PostalCode, before.Country)
                {
                    // Where it may be left belongs to the address before.
                    Wishes = before.Wishes is { } wishes ? wishes with { LeaveAt = "", Neighbour = "", PickupPoint = "" } : null,
                }
                : throw Failure.Invalid(new FieldError("ship_to.region_code", $"Another country than {Countries.NameOf(before.Country)}: customs and price are others; send another parcel.")));
        }

        return new DeliveryWish(false, before => before with
        {
            Wishes = (before.Wishes ?? WishesRecord.None) with { LeaveAt = request.LeaveAt.Trim(), Neighbour = request.Neighbour.Trim(), PickupPoint = request.PickupPoint },
        });

        void Bounded(string field, string text)
        {
            if (text.Length > LongestText || text.Any(char.IsControl))
                errors.Add(new FieldError(field, $"Give at most {LongestText} characters in one line."));
        }

        void Check(PostalAddress given)
        {
            if (given.AddressLines.Count is 0 or > 5 || given.AddressLines.Any(line => line.Length > LongestText))
                errors.Add(new FieldError("ship_to.address_lines", $"Give 1 to 5 lines of at most {LongestText} characters."));
            if (given.Locality.Length is 0 or > 100)
                errors.Add(new FieldError("ship_to.locality", "Name the town, in at most 100 characters."));
            if (given.PostalCode.Length > 20 || given.AdministrativeArea.Length > 100 || given.Recipients.Any(name => name.Length > LongestText))
                errors.Add(new FieldError("ship_to", "A postal code has at most 20 characters, a region 100, a name 200."));
            if (!Countries.Exists(given.RegionCode))
                errors.Add(new FieldError("ship_to.region_code", "Is no country; give its ISO 3166-1 code of two letters."));
        }
    }

    /// <summary>Null if it is not a whole date.</summary>
    public static DateOnly? DayOf(Date day) =>
        day.Year is >= 1 and <= 9999 && day.Month is >= 1 and <= 12 && day.Day >= 1 && day.Day <= System.DateTime.DaysInMonth(day.Year, day.Month)
            ? new DateOnly(day.Year, day.Month, day.Day)
            : null;

    private static bool IsTime(TimeOfDay time) => time is { Hours: >= 0 and <= 23, Minutes: >= 0 and <= 59, Seconds: 0, Nanos: 0 };
}

using System.Globalization;
using Commerce.ServiceDefaults;
using Commerce.Shipments.EstimatingArrivals;
using Commerce.Shipments.Manifesting;
using Commerce.Shipments.PrintingLabels;
using Commerce.Shipments.ResolvingExceptions;
using Commerce.Shipments.Storage;
using Commerce.Types.V1;
using Google.Protobuf.WellKnownTypes;
using Google.Type;

namespace Commerce.Shipments.FindingShipments;

/// <summary>A parcel as the API shows it.</summary>
internal static class ShipmentMessage
{
    public const string NamePrefix = "shipments/";

    public const string NameWanted = "Give \"shipments/\" and a shipment_id of 32 hexadecimal digits.";

    public static bool TryReadName(string name, out Guid id)
    {
        id = default;
        return name.StartsWith(NamePrefix, StringComparison.Ordinal) && Guid.TryParseExact(name.AsSpan(NamePrefix.Length), "N", out id);
    }

    /// <exception cref="Failure">INVALID_FIELD.</exception>
    public static Guid IdOf(string name) => IdOf(name, "name");

    /// <exception cref="Failure">INVALID_FIELD, of this field.</exception>
    public static Guid IdOf(string name, string field) => TryReadName(name, out var id) ? id : throw Failure.Invalid(new FieldError(field, NameWanted));

    /// <param name="found">The parcel, and what belongs to it.</param>
    /// <param name="estimator">Tells when it will arrive.</param>
    public static V1.Shipment Of(FoundShipment found, ArrivalEstimator estimator)
    {
        var arrival = estimator.Of(found.Shipment, found.Scans.Select(scan => scan.Sighting));
        var (shipment, scans, formerNumbers) = found;
        var message = new V1.Shipment
        {
            Name = NamePrefix + shipment.PublicId,
            ShipmentId = shipment.PublicId,
            OrderId = shipment.OrderId,
            StoreId = shipment.StoreId,
            Carrier = shipment.Carrier ?? "",
            Service = shipment.Service ?? "",
            TrackingNumber = shipment.TrackingNumber ?? "",
            Status = shipment.Tracking.Status,
            StatusReason = ReasonOf(shipment.Tracking.ReasonParty, shipment.Tracking.ReasonCode),
            ActionRequired = shipment.Tracking.ActionRequired,
            StatusTime = Timestamp.FromDateTimeOffset(shipment.Tracking.StatusAt),
            ShipFrom = PlaceOf(shipment.ShipFrom),
            ShipTo = AddressOf(shipment.ShipTo),
            DeliveryWishes = WishesOf(shipment.ShipTo.Wishes),
            Dimensions = new Dimensions
            {
                WeightGrams = shipment.Size.WeightGrams,
                LengthMm = shipment.Size.LengthMm,
                WidthMm = shipment.Size.WidthMm,
                HeightMm = shipment.Size.HeightMm,
            },
            LabelPrice = shipment.LabelPrice?.ToProto(),
            PromisedDeliveryTime = TimeOf(shipment.PromisedAt),
            EstimatedDeliveryTime = TimeOf(shipment.EstimatedAt),
            DeliveredTime = TimeOf(shipment.Tracking.DeliveredAt),
            Exception = ExceptionOf(shipment.Exception),
            CreateTime = Timestamp.FromDateTimeOffset(shipment.CreatedAt),
            UpdateTime = Timestamp.FromDateTimeOffset(shipment.UpdatedAt),
            Version = shipment.Version,
            Direction = shipment.ReturnNumber > 0 ? V1.Shipment.Types.Direction.Return : V1.Shipment.Types.Direction.Outgoing,
            Return = shipment.ReturnNumber > 0 ? string.Create(CultureInfo.InvariantCulture, $"orders/{shipment.OrderId}/returns/{shipment.ReturnNumber}") : "",
            Piece = shipment.Tracking.Status == V1.TrackingStatus.Cancelled ? 0 : shipment.Piece,
            Pieces = shipment.Pieces,
            // What somebody said is shown where nobody asks for it, too.
            Customs = CustomsMessage.Of(CustomsOf.Shipment(shipment) ?? shipment.Customs),
            Manifest = shipment.ManifestId is { } manifest ? ManifestMessage.NamePrefix + manifest.ToString("N") : "",
            DeliveryChange = ChangeOf(shipment.DeliveryChange),
            Remedy = (V1.Shipment.Types.Remedy)shipment.Remedy,
            DecidedRemedy = RemedyOf(shipment.DecidedRemedy),
            Etag = EtagOf(shipment),
            Registered = shipment.IsRegistered,
            SoldBy = shipment.Seller is { } seller && seller != shipment.Carrier ? seller : "",
            ArrivalEstimate = arrival is null ? null : ArrivalMessage.Of(arrival),
            DelayRisk = arrival is null ? null : ArrivalMessage.RiskOf(arrival),
        };
        message.Lines.Add(shipment.Lines.Select(line => new V1.ShipmentLine { LineNumber = line.LineNumber, Sku = line.Sku, Title = line.Title, Quantity = line.Quantity }));
        message.Scans.Add(ScansOf(scans));
        message.FormerTracking.Add(formerNumbers.Select(former => new V1.FormerTracking
        {
            Carrier = former.Carrier,
            TrackingNumber = former.TrackingNumber,
            ReplacedTime = Timestamp.FromDateTimeOffset(former.ReplacedAt),
            ReplacedBy = former.ReplacedBy,
            Note = former.Note,
            Scans = { ScansOf(former.Scans) },
        }));
        return message;
    }

    public static string EtagOf(Shipment shipment) => string.Create(CultureInfo.InvariantCulture, $"\"{shipment.Version}\"");

    private static IEnumerable<V1.Scan> ScansOf(IReadOnlyList<Scan> scans) =>
        ScanMerge.Merge(scans).OrderByDescending(one => one.Scan.OccurredAt).ThenByDescending(one => one.Scan.Id).Select(ScanOf);

    private static V1.DecidedRemedy? RemedyOf(DecidedRemedyRecord? decided) => decided is null ? null : new V1.DecidedRemedy
    {
        Remedy = (V1.Shipment.Types.Remedy)decided.Remedy,
        State = decided.State,
        Amount = decided is { AmountMinor: { } minor, Currency: { } currency } ? new Money(minor, currency).ToProto() : null,
        CreateTime = Timestamp.FromDateTimeOffset(decided.DecidedAt),
        UpdateTime = Timestamp.FromDateTimeOffset(decided.UpdatedAt),
    };

    private static DeliveryWishes? WishesOf(WishesRecord? wishes)
    {
        if (wishes is null)
            return null;
        var message = new DeliveryWishes
        {
            LeaveAt = wishes.LeaveAt,
            SignatureWanted = wishes.Signature,
            GiftNote = wishes.GiftNote,
            Fragile = wishes.Fragile,
            Neighbour = wishes.Neighbour,
            PickupPoint = wishes.PickupPoint,
        };
        if (DateOnly.TryParseExact(wishes.Day, "yyyy-MM-dd", CultureInfo.InvariantCulture, DateTimeStyles.None, out var day))
            message.PreferredDay = new Date { Year = day.Year, Month = day.Month, Day = day.Day };
        message.WindowFrom = TimeOf(wishes.From);
        message.WindowUntil = TimeOf(wishes.Until);
        return message;

        static TimeOfDay? TimeOf(string text) => TimeOnly.TryParseExact(text, "HH:mm", CultureInfo.InvariantCulture, DateTimeStyles.None, out var time)
            ? new TimeOfDay { Hours = time.Hour, Minutes = time.Minute }
            : null;
    }

    private static V1.DeliveryChange? ChangeOf(DeliveryChangeRecord? change) => change is null ? null : new V1.DeliveryChange
    {
        State = change.State,
        DeliveryWishes = WishesOf(change.To.Wishes),
        ShipTo = change.Elsewhere ? AddressOf(change.To) : null,
        RequestTime = Timestamp.FromDateTimeOffset(change.RequestedAt),
        AnswerTime = TimeOf(change.AnsweredAt),
        Refusal = change.Refusal,
    };

    private static V1.Scan ScanOf(MergedScan merged)
    {
        var scan = merged.Scan;
        return new V1.Scan
        {
            ScanId = scan.Id.ToString("N"),
            Status = scan.Status,
            Reason = ReasonOf(scan.ReasonParty, scan.ReasonCode),
            CarrierCode = scan.CarrierCode,
            Description = scan.Description,
            Time = Timestamp.FromDateTimeOffset(scan.OccurredAt),
            LocalTime = scan.LocalTime,
            Place = PlaceOf(scan.Place),
            Source = scan.Source,
            ReceivedTime = Timestamp.FromDateTimeOffset(scan.ReceivedAt),
            Inferred = scan.Inferred,
            TimeBasis = scan.TimeBasis,
            Reporter = scan.Reporter,
            ReporterStatus = scan.ReporterStatus,
            AlsoReportedBy = { merged.AlsoReportedBy },
        };
    }

    public static V1.StatusReason? ReasonOf(V1.StatusReason.Types.Party party, string code) =>
        party == V1.StatusReason.Types.Party.Unspecified && code.Length == 0 ? null : new V1.StatusReason { Party = party, Code = code };

    public static V1.ShipmentException? ExceptionOf(ExceptionRecord? exception) => exception is null ? null : new V1.ShipmentException
    {
        Kind = exception.Kind,
        Message = exception.Message,
        Time = Timestamp.FromDateTimeOffset(exception.At),
        Attempts = exception.Attempts,
    };

    private static Place PlaceOf(PlaceRecord place) => new()
    {
        LocationId = place.LocationId,
        Locality = place.Locality,
        AdministrativeArea = place.Region,
        PostalCode = place.PostalCode,
        RegionCode = place.Country,
    };

    private static PostalAddress AddressOf(AddressRecord address) => new()
    {
        Recipients = { address.Name },
        AddressLines = { address.Lines },
        Locality = address.Locality,
        AdministrativeArea = address.Region,
        PostalCode = address.PostalCode,
        RegionCode = address.Country,
    };

    public static Timestamp? TimeOf(DateTimeOffset? time) => time is { } value ? Timestamp.FromDateTimeOffset(value) : null;
}

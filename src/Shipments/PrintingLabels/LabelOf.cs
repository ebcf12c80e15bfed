using Commerce.ServiceDefaults;
using Commerce.Shipments.Carriers;
using Commerce.Shipping.Labels;
using Commerce.Types.V1;

namespace Commerce.Shipments.PrintingLabels;

/// <summary>A parcel's label as it is drawn.</summary>
internal static class LabelOf
{
    /// <summary>Why there is no label to print; null: there is one.</summary>
    public static Failure? Refusal(Shipment shipment)
    {
        var name = FindingShipments.ShipmentMessage.NamePrefix + shipment.PublicId;
        if (shipment.Tracking.Status == V1.TrackingStatus.Cancelled || shipment.CancelRequested)
            return new Failure(ErrorReason.LabelVoid, $"{name} is cancelled: its label is void. Destroy what was printed.");
        if (shipment.NextShipTo is not null)
            return new Failure(ErrorReason.LabelVoid, $"{name} goes to another address: its label is being voided and another one bought. Ask again in a moment.");
        if (shipment.IsRegistered)
            return new Failure(ErrorReason.LabelNotBought, $"{name} bears a number that was bought elsewhere; its label is there.");
        return shipment.LabelId is null || shipment.TrackingNumber is null
            ? new Failure(ErrorReason.LabelNotBought, shipment.Exception is { } exception
                ? $"{name} has no label yet: {exception.Message}"
                : $"{name} has no label yet; it is being bought. Ask again in a moment.")
            : null;
    }

    /// <param name="sender">The store's name.</param>
    public static ParcelLabel Shipment(Shipment shipment, string sender, CarrierDirectory carriers)
    {
        var from = shipment.ShipFrom;
        // Of an aggregator's "USPS.Priority" the first is who carries it.
        var (carrier, name, service) = shipment.Service!.Split('.', 2) is [var bearer, var level]
            ? (bearer.ToLowerInvariant(), bearer, level)
            : (shipment.Carrier!, carriers.NameOf(shipment.Carrier!), shipment.Service);
        return new ParcelLabel(
            // Who sends a return back is told by its number: where shoppers live is not kept twice.
            new LabelAddress(shipment.ReturnNumber > 0 ? "" : sender, [], from.PostalCode, from.Locality, from.Region, from.Country),
            new LabelAddress(shipment.ShipTo.Name, shipment.ShipTo.Lines, shipment.ShipTo.PostalCode, shipment.ShipTo.Locality, shipment.ShipTo.Region, shipment.ShipTo.Country),
            carrier,
            name,
            Words(service),
            shipment.TrackingNumber!,
            shipment.OrderReference,
            shipment.Size.WeightGrams,
            Math.Max(1, shipment.Piece),
            Math.Max(1, shipment.Pieces))
        {
            Instructions = Instructions(shipment.ShipTo.Wishes),
            Customs = CustomsOf.Shipment(shipment) is { } customs ? Declaration(customs) : null,
            IsReturn = shipment.ReturnNumber > 0,
            Date = DateOnly.FromDateTime(shipment.CreatedAt.UtcDateTime),
        };
    }

    /// <summary>"2nd_day_air" is "2nd Day Air".</summary>
    public static string Words(string service) => string.Join(
        ' ', service.Split('_', StringSplitOptions.RemoveEmptyEntries).Select(word => char.ToUpperInvariant(word[0]) + word[1..]));

    private static List<string> Instructions(WishesRecord? wishes)
    {
        var instructions = new List<string>();
        if (wishes is null)
            return instructions;
        if (wishes.Signature)
            instructions.Add("SIGNATURE REQUIRED");
        if (wishes.Fragile)
            instructions.Add("FRAGILE");
        if (wishes.PickupPoint.Length > 0)
            instructions.Add($"PICK-UP POINT {wishes.PickupPoint}");
        if (wishes.Day.Length > 0 || wishes.From.Length > 0)
            instructions.Add(string.Join(' ', new[] { "Deliver", wishes.Day.Length > 0 ? "on " + wishes.Day : "", wishes.From.Length > 0 ? $"from {wishes.From} to {wishes.Until}" : "" }.Where(part => part.Length > 0)));
        if (wishes.Neighbour.Length > 0)
            instructions.Add($"Neighbour: {wishes.Neighbour}");
        if (wishes.LeaveAt.Length > 0)
            instructions.Add($"Leave at: {wishes.LeaveAt}");
        return instructions;
    }

    private static CustomsDeclaration Declaration(CustomsRecord customs) => new(
        customs.Contents switch
        {
            V1.CustomsDeclaration.Types.Contents.Gift => CustomsContents.Gift,
            V1.CustomsDeclaration.Types.Contents.Documents => CustomsContents.Documents,
            V1.CustomsDeclaration.Types.Contents.Sample => CustomsContents.Sample,
            V1.CustomsDeclaration.Types.Contents.ReturnedGoods => CustomsContents.ReturnedGoods,
            V1.CustomsDeclaration.Types.Contents.Other => CustomsContents.Other,
            _ => CustomsContents.SaleOfGoods,
        },
        [.. customs.Lines.Select(line => new CustomsLine(line.Description, line.Quantity, new Money(line.ValueMinor, line.Currency), line.WeightGrams, line.HsCode, line.Origin))],
        customs.Reference);
}

using Commerce.ServiceDefaults;
using Commerce.Shipping.Labels;

namespace Commerce.Shipments.PrintingLabels;

/// <summary>What customs is told of a parcel.</summary>
internal static class CustomsOf
{
    /// <summary>What was said, else what follows from its lines; null where it crosses no customs border.</summary>
    public static CustomsRecord? Shipment(Shipment shipment)
    {
        if (!Countries.IsCustomsBorder(shipment.ShipFrom.Country, shipment.ShipTo.Country))
            return null;
        if (shipment.Customs is { } said)
            return said;
        var pieces = Math.Max(1, shipment.Lines.Sum(line => line.Quantity));
        return new CustomsRecord(
            shipment.ReturnNumber > 0 ? V1.CustomsDeclaration.Types.Contents.ReturnedGoods : V1.CustomsDeclaration.Types.Contents.SaleOfGoods,
            [
                .. shipment.Lines.Where(line => line.Quantity > 0).Select(line => new CustomsLineRecord(
                    line.Title.Length > 0 ? line.Title : line.Sku,
                    line.Quantity,
                    // Of a parcel planned before its lines' prices were kept only the whole is known: it is shared out by pieces.
                    line.PieceMinor * line.Quantity ?? shipment.Value.Minor * line.Quantity / pieces,
                    shipment.Value.Currency,
                    (int)Math.Min(int.MaxValue, (line.PieceGrams * (long)line.Quantity) ?? (long)shipment.Size.WeightGrams * line.Quantity / pieces),
                    HsCode: "",
                    Origin: "")),
            ],
            Reference: "");
    }
}

/// <summary>A declaration as the API shows and takes it.</summary>
internal static class CustomsMessage
{
    private const int MostLines = 40;

    public static V1.CustomsDeclaration? Of(CustomsRecord? customs)
    {
        if (customs is null)
            return null;
        var message = new V1.CustomsDeclaration { Contents = customs.Contents, Reference = customs.Reference };
        message.Lines.Add(customs.Lines.Select(line => new V1.CustomsLine
        {
            Description = line.Description,
            Quantity = line.Quantity,
            Value = new Money(line.ValueMinor, line.Currency).ToProto(),
            WeightGrams = line.WeightGrams,
            HsCode = line.HsCode,
            OriginRegionCode = line.Origin,
        }));
        return message;
    }

    /// <exception cref="Failure">INVALID_FIELD.</exception>
    public static CustomsRecord Read(V1.CustomsDeclaration? customs)
    {
        if (customs is null)
            throw Failure.Invalid(new FieldError("customs", "Is required: say what is in the parcel."));
        var errors = new List<FieldError>();
        if (!Enum.IsDefined(customs.Contents))
            errors.Add(new FieldError("customs.contents", "Is not one of the form's boxes."));
        if (customs.Lines.Count is 0 or > MostLines)
            errors.Add(new FieldError("customs.lines", $"Has {customs.Lines.Count} positions; 1 to {MostLines} are allowed."));
        if (customs.Reference.Length > 60)
            errors.Add(new FieldError("customs.reference", "Is longer than 60 characters."));
        var lines = new List<CustomsLineRecord>();
        foreach (var (index, line) in customs.Lines.Take(MostLines).Index())
        {
            var at = $"customs.lines[{index}]";
            if (line.Description.Trim().Length is 0 or > 200)
                errors.Add(new FieldError(at + ".description", "Say what it is in 1 to 200 characters."));
            if (line.Quantity is < 1 or > 100_000)
                errors.Add(new FieldError(at + ".quantity", "Must be between 1 and 100000."));
            if (line.WeightGrams is < 1 or > 1_000_000)
                errors.Add(new FieldError(at + ".weight_grams", "Must be between 1 and 1000000."));
            if (line.HsCode.Length > 0 && (line.HsCode.Length is < 6 or > 10 || !line.HsCode.All(char.IsAsciiDigit)))
                errors.Add(new FieldError(at + ".hs_code", "Give 6 to 10 digits without dots, for example 940521, or leave it empty."));
            if (line.OriginRegionCode.Length > 0 && !Countries.Exists(line.OriginRegionCode))
                errors.Add(new FieldError(at + ".origin_region_code", "Is no country; give its ISO 3166-1 code of two letters, for example PT."));
            if (line.Value is null || !line.Value.TryToMoney(out var value, out _) || value.Minor < 0)
                errors.Add(new FieldError(at + ".value", "Give an amount that is not negative, with its currency."));
            else
                lines.Add(new CustomsLineRecord(line.Description.Trim(), line.Quantity, value.Minor, value.Currency, line.WeightGrams, line.HsCode, line.OriginRegionCode.ToUpperInvariant()));
        }

        return errors.Count > 0 ? throw Failure.Invalid(errors) : new CustomsRecord(customs.Contents, lines, customs.Reference.Trim());
    }
}

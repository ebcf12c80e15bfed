using Commerce.Shipping.Labels;

namespace Commerce.Shipping.Tests.Labels;

/// <summary>Labels to draw.</summary>
internal static class Some
{
    public static ParcelLabel Label(string carrier = "ups", string number = "1Z879E930346834440") => new(
        new LabelAddress("Lumen & Sons", ["12 Harbour Road"], "21079", "Hamburg", "HH", "DE"),
        new LabelAddress("Maria Oliveira da Silva", ["Rua das Laranjeiras 241, apto 902", "Bloco B"], "22240-003", "Rio de Janeiro", "RJ", "BR"),
        carrier, carrier.ToUpperInvariant(), "Worldwide Saver", number, "ORD-7K3M9QX-T2F8CRW", 1250, 1, 3)
    {
        Date = new DateOnly(2026, 11, 26),
    };

    public static CustomsDeclaration Customs(int lines = 3) => new(
        CustomsContents.SaleOfGoods,
        [.. Enumerable.Range(1, lines).Select(i => new CustomsLine($"Lamp no. {i}, brushed steel with a linen shade of 40 cm", i, new Money(1999 * i, "EUR"), 400 * i, "94052190", "PT"))],
        "EORI DE123456789012345");
}

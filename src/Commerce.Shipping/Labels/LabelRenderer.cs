namespace Commerce.Shipping.Labels;

/// <summary>Paper for <see cref="LabelRenderer.Pdf"/>.</summary>
public enum LabelPaper
{
    /// <summary>105 × 148 mm, a side each.</summary>
    A6,

    /// <summary>210 × 297 mm, up to four sides a sheet, from the top left.</summary>
    A4,
}

/// <summary>Labels as files. Pure: the same labels give the same bytes, on every machine.</summary>
public static class LabelRenderer
{
    /// <summary>The dots an inch that label printers have.</summary>
    public static IReadOnlyList<int> Resolutions { get; } = [203, 300];

    /// <summary>One PDF of all labels, in their order; a customs declaration follows its label.</summary>
    public static byte[] Pdf(IReadOnlyList<ParcelLabel> labels, LabelPaper paper) => LabelPdf.Render([.. labels.SelectMany(LabelLayout.Of)], paper);

    /// <summary>ZPL II, UTF-8: a format (^XA … ^XZ) a side, for 4 × 6 inch.</summary>
    /// <param name="dotsAnInch">One of <see cref="Resolutions"/>.</param>
    public static byte[] Zpl(IReadOnlyList<ParcelLabel> labels, int dotsAnInch) => LabelZpl.Render(labels.SelectMany(LabelLayout.Of), dotsAnInch);

    /// <summary>A grey picture; a customs declaration stands below the label.</summary>
    /// <param name="dotsAnInch">One of <see cref="Resolutions"/>.</param>
    public static byte[] Png(ParcelLabel label, int dotsAnInch) => LabelPng.Render(LabelLayout.Of(label), dotsAnInch);
}

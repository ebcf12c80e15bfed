using System.Text;

namespace Commerce.Shipping.Labels;

/// <summary>Paper of a PDF.</summary>
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
    public static byte[] Pdf(IReadOnlyList<ParcelLabel> labels, LabelPaper paper) => Of(LabelFile.Pdf(paper), labels);

    /// <summary>ZPL II, UTF-8: a format (^XA … ^XZ) a side, for 4 × 6 inch.</summary>
    /// <param name="dotsAnInch">One of <see cref="Resolutions"/>.</param>
    public static byte[] Zpl(IReadOnlyList<ParcelLabel> labels, int dotsAnInch) => Of(LabelFile.Zpl(dotsAnInch), labels);

    /// <summary>A grey picture; a customs declaration stands below the label.</summary>
    /// <param name="dotsAnInch">One of <see cref="Resolutions"/>.</param>
    public static byte[] Png(ParcelLabel label, int dotsAnInch) => LabelPng.Render(LabelLayout.Of(label), dotsAnInch);

    private static byte[] Of(LabelFile file, IReadOnlyList<ParcelLabel> labels)
    {
        using (file)
        {
            foreach (var label in labels)
                file.Add(label);
            return file.Finish();
        }
    }
}

/// <summary>A file that is made label by label, so that whoever waits for many can be told how far it is.</summary>
public sealed class LabelFile : IDisposable
{
    private readonly LabelPdf? _pdf;
    private readonly StringBuilder _zpl = new();
    private readonly int _dotsAnInch;

    private LabelFile(LabelPdf? pdf, int dotsAnInch) => (_pdf, _dotsAnInch) = (pdf, dotsAnInch);

    public static LabelFile Pdf(LabelPaper paper) => new(new LabelPdf(paper), 0);

    /// <param name="dotsAnInch">One of <see cref="LabelRenderer.Resolutions"/>.</param>
    public static LabelFile Zpl(int dotsAnInch) => new(null, dotsAnInch);

    public void Add(ParcelLabel label)
    {
        foreach (var page in LabelLayout.Of(label))
        {
            if (_pdf is not null)
                _pdf.Add(page);
            else
                LabelZpl.Add(_zpl, page, _dotsAnInch);
        }
    }

    /// <summary>The whole file; nothing can be added behind.</summary>
    public byte[] Finish() => _pdf?.Finish() ?? Encoding.UTF8.GetBytes(_zpl.ToString());

    public void Dispose() => _pdf?.Dispose();
}

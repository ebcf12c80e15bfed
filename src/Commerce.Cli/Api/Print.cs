using System.Text;
using Google.Protobuf;
using Spectre.Console;

namespace Commerce.Cli.Api;

/// <summary>What commands print: protobuf JSON for programs, words for people.</summary>
internal static class Print
{
    private static readonly JsonFormatter Pretty = new(JsonFormatter.Settings.Default.WithIndentation());
    private static readonly JsonFormatter Line = new(JsonFormatter.Settings.Default);
    private static readonly JsonFormatter PrettyFigures = new(JsonFormatter.Settings.Default.WithIndentation().WithFormatDefaultValues(true));
    private static readonly JsonFormatter LineFigures = new(JsonFormatter.Settings.Default.WithFormatDefaultValues(true));

    /// <summary>One message, indented.</summary>
    public static void Json(IMessage message) => Console.Out.WriteLine(Pretty.Format(message));

    /// <summary>The same as a text.</summary>
    public static string JsonText(IMessage message) => Pretty.Format(message);

    /// <summary>One message on one line, for streams.</summary>
    public static void JsonLine(IMessage message) => Console.Out.WriteLine(Line.Format(message));

    /// <summary>One message, indented, of which a nought is news.</summary>
    public static void JsonFigures(IMessage message) => Console.Out.WriteLine(PrettyFigures.Format(message));

    /// <summary>The same on one line, for streams.</summary>
    public static void JsonLineFigures(IMessage message) => Console.Out.WriteLine(LineFigures.Format(message));

    /// <summary>For people: "€"-less and exact, for example "59.10 GBP".</summary>
    public static string Amount(Google.Type.Money? money) =>
        money is null ? "" : MoneyText(money);

    public static string Escape(string text) => Markup.Escape(Printable(text));

    /// <summary>Without what would move the terminal's cursor or change its colours.</summary>
    public static string Printable(ReadOnlySpan<char> text)
    {
        var printable = new StringBuilder(text.Length);
        foreach (var c in text)
        {
            if (!char.IsControl(c))
                printable.Append(c);
        }

        return printable.ToString();
    }

    private static string MoneyText(Google.Type.Money money)
    {
        var digits = Currencies.MinorUnits(money.CurrencyCode) ?? 2;
        var value = money.Units + money.Nanos / 1_000_000_000m;
        return value.ToString("F" + digits, System.Globalization.CultureInfo.InvariantCulture) + " " + money.CurrencyCode;
    }
}
